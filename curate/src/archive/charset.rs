//! Bytes of a page as text.
//!
//! In this order: a byte order mark, the header's charset, a charset that the page names in its first 1,024 bytes, UTF-8 if
//! the bytes are valid, and a guess from the bytes.
//!
//! Source: WHATWG HTML, "determining the character encoding", with the guess by `chardetng` at its end.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// Bytes at the head of a page in which it may name its charset.
const META: usize = 1024;

/// Decodes a page; what is no character becomes U+FFFD.
#[must_use]
pub fn decode<'a>(bytes: &'a [u8], from_header: Option<&str>) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    let named = from_header.and_then(|label| Encoding::for_label(label.as_bytes())).or_else(|| from_meta(bytes));
    let encoding = named.unwrap_or_else(|| if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { guess(bytes) });
    encoding.decode_without_bom_handling(bytes).0
}

fn from_meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(META)].to_ascii_lowercase();
    let at = head.windows(8).position(|window| window == b"charset=")?;
    let label: Vec<u8> = head[at + 8..]
        .iter()
        .copied()
        .skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '))
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'))
        .collect();
    let encoding = Encoding::for_label(&label)?;
    // a page that can be read as ASCII is not in UTF-16, whatever it says
    Some(if encoding.is_ascii_compatible() { encoding } else { UTF_8 })
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_wins_over_the_page() {
        let page = "<meta charset=\"utf-8\">café".replace('é', "\u{1}");
        let latin: Vec<u8> = page.bytes().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
        assert!(decode(&latin, Some("ISO-8859-1")).ends_with("café"));
        assert!(decode(&latin, None).ends_with("caf\u{fffd}"));
    }

    #[test]
    fn without_a_word_about_it_the_bytes_decide() {
        assert_eq!(decode("日本".as_bytes(), None), "日本");
        let latin = b"Die gr\xf6\xdfte Br\xfccke f\xfchrt \xfcber den Flu\xdf, und die K\xf6nigin ging dar\xfcber.";
        assert!(decode(latin, None).contains("größte Brücke"));
    }
}
