//! How fast texts become signatures and bands, on one core.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench minhash -- DOCUMENTS.jsonl
//! ```
//!
//! Prints MB of text a second for each step with FineWeb's parameters: normal form, shingles, signatures of ready shingles, and
//! all of it up to the bands. `benches/peers/signatures_rensa.py` times the third for rensa.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{error::Error, fs, hint::black_box, time::Instant};

use curate::{
    measure::{BandHasher, BandsConfig},
    text::{minhash::MinHash, normal::NormalForm, shingles::Shingler},
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).ok_or("give a JSONL file")?;
    let lines = fs::read_to_string(path)?;
    let text =
        |line| serde_json::from_str::<serde_json::Value>(line).map(|row| row["text"].as_str().map(str::to_owned));
    let texts: Vec<String> = lines.lines().map(text).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let megabytes = texts.iter().map(String::len).sum::<usize>() as f64 / 1e6;
    println!("{} documents, {megabytes:.1} MB", texts.len());

    let config = BandsConfig::default();
    let (mut normal, mut shingler) = (NormalForm::default(), Shingler::new(config.shingle));
    let functions = MinHash::new(config.bands, config.rows);
    let mut ready: Vec<Vec<u64>> = vec![Vec::new(); texts.len()];
    let mut hasher = BandHasher::new(config);
    for _ in 0..3 {
        let normalised = timed(&texts, |text| {
            normal.take(text);
            normal.words() as u64
        });
        let mut rows = ready.iter_mut();
        let shingled = timed(&texts, |text| {
            normal.take(text);
            let shingles = rows.next().expect("a row for each text");
            shingler.take(&normal, shingles);
            shingles.len() as u64
        });
        let mut signature = Vec::new();
        let signed = timed(&ready, |shingles| {
            functions.sign(shingles, &mut signature);
            signature.first().copied().map_or(0, u64::from)
        });
        let mut bands = Vec::new();
        let banded = timed(&texts, |text| {
            bands.clear();
            hasher.push(text, &mut bands);
            bands.last().copied().unwrap_or_default()
        });
        println!(
            "normal form {:.0} MB/s; with shingles {:.0} MB/s; signatures of ready shingles {:.0} MB/s; text to bands {:.0} MB/s",
            megabytes / normalised,
            megabytes / shingled,
            megabytes / signed,
            megabytes / banded
        );
    }
    Ok(())
}

/// Seconds that `work` takes on all of `rows`.
fn timed<T>(rows: &[T], mut work: impl FnMut(&T) -> u64) -> f64 {
    let start = Instant::now();
    black_box(rows.iter().fold(0u64, |sum, row| sum.wrapping_add(work(row))));
    start.elapsed().as_secs_f64()
}
