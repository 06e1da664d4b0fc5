//! Lines of headers, as WARC and HTTP write them.
//!
//! Source: ISO 28500:2017 (WARC 1.1), section 4; RFC 9112, sections 5 and 5.2 (folded lines).

use std::borrow::Cow;

/// The first value of a header, whatever the case of its name.
pub(super) fn header<'a>(known: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers(known, name).next()
}

/// All values of a header, whatever the case of its name.
pub(super) fn headers<'a>(known: &'a [(String, String)], wanted: &str) -> impl Iterator<Item = &'a str> {
    known.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
}

/// Header lines as names and values, with the first line that is none. Folded lines are joined by one space.
pub(super) fn parse_headers<'a>(lines: impl Iterator<Item = &'a str>) -> (Vec<(String, String)>, Option<String>) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut wrong = None;
    let mut follows_wrong = true;
    for line in lines {
        if let Some(more) = line.strip_prefix([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut().filter(|_| !follows_wrong) {
                let more = more.trim();
                let space = if value.is_empty() || more.is_empty() { "" } else { " " };
                value.push_str(space);
                value.push_str(more);
                continue;
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
            follows_wrong = false;
            continue;
        }
        follows_wrong = true;
        wrong.get_or_insert_with(|| line.chars().take(60).collect());
    }
    (headers, wrong)
}

/// A head as text: its lines are UTF-8, or else Latin-1.
pub(super) fn decode_head(head: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(head) {
        return Cow::Borrowed(text);
    }
    let line = |line| match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::mem::decode_latin1(line),
    };
    Cow::Owned(head.split_inclusive(|byte| *byte == b'\n').map(line).collect())
}

/// Where the lines before the first blank line end, and how long the line breaks behind them are.
pub(super) fn find_blank_line(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        at += bytes[at..].iter().position(|byte| *byte == b'\n')?;
        let rest = &bytes[at + 1..];
        let blank = if rest.starts_with(b"\r\n") {
            2
        } else if rest.starts_with(b"\n") {
            1
        } else {
            at += 1;
            continue;
        };
        let head = if at > 0 && bytes[at - 1] == b'\r' { at - 1 } else { at };
        return Some((head, at + 1 + blank - head));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(head: &[u8]) -> Vec<(String, String)> {
        parse_headers(decode_head(head).lines()).0
    }

    #[test]
    fn folded_lines_are_one_value() {
        let head = b"WARC-Target-URI:\r\n\thttp://example.org/\r\nX-Long: one\r\n  two  \r\n \r\n\tthree\r\nX: y\r\n";
        let found = pairs(head);
        assert_eq!(header(&found, "warc-target-uri"), Some("http://example.org/"), "no space in front");
        assert_eq!(header(&found, "X-LONG"), Some("one two three"));
        assert_eq!(header(&found, "x"), Some("y"));
    }

    #[test]
    fn what_is_no_header_is_told_and_what_is_folded_behind_it_goes_with_it() {
        let (found, wrong) = parse_headers(" folded to nothing\nA: 1\nno colon\n folded\nB: 2".lines());
        assert_eq!(found, [("A".into(), "1".into()), ("B".into(), "2".into())]);
        assert_eq!(wrong.as_deref(), Some(" folded to nothing"));
    }

    #[test]
    fn lines_are_utf8_or_latin1() {
        let found = pairs(b"A: caf\xe9\nB: caf\xc3\xa9\nC :  =?utf-8?Q?caf=C3=A9?= \n");
        assert_eq!([header(&found, "A"), header(&found, "B")], [Some("café"), Some("café")]);
        assert_eq!(header(&found, "c"), Some("=?utf-8?Q?caf=C3=A9?="), "encoded words stay as they are");
    }
}
