//! How fast archives are read and unpacked: every record, to the end of its block, on one core.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench archives -- FILE...
//! ```
//!
//! Prints, for each file, records and unpacked bytes, and the median of five readings in MB of blocks a second.
//! `benches/peers/archives_python.py` times `warcio` and `fastwarc` on the same files.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{error::Error, fs::File, io::BufReader, time::Instant};

use curate::archive::warc::{Item, WarcReader};

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let mut seconds = Vec::new();
        let (mut records, mut bytes) = (0, 0);
        for _ in 0..5 {
            let start = Instant::now();
            (records, bytes) = read(&path)?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        let megabytes = bytes as f64 / 1e6;
        println!("{path}: {records} records, {megabytes:.1} MB, {:.0} MB/s", megabytes / seconds[2]);
    }
    Ok(())
}

/// Records of a file, and the bytes in their blocks.
fn read(path: &str) -> Result<(usize, usize), Box<dyn Error>> {
    let mut reader = WarcReader::new(BufReader::new(File::open(path)?))?;
    let (mut records, mut bytes) = (0, 0);
    while let Some(item) = reader.next_item()? {
        if let Item::Record(record) = item {
            records += 1;
            bytes += record.block.len();
        }
    }
    Ok((records, bytes))
}
