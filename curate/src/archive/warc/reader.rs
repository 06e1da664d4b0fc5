//! Records, one after the other, and what is wrong where one should be.

use std::io::{self, Read, Seek};

use compression::{Allowance, MaxWindow};

use super::{
    super::{
        Broken, Fault,
        arc::{self, ArcLine},
        headers::{decode_head, header, parse_headers},
        unpack::{End, Unpacked},
    },
    boundaries::{Boundaries, MAX_HEADER, Place, Trailer},
    record::Record,
};

/// The longest block that is read into memory, in bytes.
const MAX_BLOCK: usize = 256 * 1024 * 1024;

/// First bytes that tell other kinds of files from archives.
const ENOUGH: usize = 512;

/// What stands at the next place of an archive.
#[derive(Debug)]
pub enum Item {
    /// A record.
    Record(Record),
    /// Something that should have been one.
    Broken(Broken),
    /// A stretch of the file of whose records nothing is known.
    Lost {
        /// What is wrong, and where the stretch begins.
        fault: Broken,
        /// Bytes of the file that count as lost: those up to the next member that unpacks, or to the one in which the next record begins,
        /// where records go on from member to member. Where the file's end is missing, all that are not lost yet, for nobody knows how
        /// much is missing; and so where nothing in the file was a record.
        bytes: u64,
    },
}

/// Reads an archive from its beginning to its end.
pub struct WarcReader<R> {
    /// What comes next.
    at: Boundaries<R>,
    /// Whether the last record was none, and stood at the start of a member.
    is_stray: bool,
    /// Whether the head of a record was read so far.
    has_records: bool,
    /// Bytes of the file that count as lost so far.
    lost: u64,
}

impl<R: Read + Seek> WarcReader<R> {
    /// Begins to read; how the file is packed, and whether it is WARC or ARC, is told by the first bytes.
    ///
    /// # Errors
    /// When the first bytes cannot be read, or are those of another kind of file: within a packed file, of one that is packed, too.
    pub fn new(input: R) -> io::Result<Self> {
        Self::with_allowance(input, Box::new(MaxWindow::default()))
    }

    /// The same, with somebody to ask for the windows that frames are unpacked with.
    ///
    /// # Errors
    /// The same.
    pub fn with_allowance(input: R, allowance: Box<dyn Allowance>) -> io::Result<Self> {
        let mut bytes = Unpacked::new(input, allowance)?;
        bytes.need(ENOUGH)?;
        if let Some(error) = compression::unknown(bytes.window(), bytes.packing()) {
            return Err(error.into());
        }
        let arc = bytes.window().starts_with(arc::MAGIC);
        let at = Boundaries { bytes, arc, by_member: None };
        Ok(Self { at, is_stray: false, has_records: false, lost: 0 })
    }

    /// The next record, or what is wrong with it; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read. A fault in its contents is no error.
    pub fn next_item(&mut self) -> io::Result<Option<Item>> {
        self.at.skip_blank()?;
        let offset = self.at.bytes.offset();
        if !self.at.bytes.need(1)? {
            return self.after_the_last(offset);
        }
        let began_member = self.at.bytes.at_member_start();
        match self.read_record(offset, began_member)? {
            Ok(record) => Ok(Some(Item::Record(record))),
            Err(broken) => self.read_on(broken, began_member).map(Some),
        }
    }

    /// Moves from where a broken record begins to the next one, or gives up what cannot be read.
    fn read_on(&mut self, broken: Broken, began_member: bool) -> io::Result<Item> {
        // a broken member explains whatever else is wrong with what it unpacks to
        self.at.bytes.settle(MAX_BLOCK)?;
        if let (Some(End::Fault(fault, detail)), None) = (self.at.bytes.end(), self.at.bytes.next_member()) {
            let broken = Broken { fault: *fault, detail: detail.clone(), ..broken };
            return self.lose(broken);
        }
        // two members in a row that begin as no record does: records go on from one to the next
        let is_stray = began_member && !self.at.begins_record(self.at.bytes.window());
        if is_stray && self.is_stray {
            self.at.by_member = Some(false);
        }
        self.is_stray = is_stray;
        self.at.resynchronise(began_member)?;
        if self.at.bytes.need(1)? || self.at.bytes.end() != Some(&End::File) {
            return Ok(Item::Broken(broken));
        }
        // nothing behind the broken place looks like a record: the archive was cut there, or is none from there on
        let is_lost = if self.at.bytes.is_packed() {
            // bytes of the file say nothing about a part of a member
            !self.has_records || (broken.fault == Fault::WarcClipped && self.at.by_member != Some(true))
        } else {
            !matches!(broken.fault, Fault::WarcLength | Fault::WarcTrailer)
        };
        Ok(if is_lost { self.count_lost(broken, self.at.bytes.length()) } else { Item::Broken(broken) })
    }

    /// No byte is left: the end of the file, or a member that gave none.
    fn after_the_last(&mut self, offset: u64) -> io::Result<Option<Item>> {
        match self.at.bytes.end().cloned() {
            Some(End::Fault(fault, detail)) => self.lose(Broken { offset, record: None, fault, detail }).map(Some),
            _ => Ok(None),
        }
    }

    /// Gives up a member that cannot be unpacked, and goes on at the next one that can.
    fn lose(&mut self, fault: Broken) -> io::Result<Item> {
        let mut end = self.at.bytes.length();
        if self.at.bytes.recover()? {
            // the next member may begin with the rest of a record
            if self.at.by_member == Some(false) {
                self.at.find_record()?;
            }
            if self.at.bytes.need(1)? || self.at.bytes.end() != Some(&End::File) {
                end = self.at.bytes.offset();
            }
        }
        Ok(self.count_lost(fault, end))
    }

    /// Counts what lies between a fault and `end` as lost.
    fn count_lost(&mut self, fault: Broken, end: u64) -> Item {
        let length = self.at.bytes.length();
        let is_all = end == length && (fault.fault.is_clipped() || !self.has_records);
        let bytes = if is_all { length - self.lost } else { end.saturating_sub(fault.offset) };
        self.lost += bytes;
        Item::Lost { fault, bytes }
    }

    /// Reads the record that begins with the next byte, and moves behind it where it is sound.
    fn read_record(&mut self, offset: u64, began_member: bool) -> io::Result<Result<Record, Broken>> {
        let broken = |fault, detail: String| Ok(Err(Broken { offset, record: None, fault, detail }));
        let head = if self.at.arc { self.at.first_line()? } else { self.at.head()? };
        let Some((head, length)) = head else {
            return broken(Fault::WarcHeader, format!("no blank line ends the header within {MAX_HEADER} bytes"));
        };
        let place = Place { offset, began_member, head: length };
        if let Some(ahead) = self.at.bytes.next_member().filter(|ahead| began_member && *ahead < length)
            && self.at.begins_record(&self.at.bytes.window()[ahead..])
        {
            return broken(Fault::WarcHeader, "the next member begins a record before the header is at its end".into());
        }
        let text = decode_head(&head);
        if self.at.arc {
            let Some(line) = ArcLine::parse(&text) else {
                let start: String = text.chars().take(60).collect();
                return broken(Fault::ArcHeader, format!("{start:?} is not the line of a record"));
            };
            return self.read_block(place, line.headers());
        }
        let mut lines = text.lines();
        let version = lines.next().unwrap_or_default();
        if !version.starts_with("WARC/") {
            let start: String = version.chars().take(40).collect();
            return broken(Fault::WarcVersion, format!("expected `WARC/` and a version, found {start:?}"));
        }
        match parse_headers(lines) {
            (headers, None) => self.read_block(place, headers),
            (_, Some(line)) => broken(Fault::WarcHeader, format!("{line:?} is no header")),
        }
    }

    /// What follows the headers, as long as they say, if that is where the record ends.
    ///
    /// A sound end is believed, whatever the block holds: pages hold archives, too. Elsewhere a record that begins within the block says
    /// that Content-Length is too large.
    fn read_block(&mut self, place: Place, headers: Vec<(String, String)>) -> io::Result<Result<Record, Broken>> {
        self.has_records = true;
        let key = header(&headers, "WARC-Record-ID").map(str::to_owned);
        let broken =
            |fault, detail: String| Ok(Err(Broken { offset: place.offset, record: key.clone(), fault, detail }));
        let length = match header(&headers, "Content-Length") {
            None => return broken(Fault::WarcLength, "there is no Content-Length".into()),
            Some(length) => match length.parse::<usize>() {
                Ok(length) if length <= MAX_BLOCK => length,
                _ => return broken(Fault::WarcLength, format!("Content-Length is {length:?}")),
            },
        };
        let end = place.head + length;
        let trailer = self.at.trailer(place, end)?;
        if let Trailer::Sound(behind) = trailer {
            return Ok(Ok(self.take_record(place, headers, end, behind)));
        }
        let clipped = |found: usize| {
            let found = found.saturating_sub(place.head);
            format!("Content-Length is {length}, but the record ends after {found} bytes")
        };
        if let Some(ahead) = self.at.bytes.next_member().filter(|ahead| place.began_member && *ahead < end)
            && (self.at.by_member == Some(true) || self.at.begins_record(&self.at.bytes.window()[ahead..]))
        {
            return broken(Fault::WarcClipped, clipped(ahead));
        }
        if let Some((fault, detail)) = self.at.bytes.corrupt_within(end) {
            return broken(fault, detail);
        }
        if let Some(at) = self.at.record_within(place.head, end) {
            let found = at - place.head;
            let detail = format!("Content-Length is {length}, which is too large: a record begins after {found} bytes");
            return broken(Fault::WarcClipped, detail);
        }
        let have = self.at.bytes.window().len();
        if have < end {
            return broken(Fault::WarcClipped, clipped(have));
        }
        match trailer {
            Trailer::Blank(behind) => Ok(Ok(self.take_record(place, headers, end, behind))),
            _ => broken(Fault::WarcTrailer, "the record goes on behind its Content-Length".into()),
        }
    }

    /// Takes a record whose block ends at `end`, and moves to `behind`, where what stands between it and the next one ends.
    fn take_record(&mut self, place: Place, headers: Vec<(String, String)>, end: usize, behind: usize) -> Record {
        let Place { offset, began_member, head } = place;
        let block = self.at.bytes.window()[head..end].to_vec();
        let goes_on = self.at.bytes.next_member().is_some_and(|ahead| ahead < end);
        self.at.bytes.consume(behind);
        let ends_member = self.at.bytes.at_member_start();
        self.is_stray = false;
        self.at.by_member = match self.at.by_member {
            _ if began_member && goes_on => Some(false),
            None => Some(began_member && ends_member),
            Some(true) if began_member && !ends_member && self.at.begins_record(self.at.bytes.window()) => Some(false),
            known => known,
        };
        Record { offset, headers, block }
    }
}
