//! The ways in which archives are compressed, member by member.
//!
//! Source: RFC 1952 (gzip); RFC 8878 (zstd) and the draft "WARC compression with Zstandard" for its dictionary; the LZ4
//! frame format 1.6.

use std::io::Read as _;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{Decoder as ZstdDecoder, InBuffer, Operation as _, OutBuffer};

use super::Fault;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// Gzip members.
    Gzip,
    /// Zstandard frames.
    Zstd,
    /// LZ4 frames.
    Lz4,
}

/// The magic of a frame that holds no data: 0x184D2A50 to 0x184D2A5F, little end first.
const SKIPPED: [u8; 3] = [0x2a, 0x4d, 0x18];

/// The first byte of the one skipped frame that holds a dictionary.
const DICTIONARY: u8 = 0x5d;

/// Bytes that are enough to tell a member.
pub const MAGIC: usize = 4;

/// The longest dictionary that is believed, in bytes.
pub const MAX_DICTIONARY: usize = 64 << 20;

impl Packing {
    /// What the first bytes of a file say. They are enough where there are [`MAGIC`] of them.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [DICTIONARY, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            _ => Self::Plain,
        }
    }

    /// Whether a member may begin with these bytes, of which there are [`MAGIC`] or more.
    pub fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Self::Plain => false,
            // deflate, and no reserved flag
            Self::Gzip => bytes.starts_with(&[0x1f, 0x8b, 8]) && bytes[3] < 0x20,
            Self::Zstd | Self::Lz4 => Self::of(bytes) == self && bytes[0] != DICTIONARY,
        }
    }

    /// The name of the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    /// The fault of a member that cannot be unpacked.
    pub fn corrupt(self) -> Fault {
        match self {
            Self::Plain | Self::Gzip => Fault::GzipCorrupt,
            Self::Zstd => Fault::ZstdCorrupt,
            Self::Lz4 => Fault::Lz4Corrupt,
        }
    }

    /// The fault of a member that the file's end cuts.
    pub fn clipped(self) -> Fault {
        match self {
            Self::Plain | Self::Gzip => Fault::GzipClipped,
            Self::Zstd => Fault::ZstdClipped,
            Self::Lz4 => Fault::Lz4Clipped,
        }
    }
}

/// The length of a skipped frame, header included, if `bytes` (8 or more) begin with one.
pub fn skipped(bytes: &[u8]) -> Option<usize> {
    let [first, magic @ .., _, _, _, _] = bytes.first_chunk::<8>()?;
    let size = u32::from_le_bytes(*bytes[4..].first_chunk()?);
    (first & 0xf0 == 0x50 && *magic == SKIPPED).then_some(8 + size as usize)
}

/// The dictionary in a skipped frame: as it is, or packed in its turn.
pub fn dictionary(frame: &[u8]) -> Option<Result<Vec<u8>, String>> {
    let body = (frame[0] == DICTIONARY).then(|| &frame[8..])?;
    Some(if Packing::of(body) == Packing::Zstd {
        let mut bytes = Vec::new();
        let unpacked = zstd::stream::read::Decoder::new(body)
            .and_then(|decoder| decoder.take(MAX_DICTIONARY as u64).read_to_end(&mut bytes));
        unpacked.map(|_| bytes).map_err(|error| format!("the dictionary cannot be unpacked: {error}"))
    } else {
        Ok(body.to_vec())
    })
}

/// Unpacks one member, piece by piece.
pub enum Decoder {
    Gzip(Box<Decompress>),
    Zstd(Box<ZstdDecoder<'static>>),
}

/// What a piece of work has done.
pub struct Piece {
    pub read: usize,
    pub written: usize,
    /// Whether the member goes on behind it.
    pub then: Then,
}

/// How a member goes on.
pub enum Then {
    More,
    Ended,
    /// It cannot be unpacked, for this reason.
    Broken(String),
}

impl Decoder {
    /// A decoder for a gzip member.
    pub fn gzip() -> Self {
        Self::Gzip(Box::new(Decompress::new_gzip(15)))
    }

    /// A decoder for a zstd frame.
    pub fn zstd(dictionary: &[u8]) -> Result<Self, String> {
        let decoder = ZstdDecoder::with_dictionary(dictionary).map_err(|error| error.to_string())?;
        Ok(Self::Zstd(Box::new(decoder)))
    }

    /// Unpacks some of `input` into `output`.
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Piece {
        match self {
            Self::Gzip(decoder) => {
                let (read, written) = (decoder.total_in(), decoder.total_out());
                let status = decoder.decompress(input, output, FlushDecompress::None);
                let count = |now: u64, before: u64| usize::try_from(now - before).expect("no more than the buffer");
                let then = match status {
                    Ok(Status::StreamEnd) => Then::Ended,
                    Ok(_) => Then::More,
                    Err(error) => Then::Broken(error.to_string()),
                };
                Piece { read: count(decoder.total_in(), read), written: count(decoder.total_out(), written), then }
            }
            Self::Zstd(decoder) => {
                let (mut input, mut output) = (InBuffer::around(input), OutBuffer::around(output));
                let then = match decoder.run(&mut input, &mut output) {
                    Ok(0) => Then::Ended,
                    Ok(_) => Then::More,
                    Err(error) => Then::Broken(error.to_string()),
                };
                Piece { read: input.pos, written: output.pos(), then }
            }
        }
    }
}

/// The length of an LZ4 frame, as far as its bytes are at hand.
pub enum Length {
    /// The whole frame is there.
    Known(usize),
    /// At least this many bytes are needed to tell.
    AtLeast(usize),
    /// This is no frame.
    Wrong(&'static str),
}

/// Walks the blocks of the LZ4 frame that `bytes` begin with.
pub fn lz4_length(bytes: &[u8]) -> Length {
    const CHECKED_BLOCKS: u8 = 0x10;
    const SIZED: u8 = 0x08;
    const CHECKED: u8 = 0x04;
    const DICTIONARY_ID: u8 = 0x01;
    let Some(&flags) = bytes.get(4) else { return Length::AtLeast(7) };
    if flags >> 6 != 1 {
        return Length::Wrong("its version is unknown");
    }
    let has = |flag: u8, size: usize| if flags & flag == 0 { 0 } else { size };
    let mut at = 7 + has(SIZED, 8) + has(DICTIONARY_ID, 4);
    loop {
        let Some(size) = bytes.get(at..at + 4).and_then(|size| size.first_chunk()) else {
            return Length::AtLeast(at + 4);
        };
        let size = (u32::from_le_bytes(*size) & 0x7fff_ffff) as usize;
        at += 4;
        if size == 0 {
            at += has(CHECKED, 4);
            return if bytes.len() < at { Length::AtLeast(at) } else { Length::Known(at) };
        }
        if size > 8 << 20 {
            return Length::Wrong("a block is larger than any may be");
        }
        at += size + has(CHECKED_BLOCKS, 4);
    }
}

/// Unpacks a whole LZ4 frame to the end of `output`, up to `limit` bytes.
pub fn lz4_frame(frame: &[u8], limit: usize, output: &mut Vec<u8>) -> Result<(), String> {
    let before = output.len();
    let decoder = lz4_flex::frame::FrameDecoder::new(frame);
    let read = decoder.take(limit as u64 + 1).read_to_end(output).map_err(|error| error.to_string());
    let read = read
        .and_then(|count| if count > limit { Err(format!("it unpacks to more than {limit} bytes")) } else { Ok(()) });
    if read.is_err() {
        output.truncate(before);
    }
    read
}
