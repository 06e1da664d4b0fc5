//! WARC and ARC records, one after the other, sound or broken.
//!
//! Source: ISO 28500:2017 (WARC 1.1). Where archives in the wild are looser, so is this reader: header names in any case,
//! lines that end in a bare line feed, one blank line at the end of a record instead of two.

use std::io::{self, Read, Seek};

use compression::{Allowance, MaxWindow};

use super::{
    Broken, Fault,
    arc::{self, ArcLine},
    headers::{decode_head, find_blank_line, header, parse_headers},
    unpack::{End, Unpacked},
};

/// The longest header block that is believed, in bytes.
const MAX_HEADER: usize = 64 * 1024;

/// The longest block that is read into memory, in bytes.
const MAX_BLOCK: usize = 256 * 1024 * 1024;

/// Bytes that tell the start of a WARC record: `WARC/`.
const START: usize = 5;

/// First bytes that tell other kinds of files from archives.
const ENOUGH: usize = 512;

/// A sound record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it begins: the byte in the file; for gzip, where its member begins.
    pub offset: u64,
    /// Header names and values, as they stand.
    pub headers: Vec<(String, String)>,
    /// The block, before any decoding.
    pub block: Vec<u8>,
}

impl Record {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// WARC-Target-URI, without the angle brackets in which some crawlers write it, as WARC 1.0 asked for; none where it is empty.
    ///
    /// warcio takes them away, too, and writes `%20` for spaces; FastWARC gives both as they stand.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        let url = self.header("WARC-Target-URI")?;
        let bare = url.strip_prefix('<').and_then(|url| url.strip_suffix('>')).unwrap_or(url).trim();
        (!bare.is_empty()).then_some(bare)
    }

    /// Why the block is not all that was sent, where the record says so: `length`, `time` or `disconnect`, or `unspecified` for any other
    /// word in WARC-Truncated; `segment` for the first part of a record that goes on in others.
    ///
    /// Source: ISO 28500:2017, sections 5.13 and 8.
    #[must_use]
    pub fn truncated(&self) -> Option<&'static str> {
        let known = ["length", "time", "disconnect"];
        let said = self.header("WARC-Truncated").filter(|said| !said.is_empty());
        let said =
            said.map(|said| known.into_iter().find(|word| word.eq_ignore_ascii_case(said)).unwrap_or("unspecified"));
        said.or_else(|| self.header("WARC-Segment-Number").map(|_| "segment"))
    }

    /// WARC-Type in lower case; empty when there is none.
    #[must_use]
    pub fn kind(&self) -> String {
        self.header("WARC-Type").unwrap_or_default().to_ascii_lowercase()
    }
}

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
    bytes: Unpacked<R>,
    /// Whether records are ARC's.
    arc: bool,
    /// Whether every member is a record: so it seems where the first record ends with its member, until one goes on in the next member, or
    /// another follows it in its own.
    by_member: Option<bool>,
    /// Whether the last record was none, and stood at the start of a member.
    is_stray: bool,
    /// Whether the head of a record was read so far.
    has_records: bool,
    /// Bytes of the file that count as lost so far.
    lost: u64,
}

/// Where a record stands, which begins with the next byte.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Where it begins: the byte in the file; for gzip, where its member begins.
    offset: u64,
    /// Whether it begins a member.
    began_member: bool,
    /// Bytes before its block.
    head: usize,
}

/// What follows a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trailer {
    /// The next record, or a member, or the end, behind so many bytes from the record's start. Blank lines may stand before it.
    Sound(usize),
    /// Blank lines that end so many bytes from the record's start, then something else.
    Blank(usize),
    /// Neither, or the block is not all there.
    Missing,
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
        Ok(Self { bytes, arc, by_member: None, is_stray: false, has_records: false, lost: 0 })
    }

    /// The next record, or what is wrong with it; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read. A fault in its contents is no error.
    pub fn next_item(&mut self) -> io::Result<Option<Item>> {
        self.skip_blank()?;
        let offset = self.bytes.offset();
        if !self.bytes.need(1)? {
            return self.after_the_last(offset);
        }
        let began_member = self.bytes.at_member_start();
        match self.read_record(offset, began_member)? {
            Ok(record) => Ok(Some(Item::Record(record))),
            Err(broken) => self.read_on(broken, began_member).map(Some),
        }
    }

    /// Moves from where a broken record begins to the next one, or gives up what cannot be read.
    fn read_on(&mut self, broken: Broken, began_member: bool) -> io::Result<Item> {
        // a broken member explains whatever else is wrong with what it unpacks to
        self.bytes.settle(MAX_BLOCK)?;
        if let (Some(End::Fault(fault, detail)), None) = (self.bytes.end(), self.bytes.next_member()) {
            let broken = Broken { fault: *fault, detail: detail.clone(), ..broken };
            return self.lose(broken);
        }
        // two members in a row that begin as no record does: records go on from one to the next
        let is_stray = began_member && !self.begins_record(self.bytes.window());
        if is_stray && self.is_stray {
            self.by_member = Some(false);
        }
        self.is_stray = is_stray;
        self.resynchronise(began_member)?;
        if self.bytes.need(1)? || self.bytes.end() != Some(&End::File) {
            return Ok(Item::Broken(broken));
        }
        // nothing behind the broken place looks like a record: the archive was cut there, or is none from there on
        let is_lost = if self.bytes.is_packed() {
            // bytes of the file say nothing about a part of a member
            !self.has_records || (broken.fault == Fault::WarcClipped && self.by_member != Some(true))
        } else {
            !matches!(broken.fault, Fault::WarcLength | Fault::WarcTrailer)
        };
        Ok(if is_lost { self.count_lost(broken, self.bytes.length()) } else { Item::Broken(broken) })
    }

    /// No byte is left: the end of the file, or a member that gave none.
    fn after_the_last(&mut self, offset: u64) -> io::Result<Option<Item>> {
        match self.bytes.end().cloned() {
            Some(End::Fault(fault, detail)) => self.lose(Broken { offset, record: None, fault, detail }).map(Some),
            _ => Ok(None),
        }
    }

    /// Gives up a member that cannot be unpacked, and goes on at the next one that can.
    fn lose(&mut self, fault: Broken) -> io::Result<Item> {
        let mut end = self.bytes.length();
        if self.bytes.recover()? {
            // the next member may begin with the rest of a record
            if self.by_member == Some(false) {
                self.find_record()?;
            }
            if self.bytes.need(1)? || self.bytes.end() != Some(&End::File) {
                end = self.bytes.offset();
            }
        }
        Ok(self.count_lost(fault, end))
    }

    /// Counts what lies between a fault and `end` as lost.
    fn count_lost(&mut self, fault: Broken, end: u64) -> Item {
        let length = self.bytes.length();
        let is_all = end == length && (fault.fault.is_clipped() || !self.has_records);
        let bytes = if is_all { length - self.lost } else { end.saturating_sub(fault.offset) };
        self.lost += bytes;
        Item::Lost { fault, bytes }
    }

    /// Reads the record that begins with the next byte, and moves behind it where it is sound.
    fn read_record(&mut self, offset: u64, began_member: bool) -> io::Result<Result<Record, Broken>> {
        let broken = |fault, detail: String| Ok(Err(Broken { offset, record: None, fault, detail }));
        let head = if self.arc { self.first_line()? } else { self.head()? };
        let Some((head, length)) = head else {
            return broken(Fault::WarcHeader, format!("no blank line ends the header within {MAX_HEADER} bytes"));
        };
        let place = Place { offset, began_member, head: length };
        if let Some(ahead) = self.bytes.next_member().filter(|ahead| began_member && *ahead < length)
            && self.begins_record(&self.bytes.window()[ahead..])
        {
            return broken(Fault::WarcHeader, "the next member begins a record before the header is at its end".into());
        }
        let text = decode_head(&head);
        if self.arc {
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
        let trailer = self.trailer(place, end)?;
        if let Trailer::Sound(behind) = trailer {
            return Ok(Ok(self.take_record(place, headers, end, behind)));
        }
        let clipped = |found: usize| {
            let found = found.saturating_sub(place.head);
            format!("Content-Length is {length}, but the record ends after {found} bytes")
        };
        if let Some(ahead) = self.bytes.next_member().filter(|ahead| place.began_member && *ahead < end)
            && (self.by_member == Some(true) || self.begins_record(&self.bytes.window()[ahead..]))
        {
            return broken(Fault::WarcClipped, clipped(ahead));
        }
        if let Some((fault, detail)) = self.bytes.corrupt_within(end) {
            return broken(fault, detail);
        }
        if let Some(at) = self.record_within(place.head, end) {
            let found = at - place.head;
            let detail = format!("Content-Length is {length}, which is too large: a record begins after {found} bytes");
            return broken(Fault::WarcClipped, detail);
        }
        let have = self.bytes.window().len();
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
        let block = self.bytes.window()[head..end].to_vec();
        let goes_on = self.bytes.next_member().is_some_and(|ahead| ahead < end);
        self.bytes.consume(behind);
        let ends_member = self.bytes.at_member_start();
        self.is_stray = false;
        self.by_member = match self.by_member {
            _ if began_member && goes_on => Some(false),
            None => Some(began_member && ends_member),
            Some(true) if began_member && !ends_member && self.begins_record(self.bytes.window()) => Some(false),
            known => known,
        };
        Record { offset, headers, block }
    }

    /// The bytes up to the blank line, and how many they are with it.
    fn head(&mut self) -> io::Result<Option<(Vec<u8>, usize)>> {
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
    fn first_line(&mut self) -> io::Result<Option<(Vec<u8>, usize)>> {
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
    fn begins_record(&self, bytes: &[u8]) -> bool {
        if !self.arc {
            return bytes.starts_with(b"WARC/");
        }
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        std::str::from_utf8(line).is_ok_and(|line| ArcLine::parse(line).is_some())
    }

    /// Whether a record seems to begin `ahead` bytes from here. Brings in what tells it.
    fn is_record_ahead(&mut self, ahead: usize) -> io::Result<bool> {
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
    fn record_within(&self, from: usize, to: usize) -> Option<usize> {
        let window = self.bytes.window();
        let lines = window.get(from - 1..window.len().min(to)).unwrap_or_default();
        memchr::memchr_iter(b'\n', lines).map(|at| from + at).find(|at| self.begins_record(&window[*at..]))
    }

    /// What follows a block that ends at `end`. Nothing is believed of a member that is known to be corrupt.
    fn trailer(&mut self, place: Place, end: usize) -> io::Result<Trailer> {
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
    fn is_end_of_member(&self, ahead: usize) -> bool {
        self.by_member != Some(false) && self.bytes.is_member_start(ahead)
    }

    /// Moves past line breaks.
    fn skip_blank(&mut self) -> io::Result<()> {
        while self.bytes.need(1)? && matches!(self.bytes.window()[0], b'\r' | b'\n') {
            self.bytes.consume(1);
        }
        Ok(())
    }

    /// Moves from where a broken record begins to where the next one seems to.
    fn resynchronise(&mut self, began_member: bool) -> io::Result<()> {
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
    fn find_record(&mut self) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn record(number: usize, body: &str) -> Vec<u8> {
        let head = format!(
            "WARC/1.0\r\nWARC-Type: resource\r\nWARC-Record-ID: <{number}>\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        format!("{head}{body}\r\n\r\n").into_bytes()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    }

    fn zstd(bytes: &[u8], dictionary: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::Encoder::with_dictionary(Vec::new(), 3, dictionary).expect("memory can be written");
        encoder.write_all(bytes).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    }

    fn lz4(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    }

    /// Keys of the sound records (addresses where there are none), and faults of the broken ones, in the order of the file; or why it is no
    /// archive.
    fn read(bytes: Vec<u8>) -> Vec<String> {
        let mut reader = match WarcReader::new(Cursor::new(bytes)) {
            Ok(reader) => reader,
            Err(error) => return vec![error.to_string()],
        };
        let mut found = Vec::new();
        while let Some(item) = reader.next_item().expect("memory can be read") {
            found.push(match item {
                Item::Record(record) => record.header("warc-record-id").or(record.url()).unwrap_or_default().to_owned(),
                Item::Broken(broken) => broken.fault.name().to_owned(),
                Item::Lost { fault, bytes } => format!("{} {bytes}", fault.fault),
            });
        }
        found
    }

    fn members(bodies: &[&str]) -> Vec<Vec<u8>> {
        bodies.iter().enumerate().map(|(number, body)| gzip(&record(number, body))).collect()
    }

    #[test]
    fn headers_are_read_as_crawlers_write_them() {
        let head = b"WARC/1.0\r\nwarc-type: Response\r\nWARC-Target-URI:\r\n\t<http://a.example/>\r\nWARC-Target-URI: http://b.example/\r\n\
            X-Where: caf\xe9\r\nWARC-Truncated : LENGTH\r\ncontent-length:\r\n 4\r\n\r\nbody\r\n\r\n";
        let mut reader = WarcReader::new(Cursor::new(head.to_vec())).expect("memory can be read");
        let Ok(Some(Item::Record(record))) = reader.next_item() else { panic!("the record is sound") };
        assert_eq!(
            (record.kind().as_str(), record.url()),
            ("response", Some("http://a.example/")),
            "the first of two holds"
        );
        assert_eq!((record.header("x-where"), record.truncated()), (Some("café"), Some("length")));
        let with = |name: &str, value: &str| Record { headers: vec![(name.into(), value.into())], ..record.clone() };
        assert_eq!(with("WARC-Truncated", "no idea").truncated(), Some("unspecified"));
        assert_eq!(with("WARC-Segment-Number", "1").truncated(), Some("segment"));
        assert_eq!(with("WARC-Target-URI", "<>").url(), None);
    }

    #[test]
    fn plain_and_packed_read_alike() {
        let plain: Vec<u8> = (0..3).flat_map(|number| record(number, "body")).collect();
        let by_member: Vec<u8> = members(&["body"; 3]).concat();
        for bytes in [plain.clone(), gzip(&plain), by_member, zstd(&plain, b""), lz4(&plain)] {
            assert_eq!(read(bytes), ["<0>", "<1>", "<2>"]);
        }
        let frames = |pack: fn(&[u8]) -> Vec<u8>| (0..3).flat_map(|n| pack(&record(n, "body"))).collect::<Vec<u8>>();
        assert_eq!(read(frames(|bytes| zstd(bytes, b""))), ["<0>", "<1>", "<2>"]);
        assert_eq!(read(frames(lz4)), ["<0>", "<1>", "<2>"]);
    }

    /// A dictionary stands in a frame of its own before all others: as it is, or packed.
    #[test]
    fn zstd_is_read_with_its_dictionary() {
        let dictionary = record(7, "a body much like others");
        let frames: Vec<u8> = (0..3).flat_map(|n| zstd(&record(n, "a body much like others"), &dictionary)).collect();
        assert!(read(frames.clone())[0] != "<0>", "without the dictionary, the frames say nothing");
        for stored in [dictionary.clone(), zstd(&dictionary, b"")] {
            let size = u32::try_from(stored.len()).expect("it is small").to_le_bytes();
            let bytes = [&[0x5d, 0x2a, 0x4d, 0x18][..], &size, &stored, &frames].concat();
            assert_eq!(read(bytes), ["<0>", "<1>", "<2>"]);
        }
    }

    #[test]
    fn a_broken_frame_costs_one_record() {
        for pack in [|bytes: &[u8]| zstd(bytes, b""), lz4] {
            let mut parts: Vec<Vec<u8>> = [("first", 0), ("second ", 1), ("last", 2)]
                .map(|(body, n)| pack(&record(n, &body.repeat(99))))
                .to_vec();
            let name = if parts[0][0] == 0x28 { "zstd" } else { "lz4" };
            let half = parts[1].len() / 2;
            parts[1].truncate(half);
            let found = read(parts.concat());
            assert_eq!(found, ["<0>", &format!("{name}_corrupt {half}"), "<2>"]);
            let clipped = [&parts[0][..], &parts[1]].concat();
            let length = clipped.len();
            assert_eq!(read(clipped), ["<0>", &format!("{name}_clipped {length}")]);
        }
    }

    /// The entry of an ARC file.
    fn entry(url: &str, body: &str) -> String {
        format!("{url} 192.0.2.1 20030101120000 text/html {}\n{body}\n", body.len())
    }

    #[test]
    fn arc_is_read_as_warc() {
        let head = entry("filedesc://a.arc", "1 0 Archive\nURL IP-address Archive-date Content-type Archive-length\n");
        let pages =
            ["http://a.example/", "http://b.example/"].map(|url| entry(url, "HTTP/1.0 200 OK\r\n\r\n<p>Hello.</p>"));
        let lying = entry("http://c.example/", "HTTP/1.0 200 OK\n\nbody");
        // too small, within the next entry, within its body
        for (length, fault) in [("9", "warc_trailer"), ("50", "warc_clipped"), ("90", "warc_clipped")] {
            let lying = lying.replace("html 21", &format!("html {length}"));
            let parts = [head.as_str(), &pages[0], &lying, &pages[1]];
            let plain = parts.concat().into_bytes();
            let packed: Vec<u8> = parts.iter().flat_map(|part| gzip(part.as_bytes())).collect();
            for bytes in [plain.clone(), gzip(&plain), packed] {
                assert_eq!(
                    read(bytes),
                    ["filedesc://a.arc", "http://a.example/", fault, "http://b.example/"],
                    "{length}"
                );
            }
        }
    }

    #[test]
    fn a_clipped_member_costs_one_record() {
        let mut parts = members(&["first", &"text ".repeat(4000), "last"]);
        let half = parts[1].len() / 2;
        parts[1].truncate(half);
        assert_eq!(read(parts.concat()), ["<0>", &format!("gzip_corrupt {half}"), "<2>"]);
    }

    #[test]
    fn a_clipped_file_costs_its_last_record() {
        let parts = members(&["first", "second"]).concat();
        let left = parts.len() - 12;
        assert_eq!(
            read(parts[..left].to_vec()),
            ["<0>", &format!("gzip_clipped {left}")],
            "how much is missing is not known"
        );
    }

    #[test]
    fn a_length_that_lies_costs_one_record() {
        let lying = |length: &str| {
            let text = String::from_utf8(record(1, "some body")).expect("the record is text");
            text.replace("Length: 9", &format!("Length: {length}")).into_bytes()
        };
        for (length, fault) in [("90000", "warc_clipped"), ("3", "warc_trailer"), ("many", "warc_length")] {
            let packed = [gzip(&record(0, "a")), gzip(&lying(length)), gzip(&record(2, "b"))].concat();
            assert_eq!(read(packed), ["<0>", fault, "<2>"], "length {length}");
        }
        let plain = [record(0, "a"), lying("3"), record(2, "b")].concat();
        assert_eq!(read(plain), ["<0>", "warc_trailer", "<2>"]);
    }

    /// However far a Content-Length reaches, the records under it are read: it may end within a line, at a line's end, and at a head's end,
    /// which looks like the end of a record.
    #[test]
    fn a_length_that_is_too_large_swallows_no_record() {
        let sound: Vec<Vec<u8>> = (0..30).map(|number| record(number, "some body\nof two lines")).collect();
        let behind = sound[2..20].concat().len();
        let head = sound[20].len() - "some body\nof two lines\r\n\r\n".len();
        for into in [20, "WARC/1.0".len(), head - 4, head + "some body".len()] {
            let lying = String::from_utf8(sound[1].clone()).expect("the record is text");
            let length = "some body\nof two lines\r\n\r\n".len() + behind + into;
            let lying = lying.replace("Length: 22", &format!("Length: {length}")).into_bytes();
            let plain = [&sound[0][..], &lying, &sound[2..].concat()].concat();
            let mut expected: Vec<String> = (0..30).map(|number| format!("<{number}>")).collect();
            expected[1] = "warc_clipped".into();
            for bytes in [plain.clone(), gzip(&plain), zstd(&plain, b"")] {
                assert_eq!(read(bytes), expected, "{into} bytes into a record");
            }
            let mut reader = WarcReader::new(Cursor::new(plain)).expect("memory can be read");
            let _ = reader.next_item();
            let Ok(Some(Item::Broken(broken))) = reader.next_item() else { panic!("the second record is broken") };
            let detail = format!("Content-Length is {length}, which is too large: a record begins after 26 bytes");
            assert_eq!((broken.record.as_deref(), broken.detail), (Some("<1>"), detail));
        }
    }

    /// Pages show archives, and files of them are answers.
    #[test]
    fn an_archive_within_a_page_is_the_page() {
        let inner = String::from_utf8(record(7, "a body")).expect("the record is text");
        let page = format!("<pre>\n{inner}{inner}</pre>");
        for page in [page.as_str(), &inner] {
            let parts = [record(0, "a"), record(1, page), record(2, "b")];
            for bytes in [parts.concat(), gzip(&parts.concat()), parts.map(|part| gzip(&part)).concat()] {
                assert_eq!(read(bytes), ["<0>", "<1>", "<2>"]);
            }
        }
    }

    /// A Content-Length that ends with a line of the page cuts no document.
    #[test]
    fn a_line_break_within_a_page_ends_no_record() {
        let cut =
            String::from_utf8(record(1, "one line\nand another")).expect("text").replace("Length: 20", "Length: 8");
        assert_eq!(
            read([&record(0, "a")[..], cut.as_bytes(), &record(2, "b")].concat()),
            ["<0>", "warc_trailer", "<2>"]
        );
    }

    /// What is read as a head may hold the next record's.
    #[test]
    fn the_record_behind_what_is_none_is_read() {
        for other in [&b"garbage\r\nand more\r\n"[..], b"WARC/1.0\r\nWARC-Type: res\r\n", b"no line"] {
            let plain = [&record(0, "a")[..], other, b"\r\n", &record(2, "b")].concat();
            let found = read(plain);
            assert_eq!((found.len(), &found[0][..], &found[2][..]), (3, "<0>", "<2>"), "{found:?}");
        }
        let packed = [record(0, "a"), b"WARC/1.0\r\nWARC-Type: res".to_vec(), record(2, "b")].map(|part| gzip(&part));
        assert_eq!(read(packed.concat()), ["<0>", "warc_header", "<2>"]);
    }

    #[test]
    fn a_packed_file_of_another_kind_is_lost_whole() {
        let plain: Vec<u8> = (0..3).flat_map(|number| record(number, "body")).collect();
        let twice = [gzip(&gzip(&plain)), zstd(&gzip(&plain), b""), gzip(&lz4(&plain))];
        for bytes in twice {
            let found = read(bytes);
            assert!(found.len() == 1 && found[0].ends_with("which is packed once more: unpack it once"), "{found:?}");
        }
        let mut tar = vec![0u8; 512];
        tar[..6].copy_from_slice(b"a.warc");
        tar[257..263].copy_from_slice(b"ustar\0");
        let found = read(gzip(&[tar, plain.clone()].concat()));
        assert!(found.len() == 1 && found[0].ends_with("a tar file: unpack it first"), "{found:?}");
        // what nothing names
        let lines = gzip(&b"{\"text\": \"a\"}\n".repeat(9));
        let length = lines.len();
        assert_eq!(read(lines), [format!("warc_header {length}")]);
        // cut, and then packed
        let cut = gzip(&plain[..plain.len() - 6]);
        let length = cut.len();
        assert_eq!(read(cut), ["<0>", "<1>", &format!("warc_clipped {length}")]);
    }

    /// An archive whose members are cut anywhere, as `bgzip` does it.
    fn pieces(plain: &[u8], size: usize) -> Vec<Vec<u8>> {
        plain.chunks(size).map(gzip).collect()
    }

    /// Forty records that do not pack well.
    fn forty() -> Vec<Vec<u8>> {
        let body =
            |number: usize| (0..30).map(|n| format!("{} ", (n * 7919 + number * 104_729) % 1009)).collect::<String>();
        (0..40).map(|number| record(number, &body(number))).collect()
    }

    /// A corrupt member costs the records that stand in it, wherever members end.
    #[test]
    fn a_corrupt_member_costs_what_stands_in_it() {
        let records = forty();
        let mut parts = pieces(&records.concat(), 130);
        assert_eq!(read(parts.concat()).len(), 40);
        // the checksum, and a byte in the middle
        for from_end in [6, parts[31].len() / 2] {
            let sound = parts[31].clone();
            let at = sound.len() - from_end;
            parts[31][at] ^= 0xff;
            let found = read(parts.concat());
            parts[31] = sound;
            let is_lost = |found: &&String| found.starts_with("gzip_corrupt ");
            assert_eq!(found.iter().filter(is_lost).count(), 1, "{found:?}");
            let left = found.iter().filter(|found| found.starts_with('<')).count();
            assert!(left >= 37 && found.len() <= 40 && found.last().is_some_and(|last| last == "<39>"), "{found:?}");
        }
        // two records in a member: neither is believed
        let mut pairs: Vec<Vec<u8>> = records[..6].chunks(2).map(|pair| gzip(&pair.concat())).collect();
        let length = pairs[1].len();
        pairs[1][length - 6] ^= 0xff;
        assert_eq!(read(pairs.concat()), ["<0>", "<1>", &format!("gzip_corrupt {length}"), "<4>", "<5>"]);
    }

    /// That the first record ends with its member says nothing about the others.
    #[test]
    fn members_may_end_anywhere_behind_the_first() {
        let mut records = forty();
        let archive = |records: &[Vec<u8>]| [gzip(&records[0]), pieces(&records[1..].concat(), 130).concat()].concat();
        let sound = read(archive(&records));
        assert_eq!(sound.iter().filter(|found| found.starts_with('<')).count(), 40, "{sound:?}");
        let many = [gzip(&records[0]), gzip(&records[1..].concat())].concat();
        assert_eq!(read(many), sound, "all others in one member");
        let text = String::from_utf8(records[1].clone()).expect("the record is text");
        records[1] = text.replace("Content-Length: ", "Content-Length: 9").into_bytes();
        let found = read(archive(&records));
        assert!(found.iter().filter(|found| found.starts_with('<')).count() >= 38, "{found:?}");
    }

    #[test]
    fn two_broken_records_in_a_row_are_two() {
        let parts = members(&["first", "second", "third", "last"]);
        let wrong = gzip(&[&b"WRAC/1.0\r\n"[..], &record(1, "x")[10..]].concat());
        let lying = String::from_utf8(record(1, "some body")).expect("text").replace("Length: 9", "Length: 4000");
        let bytes = [&parts[0][..], &gzip(lying.as_bytes()), &wrong, &parts[3]].concat();
        assert_eq!(read(bytes), ["<0>", "warc_clipped", "warc_version", "<3>"]);
    }

    proptest! {
        /// Whatever one flipped byte does, the other records are read, and nothing hangs or panics.
        #[test]
        fn a_flipped_byte_costs_at_most_its_own_record(place: prop::sample::Index, flip in 1u8..=255, seed in 0u32..1000) {
            let body: String = (0..300).map(|n| format!("{} ", (n * 7919 + seed) % 1009)).collect();
            let mut parts = members(&["first", &body, "third", "last"]);
            let at = place.index(parts[1].len());
            parts[1][at] ^= flip;
            let found = read(parts.concat());
            prop_assert!(found.first().is_some_and(|key| key == "<0>"), "{:?}", found);
            prop_assert!(found.ends_with(&["<2>".to_owned(), "<3>".to_owned()]), "{:?}", found);
        }

        /// Random bytes are read to their end.
        #[test]
        fn noise_ends(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let _ = read(bytes.clone());
            let _ = read([b"\x1f\x8b\x08\x00".to_vec(), bytes].concat());
        }
    }
}
