//! What a body is, by its bytes: whatever the header says of it, a picture is no page.
//!
//! | what | how it is told | what becomes of it |
//! |---|---|---|
//! | pictures, sounds, fonts, archives, PDF, office files, programs | the first bytes | no page |
//! | other binary data, packed bytes among it | more than one byte in fifty is one that no text has | no page |
//! | feeds, site maps, SVG | the first element, as browsers tell feeds that are labelled HTML | no page |
//! | JSON | the whole body is one object or list | no page |
//! | style sheets, scripts | it does not begin with `<`, and one byte in two hundred at its head is a brace | no page |
//! | UTF-16 | a byte order mark, or a zero in every second byte | a page |
//! | UTF-32 | a byte order mark, and a head of characters; no browser reads it, but nothing else begins so | a page |
//! | what the archive says to be another file (WARC-Identified-Payload-Type) | [`is_other_type`], unless the head is a page's | no page |
//! | plain text | none of these | a page: browsers show it, and old pages are so |
//!
//! Style sheets, scripts and JSON have no sentences, and what they have of them (strings for a program to show) is no text that
//! anybody wrote to be read in that order; kept as documents they would stand in a corpus of prose as lines of code without their
//! language. A corpus of code does not come from mislabelled answers.
//!
//! Source: WHATWG MIME Sniffing, sections 3 ("binary data byte"), 6 (patterns) and 8.2 (feeds).

use encoding_rs::Encoding;

use super::charset;

/// Bytes at the head of a body that tell text from code.
const HEAD: usize = 4096;

/// One byte in so many may be one that no text has. Of packed bytes it is every ninth; in 990 pages of a crawl, every 8,800th at most.
const BINARY: usize = 50;

/// One byte in so many is a brace in code: in 93 % of the 2,085 style sheets and 80 % of the 7,296 scripts within 990 pages of a crawl, and
/// in 2 of the 990 pages' own texts. A script with fewer is taken for text.
const BRACES: usize = 200;

/// As many braces prose may have, however short it is.
const FEW_BRACES: usize = 6;

/// The name of what `body` is, where it is no page; none for pages, and for what may be one.
#[must_use]
pub fn no_page(body: &[u8]) -> Option<&'static str> {
    if let Some(format) = format(body) {
        return Some(format);
    }
    if !is_wide(body) {
        if is_binary(body) {
            return Some("binary data");
        }
        let start = start(body);
        return if start.starts_with(b"<") { root(start) } else { code(start) };
    }
    None
}

/// Whether a body whose type nobody names is a page: a tag that only pages have stands at its head.
#[must_use]
pub fn is_page(body: &[u8]) -> bool {
    let head = body[..body.len().min(512)].to_ascii_lowercase();
    let tags = [&b"<!doctype html"[..], b"<html", b"<head", b"<body"];
    tags.iter().any(|tag| memchr::memmem::find(&head, tag).is_some())
}

/// Whether a media type that was found by looking at a page's bytes says that it is none. What tools call a page that they do not
/// know (plain text, XML, any bytes) says nothing.
#[must_use]
pub fn is_other_type(media_type: &str) -> bool {
    let (kind, name) = media_type.split_once('/').unwrap_or_default();
    match kind {
        "image" | "audio" | "video" | "font" => true,
        "application" => !matches!(name, "xhtml+xml" | "xml" | "octet-stream" | "x-php" | "x-httpd-php"),
        "text" => matches!(name, "css" | "javascript" | "calendar" | "csv" | "vcard"),
        _ => false,
    }
}

/// Whether bytes are text as they stand, and thus not packed: so that no decoder is tried on them that takes any bytes.
pub(super) fn is_text(body: &[u8]) -> bool {
    if Encoding::for_bom(body).is_some() || is_wide(body) {
        return true;
    }
    let head = &body[..body.len().min(HEAD)];
    let is_markup =
        matches!(start(head), [b'<', next, ..] if next.is_ascii_alphabetic() || matches!(next, b'!' | b'?' | b'/'));
    let is_utf8 = || std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    if is_markup { !is_binary(head) } else { !head.iter().copied().any(is_no_text) && is_utf8() }
}

/// Whether a letter takes two bytes or four, so that what is asked of bytes says nothing.
fn is_wide(body: &[u8]) -> bool {
    Encoding::for_bom(body).is_some_and(|(encoding, _)| !encoding.is_ascii_compatible())
        || charset::utf16(body).is_some()
        || charset::utf32(body).is_some()
}

/// Whether too many bytes are such as no text has.
pub(super) fn is_binary(body: &[u8]) -> bool {
    // zeros at the end are what a disk or a tape left there
    let end = body.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    // each piece's count fits in a byte, so that processors count many at once
    let count = |piece: &[u8]| usize::from(piece.iter().fold(0u8, |count, byte| count + u8::from(is_no_text(*byte))));
    let found: usize = body[..end].chunks(128).map(count).sum();
    found > (end / BINARY).max(1)
}

/// WHATWG's "binary data byte".
fn is_no_text(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | 0x1b)
}

/// What follows white space and a byte order mark.
fn start(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start()
}

/// The format whose signature the bytes begin with; none of them begins a page.
pub(super) fn format(body: &[u8]) -> Option<&'static str> {
    const SIGNATURES: &[(&[u8], &str)] = &[
        (b"%PDF-", "PDF"),
        (b"%!PS", "PostScript"),
        (b"{\\rtf", "RTF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x00\x00\x01\x00", "icon"),
        (b"\x00\x00\x02\x00", "icon"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
        (b"PK\x03\x04", "ZIP"),
        (b"PK\x05\x06", "ZIP"),
        (b"Rar!\x1a\x07", "RAR"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"\x1f\x8b", "gzip"),
        (b"\x1f\x9d", "compress"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\x04\x22\x4d\x18", "LZ4"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE file"),
        (b"\x7fELF", "program"),
        (b"\xca\xfe\xba\xbe", "program"),
        (b"\x00asm", "program"),
        (b"OggS\x00", "Ogg"),
        (b"fLaC", "FLAC"),
        (b"\x1a\x45\xdf\xa3", "Matroska"),
        (b"MThd\x00\x00\x00\x06", "MIDI"),
        (b"wOFF", "font"),
        (b"wOF2", "font"),
        (b"OTTO\x00", "font"),
        (b"\x00\x01\x00\x00", "font"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"!<arch>\n", "ar"),
    ];
    let known = SIGNATURES.iter().find(|(signature, _)| body.starts_with(signature)).map(|(_, name)| *name);
    known.or(match body {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W' | b'A', b'E' | b'A' | b'V', b'B' | b'V' | b'I', ..] => Some("RIFF"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] if body[0] == 0 => Some("MP4"),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Some("bzip2"),
        [b'I', b'D', b'3', 0..=4, ..] => Some("MP3"),
        [b'F' | b'C' | b'Z', b'W', b'S', 1..=0x1f, ..] => Some("Flash"),
        _ => None,
    })
}

/// What the first element of a document in XML says, where that is another than a page's.
fn root(mut rest: &[u8]) -> Option<&'static str> {
    loop {
        let end = match rest {
            [b'<', b'!', b'-', b'-', ..] => memchr::memmem::find(&rest[2..], b"-->").map(|at| at + 5),
            [b'<', b'!' | b'?', ..] => memchr::memchr(b'>', rest).map(|at| at + 1),
            _ => break,
        };
        rest = rest[end?..].trim_ascii_start();
    }
    let name: Vec<u8> = rest
        .strip_prefix(b"<")?
        .iter()
        .take(20)
        .take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'/'))
        .map(u8::to_ascii_lowercase)
        .collect();
    match name.as_slice() {
        b"rss" | b"feed" | b"rdf:rdf" => Some("feed"),
        b"urlset" | b"sitemapindex" => Some("site map"),
        b"svg" => Some("SVG"),
        _ => None,
    }
}

/// JSON, a style sheet or a script.
fn code(start: &[u8]) -> Option<&'static str> {
    let whole = start.trim_ascii_end();
    let is_closed = matches!(whole, [b'{', .., b'}'] | [b'[', .., b']']);
    if is_closed && serde_json::from_slice::<serde::de::IgnoredAny>(whole).is_ok() {
        return Some("JSON");
    }
    let head = &start[..start.len().min(HEAD)];
    let braces = head.iter().filter(|byte| matches!(byte, b'{' | b'}')).count();
    (braces >= FEW_BRACES && braces > head.len() / BRACES && !is_page(head)).then_some("code")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_pages_are_told() {
        let noise: Vec<u8> = (0..4000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        let tar = [b"page.html\0\0\0".repeat(40), b"<html><p>A page in a tape archive.</p></html>".to_vec()].concat();
        let style = b"/* theme */ body { margin: 0; color: #333 } .menu > li { float: left } @media print { .menu { display: none } }";
        let script = b"(function($){ $(document).ready(function(){ if (a < b) { $('#x').html('<div class=\"y\">Hello</div>'); } }); })(jQuery);";
        for (body, name) in [
            (&b"%PDF-1.7 and so on"[..], "PDF"),
            (b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG"),
            (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "RIFF"),
            (&noise, "binary data"),
            (&tar, "binary data"),
            (b"<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<rss version=\"2.0\"><channel>", "feed"),
            (b" <svg xmlns=\"http://www.w3.org/2000/svg\"><text>A</text></svg>", "SVG"),
            (b"{\"title\": \"A page\", \"html\": \"<p>Hello.</p>\"}\n", "JSON"),
            (style, "code"),
            (script, "code"),
        ] {
            assert_eq!(no_page(body), Some(name), "{}", String::from_utf8_lossy(&body[..body.len().min(40)]));
        }
    }

    #[test]
    fn pages_are_pages_whatever_stands_in_them() {
        let wide: Vec<u8> =
            "<html><p>A page of two bytes a letter.</p>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wider: Vec<u8> =
            "\u{feff}<html><p>A page of four.</p>".chars().map(u32::from).flat_map(u32::to_be_bytes).collect();
        let padded = [&b"<p>A page with an empty tail.</p>"[..], &[0; 4096]].concat();
        for body in [
            &b"<!DOCTYPE html><title>A</title><style>a{b:c}a{b:c}a{b:c}</style><p>Text\x0b and\x1f controls in a page that is long enough for two."[..],
            b"\xef\xbb\xbf\r\n<?xml version=\"1.0\" encoding=\"utf-8\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\"><html>",
            b"Warning: something() failed\n<html><head><style>a{b:c}</style></head>",
            b"A page without a single tag, as they were written in 1994: {sic}. GIF89a is a format.",
            b"[1] A note in brackets is no list [2]",
            b"BM is a unit, ID3 a label, PKs are keys, RIFFs are music.",
            b"\x1b$B@n\x1b(B",
            &wide,
            &wider,
            &padded,
        ] {
            assert_eq!(no_page(body), None, "{}", String::from_utf8_lossy(&body[..body.len().min(40)]));
        }
    }
}
