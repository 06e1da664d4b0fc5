//! What each byte of a chunk may be.

/// A letter of ASCII.
pub const LETTER: u8 = 1;
/// A digit of ASCII.
pub const DIGIT: u8 = 2;
/// White space of ASCII.
pub const SPACE: u8 = 4;
/// Taken off the beginning of a chunk.
pub const PREFIX: u8 = 8;
/// Taken off the end of a chunk.
pub const SUFFIX: u8 = 16;
/// May divide a chunk, or be part of a contraction.
pub const INNER: u8 = 32;
/// Part of a character that is not ASCII.
pub const WIDE: u8 = 64;

/// What each byte may be.
pub static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        classes[byte] = match character {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b' ' | b'\t'..=b'\r' | 0x1c..=0x1f => SPACE,
            b'"' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b';' | b'!' | b'?' | b'_' | b'#' | b'&' | b'`' => {
                PREFIX | SUFFIX
            }
            b',' | b'.' | b':' | b'<' | b'>' | b'*' | b'\'' | b'%' | b'$' | b'+' => PREFIX | SUFFIX | INNER,
            b'=' => PREFIX | INNER,
            b'-' | b'~' | b'/' | b'^' => INNER,
            0x80.. => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    classes
}
