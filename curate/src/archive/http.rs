//! HTTP answers as archives keep them: a head, and a body that may be chunked and compressed.

use std::{borrow::Cow, io::Read as _};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::{
    Fault,
    packing::Packing,
    warc::{find_blank_line, header, parse_headers},
};

/// A head and its body, undecoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<'a> {
    /// The status, such as 200.
    pub status: u16,
    /// Header names and values, as they stand; lines that are no headers are left out.
    pub headers: Vec<(String, String)>,
    /// What follows the head.
    pub raw_body: &'a [u8],
}

/// What is wrong with an answer.
pub type HttpFault = (Fault, String);

impl<'a> Response<'a> {
    /// Splits a block into its parts.
    ///
    /// # Errors
    /// When it does not begin with a status line.
    pub fn parse(block: &'a [u8]) -> Result<Self, HttpFault> {
        let (head, raw_body) = match find_blank_line(block, 0) {
            Some((head, blank)) => (&block[..head], &block[head + blank..]),
            None => (block, &block[block.len()..]),
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let status_line = lines.next().unwrap_or_default();
        let mut words = status_line.split_whitespace();
        let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/") || version == "ICY");
        let status = words.next().and_then(|status| status.parse().ok());
        let Some(status) = status.filter(|_| is_http) else {
            let start: String = status_line.chars().take(40).collect();
            return Err((Fault::HttpHead, format!("expected an HTTP status line, found {start:?}")));
        };
        let headers = lines.filter_map(|line| parse_headers(std::iter::once(line)).ok()).flatten().collect();
        Ok(Self { status, headers, raw_body })
    }

    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The media type in lower case, without parameters.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("Content-Type")?;
        let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        (!media_type.is_empty()).then_some(media_type)
    }

    /// The charset that Content-Type names.
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        let parameters = self.header("Content-Type")?.split(';').skip(1);
        let named = parameters.filter_map(|parameter| parameter.split_once('='));
        let charset =
            named.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset")).map(|(_, value)| value.trim());
        charset.map(|value| value.trim_matches(['"', '\''])).find(|value| !value.is_empty())
    }

    /// The body without chunks and compression, no longer than `limit` bytes; none when it is longer.
    ///
    /// A body that is said to be compressed and does not look so is taken as it is: crawlers often unpack what they
    /// store and leave the header.
    ///
    /// # Errors
    /// When a chunk's size is no number, or the compressed data is broken or of an unknown kind.
    pub fn body(&self, limit: usize) -> Result<Option<Cow<'a, [u8]>>, HttpFault> {
        let chunked =
            self.header("Transfer-Encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        let body = if chunked { Cow::Owned(join_chunks(self.raw_body)?) } else { Cow::Borrowed(self.raw_body) };
        let encoding = self.header("Content-Encoding").unwrap_or_default().trim().to_ascii_lowercase();
        let unpacked = match encoding.as_str() {
            "gzip" | "x-gzip" if body.starts_with(&[0x1f, 0x8b]) => unpack(MultiGzDecoder::new(&body[..]), limit)?,
            "deflate" if body.first().is_some_and(|byte| byte & 0x0f == 8) => {
                unpack(ZlibDecoder::new(&body[..]), limit)?
            }
            "deflate" if !body.is_empty() => unpack(DeflateDecoder::new(&body[..]), limit)?,
            "br" if !body.is_empty() => unpack(brotli::Decompressor::new(&body[..], 4096), limit)?,
            "zstd" if Packing::of(&body) == Packing::Zstd => {
                let decoder = zstd::stream::read::Decoder::new(&body[..]);
                unpack(decoder.map_err(|error| (Fault::HttpEncoding, error.to_string()))?, limit)?
            }
            "" | "identity" | "none" | "gzip" | "x-gzip" | "deflate" | "br" | "zstd" => {
                return Ok((body.len() <= limit).then_some(body));
            }
            other => return Err((Fault::HttpEncoding, format!("Content-Encoding {other:?} is not known"))),
        };
        Ok((unpacked.len() <= limit).then_some(Cow::Owned(unpacked)))
    }
}

fn unpack(decoder: impl std::io::Read, limit: usize) -> Result<Vec<u8>, HttpFault> {
    let mut bytes = Vec::new();
    decoder
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| (Fault::HttpEncoding, format!("the compressed body is broken: {error}")))?;
    Ok(bytes)
}

fn join_chunks(mut rest: &[u8]) -> Result<Vec<u8>, HttpFault> {
    let mut body = Vec::with_capacity(rest.len());
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let line = String::from_utf8_lossy(&rest[..end.unwrap_or(rest.len())]);
        let digits = line.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(digits, 16) else {
            let start: String = digits.chars().take(20).collect();
            return Err((Fault::HttpChunk, format!("a chunk's size is {start:?}, which is no hexadecimal number")));
        };
        if size == 0 {
            return Ok(body);
        }
        rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
        if rest.len() < size {
            return Err((Fault::HttpChunk, format!("a chunk of {size} bytes ends after {}", rest.len())));
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
        rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() -> Result<(), HttpFault> {
        let block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nWiki\r\n6\r\npedia \r\n0\r\n\r\n";
        let response = Response::parse(block)?;
        assert_eq!(response.body(100)?.as_deref(), Some(&b"Wikipedia "[..]));
        assert_eq!(response.body(5)?, None);
        Ok(())
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
    fn the_charset_is_found_among_parameters() -> Result<(), HttpFault> {
        let response = Response::parse(b"HTTP/1.0 200\nContent-Type: Text/HTML; x=1; Charset=\"utf-8\"\n\nbody")?;
        assert_eq!(response.media_type().as_deref(), Some("text/html"));
        assert_eq!(response.charset(), Some("utf-8"));
        assert_eq!(response.raw_body, b"body");
        Ok(())
    }

    #[test]
    fn what_is_no_answer_says_what_it_found() {
        let (fault, detail) = Response::parse(b"GET / HTTP/1.1\r\n\r\n").expect_err("a request is no answer");
        assert_eq!(fault, Fault::HttpHead);
        assert!(detail.contains("GET /"), "{detail}");
    }
}
