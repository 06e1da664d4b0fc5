//! Real archives, sound and broken: how many records of each can be read, and what is wrong with the others.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::Path};

use curate::archive::{
    http::Response,
    warc::{Item, WarcReader},
};

use fixtures::needs::data;

/// Records, and what is wrong with those that are not sound: in the archive, or in the answer that a record holds.
fn count(path: &Path) -> (usize, BTreeMap<&'static str, usize>) {
    let file = BufReader::new(File::open(path).expect("the file is there"));
    let mut reader = WarcReader::new(file).expect("the file can be read");
    let (mut sound, mut faults) = (0, BTreeMap::new());
    while let Some(item) = reader.next_item().expect("the file can be read") {
        let fault = match item {
            Item::Broken(broken) | Item::Lost { fault: broken, .. } => Some(broken.fault),
            Item::Record(record)
                if record.kind() == "response"
                    && record.header("Content-Type").is_some_and(|name| name.starts_with("application/http")) =>
            {
                let body = Response::parse(&record.block).and_then(|answer| answer.body(1 << 30).map(drop));
                body.err().map(|(fault, _)| fault)
            }
            Item::Record(_) => None,
        };
        match fault {
            Some(fault) => *faults.entry(fault.name()).or_default() += 1,
            None => sound += 1,
        }
    }
    (sound, faults)
}

/// Every archive at hand gives what it holds.
#[test]
fn every_archive_gives_what_it_holds() {
    let Some(data) = data("every_archive_gives_what_it_holds", "crawl") else { return };
    let folder = data.join("crawl");
    let names = [
        "archive.warc.gz",
        "pages.warc.gz",
        "whirlwind.warc.gz",
        "whirlwind.warc.wat.gz",
        "whirlwind.warc.wet.gz",
        "corrupt/block-sized-records.warc.gz",
        "corrupt/clipped.warc.gz",
        "corrupt/clueweb-quirk.warc.gz",
        "corrupt/example-bad-non-chunked.warc.gz",
        "corrupt/example-digest.warc",
        "corrupt/example-space-in-target-uri.warc.gz",
        "corrupt/example-trunc.warc",
        "corrupt/example-wget-bad-target-uri.warc.gz",
        "corrupt/example-wrong-chunks.warc.gz",
        "corrupt/gzip_extra_sl.warc.gz",
        "corrupt/warcfile.warc.lz4",
    ];
    let found = names.map(|name| {
        let (sound, faults) = count(&folder.join(name));
        format!("{name}: {sound} sound, {faults:?}")
    });
    insta::assert_snapshot!(found.join("\n"));
}
