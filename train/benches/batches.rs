//! How fast batches are made: what a device may use up before it waits.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench batches -- DOCUMENTS.jsonl TOKENIZER.json CACHE
//! ```
//!
//! CACHE is a folder for ids. Prints, for each packing, sequences and padding, seconds until the first batch (with what stands in CACHE, or without),
//! and tokens a second over 2,000 batches of 16 sequences of 1,024.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{error::Error, path::Path, time::Instant};

use train::{
    data::{
        BatchSource as _, Batches, HashedFiles, Packing, RowsAs, SequencesConfig, SourceFiles, Split, TokenCache,
        WeightedSequences,
    },
    tokenizer::Tokenizer,
};

const BATCH_SIZE: usize = 16;
const SEQUENCE_LENGTH: usize = 1024;
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
        let config = SequencesConfig {
            sequence_length: SEQUENCE_LENGTH,
            packing,
            document_masking: true,
            validation: 0.005,
            rows: RowsAs::Documents,
            seed: 1,
        };
        let packed = files.sequences(Split::Train, &config, &mut cache)?;
        let (count, padding) = (packed.count(), 100.0 * packed.stats().padding());
        let mut batches =
            Batches::new(WeightedSequences::new(vec![("all".into(), 1.0, packed)], SEQUENCE_LENGTH, 1), BATCH_SIZE);
        let mut weight = batches.batch(0)?.weight();
        let first = start.elapsed().as_secs_f64();
        let start = Instant::now();
        for step in 1..STEPS {
            weight += batches.batch(step)?.weight();
        }
        let pace = (STEPS - 1) as f64 * (BATCH_SIZE * SEQUENCE_LENGTH) as f64 / start.elapsed().as_secs_f64();
        println!(
            "{packing:?}: {count} sequences, {padding:.2} % padding, first batch after {first:.2} s, {:.1} million tokens/s, {weight} targets",
            pace / 1e6
        );
    }
    Ok(())
}
