//! The mark that some programs put before the first character of a text file.
//!
//! UTF-8's says nothing that is not known, and is passed over, as RFC 8259 allows. A file in UTF-16 or UTF-32 is refused by name: a byte in
//! it is no byte of its text, so that no place in it could be given back.

use std::io::{self, BufRead};

/// The mark of UTF-8: U+FEFF.
pub const UTF_8: &[u8] = "\u{feff}".as_bytes();

/// Marks of what is not read, the longer first where one begins with another.
const OTHERS: [(&[u8], &str); 4] = [
    (&[0xff, 0xfe, 0, 0], "UTF-32LE"),
    (&[0, 0, 0xfe, 0xff], "UTF-32BE"),
    (&[0xff, 0xfe], "UTF-16LE"),
    (&[0xfe, 0xff], "UTF-16BE"),
];

/// The bytes without UTF-8's mark at their beginning.
///
/// # Errors
/// When they begin with the mark of another encoding: which, and what to do, in words.
pub fn without_mark(bytes: &[u8]) -> Result<&[u8], String> {
    match OTHERS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        Some((_, name)) => Err(format!(
            "by its byte order mark it is in {name}, and not in UTF-8: convert it, such as by `iconv -f {name} -t UTF-8`"
        )),
        None => Ok(bytes.strip_prefix(UTF_8).unwrap_or(bytes)),
    }
}

/// Passes over UTF-8's mark at the beginning of a file; call it before anything is read.
///
/// - returns: bytes that were passed over, 3 or 0
///
/// # Errors
/// When the file cannot be read, or begins with the mark of another encoding.
pub fn pass_over(input: &mut impl BufRead) -> io::Result<usize> {
    let length = mark_length(input)?;
    input.consume(length);
    Ok(length)
}

/// The same, of a reader that passes over the mark of UTF-8 by itself.
///
/// # Errors
/// As for [`pass_over`].
pub fn mark_length(input: &mut impl BufRead) -> io::Result<usize> {
    let bytes = input.fill_buf()?;
    let rest = without_mark(bytes).map_err(|message| io::Error::new(io::ErrorKind::InvalidData, message))?;
    Ok(bytes.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_is_read_and_others_are_named() {
        let mut input = "\u{feff}{}".as_bytes();
        assert_eq!(pass_over(&mut input).expect("it is UTF-8"), 3);
        assert_eq!(input, b"{}");
        let mut twice = "\u{feff}\u{feff}".as_bytes();
        assert_eq!(pass_over(&mut twice).expect("it is UTF-8"), 3);
        assert_eq!(twice, UTF_8, "the second is a character of the text");
        for (bytes, name) in [
            (&b"\xff\xfe{\0"[..], "UTF-16LE"),
            (b"\xfe\xff\0{", "UTF-16BE"),
            (b"\xff\xfe\0\0{\0\0\0", "UTF-32LE"),
            (b"\0\0\xfe\xff", "UTF-32BE"),
        ] {
            let error = pass_over(&mut &*bytes).expect_err("it is no UTF-8").to_string();
            assert!(error.contains(&format!("in {name},")), "{error}");
        }
        assert_eq!(pass_over(&mut &b"\xef\xbb"[..]).expect("it is no mark"), 0);
    }
}
