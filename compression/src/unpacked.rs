//! The bytes of a file, unpacked where it is packed.

use std::{
    io::{self, BufRead, Read},
    mem,
};

use lz4_flex::frame::FrameDecoder;

use crate::{
    Allowance, Error, FIRST_BYTES, LONGEST_HEADER, Member, Packing, Then,
    frame::skippable,
    input::{BUFFER, Input},
    unknown::{ENOUGH, unknown},
};

/// Reads a file from its start to its end, whatever it is packed by.
///
/// What is wrong is an [`io::Error`] that holds an [`Error`], after all bytes that come before it; and the same again, when it is asked again.
pub struct Unpacked<R: Read> {
    source: Source<R>,
    packing: Packing,
    allowance: Box<dyn Allowance>,
    work: Work,
    /// Where the last member begins in the file, and how many there were.
    began: u64,
    members: u64,
    /// Unpacked bytes, of which those in `start..end` were not taken yet. Plain ones stand where they were read to.
    output: Vec<u8>,
    start: usize,
    end: usize,
}

/// Where packed bytes come from: what unpacks LZ4 reads by itself.
enum Source<R: Read> {
    Direct(Input<R>),
    Lz4(Box<FrameDecoder<Input<R>>>),
    /// On its way from one to the other.
    Between,
}

/// What is being done.
enum Work {
    /// The first bytes were not looked at yet.
    First,
    /// Between members; the one that has ended lends its decoder.
    Between(Option<Member>),
    /// Within one.
    Within(Member),
    /// Within an LZ4 frame.
    Frame,
    Ended,
    Failed(Error),
}

impl<R: Read> Unpacked<R> {
    /// Begins to read; how the file is packed is told by its first bytes.
    ///
    /// # Errors
    /// When they cannot be read. That they are of another kind than text, is an error when they are asked for.
    pub fn new(reader: R, allowance: Box<dyn Allowance>) -> io::Result<Self> {
        let mut input = Input::new(reader);
        input.need(FIRST_BYTES)?;
        let packing = Packing::of(input.window());
        let (source, work) = match (packing, Packing::cut_short(input.window())) {
            (Packing::Plain, Some(packing)) if !Packing::may_be_text(input.window()) => {
                let at = input.window().len() as u64;
                (Source::Direct(input), Work::Failed(Error::Cut { packing, began: 0, at }))
            }
            _ => (Source::Direct(input), Work::First),
        };
        let output = if packing == Packing::Plain { Vec::new() } else { vec![0; BUFFER] };
        Ok(Self { source, packing, allowance, work, began: 0, members: 0, output, start: 0, end: 0 })
    }

    /// How the file is packed.
    #[must_use]
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// Packed bytes that were taken so far, of those that the file holds.
    #[must_use]
    pub fn taken(&self) -> u64 {
        match &self.source {
            Source::Direct(input) => input.taken(),
            Source::Lz4(decoder) => decoder.get_ref().taken(),
            Source::Between => unreachable!("a source is somewhere"),
        }
    }

    fn input(&mut self) -> &mut Input<R> {
        match &mut self.source {
            Source::Direct(input) => input,
            Source::Lz4(decoder) => decoder.get_mut(),
            Source::Between => unreachable!("a source is somewhere"),
        }
    }

    /// Looks at the first bytes of the contents, which may be no text.
    fn look(&mut self) -> io::Result<()> {
        self.work = Work::Between(None);
        if self.packing == Packing::Plain {
            self.input().need(ENOUGH)?;
            if let Some(error) = unknown(self.input().window(), Packing::Plain) {
                self.work = Work::Failed(error);
            }
            return Ok(());
        }
        while self.end < ENOUGH && !matches!(self.work, Work::Ended | Work::Failed(_)) {
            self.advance()?;
        }
        if let Some(error) = unknown(&self.output[..self.end], self.packing) {
            self.end = 0;
            self.work = Work::Failed(error);
        }
        Ok(())
    }

    /// Unpacks some more bytes behind `end`, or comes to an end.
    fn advance(&mut self) -> io::Result<()> {
        match mem::replace(&mut self.work, Work::Ended) {
            Work::First | Work::Ended => {}
            Work::Failed(error) => self.work = Work::Failed(error),
            Work::Between(lent) => match self.next_member(lent) {
                Ok(work) => self.work = work,
                Err(error) => {
                    // the system's word may change
                    self.work = Work::Between(None);
                    return Err(error);
                }
            },
            Work::Within(member) => return self.within(member),
            Work::Frame => return self.frame(),
        }
        Ok(())
    }

    /// What stands between two members, or before the first: frames without data, and what tapes leave behind.
    fn next_member(&mut self, lent: Option<Member>) -> io::Result<Work> {
        let (packing, members) = (self.packing, self.members);
        loop {
            let began = self.input().taken();
            let input = self.input();
            // gzip's programs pass over zeros behind a member, and xz pads its streams by four
            if members > 0 && matches!(packing, Packing::Gzip | Packing::Xz) {
                while input.need(1)? && input.window()[0] == 0 {
                    let zeros = input.window().iter().take_while(|byte| **byte == 0).count();
                    input.take(zeros);
                }
                if packing == Packing::Xz && !(input.taken() - began).is_multiple_of(4) {
                    let detail = "the padding behind it is no multiple of four".to_owned();
                    return Ok(self.corrupt(detail));
                }
            }
            let began = input.taken();
            input.need(LONGEST_HEADER)?;
            let start = input.window();
            if start.is_empty() {
                return Ok(Work::Ended);
            }
            let framed = matches!(packing, Packing::Zstd | Packing::Lz4);
            if framed && let Some(length) = skippable(start) {
                if !input.skip(length)? {
                    let at = input.taken();
                    return Ok(Work::Failed(Error::Cut { packing, began, at }));
                }
                continue;
            }
            // a frame without data stood before the first of LZ4
            if members == 0 && packing == Packing::Zstd && Packing::Lz4.begins(start) {
                self.packing = Packing::Lz4;
                return self.next_member(lent);
            }
            let whole = start.len() >= FIRST_BYTES;
            if !whole && (Packing::cut_short(start) == Some(packing) || (framed && start.len() < 8 && skips(start))) {
                let at = began + start.len() as u64;
                return Ok(Work::Failed(Error::Cut { packing, began, at }));
            }
            if packing == Packing::Lz4 && packing.begins(start) {
                self.began = began;
                self.members += 1;
                self.source = match mem::replace(&mut self.source, Source::Between) {
                    Source::Direct(input) => Source::Lz4(Box::new(FrameDecoder::new(input))),
                    other => other,
                };
                return Ok(Work::Frame);
            }
            let start = &start[..start.len().min(LONGEST_HEADER)].to_vec();
            // a gzip member may be told by its first two bytes, and then turn out to be broken
            if !(packing.begins(start) || packing == Packing::Gzip && start.starts_with(&[0x1f, 0x8b])) {
                return Ok(self.corrupt(format!("what follows is not {packing}")));
            }
            self.began = began;
            self.members += 1;
            let allowance = self.allowance.as_mut();
            let member = match lent {
                Some(member) => member.next(start, allowance),
                None => Member::begin(packing, start, &[], allowance),
            };
            return Ok(match member {
                Ok(member) => Work::Within(member),
                Err(then) => self.stopped(then),
            });
        }
    }

    fn within(&mut self, mut member: Member) -> io::Result<()> {
        let Source::Direct(input) = &mut self.source else { unreachable!("LZ4 has frames of its own") };
        if let Err(error) = input.fill() {
            self.work = Work::Within(member);
            return Err(error);
        }
        let piece = member.step(input.window(), &mut self.output[self.end..], self.allowance.as_mut());
        input.take(piece.read);
        self.end += piece.written;
        let at_end = input.is_at_end();
        self.work = if piece.is_starved() && at_end {
            Work::Failed(Error::Cut { packing: self.packing, began: self.began, at: self.taken() })
        } else {
            match piece.then {
                Then::More => Work::Within(member),
                Then::Ended => Work::Between(Some(member)),
                then => self.stopped(then),
            }
        };
        Ok(())
    }

    fn frame(&mut self) -> io::Result<()> {
        let Source::Lz4(decoder) = &mut self.source else { unreachable!("only LZ4 has frames") };
        let read = decoder.read(&mut self.output[self.end..]);
        // the crate takes a file that ends between two blocks for one that ends
        let missed = decoder.get_ref().missed();
        self.work = match read {
            Ok(0) if missed => Work::Failed(self.cut()),
            Ok(0) => Work::Between(None),
            Ok(count) => {
                self.end += count;
                Work::Frame
            }
            Err(error) if error.raw_os_error().is_some() => {
                self.work = Work::Frame;
                return Err(error);
            }
            Err(_) if missed => Work::Failed(self.cut()),
            Err(error) => self.corrupt(error.to_string()),
        };
        Ok(())
    }

    fn cut(&self) -> Error {
        Error::Cut { packing: self.packing, began: self.began, at: self.taken() }
    }

    fn corrupt(&self, detail: String) -> Work {
        Work::Failed(Error::Corrupt { packing: self.packing, began: self.began, at: self.taken(), detail })
    }

    fn stopped(&self, then: Then) -> Work {
        match then {
            Then::Window(window, refusal) => Work::Failed(Error::Window {
                packing: self.packing,
                began: self.began,
                window,
                limit: refusal.limit,
                advice: refusal.advice,
            }),
            Then::Broken(detail) => self.corrupt(detail),
            Then::More | Then::Ended => unreachable!("the member goes on"),
        }
    }
}

/// Whether a frame without data is begun.
fn skips(start: &[u8]) -> bool {
    start.first().is_some_and(|first| first & 0xf0 == 0x50)
}

impl<R: Read> BufRead for Unpacked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if matches!(self.work, Work::First) {
            self.look()?;
        }
        if self.packing == Packing::Plain {
            if let Work::Failed(error) = &self.work {
                return Err(error.clone().into());
            }
            self.input().fill()?;
            return Ok(self.input().window());
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        while self.end == 0 {
            match &self.work {
                Work::Failed(error) => return Err(error.clone().into()),
                Work::Ended => break,
                _ => self.advance()?,
            }
        }
        Ok(&self.output[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        if self.packing == Packing::Plain { self.input().take(count) } else { self.start += count }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(output.len());
        output[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}
