//! A file's bytes, unpacked where it is packed, with the places at which members begin.
//!
//! Archives are compressed by member: one gzip member or frame for each record, so that a reader can begin in the middle.
//! That is also what makes them mendable. When a member turns out to be broken, the search for the next one begins one byte
//! behind its start.

use std::{
    collections::VecDeque,
    io::{self, Read, Seek},
};

use compression::{Allowance, FIRST_BYTES, LONGEST_HEADER, Member, Packing, Piece, Then, skippable};

use super::{
    Fault,
    feed::Feed,
    packing::{self, Length, MAX_DICTIONARY},
};

/// Bytes unpacked at a time.
const BUFFER: usize = 64 * 1024;

/// Unpacked bytes that a candidate for a member must give before it is believed.
const PROBE: usize = 512;

/// The most that one LZ4 frame may hold, which is unpacked whole.
const MAX_FRAME: usize = 512 << 20;

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
    feed: Feed<R>,
    packing: Packing,
    /// What zstd frames are unpacked with; often empty.
    dictionary: Vec<u8>,
    /// Unpacked bytes that were not consumed; the first has position `position`.
    window: Vec<u8>,
    consumed: usize,
    position: u64,
    /// Position and file offset of the members that begin in the window, and of the one that the window begins in.
    members: VecDeque<(u64, u64)>,
    decoder: Option<Member>,
    allowance: Box<dyn Allowance>,
    end: Option<End>,
}

impl<R: Read + Seek> Unpacked<R> {
    /// Begins at the start of `input`; whether and how it is packed is told by its first bytes.
    pub fn new(input: R, allowance: Box<dyn Allowance>) -> io::Result<Self> {
        let mut feed = Feed::new(input)?;
        feed.need(FIRST_BYTES)?;
        let packing = Packing::of(feed.window());
        let plain = packing == Packing::Plain;
        Ok(Self {
            feed,
            packing,
            dictionary: Vec::new(),
            window: Vec::new(),
            consumed: 0,
            position: 0,
            members: if plain { VecDeque::from([(0, 0)]) } else { VecDeque::new() },
            decoder: None,
            allowance,
            end: None,
        })
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
        self.offset_of(0)
    }

    /// The same, for the byte `ahead` of the next one.
    pub fn offset_of(&self, ahead: usize) -> u64 {
        match self.member_of(ahead) {
            Some((position, offset)) if !self.is_packed() => offset + (self.position + ahead as u64 - position),
            Some((_, offset)) => offset,
            None => self.feed.offset(),
        }
    }

    /// How the file is packed.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// Whether it is.
    pub fn is_packed(&self) -> bool {
        self.packing != Packing::Plain
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.feed.length()
    }

    /// Whether the file is packed and the next byte is the first of a member.
    pub fn at_member_start(&self) -> bool {
        self.is_member_start(0)
    }

    /// The same, for the byte `ahead` of the next one.
    pub fn is_member_start(&self, ahead: usize) -> bool {
        let start = self.position + ahead as u64;
        self.is_packed() && self.member_of(ahead).is_some_and(|(position, _)| position == start)
    }

    /// Position and file offset of the member that holds the byte `ahead` of the next one.
    fn member_of(&self, ahead: usize) -> Option<(u64, u64)> {
        let place = self.position + ahead as u64;
        let behind = self.members.partition_point(|(position, _)| *position <= place);
        behind.checked_sub(1).map(|last| self.members[last])
    }

    /// How far ahead the next member begins, if its start has been reached.
    pub fn next_member(&self) -> Option<usize> {
        self.members_ahead().find(|ahead| *ahead > 0)
    }

    /// How far ahead the members begin whose starts have been reached, one that begins here among them; none where nothing is packed.
    pub fn members_ahead(&self) -> impl Iterator<Item = usize> {
        let (packed, here) = (self.is_packed(), self.position);
        let ahead = move |(position, _): &(u64, u64)| usize::try_from(position.checked_sub(here)?).ok();
        self.members.iter().filter(move |_| packed).filter_map(ahead)
    }

    /// The fault of a corrupt member that the next `count` bytes reach into, if it is known by now. The first member of a file does not count:
    /// it may be all of the file, and what could be unpacked of it is kept.
    pub fn corrupt_within(&self, count: usize) -> Option<(Fault, String)> {
        let Some(End::Fault(fault, detail)) = &self.end else { return None };
        let (position, _) = *self.members.back()?;
        let reaches = position > 0 && position < self.position + count as u64;
        (reaches && !fault.is_clipped()).then(|| (*fault, detail.clone()))
    }

    /// Unpacks until the member of the next byte is known to be sound, or the end is reached, or `limit` bytes are at hand. There is nothing
    /// to know of a file that is not packed.
    pub fn settle(&mut self, limit: usize) -> io::Result<()> {
        while self.is_packed() && self.end.is_none() && self.next_member().is_none() && self.window().len() < limit {
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
            self.feed.seek(candidate)?;
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

    /// The offset of the next member's magic at or behind `from`.
    fn find_magic(&mut self, from: u64) -> io::Result<Option<u64>> {
        self.feed.seek(from)?;
        while self.feed.need(FIRST_BYTES)? {
            let window = self.feed.window();
            let last = window.len() - FIRST_BYTES;
            match (0..=last).find(|at| self.packing.begins(&window[*at..])) {
                Some(at) => return Ok(Some(self.feed.offset() + at as u64)),
                None => self.feed.take(last + 1),
            }
        }
        Ok(None)
    }

    /// Brings some more bytes into the window, or sets the end.
    fn advance(&mut self) -> io::Result<()> {
        if self.feed.window().is_empty() && !self.feed.ended() {
            self.feed.read()?;
        }
        if self.packing == Packing::Plain {
            if self.feed.window().is_empty() {
                self.end = Some(End::File);
            } else {
                self.window.extend_from_slice(self.feed.window());
                self.feed.take(self.feed.window().len());
            }
            return Ok(());
        }
        if self.decoder.is_some() {
            return self.inflate();
        }
        self.begin_member()
    }

    /// Begins a member. Zero bytes between members, which tapes leave behind, are passed over, and so are frames without data.
    fn begin_member(&mut self) -> io::Result<()> {
        loop {
            let zeros = self.feed.window().iter().take_while(|byte| **byte == 0).count();
            self.feed.take(zeros);
            self.feed.need(LONGEST_HEADER)?;
            if zeros > 0 && self.feed.window().first() == Some(&0) {
                continue;
            }
            let framed = matches!(self.packing, Packing::Zstd | Packing::Lz4);
            match skippable(self.feed.window()).filter(|_| framed) {
                Some(length) => {
                    if !self.skip(length)? {
                        return Ok(());
                    }
                }
                None => break,
            }
        }
        if self.feed.window().is_empty() {
            self.end = Some(End::File);
            return Ok(());
        }
        // a frame without data stood before the first of LZ4
        if self.members.is_empty() && self.position == 0 && Packing::Lz4.begins(self.feed.window()) {
            self.packing = Packing::Lz4;
        }
        self.members.push_back((self.position + self.window().len() as u64, self.feed.offset()));
        let (packing, start) = (self.packing, self.feed.window());
        let known = start.len() < FIRST_BYTES || packing.begins(start);
        match packing {
            Packing::Lz4 if known => return self.take_frame(),
            // a member may be told by its first two bytes, and then turn out to be broken
            Packing::Gzip if start.starts_with(&[0x1f, 0x8b]) => {}
            Packing::Bzip2 | Packing::Xz | Packing::Zstd if known => {}
            _ => {
                let detail = format!("what follows the last member is not {packing}");
                self.end = Some(End::Fault(Fault::corrupt(packing), detail));
                return Ok(());
            }
        }
        match Member::begin(packing, start, &self.dictionary, self.allowance.as_mut()) {
            Ok(member) => self.decoder = Some(member),
            Err(then) => self.stop(then)?,
        }
        Ok(())
    }

    /// A member does not go on. That it needs more memory is no fault of the file's.
    fn stop(&mut self, then: Then) -> io::Result<()> {
        let packing = self.packing;
        match then {
            Then::Ended => self.decoder = None,
            Then::More => {}
            Then::Broken(detail) => self.end = Some(End::Fault(Fault::corrupt(packing), detail)),
            Then::Window(window, refusal) => {
                let began = self.members.back().map_or(0, |(_, offset)| *offset);
                let compression::Refusal { limit, advice } = refusal;
                return Err(compression::Error::Window { packing, began, window, limit, advice }.into());
            }
        }
        Ok(())
    }

    /// Passes over a frame without data; keeps the dictionary that it may hold. False where the file is at fault.
    fn skip(&mut self, length: u64) -> io::Result<bool> {
        let offset = self.feed.offset();
        if offset + length > self.feed.length() {
            self.members.push_back((self.position + self.window().len() as u64, offset));
            let detail = "the file ends within a frame without data".to_owned();
            self.end = Some(End::Fault(Fault::clipped(self.packing), detail));
            return Ok(false);
        }
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        if length <= MAX_DICTIONARY && self.feed.need(whole)? {
            match packing::dictionary(&self.feed.window()[..whole]) {
                Some(Ok(dictionary)) => self.dictionary = dictionary,
                Some(Err(detail)) => {
                    self.members.push_back((self.position + self.window().len() as u64, offset));
                    self.end = Some(End::Fault(Fault::ZstdCorrupt, detail));
                    return Ok(false);
                }
                None => {}
            }
            self.feed.take(whole);
        } else {
            self.feed.seek(offset + length)?;
        }
        Ok(true)
    }

    fn inflate(&mut self) -> io::Result<()> {
        let Some(decoder) = self.decoder.as_mut() else { return Ok(()) };
        let filled = self.window.len();
        self.window.resize(filled + BUFFER, 0);
        let piece = decoder.step(self.feed.window(), &mut self.window[filled..], self.allowance.as_mut());
        self.window.truncate(filled + piece.written);
        self.feed.take(piece.read);
        if piece.is_starved() && self.feed.ended() && self.feed.window().is_empty() {
            let detail = format!("the file ends within a member of {}", self.packing);
            self.end = Some(End::Fault(Fault::clipped(self.packing), detail));
            return Ok(());
        }
        let Piece { then, .. } = piece;
        self.stop(then)
    }

    /// Unpacks an LZ4 frame as a whole.
    fn take_frame(&mut self) -> io::Result<()> {
        let length = loop {
            match packing::lz4_length(self.feed.window()) {
                Length::Known(length) => break length,
                Length::AtLeast(count) if count <= MAX_FRAME => {
                    if !self.feed.need(count)? {
                        let detail = "the file ends within a frame".into();
                        self.end = Some(End::Fault(Fault::Lz4Clipped, detail));
                        return Ok(());
                    }
                }
                Length::AtLeast(_) => {
                    self.end = Some(End::Fault(Fault::Lz4Corrupt, format!("a frame is longer than {MAX_FRAME} bytes")));
                    return Ok(());
                }
                Length::Wrong(detail) => {
                    self.end = Some(End::Fault(Fault::Lz4Corrupt, detail.into()));
                    return Ok(());
                }
            }
        };
        match packing::lz4_frame(&self.feed.window()[..length], MAX_FRAME, &mut self.window) {
            Ok(()) => self.feed.take(length),
            Err(detail) => self.end = Some(End::Fault(Fault::Lz4Corrupt, detail)),
        }
        Ok(())
    }
}
