//! Where records begin and end in the bytes of an archive.

use std::io::{self, Read, Seek};

use super::super::{
    arc::ArcLine,
    headers::find_blank_line,
    unpack::{End, Unpacked},
};

/// The longest header block that is believed, in bytes.
pub const MAX_HEADER: usize = 64 * 1024;

/// Bytes that tell the start of a WARC record: `WARC/`.
const START: usize = 5;

/// The bytes of an archive, from the next one on.
pub struct Boundaries<R> {
    pub bytes: Unpacked<R>,
    /// Whether records are ARC's.
    pub arc: bool,
    /// Whether every member is a record: so it seems where the first record ends with its member, until one goes on in the next member, or
    /// another follows it in its own.
    pub by_member: Option<bool>,
}

/// Where a record stands, which begins with the next byte.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Where it begins: the byte in the file; for gzip, where its member begins.
    pub offset: u64,
    /// Whether it begins a member.
    pub began_member: bool,
    /// Bytes before its block.
    pub head: usize,
}

/// What follows a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trailer {
    /// The next record, or a member, or the end, behind so many bytes from the record's start. Blank lines may stand before it.
    Sound(usize),
    /// Blank lines that end so many bytes from the record's start, then something else.
    Blank(usize),
    /// Neither, or the block is not all there.
    Missing,
}

impl<R: Read + Seek> Boundaries<R> {
    /// The bytes up to the blank line, and how many they are with it.
    pub fn head(&mut self) -> io::Result<Option<(Vec<u8>, usize)>> {
        let mut searched = 0;
        loop {
            let window = self.bytes.window();
            let window = &window[..window.len().min(MAX_HEADER)];
            if let Some((head, blank)) = find_blank_line(window, searched) {
                return Ok(Some((window[..head].to_vec(), head + blank)));
            }
            searched = window.len().saturating_sub(4);
            let wanted = window.len() + 1;
            if wanted > MAX_HEADER || !self.bytes.need(wanted)? {
                return Ok(None);
            }
        }
    }

    /// The bytes of a line, and how many they are with its end.
    pub fn first_line(&mut self) -> io::Result<Option<(Vec<u8>, usize)>> {
        let mut searched = 0;
        loop {
            let window = self.bytes.window();
            let window = &window[..window.len().min(MAX_HEADER)];
            if let Some(at) = memchr::memchr(b'\n', &window[searched..]) {
                let line = window[..searched + at].to_vec();
                let length = line.len() + 1;
                return Ok(Some((line, length)));
            }
            searched = window.len();
            if searched == MAX_HEADER || !self.bytes.need(searched + 1)? {
                return Ok(None);
            }
        }
    }

    /// Whether a record seems to begin here.
    pub fn begins_record(&self, bytes: &[u8]) -> bool {
        if !self.arc {
            return bytes.starts_with(b"WARC/");
        }
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        std::str::from_utf8(line).is_ok_and(|line| ArcLine::parse(line).is_some())
    }

    /// Whether a record seems to begin `ahead` bytes from here. Brings in what tells it.
    pub fn is_record_ahead(&mut self, ahead: usize) -> io::Result<bool> {
        let mut wanted = START;
        loop {
            let is_there = self.bytes.need(ahead + wanted)?;
            let window = self.bytes.window().get(ahead..).unwrap_or_default();
            let is_line = !self.arc || wanted > MAX_HEADER || memchr::memchr(b'\n', window).is_some();
            if is_line || !is_there {
                return Ok(self.begins_record(window));
            }
            wanted = window.len() + 1;
        }
    }

    /// Where the first record seems to begin, of those between `from`, which is not 0, and `to`, if one does. Only what is at hand is searched.
    pub fn record_within(&self, from: usize, to: usize) -> Option<usize> {
        let window = self.bytes.window();
        let lines = window.get(from - 1..window.len().min(to)).unwrap_or_default();
        memchr::memchr_iter(b'\n', lines).map(|at| from + at).find(|at| self.begins_record(&window[*at..]))
    }

    /// What follows a block that ends at `end`. Nothing is believed of a member that is known to be corrupt.
    pub fn trailer(&mut self, place: Place, end: usize) -> io::Result<Trailer> {
        if !self.bytes.need(end)? || self.bytes.corrupt_within(end).is_some() {
            return Ok(Trailer::Missing);
        }
        let mut behind = end;
        while self.bytes.need(behind + 1)?
            && !self.is_end_of_member(behind)
            && matches!(self.bytes.window()[behind], b'\r' | b'\n')
            && behind - end < MAX_HEADER
        {
            behind += 1;
        }
        if !self.bytes.need(behind + 1)? {
            // the end of its own member is missing
            let is_fault = matches!(self.bytes.end(), Some(End::Fault(..)));
            let is_own = self.bytes.offset_of(behind) == place.offset;
            return Ok(if is_fault && is_own { Trailer::Missing } else { Trailer::Sound(behind) });
        }
        if self.is_end_of_member(behind) || self.is_record_ahead(behind)? {
            return Ok(Trailer::Sound(behind));
        }
        // a line of the block itself ends with one line break
        let breaks = memchr::memchr_iter(b'\n', &self.bytes.window()[end..behind]).count();
        let is_blank = breaks > usize::from(!self.arc);
        Ok(if is_blank { Trailer::Blank(behind) } else { Trailer::Missing })
    }

    /// Whether a member begins `ahead` bytes from here, and records are not known to go on from one to the next.
    pub fn is_end_of_member(&self, ahead: usize) -> bool {
        self.by_member != Some(false) && self.bytes.is_member_start(ahead)
    }

    /// Moves past line breaks.
    pub fn skip_blank(&mut self) -> io::Result<()> {
        while self.bytes.need(1)? && matches!(self.bytes.window()[0], b'\r' | b'\n') {
            self.bytes.consume(1);
        }
        Ok(())
    }

    /// Moves from where a broken record begins to where the next one seems to.
    pub fn resynchronise(&mut self, began_member: bool) -> io::Result<()> {
        if self.bytes.need(1)? {
            self.bytes.consume(1);
        }
        if began_member && self.by_member == Some(true) {
            if self.bytes.at_member_start() {
                return Ok(());
            }
            if let Some(ahead) = self.bytes.next_member() {
                self.bytes.consume(ahead);
                return Ok(());
            }
        }
        self.find_record()
    }

    /// Moves to where the next record seems to begin: at the start of a line, or of a member.
    pub fn find_record(&mut self) -> io::Result<()> {
        loop {
            let window = self.bytes.window();
            let begins = |at: &usize| self.begins_record(&window[*at..]);
            let line = memchr::memchr_iter(b'\n', window).map(|at| at + 1).find(begins);
            let member = self.bytes.members_ahead().take_while(|at| line.is_none_or(|line| *at < line)).find(begins);
            if let Some(at) = member.or(line) {
                self.bytes.consume(at);
                return Ok(());
            }
            // the start of a record may not be whole yet
            let longest = if self.arc { MAX_HEADER } else { START };
            let keep = window.len().min(longest);
            self.bytes.consume(window.len() - keep);
            if !self.bytes.need(keep + 1)? {
                self.bytes.consume(keep);
                return Ok(());
            }
        }
    }
}
