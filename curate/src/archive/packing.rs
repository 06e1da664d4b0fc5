//! What archives are compressed by beside the members that everybody knows: dictionaries of zstd, and whole frames of LZ4.
//!
//! Source: the draft "WARC compression with Zstandard" for dictionaries; the LZ4 frame format 1.6.

use std::io::Read as _;

use compression::MaxWindow;
pub use compression::Packing;

/// The first byte of the one frame without data that holds a dictionary.
const DICTIONARY: u8 = 0x5d;

/// The longest dictionary that is believed, in bytes.
pub const MAX_DICTIONARY: u64 = 64 << 20;

/// The dictionary in a frame without data: as it is, or packed in its turn.
pub fn dictionary(frame: &[u8]) -> Option<Result<Vec<u8>, String>> {
    let body = (frame[0] == DICTIONARY).then(|| &frame[8..])?;
    Some(if Packing::Zstd.begins(body) {
        let mut bytes = Vec::new();
        let allowance = MaxWindow { limit: MAX_DICTIONARY, advice: "no dictionary is so large".to_owned() };
        let unpacked = compression::Unpacked::new(body, Box::new(allowance))
            .and_then(|unpacked| unpacked.take(MAX_DICTIONARY).read_to_end(&mut bytes));
        unpacked.map(|_| bytes).map_err(|error| format!("the dictionary cannot be unpacked: {error}"))
    } else {
        Ok(body.to_vec())
    })
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
