//! One member of a packed file, unpacked piece by piece.

use bzip2::{Decompress as Bzip2, Status as Bzip2Status};
use flate2::{Decompress, FlushDecompress, Status};
use liblzma::stream::{Action, Error as XzError, Status as XzStatus, Stream as Xz};
use zstd::stream::raw::{DParameter, Decoder as Zstd, InBuffer, Operation as _, OutBuffer};

use crate::{
    Allowance, Packing, Refusal,
    allowance::{LONGEST_WINDOW, SHORT_WINDOW},
    frame::Header,
};

/// A member that is being unpacked. LZ4 frames are none: what unpacks them reads by itself.
pub struct Member(Decoder);

enum Decoder {
    Gzip(Box<Decompress>),
    Bzip2(Box<Bzip2>),
    Xz(Box<Xz>, u64),
    Zstd(Box<Zstd<'static>>),
}

/// What a piece of work has done.
#[derive(Debug)]
pub struct Piece {
    /// Packed bytes that were taken.
    pub read: usize,
    /// Unpacked bytes that were given.
    pub written: usize,
    /// Whether the member goes on behind it.
    pub then: Then,
}

/// How a member goes on.
#[derive(Debug, PartialEq, Eq)]
pub enum Then {
    /// There is more of it. A piece that took nothing and gave nothing needs more bytes.
    More,
    /// It is at its end.
    Ended,
    /// It cannot be unpacked, for this reason.
    Broken(String),
    /// It needs a window of so many bytes, which it may not have.
    Window(u64, Refusal),
}

/// What liblzma needs beside a dictionary, in bytes: more than it says.
const XZ_BESIDE: u64 = 1 << 20;

impl Member {
    /// A member that begins with `start`: of zstd, [`LONGEST_HEADER`](crate::LONGEST_HEADER) bytes of it, unless the file ends.
    ///
    /// - `dictionary`: what zstd's frames are unpacked with; often empty
    ///
    /// # Errors
    /// [`Then::Broken`] and [`Then::Window`]: what stands in the way.
    pub fn begin(
        packing: Packing,
        start: &[u8],
        dictionary: &[u8],
        allowance: &mut dyn Allowance,
    ) -> Result<Self, Then> {
        Ok(Self(match packing {
            Packing::Gzip => Decoder::Gzip(Box::new(Decompress::new_gzip(15))),
            Packing::Bzip2 => Decoder::Bzip2(Box::new(Bzip2::new(false))),
            Packing::Xz => {
                let memory = SHORT_WINDOW + XZ_BESIDE;
                let stream = Xz::new_stream_decoder(memory, 0).map_err(|error| Then::Broken(error.to_string()))?;
                Decoder::Xz(Box::new(stream), memory)
            }
            Packing::Zstd => {
                grant(start, dictionary, allowance)?;
                let broken = |error: std::io::Error| Then::Broken(error.to_string());
                let mut decoder = Zstd::with_dictionary(dictionary).map_err(broken)?;
                decoder.set_parameter(DParameter::WindowLogMax(31)).map_err(broken)?;
                Decoder::Zstd(Box::new(decoder))
            }
            Packing::Plain | Packing::Lz4 => unreachable!("{packing} is not unpacked by member"),
        }))
    }

    /// The member behind one that has ended, by the same decoder where that can be.
    pub(crate) fn next(self, start: &[u8], allowance: &mut dyn Allowance) -> Result<Self, Then> {
        let packing = match self.0 {
            Decoder::Zstd(_) => {
                grant(start, &[], allowance)?;
                return Ok(self);
            }
            Decoder::Gzip(_) => Packing::Gzip,
            Decoder::Bzip2(_) => Packing::Bzip2,
            Decoder::Xz(..) => Packing::Xz,
        };
        Self::begin(packing, start, &[], allowance)
    }

    /// Unpacks some of `input` into `output`.
    pub fn step(&mut self, input: &[u8], output: &mut [u8], allowance: &mut dyn Allowance) -> Piece {
        match &mut self.0 {
            Decoder::Gzip(decoder) => {
                let before = (decoder.total_in(), decoder.total_out());
                let then = match decoder.decompress(input, output, FlushDecompress::None) {
                    Ok(Status::StreamEnd) => Then::Ended,
                    Ok(_) => Then::More,
                    Err(error) => Then::Broken(error.to_string()),
                };
                piece(before, (decoder.total_in(), decoder.total_out()), then)
            }
            Decoder::Bzip2(decoder) => {
                let before = (decoder.total_in(), decoder.total_out());
                let then = match decoder.decompress(input, output) {
                    Ok(Bzip2Status::StreamEnd) => Then::Ended,
                    Ok(Bzip2Status::MemNeeded) => Then::Broken("there is no memory to unpack it".to_owned()),
                    Ok(_) => Then::More,
                    Err(error) => Then::Broken(error.to_string()),
                };
                piece(before, (decoder.total_in(), decoder.total_out()), then)
            }
            Decoder::Xz(stream, memory) => {
                let before = (stream.total_in(), stream.total_out());
                let then = match stream.process(input, output, Action::Run) {
                    Ok(XzStatus::StreamEnd) => Then::Ended,
                    Ok(_) => Then::More,
                    Err(XzError::MemLimit) => more_memory(stream, memory, allowance),
                    Err(error) => Then::Broken(error.to_string()),
                };
                piece(before, (stream.total_in(), stream.total_out()), then)
            }
            Decoder::Zstd(decoder) => {
                let (mut input, mut output) = (InBuffer::around(input), OutBuffer::around(output));
                let then = match decoder.run(&mut input, &mut output) {
                    Ok(0) => Then::Ended,
                    Ok(_) => Then::More,
                    Err(error) => Then::Broken(error.to_string()),
                };
                Piece { read: input.pos, written: output.pos(), then }
            }
        }
    }
}

impl Piece {
    /// Whether the member needs more bytes than there were.
    #[must_use]
    pub fn is_starved(&self) -> bool {
        self.read == 0 && self.written == 0 && self.then == Then::More
    }
}

/// What was done between two counts of packed and unpacked bytes.
fn piece(before: (u64, u64), now: (u64, u64), then: Then) -> Piece {
    let count = |now: u64, before: u64| usize::try_from(now - before).expect("no more than the buffer");
    Piece { read: count(now.0, before.0), written: count(now.1, before.1), then }
}

/// Asks for the window of a zstd frame, where it is long.
fn grant(start: &[u8], dictionary: &[u8], allowance: &mut dyn Allowance) -> Result<(), Then> {
    let Some(header) = Header::of(start) else { return Ok(()) };
    if header.dictionary != 0 && dictionary.is_empty() {
        let detail = format!("it was packed with the dictionary {}, which is not here", header.dictionary);
        return Err(Then::Broken(detail));
    }
    if header.window > LONGEST_WINDOW {
        let advice = "no more can be unpacked: pack the file anew, by `zstd --long=31` or less".to_owned();
        return Err(Then::Window(header.window, Refusal { limit: LONGEST_WINDOW, advice }));
    }
    let memory = header.memory();
    if memory > SHORT_WINDOW {
        allowance.allow(memory).map_err(|refusal| Then::Window(memory, refusal))?;
    }
    Ok(())
}

/// Asks for twice as much for an xz stream, which says that it needs more, but not how much.
fn more_memory(stream: &mut Xz, memory: &mut u64, allowance: &mut dyn Allowance) -> Then {
    let window = 2 * (*memory - XZ_BESIDE);
    if let Err(refusal) = allowance.allow(window) {
        return Then::Window(window, refusal);
    }
    *memory = window + XZ_BESIDE;
    match stream.set_memlimit(*memory) {
        // what it needs may be more than that yet
        Ok(()) | Err(XzError::MemLimit) => Then::More,
        Err(error) => Then::Broken(error.to_string()),
    }
}
