//! A file's bytes, unpacked where it is gzip, with the places at which members begin.
//!
//! Archives are compressed by member: one gzip member for each record, so that a reader can begin in the middle. That is
//! also what makes them mendable. When a member turns out to be broken, the search for the next one begins one byte
//! behind its start.

use std::{
    collections::VecDeque,
    io::{self, Read, Seek, SeekFrom},
};

use flate2::{Decompress, FlushDecompress, Status};

use super::Fault;

/// Bytes read from the file at a time, and bytes unpacked at a time.
const BUFFER: usize = 64 * 1024;

/// Unpacked bytes that a candidate for a member must give before it is believed.
const PROBE: usize = 512;

/// Why there are no more bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The file ends in good order.
    File,
    /// A member is broken; [`Unpacked::recover`] looks for the next one.
    Fault(Fault, String),
}

/// The unpacked bytes of a file, as a window that moves forward.
pub struct Unpacked<R> {
    input: R,
    packed: bool,
    /// Bytes as the file holds them; `raw_at` is the file offset of the first.
    raw: VecDeque<u8>,
    raw_at: u64,
    raw_ended: bool,
    buffer: Box<[u8]>,
    /// Unpacked bytes that were not consumed; the first has position `position`.
    window: Vec<u8>,
    consumed: usize,
    position: u64,
    /// Position and file offset of the members that begin in the window, and of the one that the window begins in.
    members: VecDeque<(u64, u64)>,
    decoder: Option<Decompress>,
    end: Option<End>,
}

impl<R: Read + Seek> Unpacked<R> {
    /// Begins at the start of `input`; whether it is packed is told by its first two bytes.
    pub fn new(input: R) -> io::Result<Self> {
        let mut unpacked = Self {
            input,
            packed: false,
            raw: VecDeque::new(),
            raw_at: 0,
            raw_ended: false,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            window: Vec::new(),
            consumed: 0,
            position: 0,
            members: VecDeque::from([(0, 0)]),
            decoder: None,
            end: None,
        };
        unpacked.read_raw()?;
        unpacked.packed = unpacked.raw.iter().take(2).eq(&[0x1f, 0x8b]);
        if unpacked.packed {
            unpacked.members.clear();
        }
        Ok(unpacked)
    }

    /// The bytes at hand.
    pub fn window(&self) -> &[u8] {
        &self.window[self.consumed..]
    }

    /// Why no more bytes come; none while more may come.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Moves past `count` bytes of the window.
    pub fn consume(&mut self, count: usize) {
        self.consumed += count;
        self.position += count as u64;
        while self.members.len() > 1 && self.members[1].0 <= self.position {
            self.members.pop_front();
        }
        if self.consumed > 4 * BUFFER && self.consumed > self.window.len() / 2 {
            self.window.drain(..self.consumed);
            self.consumed = 0;
        }
    }

    /// Makes the window hold `count` bytes, unless the end comes first; says whether it does.
    pub fn need(&mut self, count: usize) -> io::Result<bool> {
        while self.window().len() < count && self.end.is_none() {
            self.advance()?;
        }
        Ok(self.window().len() >= count)
    }

    /// Where the next byte lies: its offset in the file, or the start of the member that holds it.
    pub fn offset(&self) -> u64 {
        match self.current() {
            Some((position, offset)) if !self.packed => offset + (self.position - position),
            Some((_, offset)) => offset,
            None => self.raw_at,
        }
    }

    /// Whether the file is packed and the next byte is the first of a member.
    pub fn at_member_start(&self) -> bool {
        self.packed && self.current().is_some_and(|(position, _)| position == self.position)
    }

    /// How many bytes were consumed so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Position and file offset of the member that holds the next byte.
    fn current(&self) -> Option<(u64, u64)> {
        self.members.iter().rev().find(|(position, _)| *position <= self.position).copied()
    }

    /// How far ahead the next member begins, if its start has been reached.
    pub fn next_member(&self) -> Option<usize> {
        let ahead = |&(position, _): &(u64, u64)| usize::try_from(position - self.position).ok();
        self.packed.then(|| self.members.iter().find(|(position, _)| *position > self.position).and_then(ahead))?
    }

    /// Unpacks until the member of the next byte is known to be sound, or the end is reached, or `limit` bytes are at hand.
    pub fn settle(&mut self, limit: usize) -> io::Result<()> {
        while self.end.is_none() && self.next_member().is_none() && self.window().len() < limit {
            self.advance()?;
        }
        Ok(())
    }

    /// After a fault: drops the broken member and goes on at the next one that unpacks. False when there is none.
    pub fn recover(&mut self) -> io::Result<bool> {
        let Some(&(_, start)) = self.members.back() else { return Ok(false) };
        self.window.clear();
        self.consumed = 0;
        self.members.clear();
        self.decoder = None;
        let mut from = start + 1;
        while let Some(candidate) = self.find_magic(from)? {
            self.seek(candidate)?;
            self.end = None;
            if self.probe()? {
                return Ok(true);
            }
            from = candidate + 1;
        }
        self.end = Some(End::File);
        Ok(false)
    }

    /// Whether what begins here unpacks, as far as the probe goes.
    fn probe(&mut self) -> io::Result<bool> {
        while self.window.len() < PROBE && self.end.is_none() && self.members.len() < 2 {
            self.advance()?;
        }
        let sound = !matches!(self.end, Some(End::Fault(..)));
        if !sound {
            self.window.clear();
            self.members.clear();
            self.decoder = None;
        }
        Ok(sound)
    }

    /// The offset of the next gzip magic at or behind `from`.
    fn find_magic(&mut self, from: u64) -> io::Result<Option<u64>> {
        self.seek(from)?;
        let mut at = 0;
        loop {
            if self.raw.len() < at + 4 {
                if self.raw_ended {
                    return Ok(None);
                }
                self.read_raw()?;
                continue;
            }
            let flags = self.raw[at + 3];
            if self.raw[at] == 0x1f && self.raw[at + 1] == 0x8b && self.raw[at + 2] == 8 && flags < 0x20 {
                return Ok(Some(self.raw_at + at as u64));
            }
            at += 1;
            if at > BUFFER {
                self.take_raw(at);
                at = 0;
            }
        }
    }

    fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(offset))?;
        self.raw.clear();
        self.raw_at = offset;
        self.raw_ended = false;
        self.read_raw()
    }

    fn take_raw(&mut self, count: usize) {
        self.raw.drain(..count);
        self.raw_at += count as u64;
    }

    fn read_raw(&mut self) -> io::Result<()> {
        let count = loop {
            match self.input.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.raw_ended |= count == 0;
        self.raw.extend(&self.buffer[..count]);
        Ok(())
    }

    /// Brings some more bytes into the window, or sets the end.
    fn advance(&mut self) -> io::Result<()> {
        if self.raw.is_empty() && !self.raw_ended {
            self.read_raw()?;
        }
        if !self.packed {
            if self.raw.is_empty() {
                self.end = Some(End::File);
            } else {
                let (front, back) = self.raw.as_slices();
                self.window.extend_from_slice(front);
                self.window.extend_from_slice(back);
                self.take_raw(self.raw.len());
            }
            return Ok(());
        }
        if self.decoder.is_none() {
            return self.begin_member();
        }
        self.inflate();
        Ok(())
    }

    /// Begins a member; zero bytes between members, which tapes leave behind, are passed over.
    fn begin_member(&mut self) -> io::Result<()> {
        loop {
            let zeros = self.raw.iter().take_while(|byte| **byte == 0).count();
            self.take_raw(zeros);
            if self.raw.len() >= 2 || self.raw_ended {
                break;
            }
            self.read_raw()?;
        }
        if self.raw.is_empty() {
            self.end = Some(End::File);
            return Ok(());
        }
        self.members.push_back((self.position + self.window().len() as u64, self.raw_at));
        if self.raw[0] == 0x1f && self.raw.get(1) == Some(&0x8b) {
            self.decoder = Some(Decompress::new_gzip(15));
        } else {
            self.end = Some(End::Fault(Fault::GzipCorrupt, "what follows the last member is not gzip".into()));
        }
        Ok(())
    }

    fn inflate(&mut self) {
        let Some(decoder) = self.decoder.as_mut() else { return };
        let filled = self.window.len();
        self.window.resize(filled + BUFFER, 0);
        let (front, back) = self.raw.as_slices();
        let input = if front.is_empty() { back } else { front };
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let result = decoder.decompress(input, &mut self.window[filled..], FlushDecompress::None);
        let count = |now: u64, before: u64| usize::try_from(now - before).expect("no more than the buffer");
        let (read, written) = (count(decoder.total_in(), read), count(decoder.total_out(), written));
        self.window.truncate(filled + written);
        self.take_raw(read);
        match result {
            Ok(Status::StreamEnd) => self.decoder = None,
            Ok(_) if read == 0 && written == 0 && self.raw_ended && self.raw.is_empty() => {
                self.end = Some(End::Fault(Fault::GzipClipped, "the file ends within a gzip member".into()));
            }
            Ok(_) => {}
            Err(error) => self.end = Some(End::Fault(Fault::GzipCorrupt, error.to_string())),
        }
    }
}
