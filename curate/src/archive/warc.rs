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
        /// Bytes of the file that count as lost: those up to the next member that unpacks; or, where the file's end is missing, all that
        /// are not lost yet, for nobody knows how much is missing.
        bytes: u64,
    },
}

/// Reads an archive from its beginning to its end.
pub struct WarcReader<R> {
    bytes: Unpacked<R>,
    /// Whether records are ARC's.
    arc: bool,
    /// Whether the first record ended where its gzip member did: then every member is a record.
    by_member: Option<bool>,
    /// Bytes of the file that count as lost so far.
    lost: u64,
}

impl<R: Read + Seek> WarcReader<R> {
    /// Begins to read; how the file is packed, and whether it is WARC or ARC, is told by the first bytes.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn new(input: R) -> io::Result<Self> {
        Self::with_allowance(input, Box::new(MaxWindow::default()))
    }

    /// The same, with somebody to ask for the windows that frames are unpacked with.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn with_allowance(input: R, allowance: Box<dyn Allowance>) -> io::Result<Self> {
        let mut bytes = Unpacked::new(input, allowance)?;
        bytes.need(arc::MAGIC.len())?;
        let arc = bytes.window().starts_with(arc::MAGIC);
        Ok(Self { bytes, arc, by_member: None, lost: 0 })
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
        let start = self.bytes.position();
        let began_member = self.bytes.at_member_start();
        match self.read_record(offset, began_member)? {
            Ok(record) => Ok(Some(Item::Record(record))),
            Err(broken) => {
                // a broken member explains whatever else is wrong with what it unpacks to
                self.bytes.settle(MAX_BLOCK)?;
                let broken = match (self.bytes.end(), self.bytes.next_member()) {
                    (Some(End::Fault(fault, detail)), None) => {
                        let broken = Broken { fault: *fault, detail: detail.clone(), ..broken };
                        return self.lose(broken).map(Some);
                    }
                    _ => {
                        self.resynchronise(start, began_member)?;
                        broken
                    }
                };
                // nothing behind the broken place of a plain file looks like a record: it was cut there, or is no archive from there on
                let is_known = matches!(broken.fault, Fault::WarcLength | Fault::WarcTrailer);
                if !is_known && self.bytes.is_plain_end()? {
                    return Ok(Some(self.count_lost(broken, self.bytes.length())));
                }
                Ok(Some(Item::Broken(broken)))
            }
        }
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
        let end = if self.bytes.recover()? { self.bytes.offset() } else { self.bytes.length() };
        Ok(self.count_lost(fault, end))
    }

    /// Counts what lies between a fault and `end` as lost.
    fn count_lost(&mut self, fault: Broken, end: u64) -> Item {
        let length = self.bytes.length();
        let is_cut = end == length && fault.fault.is_clipped();
        let bytes = if is_cut { length - self.lost } else { end.saturating_sub(fault.offset) };
        self.lost += bytes;
        Item::Lost { fault, bytes }
    }

    fn read_record(&mut self, offset: u64, began_member: bool) -> io::Result<Result<Record, Broken>> {
        let broken = |record: Option<&str>, fault, detail: String| {
            Ok(Err(Broken { offset, record: record.map(str::to_owned), fault, detail }))
        };
        let head = if self.arc { self.read_line()? } else { self.read_head()? };
        let Some(head) = head else {
            return broken(None, Fault::WarcHeader, format!("no blank line ends the header within {MAX_HEADER} bytes"));
        };
        let text = decode_head(&head);
        if self.arc {
            let Some(line) = ArcLine::parse(&text) else {
                let start: String = text.chars().take(60).collect();
                return broken(None, Fault::ArcHeader, format!("{start:?} is not the line of a record"));
            };
            return self.read_block(offset, began_member, line.headers());
        }
        let mut lines = text.lines();
        let version = lines.next().unwrap_or_default();
        if !version.starts_with("WARC/") {
            let start: String = version.chars().take(40).collect();
            return broken(None, Fault::WarcVersion, format!("expected `WARC/` and a version, found {start:?}"));
        }
        match parse_headers(lines) {
            (headers, None) => self.read_block(offset, began_member, headers),
            (_, Some(line)) => broken(None, Fault::WarcHeader, format!("{line:?} is no header")),
        }
    }

    /// What follows the headers, as long as they say.
    fn read_block(
        &mut self,
        offset: u64,
        began_member: bool,
        headers: Vec<(String, String)>,
    ) -> io::Result<Result<Record, Broken>> {
        let broken = |record: Option<&str>, fault, detail: String| {
            Ok(Err(Broken { offset, record: record.map(str::to_owned), fault, detail }))
        };
        let key = header(&headers, "WARC-Record-ID").map(str::to_owned);
        let length = match header(&headers, "Content-Length") {
            None => return broken(key.as_deref(), Fault::WarcLength, "there is no Content-Length".into()),
            Some(length) => match length.parse::<usize>() {
                Ok(length) if length <= MAX_BLOCK => length,
                _ => return broken(key.as_deref(), Fault::WarcLength, format!("Content-Length is {length:?}")),
            },
        };
        if let Some(found) = self.cut_short(length, began_member)? {
            let detail = format!("Content-Length is {length}, but the record ends after {found} bytes");
            return broken(key.as_deref(), Fault::WarcClipped, detail);
        }
        let block = self.bytes.window()[..length].to_vec();
        self.bytes.consume(length);
        if self.at_the_end(offset)? {
            self.by_member.get_or_insert(began_member && self.bytes.at_member_start());
            Ok(Ok(Record { offset, headers, block }))
        } else {
            broken(key.as_deref(), Fault::WarcTrailer, "the record goes on behind its Content-Length".into())
        }
    }

    /// The bytes up to the blank line, which are consumed with it.
    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let window = self.bytes.window();
            let window = &window[..window.len().min(MAX_HEADER)];
            if let Some((head, blank)) = find_blank_line(window, searched) {
                let bytes = window[..head].to_vec();
                self.bytes.consume(head + blank);
                return Ok(Some(bytes));
            }
            searched = window.len().saturating_sub(4);
            let wanted = window.len() + 1;
            if wanted > MAX_HEADER || !self.bytes.need(wanted)? {
                return Ok(None);
            }
        }
    }

    /// The bytes of a line, which are consumed with its end.
    fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let window = self.bytes.window();
            let window = &window[..window.len().min(MAX_HEADER)];
            if let Some(at) = window[searched..].iter().position(|byte| *byte == b'\n') {
                let line = window[..searched + at].to_vec();
                self.bytes.consume(line.len() + 1);
                return Ok(Some(line));
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

    /// How many bytes there are, if they are fewer than `length`: at the end of the file, or of the record's own member.
    fn cut_short(&mut self, length: usize, began_member: bool) -> io::Result<Option<usize>> {
        // five bytes more, to see whether what lies behind a member's end is the next record
        let enough = self.bytes.need(length + 5)?;
        let have = self.bytes.window().len();
        if let Some(ahead) = self.bytes.next_member().filter(|ahead| began_member && *ahead < length)
            && (self.by_member == Some(true) || self.begins_record(&self.bytes.window()[ahead..]))
        {
            return Ok(Some(ahead));
        }
        Ok((!enough && have < length).then_some(have))
    }

    /// Whether what follows is the end of a record: blank lines, then a record or nothing, and no broken member.
    fn at_the_end(&mut self, offset: u64) -> io::Result<bool> {
        let blank = self.skip_blank()?;
        self.bytes.need(5)?;
        let fault = matches!(self.bytes.end(), Some(End::Fault(..)));
        if fault && self.bytes.window().is_empty() && self.bytes.offset() == offset {
            return Ok(false);
        }
        Ok(blank
            || self.bytes.window().is_empty()
            || self.bytes.at_member_start()
            || self.begins_record(self.bytes.window()))
    }

    /// Moves past line breaks; says whether there were any.
    fn skip_blank(&mut self) -> io::Result<bool> {
        let mut any = false;
        while self.bytes.need(1)? && matches!(self.bytes.window()[0], b'\r' | b'\n') {
            self.bytes.consume(1);
            any = true;
        }
        Ok(any)
    }

    /// Moves to where the next record seems to begin, at least one byte behind `start`.
    fn resynchronise(&mut self, start: u64, began_member: bool) -> io::Result<()> {
        if self.bytes.position() == start && self.bytes.need(1)? {
            self.bytes.consume(1);
        }
        loop {
            if self.bytes.at_member_start() && began_member {
                return Ok(());
            }
            if let Some(ahead) = self.bytes.next_member().filter(|_| began_member) {
                self.bytes.consume(ahead);
                return Ok(());
            }
            let window = self.bytes.window();
            let mut lines = window.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            if let Some((at, _)) = lines.find(|(at, _)| self.begins_record(&window[at + 1..])) {
                self.bytes.consume(at + 1);
                return Ok(());
            }
            // the start of a record may not be whole yet
            let longest = if self.arc { MAX_HEADER } else { 5 };
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

    /// Keys of the sound records, and faults of the broken ones, in the order of the file.
    fn read(bytes: Vec<u8>) -> Vec<String> {
        let mut reader = WarcReader::new(Cursor::new(bytes)).expect("memory can be read");
        let mut found = Vec::new();
        while let Some(item) = reader.next_item().expect("memory can be read") {
            found.push(match item {
                Item::Record(record) => record.header("warc-record-id").unwrap_or_default().to_owned(),
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

    #[test]
    fn arc_is_read_as_warc() {
        let entry =
            |url: &str, body: &str| format!("{url} 192.0.2.1 20030101120000 text/html {}\n{body}\n", body.len());
        let head = entry("filedesc://a.arc", "1 0 Archive\nURL IP-address Archive-date Content-type Archive-length\n");
        let pages =
            ["http://a.example/", "http://b.example/"].map(|url| entry(url, "HTTP/1.0 200 OK\r\n\r\n<p>Hello.</p>"));
        let lying = entry("http://c.example/", "HTTP/1.0 200 OK\n\nbody").replace("html 21", "html 9");
        let plain = [head.as_str(), &pages[0], &lying, &pages[1]].concat().into_bytes();
        let packed: Vec<u8> =
            [head.as_str(), &pages[0], &lying, &pages[1]].iter().flat_map(|part| gzip(part.as_bytes())).collect();
        for bytes in [plain, packed] {
            let mut reader = WarcReader::new(Cursor::new(bytes)).expect("memory can be read");
            let mut found = Vec::new();
            while let Some(item) = reader.next_item().expect("memory can be read") {
                found.push(match item {
                    Item::Record(record) => record.header("WARC-Target-URI").unwrap_or_default().to_owned(),
                    Item::Broken(broken) => broken.fault.name().to_owned(),
                    Item::Lost { fault, .. } => fault.fault.name().to_owned(),
                });
            }
            assert_eq!(found, ["filedesc://a.arc", "http://a.example/", "warc_trailer", "http://b.example/"]);
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
