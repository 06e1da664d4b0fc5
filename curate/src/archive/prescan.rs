//! The charset that a page names: in a `meta` or in its XML declaration, and nowhere else.
//!
//! Tags are read as the standard's prescan reads them, so that a charset in a comment, in a script, or in the attribute of another
//! element is none. The standard looks at the first 1,024 bytes, and browsers at the rest of the head when they come to it; so this looks
//! at more.
//!
//! Source: WHATWG HTML, "prescan a byte stream to determine its encoding", "get an XML encoding".

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Bytes at the head of a page in which it may name its charset.
const SCANNED: usize = 64 * 1024;

/// The encoding of a label, where there is one that can be read. A page that says so in ASCII is not in UTF-16.
pub fn encoding(label: &[u8]) -> Option<&'static Encoding> {
    if label.trim_ascii().eq_ignore_ascii_case(b"x-user-defined") {
        return Some(WINDOWS_1252);
    }
    let encoding = Encoding::for_label_no_replacement(label)?;
    Some(if encoding.is_ascii_compatible() || encoding == encoding_rs::ISO_2022_JP { encoding } else { UTF_8 })
}

/// The charset of the XML declaration that the page begins with.
pub fn from_xml(bytes: &[u8]) -> Option<&'static Encoding> {
    let declaration = bytes.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = memchr::memchr(b'>', &declaration[..declaration.len().min(1024)])?;
    let declaration = &declaration[..end];
    let at = memchr::memmem::find(declaration, b"encoding")?;
    encoding(value(&declaration[at + b"encoding".len()..])?)
}

/// The charset of the first `meta` that names one.
pub fn from_meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let bytes = &bytes[..bytes.len().min(SCANNED)];
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'<', rest) {
        rest = &rest[at + 1..];
        match rest {
            [b'!', b'-', b'-', ..] => rest = &rest[memchr::memmem::find(&rest[1..], b"-->")? + 4..],
            [letter, ..] | [b'/', letter, ..] if letter.is_ascii_alphabetic() => {
                let mut tag = Tag::new(rest);
                if tag.name.eq_ignore_ascii_case(b"meta") {
                    if let Some(encoding) = of_meta(&mut tag) {
                        return Some(encoding);
                    }
                } else {
                    while tag.next().is_some() {}
                    if tag.name.eq_ignore_ascii_case(b"script") || tag.name.eq_ignore_ascii_case(b"style") {
                        tag.rest = behind_end_tag(tag.rest, tag.name)?;
                    }
                }
                rest = tag.rest;
            }
            [b'!' | b'/' | b'?', ..] => rest = &rest[memchr::memchr(b'>', rest)? + 1..],
            _ => {}
        }
    }
    None
}

fn of_meta(tag: &mut Tag<'_>) -> Option<&'static Encoding> {
    let (mut charset, mut content, mut is_type) = (None, None, false);
    for (name, value) in tag {
        if name.eq_ignore_ascii_case(b"charset") {
            charset = charset.or_else(|| encoding(value));
        } else if name.eq_ignore_ascii_case(b"content") {
            is_type |= value.trim_ascii_start().get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"text/html"));
            content = content.or_else(|| of_content(value));
        } else if name.eq_ignore_ascii_case(b"http-equiv") {
            is_type |= value.trim_ascii().eq_ignore_ascii_case(b"content-type");
        }
    }
    charset.or_else(|| content.filter(|_| is_type))
}

/// The charset in a `meta`'s content, such as `text/html; charset=gbk`.
fn of_content(content: &[u8]) -> Option<&'static Encoding> {
    let lower = content.to_ascii_lowercase();
    let mut places = memchr::memmem::find_iter(&lower, b"charset").map(|at| &lower[at + b"charset".len()..]);
    places.find_map(|rest| encoding(value(rest)?))
}

/// The value behind `=`, quoted or up to white space or `;`.
fn value(rest: &[u8]) -> Option<&[u8]> {
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    match rest {
        [quote @ (b'"' | b'\''), quoted @ ..] => Some(&quoted[..memchr::memchr(*quote, quoted)?]),
        _ => rest.split(|byte| byte.is_ascii_whitespace() || *byte == b';').next(),
    }
}

/// What follows the end tag of an element whose content is no markup.
fn behind_end_tag<'a>(mut rest: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    loop {
        rest = &rest[memchr::memmem::find(rest, b"</")? + 2..];
        if rest.get(..name.len())?.eq_ignore_ascii_case(name) {
            return Some(&rest[name.len()..]);
        }
    }
}

/// A tag, whose attributes are read one by one.
struct Tag<'a> {
    name: &'a [u8],
    /// What follows the name and the attributes that were read.
    rest: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Begins behind `<`.
    fn new(bytes: &'a [u8]) -> Self {
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
        // that of an end tag begins with a slash
        let (name, rest) = bytes.split_at(1 + bytes[1..].iter().position(is_end).unwrap_or(bytes.len() - 1));
        Self { name, rest }
    }
}

impl<'a> Iterator for Tag<'a> {
    type Item = (&'a [u8], &'a [u8]);

    /// The next attribute: its name, and its value, which may be empty.
    fn next(&mut self) -> Option<Self::Item> {
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'/';
        let start = self.rest.iter().position(|byte| !is_between(byte)).unwrap_or(self.rest.len());
        self.rest = &self.rest[start..];
        if matches!(self.rest.first(), None | Some(b'>')) {
            return None;
        }
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'/' | b'>');
        // an attribute may begin with `=`
        let end = 1 + self.rest[1..].iter().position(is_end).unwrap_or(self.rest.len() - 1);
        let (name, behind) = self.rest.split_at(end);
        let Some(behind) = behind.trim_ascii_start().strip_prefix(b"=") else {
            self.rest = behind;
            return Some((name, &[]));
        };
        let behind = behind.trim_ascii_start();
        let (value, rest) = match behind {
            [quote @ (b'"' | b'\''), quoted @ ..] => {
                let end = memchr::memchr(*quote, quoted).unwrap_or(quoted.len());
                (&quoted[..end], quoted.get(end + 1..).unwrap_or_default())
            }
            _ => {
                let end = behind.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'>');
                behind.split_at(end.unwrap_or(behind.len()))
            }
        };
        self.rest = rest;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, GBK, KOI8_R};

    use super::*;

    #[test]
    fn a_charset_counts_in_meta_alone() {
        for (page, expected) in [
            ("<meta charset=gbk>", Some(GBK)),
            ("<META\nCharset = 'GBK' />", Some(GBK)),
            ("<meta http-equiv=\"Content-Type\" content=\"text/html; charset=gbk\">", Some(GBK)),
            ("<meta content='text/html;charset=\"gbk\"' http-equiv=content-type>", Some(GBK)),
            ("<!-- <meta charset=utf-8> --><meta charset=gbk>", Some(GBK)),
            ("<!--><meta charset=gbk>", Some(GBK)),
            ("<script src=a.js charset=utf-8></script><meta charset=gbk>", Some(GBK)),
            ("<script>x = '<meta charset=utf-8>'</script><meta charset=gbk>", Some(GBK)),
            ("<link title='<meta charset=utf-8>' charset=utf-8><meta charset=gbk>", Some(GBK)),
            ("<meta name=description content='charset=utf-8 is a charset'><meta charset=gbk>", Some(GBK)),
            ("<meta charset=no-such><meta charset=utf-16>", Some(UTF_8)),
            ("<p>charset=gbk</p>", None),
            ("<meta charset", None),
            ("<meta charset='gbk", Some(GBK)),
            ("<", None),
            ("<!--", None),
        ] {
            assert_eq!(from_meta(page.as_bytes()), expected, "{page}");
        }
        let late = format!("<script>{}</script><meta charset=big5>", "x = 1;\n".repeat(2000));
        assert_eq!(from_meta(late.as_bytes()), Some(BIG5), "browsers go on, too");
    }

    #[test]
    fn an_xml_declaration_names_one() {
        assert_eq!(from_xml(b"<?xml version='1.0' encoding='koi8-r' ?><html>"), Some(KOI8_R));
        assert_eq!(from_xml(b"<?xml version='1.0'?><html encoding='koi8-r'>"), None);
        assert_eq!(from_xml(b"<?xml encoding="), None);
    }
}
