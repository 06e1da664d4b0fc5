//! The codings in which servers pack bodies, and how each is undone: whole, as far as it goes, or not at all.
//!
//! Source: RFC 9110, section 8.4, and the IANA registry of content codings; RFC 1950 to 1952 (deflate, gzip), RFC 7932 (br), RFC 8878 (zstd).

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{Decoder as ZstdDecoder, InBuffer, Operation as _, OutBuffer};

/// Bytes that a buffer grows by at least.
const BUFFER: usize = 32 * 1024;

/// A way to pack a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `gzip` or `x-gzip`.
    Gzip,
    /// `deflate`: with zlib's header as the standard has it, or without as many servers send it.
    Deflate,
    /// `br`. Nothing tells such bytes from others but unpacking them.
    Brotli,
    /// `zstd`.
    Zstd,
    /// `compress` or `x-compress`, as by the program of that name; it is known, and not read.
    Compress,
}

/// How unpacking came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Where the packed data ends; what stands behind it is left out.
    Whole,
    /// The packed data breaks off.
    Cut,
    /// The packed data is wrong, or is none of this coding.
    Wrong(String),
    /// It unpacks to more than the limit.
    TooLarge,
}

impl Coding {
    /// A coding by its name in a header; none for `identity`, `none`, and whatever else is no coding.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" | "x-deflate" => Some(Self::Deflate),
            "br" | "x-br" => Some(Self::Brotli),
            "zstd" | "x-zstd" => Some(Self::Zstd),
            "compress" | "x-compress" => Some(Self::Compress),
            _ => None,
        }
    }

    /// The coding that the first bytes tell. Those of `deflate` and `br` tell nothing.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, 8, flags, ..] if *flags < 0x20 => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x1f, 0x9d, ..] => Some(Self::Compress),
            _ => None,
        }
    }

    /// The name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Compress => "compress",
        }
    }

    /// Unpacks `bytes` as far as they go, to little more than `limit` bytes.
    pub fn unpack(self, bytes: &[u8], limit: usize) -> (Vec<u8>, End) {
        match self {
            Self::Gzip => inflate(&mut Decompress::new_gzip(15), bytes, limit, Self::of),
            Self::Deflate => {
                let with_header = inflate(&mut Decompress::new(true), bytes, limit, |_| None);
                match &with_header {
                    (unpacked, End::Wrong(_)) if unpacked.is_empty() => {
                        inflate(&mut Decompress::new(false), bytes, limit, |_| None)
                    }
                    _ => with_header,
                }
            }
            Self::Brotli => brotli(bytes, limit),
            Self::Zstd => zstandard(bytes, limit),
            Self::Compress => (Vec::new(), End::Wrong("it is known, and not read".into())),
        }
    }
}

/// Unpacks what zlib can. Another member is read where `next` finds one behind the end.
fn inflate(
    decoder: &mut Decompress,
    mut input: &[u8],
    limit: usize,
    next: fn(&[u8]) -> Option<Coding>,
) -> (Vec<u8>, End) {
    let mut output = Vec::with_capacity(BUFFER.max(input.len().saturating_mul(4)).min(limit.saturating_add(1)));
    loop {
        if output.len() > limit {
            return (output, End::TooLarge);
        }
        output.reserve(BUFFER.min(1 + output.len()));
        let (read, written) = (decoder.total_in(), output.len());
        let status = decoder.decompress_vec(input, &mut output, FlushDecompress::None);
        input = &input[usize::try_from(decoder.total_in() - read).expect("no more than there is")..];
        let is_stuck = decoder.total_in() == read && output.len() == written;
        match status {
            Ok(Status::StreamEnd) if next(input) == Some(Coding::Gzip) => *decoder = Decompress::new_gzip(15),
            Ok(Status::StreamEnd) if output.len() > limit => return (output, End::TooLarge),
            Ok(Status::StreamEnd) => return (output, End::Whole),
            Ok(_) if is_stuck => return (output, End::Cut),
            Ok(_) => {}
            Err(error) => return (output, End::Wrong(error.to_string())),
        }
    }
}

fn zstandard(bytes: &[u8], limit: usize) -> (Vec<u8>, End) {
    let mut output = Vec::new();
    let mut decoder = match ZstdDecoder::new() {
        Ok(decoder) => decoder,
        Err(error) => return (output, End::Wrong(error.to_string())),
    };
    let mut input = InBuffer::around(bytes);
    loop {
        let (read, filled) = (input.pos(), output.len());
        output.resize(filled + BUFFER.max(filled).min(limit.saturating_add(1)), 0);
        let mut room = OutBuffer::around(&mut output[filled..]);
        let status = decoder.run(&mut input, &mut room);
        let written = room.pos();
        output.truncate(filled + written);
        let end = match status {
            _ if output.len() > limit => End::TooLarge,
            Ok(0) if Coding::of(&bytes[input.pos()..]) == Some(Coding::Zstd) => continue,
            Ok(0) => End::Whole,
            Ok(_) if input.pos() == read && written == 0 => End::Cut,
            Ok(_) => continue,
            Err(error) => End::Wrong(error.to_string()),
        };
        return (output, end);
    }
}

fn brotli(bytes: &[u8], limit: usize) -> (Vec<u8>, End) {
    let mut output = Vec::new();
    let mut input = Asked { rest: bytes, past_the_end: false };
    let buffer = bytes.len().clamp(1024, 2 * BUFFER);
    let read = brotli::Decompressor::new(&mut input, buffer).take(limit as u64 + 1).read_to_end(&mut output);
    let end = match read {
        _ if output.len() > limit => End::TooLarge,
        Ok(_) => End::Whole,
        // the decoder calls this wrong, too
        Err(_) if input.past_the_end => End::Cut,
        Err(error) => End::Wrong(error.to_string()),
    };
    (output, end)
}

/// Bytes that remember whether more of them were wanted.
struct Asked<'a> {
    rest: &'a [u8],
    past_the_end: bool,
}

impl Read for Asked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.past_the_end |= self.rest.is_empty();
        self.rest.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const WRITING: &str = "memory can be written";

    fn packed(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect(WRITING)
            }
            Coding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect(WRITING)
            }
            Coding::Brotli => {
                let mut packed = Vec::new();
                let parameters = brotli::enc::BrotliEncoderParams::default();
                brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters).expect(WRITING);
                packed
            }
            Coding::Zstd => zstd::encode_all(bytes, 3).expect(WRITING),
            Coding::Compress => unreachable!("nothing here writes it"),
        }
    }

    fn page() -> Vec<u8> {
        (0..4000)
            .map(|line| format!("<p>Line {} of {line}.</p>\n", line * 7919 % 4001))
            .collect::<String>()
            .into_bytes()
    }

    /// Each coding is undone; bytes behind its end are left out; what breaks off is given as far as it goes; the limit holds.
    #[test]
    fn every_coding_is_undone_as_far_as_it_goes() {
        let page = page();
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            let whole = packed(coding, &page);
            assert_eq!(coding.unpack(&whole, page.len()), (page.clone(), End::Whole), "{coding:?}");
            assert_eq!(
                coding.unpack(&[&whole[..], b"\r\n--"].concat(), 1 << 20),
                (page.clone(), End::Whole),
                "{coding:?}"
            );
            assert_eq!(coding.unpack(&whole, page.len() - 1).1, End::TooLarge, "{coding:?}");
            let (start, end) = coding.unpack(&whole[..whole.len() * 3 / 4], 1 << 20);
            assert_eq!(end, End::Cut, "{coding:?}");
            assert!(page.starts_with(&start), "{coding:?}");
            let mut wrong = whole.clone();
            let last = wrong.len() - 3;
            wrong[last] ^= 0xff;
            let is_checked = !matches!(coding, Coding::Brotli | Coding::Zstd);
            assert!(!is_checked || matches!(coding.unpack(&wrong, 1 << 20).1, End::Wrong(_)), "{coding:?}");
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        let bare = encoder.write_all(&page).and_then(|()| encoder.finish()).expect(WRITING);
        assert_eq!(Coding::Deflate.unpack(&bare, 1 << 20), (page.clone(), End::Whole), "without zlib's header");
        for coding in [Coding::Gzip, Coding::Zstd] {
            let parts = [packed(coding, &page[..99]), packed(coding, &page[99..])].concat();
            assert_eq!(coding.unpack(&parts, 1 << 20), (page.clone(), End::Whole), "two members");
        }
    }
}
