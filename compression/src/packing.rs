//! The ways in which files are packed, told by their first bytes.

use std::fmt;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// Gzip members.
    Gzip,
    /// Bzip2 streams.
    Bzip2,
    /// Xz streams.
    Xz,
    /// Zstandard frames.
    Zstd,
    /// LZ4 frames.
    Lz4,
}

/// First bytes that are enough to tell a packing.
pub const FIRST_BYTES: usize = 10;

/// What follows `BZh` and a digit: a block, or the end of a stream that is empty.
const BZIP2_BLOCKS: [[u8; 6]; 2] = [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]];

const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0x00];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const LZ4: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// The magic of a frame that holds no data, behind its first byte: 0x184D2A50 to 0x184D2A5F, little end first.
pub(crate) const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

impl Packing {
    /// All but plain.
    pub const ALL: [Self; 5] = [Self::Gzip, Self::Bzip2, Self::Xz, Self::Zstd, Self::Lz4];

    /// What the first bytes of a file say. They are enough where there are [`FIRST_BYTES`] of them. A frame without data may
    /// stand before zstd and before LZ4; it is taken for the former.
    #[must_use]
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [first, rest @ ..] if rest.starts_with(&SKIPPABLE) && first & 0xf0 == 0x50 => Self::Zstd,
            _ => [Self::Bzip2, Self::Xz, Self::Zstd, Self::Lz4]
                .into_iter()
                .find(|packing| packing.begins(start))
                .unwrap_or(Self::Plain),
        }
    }

    /// Whether a member with data begins with these bytes, of which there are [`FIRST_BYTES`] or more, unless the file ends.
    #[must_use]
    pub fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Self::Plain => false,
            // deflate, and no reserved flag
            Self::Gzip => bytes.starts_with(&[0x1f, 0x8b, 8]) && bytes.get(3).is_some_and(|flags| *flags < 0x20),
            Self::Bzip2 => {
                matches!(bytes, [b'B', b'Z', b'h', b'1'..=b'9', block @ ..]
                    if BZIP2_BLOCKS.iter().any(|known| block.starts_with(known)))
            }
            Self::Xz => bytes.starts_with(&XZ),
            Self::Zstd => bytes.starts_with(&ZSTD),
            Self::Lz4 => bytes.starts_with(&LZ4),
        }
    }

    /// Whether a file of these few bytes may be text, though a packing begins so.
    pub(crate) fn may_be_text(start: &[u8]) -> bool {
        start.len() < 5 && start.iter().all(u8::is_ascii_graphic)
    }

    /// The packing of a member of which the file has no more than these bytes, which are too few to tell it.
    pub(crate) fn cut_short(start: &[u8]) -> Option<Self> {
        if start.is_empty() {
            return None;
        }
        let is_cut = |magic: &[u8]| start.len() < magic.len() && magic.starts_with(start);
        let bzip2 = || {
            let (head, block) = start.split_at(start.len().min(4));
            let is_stream =
                b"BZh".starts_with(&head[..head.len().min(3)]) && head.get(3).is_none_or(u8::is_ascii_digit);
            let is_block = BZIP2_BLOCKS.iter().any(|known| block.len() < known.len() && known.starts_with(block));
            (is_stream && is_block).then_some(Self::Bzip2)
        };
        let known = [(Self::Gzip, &[0x1f, 0x8b][..]), (Self::Xz, &XZ), (Self::Zstd, &ZSTD), (Self::Lz4, &LZ4)];
        let known = known.into_iter().find_map(|(packing, magic)| is_cut(magic).then_some(packing));
        known.or_else(bzip2).or_else(|| {
            let skippable = start[0] & 0xf0 == 0x50 && start.len() < 4 && SKIPPABLE.starts_with(&start[1..]);
            skippable.then_some(Self::Zstd)
        })
    }

    /// The name of the format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    /// A member of the format, as sentences name it.
    pub(crate) fn article(self) -> &'static str {
        match self {
            Self::Plain => "bytes",
            Self::Gzip => "a gzip member",
            Self::Bzip2 => "a bzip2 stream",
            Self::Xz => "an xz stream",
            Self::Zstd => "a zstd frame",
            Self::Lz4 => "an LZ4 frame",
        }
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
