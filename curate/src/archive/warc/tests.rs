//! Archives that are made here, sound and broken, and what is read of them.

use std::io::{Cursor, Write as _};

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::{Item, Record, WarcReader};

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
        let mut parts: Vec<Vec<u8>> =
            [("first", 0), ("second ", 1), ("last", 2)].map(|(body, n)| pack(&record(n, &body.repeat(99)))).to_vec();
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
            assert_eq!(read(bytes), ["filedesc://a.arc", "http://a.example/", fault, "http://b.example/"], "{length}");
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
    let cut = String::from_utf8(record(1, "one line\nand another")).expect("text").replace("Length: 20", "Length: 8");
    assert_eq!(read([&record(0, "a")[..], cut.as_bytes(), &record(2, "b")].concat()), ["<0>", "warc_trailer", "<2>"]);
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
