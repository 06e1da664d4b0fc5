//! How fast batches are made: what a device may use up before it waits.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench batches -- DOCUMENTS.jsonl TOKENIZER.json CACHE
//! ```
//!
//! CACHE is a folder for ids. Prints, for each packing, rows and padding, seconds until the first batch (with what stands in CACHE, or without),
//! and tokens a second over 2,000 batches of 16 rows of 1,024.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{error::Error, path::Path, time::Instant};

use train::{
    data::{Batches, HashedFiles, Packing, RowsConfig, SourceFiles, Split, TokenCache, WeightedRows},
    tokenizer::Tokenizer,
};

const ROWS: usize = 16;
const TIME: usize = 1024;
const STEPS: u64 = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [documents, tokenizer_path, folder] = &paths[..] else {
        return Err("give documents, a tokenizer.json and a folder".into());
    };
    let tokenizer = Tokenizer::load(Path::new(tokenizer_path))?;
    for packing in [Packing::Concatenated, Packing::BestFit] {
        let start = Instant::now();
        let files = HashedFiles::new(SourceFiles::find(Path::new(documents))?)?;
        let mut note = |text: &str| println!("{text}");
        let mut cache = TokenCache::new(Path::new(folder), &tokenizer, &mut note);
        let config = RowsConfig { time: TIME, packing, document_masking: true, validation: 0.005, seed: 1 };
        let rows = files.rows(Split::Train, &config, &mut cache)?;
        let (count, padding) = (rows.rows(), 100.0 * rows.account().padding());
        let mut batches = Batches::new(WeightedRows::new(vec![("all".into(), 1.0, rows)], TIME, 1), ROWS);
        let mut weight = batches.step(0)?.weight();
        let first = start.elapsed().as_secs_f64();
        let start = Instant::now();
        for step in 1..STEPS {
            weight += batches.step(step)?.weight();
        }
        let pace = (STEPS - 1) as f64 * (ROWS * TIME) as f64 / start.elapsed().as_secs_f64();
        println!(
            "{packing:?}: {count} rows, {padding:.2} % padding, first batch after {first:.2} s, {:.1} million tokens/s, {weight} said",
            pace / 1e6
        );
    }
    Ok(())
}
