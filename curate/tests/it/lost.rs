//! What is lost of files is counted in bytes of files, and not as one record of many.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Output,
};

use compression::{Packer, Packing};
use schemas::ledger::LostEntry;
use tempfile::TempDir;

use crate::support::{OUTPUTS, curate, hashes, ledger, run, run_well, stderr, stdout, temporary, text};

fn packed(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new(), packing).expect("there is memory");
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("memory can be written")
}

/// Documents that no packing makes very small.
fn documents(from: usize, count: usize) -> String {
    let words = |document: usize| (0..30).map(move |word| format!("w{} ", (document * 7919 + word * 104_729) % 50_021));
    let line =
        |document| format!("{{\"id\": \"d{document}\", \"text\": \"{}\"}}\n", words(document).collect::<String>());
    (from..from + count).map(line).collect()
}

/// A recipe of one source whose files are 200 sound documents, and one of `bytes`.
fn workshop(name: &str, bytes: &[u8]) -> (TempDir, PathBuf, u64) {
    let folder = temporary();
    let good = documents(0, 200);
    fs::write(folder.path().join("good.jsonl"), &good).expect("it can be written");
    fs::write(folder.path().join(name), bytes).expect("it can be written");
    let recipe = format!(
        "name = \"lost\"\nseed = 1\n\n[source.e]\njsonl = [\"good.jsonl\", \"{name}\"]\n\n[splits]\nvalidation = 0.0\n\n\
         [mixture.m]\nweights = {{ e = 1 }}\n"
    );
    let path = folder.path().join("lost.toml");
    fs::write(&path, recipe).expect("it can be written");
    (folder, path, (good.len() + bytes.len()) as u64)
}

/// A file that breaks off, or is none, fails the run, however many records other files have: with the file, the place, the fault and the
/// key. With the key the run passes, and the ledger says what is lost, the same at any number of threads, and after a resumption.
#[test]
fn a_file_that_breaks_off_is_no_record_of_many() {
    let whole = documents(1000, 100);
    let cut = |packing| {
        let bytes = packed(packing, whole.as_bytes());
        bytes[..bytes.len() / 2].to_vec()
    };
    let mut flipped = packed(Packing::Gzip, whole.as_bytes());
    let middle = flipped.len() / 2;
    flipped[middle..middle + 9].fill(0xff);
    let cases = [
        ("cut.jsonl.gz", cut(Packing::Gzip), ("gzip_clipped", "the file ends at byte ")),
        ("cut.jsonl.bz2", cut(Packing::Bzip2), ("bzip2_clipped", "the file ends at byte ")),
        ("cut.jsonl.xz", cut(Packing::Xz), ("xz_clipped", "the file ends at byte ")),
        ("cut.jsonl.zst", cut(Packing::Zstd), ("zstd_clipped", "the file ends at byte ")),
        (
            "cut.jsonl",
            whole.as_bytes()[..whole.len() / 2].to_vec(),
            ("json_clipped", "the file ends within the line of JSON"),
        ),
        // a mark of UTF-8 and a word that is no number do not hide that it was cut
        (
            "marked.jsonl",
            "\u{feff}{\"score\": NaN, \"text\": \"a".into(),
            ("json_clipped", "the file ends within the line of JSON that begins at byte 0"),
        ),
        ("flipped.jsonl.gz", flipped, ("gzip_corrupt", "at byte ")),
        (
            "other.jsonl.zst",
            b"PK\x03\x04 and more of it".to_vec(),
            ("unknown_format", "it begins with 50 4b 03 04, a ZIP file"),
        ),
        ("empty.jsonl.gz", Vec::new(), ("empty_file", "the file has no byte")),
    ];
    for (name, bytes, (fault, words)) in cases {
        let (folder, recipe, of) = workshop(name, &bytes);
        let out = folder.path().join("out");
        let output = run(&recipe, &out, &["--set", "source.e.max_error_rate=1"]);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {error}");
        assert!(
            error.contains("source `e`: ")
                && error.contains(&format!("of {of} bytes are lost, more than `max_lost_rate` = 0")),
            "{error}"
        );
        let place = format!("{name}: {fault} at byte ");
        assert!(error.contains(&place) && error.contains(words) && error.contains("out/quarantine/e.jsonl"), "{error}");
        assert!(!out.join("ledger.json").exists());

        let ledger_of = |threads: &str, out: &Path| {
            let allowed =
                ["--set", "source.e.max_lost_rate=0.9", "--set", "source.e.max_error_rate=0.5", "--threads", threads];
            let output = run(&recipe, out, &allowed);
            assert!(output.status.success(), "{name}: {}", stderr(&output));
            (ledger(out), stderr(&output))
        };
        let (found, said) = ledger_of("2", &out);
        let [LostEntry { source, files: 1, stretches: 1, bytes: lost, of: all }] = &found.lost[..] else {
            panic!("{name}: {:?}", found.lost);
        };
        assert_eq!((source.as_str(), *all), ("e", of));
        if name.starts_with("flipped") {
            assert!(*lost > 0 && *lost < bytes.len() as u64, "{lost} bytes behind the fault");
        } else {
            assert_eq!(*lost, bytes.len() as u64, "{name}: nobody knows how much is missing");
        }
        assert!(said.contains(&format!("{lost} of {of} bytes lost, in 1 files")), "{said}");
        let read = found.stages.iter().find(|entry| entry.stage == "read").expect("it has been read");
        // before corrupt bytes are found to be such, they may look like text
        let is_garbled = name.starts_with("flipped");
        assert!(read.kept >= 200 && (is_garbled || read.kept == read.r#in), "{name}: {read:?}");
        let before = hashes(&out, &OUTPUTS);
        assert_eq!(ledger_of("1", &folder.path().join("alone")).0, found, "{name}");
        assert_eq!(ledger_of("2", &out).0, found, "{name}: what is found done has lost the same");
        assert_eq!(before, hashes(&out, &OUTPUTS));
        // and a later run that allows nothing does not take what is found done for whole
        assert_eq!(run(&recipe, &out, &[]).status.code(), Some(1), "{name}");
    }
}

/// Small commands read on, say what they lost, and end with a code of its own, unless that much may be lost.
#[test]
fn small_commands_say_what_they_lost() {
    let folder = temporary();
    let whole = packed(Packing::Gzip, documents(0, 300).as_bytes());
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        text(&path).to_owned()
    };
    let sound = write("sound.jsonl.gz", &whole);
    let cut = write("cut.jsonl.gz", &whole[..whole.len() / 2]);
    let other = write("other.jsonl", b"7z\xbc\xaf\x27\x1c\0\x04");
    let empty = write("empty.jsonl", b"");
    let missing = text(&folder.path().join("missing.jsonl")).to_owned();
    let measure =
        |files: &[&str]| -> Output { curate(&[&["measure"], files].concat()).output().expect("it can be started") };
    let lines = |output: &Output| stdout(output).lines().count();

    let half = measure(&[&cut]);
    assert_eq!(half.status.code(), Some(3), "{}", stderr(&half));
    assert!(lines(&half) > 100 && lines(&half) < 300);
    assert!(
        stderr(&half).contains(&format!("cut.jsonl.gz: {} bytes are lost: gzip_clipped", whole.len() / 2)),
        "{}",
        stderr(&half)
    );
    assert!(measure(&["--max-lost-rate", "1", &cut]).status.success());
    assert_eq!(measure(&["--max-lost-rate", "0.2", &cut, &sound]).status.code(), Some(3), "a third is lost");

    for (file, said) in [(&other, "a 7z file: unpack it first"), (&empty, "the file is empty")] {
        let alone = measure(&[file]);
        assert_eq!(alone.status.code(), Some(1), "nothing was read: {}", stderr(&alone));
        assert!(stderr(&alone).contains(said) && stderr(&alone).contains("no document was read"), "{}", stderr(&alone));
        let among = measure(&["-q", file, &sound]);
        assert_eq!((among.status.code(), lines(&among)), (Some(3), 300), "the next file is read: {}", stderr(&among));
        assert!(stderr(&among).contains(said), "{}", stderr(&among));
    }

    // how much is missing of what cannot be opened, nobody knows: no limit allows it, and nothing is read
    for (file, said) in [(missing.as_str(), "missing.jsonl: "), (text(folder.path()), "it is a folder")] {
        let among = measure(&["--max-lost-rate", "1", &sound, file]);
        assert_eq!((among.status.code(), lines(&among)), (Some(1), 0), "{}", stderr(&among));
        assert!(stderr(&among).contains("cannot read ") && stderr(&among).contains(said), "{}", stderr(&among));
    }

    // broken records have a limit of their own: what is sound is given, and the code says that there was more
    let mostly_bad = write("bad.jsonl", format!("{}{}", documents(0, 1), "{\"text\": oops}\n".repeat(999)).as_bytes());
    let bad = measure(&[&mostly_bad]);
    assert_eq!((bad.status.code(), lines(&bad)), (Some(3), 1), "{}", stderr(&bad));
    let said = "999 of 1000 records are broken: more than --max-error-rate 0.01 allows";
    assert!(stderr(&bad).contains(said), "{}", stderr(&bad));
    assert!(measure(&["--max-error-rate", "0.999", &mostly_bad]).status.success());
    // an empty text is no document by design
    let blank = write("blank.jsonl", b"{\"text\": \"One.\"}\n{\"text\": \"\"}\n");
    assert!(measure(&[&blank]).status.success());

    let dedup = |limit: &str, out: &str| {
        let out = folder.path().join(out);
        let arguments = ["dedup", &cut, &sound, "--max-lost-rate", limit, "--out", text(&out)];
        (curate(&arguments).output().expect("it can be started"), out)
    };
    let (output, out) = dedup("0", "strict");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("cut.jsonl.gz: ") && stderr(&output).contains("bytes are lost: gzip_clipped"),
        "{}",
        stderr(&output)
    );
    assert!(out.join("survivors").is_dir() && out.join("ledger.json").is_file(), "it went on to its end");
    assert!(dedup("0.5", "lenient").0.status.success());
}

/// The record of a page.
fn page_record(number: usize) -> Vec<u8> {
    let paragraph = |place| {
        format!(
            "<p>Paragraph {place} of page {number} says something that is long enough to be the main text of a page.</p>\n"
        )
    };
    let paragraphs = (0..6).map(paragraph).collect::<String>();
    let block = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body><article><h1>Page {number}</h1>\n{paragraphs}</article></body></html>"
    );
    let length = block.len();
    let head = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:page:{number}>\r\nWARC-Target-URI: http://a.example/{number}\r\n\
         Content-Type: application/http; msgtype=response\r\nContent-Length: {length}\r\n\r\n"
    );
    format!("{head}{block}\r\n\r\n").into_bytes()
}

/// A file that is no archive after it was unpacked once is lost whole, as JSON lines are, and what to do is said.
#[test]
fn an_archive_that_is_packed_twice_is_lost_whole() {
    let folder = temporary();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        text(&path).to_owned()
    };
    let pages: Vec<u8> = (0..3).flat_map(page_record).collect();
    let good = write("good.warc", &pages);
    let mut tar = vec![0u8; 512];
    tar[..6].copy_from_slice(b"a.warc");
    tar[257..263].copy_from_slice(b"ustar\0");
    let gzip = |bytes: &[u8]| packed(Packing::Gzip, bytes);
    for (name, bytes, said) in [
        ("twice.warc.gz", gzip(&gzip(&pages)), "which is packed once more: unpack it once"),
        ("tar.warc.gz", gzip(&[tar, pages.clone()].concat()), "a tar file: unpack it first"),
    ] {
        let other = write(name, &bytes);
        let output = curate(&["extract", &good, &other]).output().expect("it can be started");
        let lost = format!("{name}: {} bytes are lost: unknown_format", bytes.len());
        assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(3), 3), "{}", stderr(&output));
        assert!(stderr(&output).contains(&lost) && stderr(&output).contains(said), "{}", stderr(&output));
    }
}

/// A Content-Length that reaches over the records behind it costs its own record, and no other without a word.
#[test]
fn a_length_over_other_records_costs_one_document() {
    let folder = temporary();
    let mut records: Vec<Vec<u8>> = (0..200).map(page_record).collect();
    let text_of = String::from_utf8(records[4].clone()).expect("the record is text");
    records[4] = text_of.replacen("Content-Length: ", "Content-Length: 9", 1).into_bytes();
    let plain = records.concat();
    for (name, bytes) in [("long.warc.gz", packed(Packing::Gzip, &plain)), ("long.warc", plain)] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        let output = curate(&["extract", text(&path)]).output().expect("it can be started");
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(stdout(&output).lines().count(), 199, "{}", stderr(&output));
        assert!(stderr(&output).contains("warc_clipped: Content-Length is 9"), "{}", stderr(&output));
        assert!(stderr(&output).contains("which is too large: a record begins after "), "{}", stderr(&output));
    }
}

/// A frame that asks for a window of `log` bits and holds `content` as it is, in blocks of 100 KB.
fn long_frame(log: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3];
    let blocks = content.chunks(100_000);
    let last = blocks.len() - 1;
    for (number, block) in blocks.enumerate() {
        let head = u32::try_from(block.len()).expect("a block is small") << 3 | u32::from(number == last);
        bytes.extend_from_slice(&head.to_le_bytes()[..3]);
        bytes.extend_from_slice(block);
    }
    bytes
}

/// A window is memory: it is said beforehand, counted under --memory, and refused with the memory that it needs where that is less.
/// Nothing of it is a loss.
#[test]
fn a_long_window_needs_memory() {
    let (folder, recipe, _) = workshop("long.jsonl.zst", &long_frame(29, documents(1000, 100).as_bytes()));
    let check = curate(&["check", text(&recipe)]).output().expect("it can be started");
    let said = stdout(&check);
    assert!(said.contains("needs --memory ") && said.contains("long.jsonl.zst has a window of 536.9 MB"), "{said}");

    let out = folder.path().join("out");
    let output = run(&recipe, &out, &["--memory", "1G", "--threads", "2", "--set", "source.e.max_lost_rate=1"]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    let expected = "needs a window of 536870912 bytes to be unpacked, and the limit is 268435456: half of --memory, shared by the 2 files that are \
                    read at once; give --memory 2G or fewer --threads";
    assert!(error.contains("long.jsonl.zst") && error.contains(expected), "{error}");
    for more in [["--memory", "2G", "--threads", "2"], ["--memory", "1G", "--threads", "1"]] {
        let ledger = run_well(&recipe, &out, &more);
        assert_eq!(ledger.stages[0].r#in, 300);
    }

    let long = folder.path().join("long.jsonl.zst");
    let measure =
        |memory: &str| curate(&["measure", "--memory", memory, text(&long)]).output().expect("it can be started");
    assert_eq!(stdout(&measure("1G")).lines().count(), 100);
    let refused = measure("1023M");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("half of --memory; give --memory 1G or more"), "{}", stderr(&refused));
}

/// A quote in CSV that nobody closed takes in all rows behind it: they are lost, and no document of 80 KB.
#[test]
fn an_open_quote_loses_the_rest_of_a_table() {
    let folder = temporary();
    let row = |number: u32| match number {
        100 => "100,\"row 100 has a quote that is open\n".to_owned(),
        ..100 => format!("{number},\"row {number} says \"\"all is well\"\"\"\n"),
        _ => format!("{number},row {number} says that all is well\n"),
    };
    let table = format!("id,text\n{}", (1..=3000).map(row).collect::<String>());
    fs::write(folder.path().join("open.csv"), &table).expect("it can be written");
    let recipe = folder.path().join("open.toml");
    let text = "name = \"open\"\nseed = 1\n\n[source.e]\ncsv = [\"open.csv\"]\n\n[splits]\nvalidation = 0.0\n\n[mixture.m]\nweights = { e = 1 }\n";
    fs::write(&recipe, text).expect("it can be written");

    let out = folder.path().join("out");
    let refused = run(&recipe, &out, &[]);
    let offset = table.find("100,\"row").expect("it is there");
    let (error, lost) = (stderr(&refused), table.len() - offset);
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains(&format!("{lost} of {} bytes are lost", table.len())), "{error}");
    assert!(error.contains(&format!("open.csv: csv_clipped at byte {offset}")), "{error}");

    let ledger = run_well(&recipe, &out, &["--set", "source.e.max_lost_rate=1"]);
    assert_eq!((ledger.stages[0].r#in, ledger.stages[0].kept), (99, 99), "the rows before it are documents");
    assert_eq!(ledger.lost[0].bytes, lost as u64);
}
