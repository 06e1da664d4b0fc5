//! The headers of zstd's frames.
//!
//! Source: RFC 8878, sections 3.1.1.1 and 3.1.2.

use crate::{Packing, packing::SKIPPABLE};

/// The longest header of a frame, in bytes.
pub const LONGEST_HEADER: usize = 18;

/// The length of a frame without data, its header of 8 bytes included, if `bytes` (8 or more) begin with one.
#[must_use]
pub fn skippable(bytes: &[u8]) -> Option<u64> {
    let [first, magic @ .., _, _, _, _] = bytes.first_chunk::<8>()?;
    let size = u32::from_le_bytes(*bytes[4..].first_chunk()?);
    (first & 0xf0 == 0x50 && *magic == SKIPPABLE).then_some(8 + u64::from(size))
}

/// What the header of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// How far back its data may reach, in bytes.
    pub window: u64,
    /// Bytes that it holds, where it says so.
    pub content: Option<u64>,
    /// The dictionary that it needs; 0 for none that has a number.
    pub dictionary: u32,
}

impl Header {
    /// The header that `bytes` begin with; none where it is not whole or no header.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (&descriptor, mut rest) = bytes.get(4..)?.split_first()?;
        if !Packing::Zstd.begins(bytes) {
            return None;
        }
        let single = descriptor & 0x20 != 0;
        let mut number = |length: usize| -> Option<u64> {
            let (field, behind) = rest.split_at_checked(length)?;
            rest = behind;
            Some(field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        };
        let window = if single { None } else { Some(number(1)?) };
        let window = window.map(|byte| {
            let base = 1u64 << (10 + (byte >> 3));
            base + base / 8 * (byte & 7)
        });
        let dictionary = number([0, 1, 2, 4][usize::from(descriptor & 3)])?;
        let content = match (descriptor >> 6, single) {
            (0, false) => None,
            (0, true) => Some(number(1)?),
            (1, _) => Some(number(2)? + 256),
            (2, _) => Some(number(4)?),
            _ => Some(number(8)?),
        };
        let window = window.or(content)?;
        Some(Self { window, content, dictionary: u32::try_from(dictionary).ok()? })
    }

    /// Bytes that must be held to unpack it.
    pub fn memory(self) -> u64 {
        self.content.map_or(self.window, |content| self.window.min(content))
    }
}

/// The window that must be held to unpack the zstd frame that `bytes` begin with, behind frames without data: [`LONGEST_HEADER`] bytes or
/// more are needed behind those. None for whatever else.
#[must_use]
pub fn window(bytes: &[u8]) -> Option<u64> {
    let mut bytes = bytes;
    while let Some(length) = skippable(bytes) {
        bytes = bytes.get(usize::try_from(length).ok()?..)?;
    }
    Header::of(bytes).map(Header::memory)
}
