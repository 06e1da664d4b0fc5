//! HTTP answers as archives keep them: a head, and a body that is chunked and packed, or was so before it was stored, or is cut.
//!
//! The head is believed where the bytes bear it out. Codings that it names are undone in reverse order, `Transfer-Encoding` first; a word
//! that names none, such as a character set, is none. Then:
//!
//! | a body | is here | warcio 1.8.1 | FastWARC 2.0.1 |
//! |---|---|---|---|
//! | said to be chunked, and joined | the body | the body | an error |
//! | chunked, and not said to be, last chunk and all | joined | the chunks | the chunks |
//! | with chunk extensions, trailers, bare line feeds | joined | with the trailer in it; the chunks, for line feeds | an error |
//! | without its last chunk, or cut within one | what there is, and cut | what there is | the same; an error within a chunk |
//! | whose first size is a word and no number | a fault | that word and the body | an error |
//! | whose later size is none | what stands before, and cut | the rest as it stands | an error |
//! | said to be packed, and text | the body | the body; an error for `br` | an error |
//! | said to be packed by a word that is no coding | what its bytes say | as it stands | an error |
//! | under several codings | undone one by one | packed, for a list; by the first of several headers | undone one by one; by the first header |
//! | packed as `gzip` or `zstd`, and not said to be, or twice | unpacked | packed | packed |
//! | packed as `br` or `deflate`, and not said to be | packed: no first bytes tell them; no page ([`super::sniff`]) | packed | packed |
//! | packed as `x-gzip`, or `deflate` without zlib's header | unpacked | packed; unpacked | an error |
//! | packed in several members, or with bytes behind its end | all members, and no more | the first member | all members; an error for bytes behind |
//! | packed, and broken off | what unpacks, and cut | what unpacks; packed for `zstd`, an error for `br` | what unpacks; an error for `br`, `zstd` |
//! | packed, with wrong data or checksum | a fault: what is right in it is not known | packed, or what unpacks | an error |
//! | shorter than its Content-Length, under no coding | what there is, and cut | what there is | what there is |
//!
//! Heads are taken apart here, and not by `httparse`: 1.10.1, at its most lenient, gives the same for all 1,647 that were tried, of real archives,
//! corrupt ones among them, and of made ones; but it refuses whole answers of `HTTP/2`, `ICY` and other versions, with a NUL, a bare carriage
//! return or another control character, with tabs in the status line, and such as are cut before the head's blank line; it leaves folds in values.
//!
//! Folded lines are joined by one space, without one at the front; warcio keeps a tab there, FastWARC a space. A line that is not UTF-8 is
//! Latin-1, as for warcio. Encoded words (RFC 2047) stay as they are, as for both: no header that is read here may hold them.

mod body;
mod chunks;
mod response;

pub use body::{Body, Cut};
pub use response::{HttpFault, Response};

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::{super::Fault, *};

    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

    fn page() -> Vec<u8> {
        let lines = (0..500).map(|line| format!("<p>Line {} of {line}.</p>\n", line * 7919 % 4001));
        format!("<html><body>{}</body></html>", lines.collect::<String>()).into_bytes()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory can be written")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).expect("memory can be written")
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams::default();
        brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters).expect("memory can be written");
        packed
    }

    /// Chunks of 999 bytes, each size line with `extension`, and what stands behind the last.
    fn chunks(bytes: &[u8], extension: &str, end: &str) -> Vec<u8> {
        let chunk = |chunk: &[u8]| [format!("{:X}{extension}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        [bytes.chunks(999).flat_map(chunk).collect(), end.as_bytes().to_vec()].concat()
    }

    fn body_of(headers: &str, body: &[u8]) -> Result<(Vec<u8>, Option<Cut>), Fault> {
        let block = [b"HTTP/1.1 200 OK\r\n", headers.as_bytes(), b"\r\n", body].concat();
        let body = Response::parse(&block).and_then(|response| response.body(1 << 20)).map_err(|(fault, _)| fault)?;
        let body = body.expect("it is below the limit");
        Ok((body.bytes.into_owned(), body.cut))
    }

    #[test]
    fn chunks_are_joined_where_there_are_any() {
        let page = page();
        let whole = Ok((page.clone(), None));
        for (name, headers, body) in [
            ("chunks", CHUNKED, chunks(&page, "", "0\r\n\r\n")),
            ("extensions and trailers", CHUNKED, chunks(&page, ";a=\"b\"", "0;c\r\nX-Sum: 1\r\n\r\n")),
            ("no line break behind the last", CHUNKED, chunks(&page, "", "000")),
            ("joined before it was stored", CHUNKED, page.clone()),
            ("the same, packed", "Transfer-Encoding: Chunked\r\nContent-Encoding: gzip\r\n", gzip(&page)),
            ("nobody said so", "", chunks(&page, "", "0\r\n\r\n")),
            ("packed in transfer", "Transfer-Encoding: gzip, chunked\r\n", chunks(&gzip(&page), "", "0\r\n\r\n")),
        ] {
            assert_eq!(body_of(headers, &body), whole, "{name}");
        }
        let cut = |bytes: &[u8]| Ok((bytes.to_vec(), Some(Cut::Chunks)));
        assert_eq!(body_of(CHUNKED, &chunks(&page, "", "")), cut(&page), "no last chunk");
        assert_eq!(
            body_of(CHUNKED, &chunks(&page, "", "")[..2500]),
            cut(&page[..2500 - 3 * 5 - 2 * 2]),
            "within a chunk"
        );
        let wrong_later = [chunks(&page[..1998], "", ""), b"lots\r\nand so on".to_vec()].concat();
        assert_eq!(body_of(CHUNKED, &wrong_later), cut(&page[..1998]), "a later size that is none");
        assert_eq!(body_of("", b"0\r\n<p>A page that begins with a figure.</p>").map(|(body, _)| body.len()), Ok(43));
    }

    #[test]
    fn a_chunk_of_no_size_is_a_fault() -> Result<(), HttpFault> {
        let response = Response::parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nlots\r\nWiki\r\n")?;
        let (fault, detail) = response.body(100).expect_err("`lots` is no number");
        assert_eq!(fault, Fault::HttpChunk);
        assert!(detail.contains("lots"), "{detail}");
        Ok(())
    }

    #[test]
    fn codings_are_undone_where_there_are_any() {
        let page = page();
        let latin: Vec<u8> = b"<p>caf\xe9, a page in Latin-1.</p>".to_vec();
        let wide: Vec<u8> = "<html><p>Wide letters.".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for name in ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "identity", "none", "UTF-8", "", "gzip, br"]
        {
            let header = format!("Content-Encoding: {name}\r\n");
            for body in [&page, &latin, &wide, &b"Words without a tag.".to_vec()] {
                assert_eq!(body_of(&header, body), Ok((body.clone(), None)), "said to be {name:?}");
            }
        }
        for (headers, body) in [
            ("Content-Encoding: identity, gzip\r\n", gzip(&page)),
            ("Content-Encoding: none\r\nContent-Encoding: GZIP\r\n", gzip(&page)),
            ("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", gzip(&page)),
            ("Content-Encoding: gzip;q=1\r\n", gzip(&page)),
            ("Content-Encoding:\r\n gzip\r\n", gzip(&page)),
            ("Content-Encoding: zstd, br, gzip\r\n", gzip(&brotli(&zstd(&page)))),
            ("Content-Encoding: zstd\r\nContent-Encoding: br\r\n", brotli(&zstd(&page))),
            ("Content-Encoding: br\r\n", gzip(&page)),
            ("Content-Encoding: gzip\r\n", gzip(&gzip(&page))),
            ("Content-Encoding: gzip\r\n", [gzip(&page[..99]), gzip(&page[99..]), b"\r\n".to_vec()].concat()),
            ("Content-Encoding: UTF-8\r\n", zstd(&page)),
            ("", gzip(&page)),
            ("", zstd(&gzip(&page))),
        ] {
            assert_eq!(body_of(headers, &body), Ok((page.clone(), None)), "{headers:?}");
        }
    }

    #[test]
    fn what_breaks_off_is_kept_and_what_is_wrong_is_a_fault() {
        let page = page();
        for (name, packed) in [("gzip", gzip(&page)), ("br", brotli(&page)), ("zstd", zstd(&page))] {
            let header = format!("Content-Encoding: {name}\r\n");
            let (start, cut) = body_of(&header, &packed[..packed.len() * 3 / 4]).expect("it is no fault");
            assert!(page.starts_with(&start), "{name}");
            assert_eq!(cut, Some(Cut::Coding), "{name}");
        }
        let mut wrong = gzip(&page);
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        assert_eq!(body_of("Content-Encoding: gzip\r\n", &wrong), Err(Fault::HttpEncoding), "a checksum");
        let noise: Vec<u8> = (0..999u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0] | 1).collect();
        for name in ["gzip", "zstd", "compress"] {
            assert_eq!(body_of(&format!("Content-Encoding: {name}\r\n"), &noise), Err(Fault::HttpEncoding), "{name}");
        }
        let picture = [b"\x89PNG\r\n\x1a\n".to_vec(), noise].concat();
        assert_eq!(body_of("Content-Encoding: br\r\n", &picture), Ok((picture.clone(), None)), "a picture is one");
        let length = format!("Content-Length: {}\r\n", page.len());
        assert_eq!(body_of(&length, &page[..5000]), Ok((page[..5000].to_vec(), Some(Cut::ContentLength))));
        assert_eq!(body_of(&length, &page), Ok((page.clone(), None)));
    }

    #[test]
    fn a_body_over_the_limit_is_none() -> Result<(), HttpFault> {
        for body in [&b"Wikipedia "[..], &gzip(b"Wikipedia "), b"4\r\nWiki\r\n6\r\npedia \r\n0\r\n\r\n"] {
            let block = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body].concat();
            let response = Response::parse(&block)?;
            assert_eq!(response.body(10)?.map(|body| body.bytes.into_owned()), Some(b"Wikipedia ".to_vec()));
            assert_eq!(response.body(9)?, None);
        }
        Ok(())
    }

    #[test]
    fn type_and_charset_are_found_in_loose_headers() -> Result<(), HttpFault> {
        let response = Response::parse(b"HTTP/1.0 200\nContent-Type: Text/HTML; x=1; Charset=\"utf-8\"\n\nbody")?;
        assert_eq!((response.media_type().as_deref(), response.charset()), (Some("text/html"), Some("utf-8")));
        assert_eq!(response.raw_body, b"body");
        for (headers, media_type, charset) in [
            ("Content-Type: text/plain\nContent-Type: text/html;charset=gbk", Some("text/html"), Some("gbk")),
            ("Content-Type: text/html, charset=koi8-r", Some("text/html"), Some("koi8-r")),
            ("Content-Type: html", None, None),
            ("content-type : text/html;\n charset=big5", Some("text/html"), Some("big5")),
        ] {
            let block = format!("HTTP/1.1 200 OK\n{headers}\n\n");
            let response = Response::parse(block.as_bytes())?;
            assert_eq!((response.media_type().as_deref(), response.charset()), (media_type, charset), "{headers}");
        }
        let waited = Response::parse(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nbody")?;
        assert_eq!((waited.status, waited.header("a"), waited.raw_body), (200, Some("b"), &b"body"[..]));
        Ok(())
    }

    #[test]
    fn what_is_no_answer_says_what_it_found() {
        let (fault, detail) = Response::parse(b"GET / HTTP/1.1\r\n\r\n").expect_err("a request is no answer");
        assert_eq!(fault, Fault::HttpHead);
        assert!(detail.contains("GET /"), "{detail}");
    }
}
