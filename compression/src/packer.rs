//! Packing bytes as another file is packed.

use std::io::{self, Write};

use crate::Packing;

/// Writes to a file on its way, packed in one way or not at all: gzip, bzip2 and xz by level 6, zstd by level 3, LZ4.
pub struct Packer<W: Write>(Encoder<W>);

enum Encoder<W: Write> {
    Plain(W),
    Gzip(flate2::write::GzEncoder<W>),
    Bzip2(bzip2::write::BzEncoder<W>),
    Xz(liblzma::write::XzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
    Lz4(Box<lz4_flex::frame::FrameEncoder<W>>),
}

impl<W: Write> Packer<W> {
    /// Begins a file of one member.
    ///
    /// # Errors
    /// When there is no memory to pack by.
    pub fn new(writer: W, packing: Packing) -> io::Result<Self> {
        Ok(Self(match packing {
            Packing::Plain => Encoder::Plain(writer),
            Packing::Gzip => Encoder::Gzip(flate2::write::GzEncoder::new(writer, flate2::Compression::default())),
            Packing::Bzip2 => Encoder::Bzip2(bzip2::write::BzEncoder::new(writer, bzip2::Compression::default())),
            Packing::Xz => Encoder::Xz(liblzma::write::XzEncoder::new(writer, 6)),
            Packing::Zstd => Encoder::Zstd(zstd::stream::write::Encoder::new(writer, 3)?),
            Packing::Lz4 => Encoder::Lz4(Box::new(lz4_flex::frame::FrameEncoder::new(writer))),
        }))
    }

    /// Ends the member, and gives the file back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Encoder::Plain(writer) => Ok(writer),
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Bzip2(encoder) => encoder.finish(),
            Encoder::Xz(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
            Encoder::Lz4(encoder) => encoder.finish().map_err(io::Error::other),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.0 {
            Encoder::Plain(writer) => writer,
            Encoder::Gzip(encoder) => encoder,
            Encoder::Bzip2(encoder) => encoder,
            Encoder::Xz(encoder) => encoder,
            Encoder::Zstd(encoder) => encoder,
            Encoder::Lz4(encoder) => encoder.as_mut(),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}
