//! Bodies without chunks and codings.

use std::borrow::Cow;

use super::{
    super::{
        Fault,
        coding::{Coding, End},
        headers::headers,
        sniff,
    },
    chunks::{Chunks, join_chunks},
    response::{HttpFault, Response},
};

/// Packings under packings that are undone without being named; more than two have not been seen.
const MAX_UNNAMED: usize = 4;

/// A body without chunks and codings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body<'a> {
    /// The bytes.
    pub bytes: Cow<'a, [u8]>,
    /// How it is known that more bytes were sent, or should have been.
    pub cut: Option<Cut>,
}

/// How it shows that a body is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Its last chunk is missing.
    Chunks,
    /// Its packed data breaks off.
    Coding,
    /// It is shorter than its Content-Length.
    ContentLength,
}

impl Cut {
    /// The name in the column `truncated` of documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chunks => "chunks",
            Self::Coding => "content_encoding",
            Self::ContentLength => "content_length",
        }
    }
}

impl<'a> Response<'a> {
    /// The body without chunks and codings, no longer than `limit` bytes; none when it is longer.
    ///
    /// # Errors
    /// When the size of the first chunk is a word and no number, or packed data is wrong, or of a kind that is not read.
    pub fn body(&self, limit: usize) -> Result<Option<Body<'a>>, HttpFault> {
        let words = |name| headers(&self.headers, name).flat_map(|value| value.split(',')).map(word);
        let is_chunked = words("Transfer-Encoding").any(|word| word.eq_ignore_ascii_case("chunked"));
        let codings: Vec<Coding> =
            words("Content-Encoding").chain(words("Transfer-Encoding")).filter_map(Coding::named).collect();
        let mut body = Body { bytes: Cow::Borrowed(self.raw_body), cut: None };
        match join_chunks(self.raw_body) {
            Chunks::Whole(joined) if is_chunked || joined.len() * 2 > self.raw_body.len() => {
                // where nobody said so, chunks make up the body all the same
                body.bytes = Cow::Owned(joined);
            }
            Chunks::Cut(joined) if is_chunked => body = Body { bytes: Cow::Owned(joined), cut: Some(Cut::Chunks) },
            Chunks::Word(word) if is_chunked && codings.is_empty() => {
                let detail = format!("the first chunk's size is {word:?}, which is no hexadecimal number");
                return Err((Fault::HttpChunk, detail));
            }
            Chunks::Whole(_) | Chunks::Cut(_) | Chunks::Word(_) | Chunks::None => {}
        }
        for coding in codings.iter().rev() {
            let found = Coding::of(&body.bytes);
            // a body that is text, or a picture, was unpacked before it was stored
            let is_unpacked = || sniff::is_text(&body.bytes) || sniff::format(&body.bytes).is_some();
            if body.bytes.is_empty() || found.is_none() && is_unpacked() {
                continue;
            }
            let coding = found.unwrap_or(*coding);
            if !body.undo(coding, limit)? {
                return Ok(None);
            }
        }
        for _ in 0..MAX_UNNAMED {
            let Some(coding) = Coding::of(&body.bytes) else { break };
            if !body.undo(coding, limit)? {
                return Ok(None);
            }
        }
        if codings.is_empty() && !is_chunked && body.cut.is_none() {
            let length: Option<usize> = self.header("Content-Length").and_then(|length| length.parse().ok());
            body.cut = length.filter(|length| self.raw_body.len() < *length).map(|_| Cut::ContentLength);
        }
        Ok((body.bytes.len() <= limit).then_some(body))
    }
}

impl Body<'_> {
    /// Undoes a coding; false where that gives more than `limit` bytes. A body that is not in it, and may be text, is left as it is.
    fn undo(&mut self, coding: Coding, limit: usize) -> Result<bool, HttpFault> {
        let is_sure = Coding::of(&self.bytes) == Some(coding);
        let may_be_text = !sniff::is_binary(&self.bytes);
        let (bytes, end) = match coding {
            Coding::Gzip if !is_sure => (Vec::new(), End::Wrong("it does not begin as that does".into())),
            coding => coding.unpack(&self.bytes, limit),
        };
        let end = match end {
            // some bytes begin as an empty body does
            End::Whole if bytes.is_empty() && !is_sure && self.bytes.len() > 16 => {
                End::Wrong("it unpacks to nothing".into())
            }
            end => end,
        };
        match end {
            End::TooLarge => return Ok(false),
            End::Wrong(_) if !is_sure && may_be_text => return Ok(true),
            End::Cut if !is_sure && may_be_text && sniff::is_binary(&bytes) => return Ok(true),
            End::Wrong(detail) => {
                let detail = format!("the body cannot be unpacked as {}: {detail}", coding.name());
                return Err((Fault::HttpEncoding, detail));
            }
            End::Cut => self.cut = self.cut.or(Some(Cut::Coding)),
            End::Whole => {}
        }
        self.bytes = Cow::Owned(bytes);
        Ok(true)
    }
}

/// A word of a list in a header, without parameters.
fn word(listed: &str) -> &str {
    listed.split(';').next().unwrap_or_default().trim().trim_matches('"')
}
