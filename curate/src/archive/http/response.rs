//! The head of an answer.

use super::super::{
    Fault,
    headers::{decode_head, find_blank_line, header, headers, parse_headers},
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
    /// Splits a block into its parts. Interim answers (`100 Continue`) before the answer are passed over.
    ///
    /// # Errors
    /// When it does not begin with a status line.
    pub fn parse(mut block: &'a [u8]) -> Result<Self, HttpFault> {
        loop {
            block = block.trim_ascii_start();
            let (head, raw_body) = match find_blank_line(block, 0) {
                Some((head, blank)) => (&block[..head], &block[head + blank..]),
                None => (block, &block[block.len()..]),
            };
            let head = decode_head(head);
            let mut lines = head.lines();
            let status_line = lines.next().unwrap_or_default();
            let mut words = status_line.split_whitespace();
            let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/") || version == "ICY");
            let status = words.next().and_then(|status| status.parse().ok());
            let Some(status) = status.filter(|_| is_http) else {
                let start: String = status_line.chars().take(40).collect();
                return Err((Fault::HttpHead, format!("expected an HTTP status line, found {start:?}")));
            };
            if !matches!(status, 100 | 102 | 103) || !raw_body.starts_with(b"HTTP/") {
                return Ok(Self { status, headers: parse_headers(lines).0, raw_body });
            }
            block = raw_body;
        }
    }

    /// An answer without a head, as records of resources hold it: its type is what the record says.
    #[must_use]
    pub fn without_head(content_type: &str, body: &'a [u8]) -> Self {
        Self { status: 200, headers: vec![("Content-Type".into(), content_type.into())], raw_body: body }
    }

    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The media type in lower case, without parameters. Of several the last is taken that is one.
    ///
    /// Source: WHATWG Fetch, "extract a MIME type".
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let values = headers(&self.headers, "Content-Type").flat_map(|value| value.split(','));
        let types = values.map(|value| value.split(';').next().unwrap_or_default().trim());
        let is_type =
            |value: &&str| value.split_once('/').is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty());
        types.filter(is_type).filter(|value| *value != "*/*").last().map(str::to_ascii_lowercase)
    }

    /// The charset that Content-Type names.
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        let parameters = headers(&self.headers, "Content-Type").flat_map(|value| value.split([';', ',']));
        let named = parameters.filter_map(|parameter| parameter.split_once('='));
        let mut charsets =
            named.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset")).map(|(_, value)| value.trim());
        charsets.find_map(|value| Some(value.trim_matches(['"', '\''])).filter(|value| !value.is_empty()))
    }
}
