//! Any bytes as an archive: reading ends, and every fault lies within the file, and no more is lost than it has.
#![no_main]

use std::io::Cursor;

use curate::archive::warc::{Item, WarcReader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // another kind of file is told by its first bytes
    let Ok(mut reader) = WarcReader::new(Cursor::new(bytes)) else { return };
    let mut lost = 0;
    while let Some(item) = reader.next_item().expect("memory can be read") {
        let offset = match item {
            Item::Record(record) => record.offset,
            Item::Broken(broken) => broken.offset,
            Item::Lost { fault, bytes } => {
                lost += bytes;
                fault.offset
            }
        };
        assert!(offset <= bytes.len() as u64, "a record at byte {offset} of {}", bytes.len());
    }
    assert!(lost <= bytes.len() as u64, "{lost} of {} bytes are lost", bytes.len());
});
