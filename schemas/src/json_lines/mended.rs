//! What other programs write that is no JSON, made JSON.

use super::not_numbers::NOT_NUMBERS;

/// A line with what can be mended.
pub(super) struct Mended {
    pub line: Vec<u8>,
    /// Where it became longer, and by how much.
    longer: Vec<(usize, usize)>,
}

impl Mended {
    /// None where there is nothing to mend.
    pub fn of(line: &[u8]) -> Option<Self> {
        let mut mended = Self { line: Vec::new(), longer: Vec::new() };
        let (mut at, mut taken, mut in_string, mut changed) = (0, 0, false, false);
        while at < line.len() {
            let (start, rest) = (at, &line[at..]);
            let mut replace = |length: usize, by: &str| {
                mended.line.extend_from_slice(&line[taken..start]);
                mended.line.extend_from_slice(by.as_bytes());
                if by.len() > length {
                    mended.longer.push((mended.line.len(), by.len() - length));
                }
                taken = start + length;
                changed = true;
            };
            at += match (rest[0], in_string) {
                (b'"', _) => {
                    in_string = !in_string;
                    1
                }
                (b'\\', true) => match surrogate(rest) {
                    Some(0xd800..0xdc00) if matches!(surrogate(&rest[ESCAPE..]), Some(0xdc00..)) => 2 * ESCAPE,
                    Some(_) => {
                        replace(ESCAPE, "\\ufffd");
                        ESCAPE
                    }
                    // an escaped quotation mark ends no string
                    None => 2,
                },
                (b'N' | b'I' | b'-', false) => {
                    match NOT_NUMBERS.iter().find(|(word, _)| rest.starts_with(word.as_bytes())) {
                        Some((word, by)) => {
                            replace(word.len(), by);
                            word.len()
                        }
                        None => 1,
                    }
                }
                _ => 1,
            };
        }
        mended.line.extend_from_slice(&line[taken..]);
        changed.then_some(mended)
    }

    /// The column of the line as it was.
    pub fn column(&self, line: usize, column: usize) -> usize {
        let ends = self.line.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1);
        let start = line.checked_sub(2).and_then(|before| ends.into_iter().nth(before)).unwrap_or_default();
        let before = self.longer.iter().filter(|(place, _)| (start..start + column).contains(place));
        column - before.map(|(_, by)| by).sum::<usize>()
    }
}

/// Bytes of an escape of four hexadecimal digits.
const ESCAPE: usize = 6;

/// The half of a surrogate pair that an escape at the beginning of some bytes stands for.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    let code = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0xd800..0xe000).contains(&code).then_some(code)
}
