//! How fast a classifier scores texts on one core.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench scoring -- DOCUMENTS.jsonl MODEL...
//! ```
//!
//! MODELs are folders as `curate classifier train` makes them. Prints documents and MB of text a second, thrice for each; with fastText
//! models `benches/peers/score_fasttext.py` does the same with the original on the same file.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{error::Error, fs, hint::black_box, path::Path, time::Instant};

use curate::learn::{Classifier, Scratch};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let documents = fs::read_to_string(paths.next().ok_or("give documents")?)?;
    let text =
        |line| serde_json::from_str::<serde_json::Value>(line).map(|row| row["text"].as_str().map(str::to_owned));
    let texts: Vec<String> =
        documents.lines().map(text).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let megabytes = texts.iter().map(String::len).sum::<usize>() as f64 / 1e6;
    for path in paths {
        let classifier = Classifier::load(Path::new(&path))?;
        let mut scratch = Scratch::default();
        for _ in 0..3 {
            let start = Instant::now();
            for text in &texts {
                black_box(classifier.score(text, &mut scratch));
            }
            let seconds = start.elapsed().as_secs_f64();
            println!("{path}: {:.0} documents/s, {:.1} MB/s", texts.len() as f64 / seconds, megabytes / seconds);
        }
    }
    Ok(())
}
