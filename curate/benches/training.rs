//! How long a classifier on hashed words takes to train, and how much memory.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench training -- DOCUMENTS.jsonl [COUNT]
//! ```
//!
//! Cuts texts in three until there are COUNT (200,000 by default) of them. Positive are those of which a larger share of words says I, you
//! or me than of the middle one, which is what a model can learn, but not by heart. Prints for both presets the chunks, the penalties that
//! were tried, how well the model does on what was held out, seconds on all cores, and the peak of memory so far.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

#[expect(dead_code, reason = "of what benches share that grow, the peak alone is wanted")]
mod growth;

use std::{error::Error, fs, time::Instant};

use curate::learn::{Document, FeaturesPreset, Kind, Label, MIN_KNOWN, Training, train};

/// The words that make a text positive.
const WORDS: [&str; 5] = ["i", "you", "me", "my", "your"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let path = arguments.next().ok_or("give documents")?;
    let count: usize = arguments.next().map_or(Ok(200_000), |count| count.parse())?;
    let mut documents = read(&path, count)?;
    let mut shares: Vec<f64> = documents.iter().map(|document| share(&document.text)).collect();
    shares.sort_by(f64::total_cmp);
    let middle = shares[shares.len() / 2];
    for document in &mut documents {
        document.label = if share(&document.text) > middle { Label::Positive } else { Label::Negative };
    }
    let bytes: usize = documents.iter().map(|document| document.text.len()).sum();
    println!("{} documents, {:.1} MB", documents.len(), bytes as f64 / 1e6);
    for preset in [FeaturesPreset::Gpt3, FeaturesPreset::Glam] {
        let kind = Kind::Hashed { features: preset.features(), l2: None, max_iterations: 100 };
        let training = Training {
            name: "bench".into(),
            chunk_words: kind.chunk_words(),
            kind,
            max_chunks: 100,
            seed: 0,
            labels: vec![],
            min_known: MIN_KNOWN,
        };
        let folder = tempfile::tempdir()?;
        let start = Instant::now();
        let (_, card) = train(&training, &documents, folder.path())?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{preset:?}: {} chunks, {} penalties, area under ROC {:.4}, {seconds:.0} s, peak {} MB",
            card.trained_on.iter().map(|part| part.chunks).sum::<u64>(),
            card.penalties.len(),
            card.held_out.roc_auc.unwrap_or(f64::NAN),
            growth::peak()?
        );
    }
    Ok(())
}

/// Thirds of texts, which have no side yet.
fn read(path: &str, count: usize) -> Result<Vec<Document>, Box<dyn Error>> {
    let mut documents = Vec::new();
    for line in fs::read_to_string(path)?.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        let words: Vec<&str> = row["text"].as_str().ok_or("a document has a text")?.split_whitespace().collect();
        for part in words.chunks(words.len().div_ceil(3).max(1)) {
            if documents.len() == count {
                return Ok(documents);
            }
            let id = format!("{:09}", documents.len());
            let text = part.join(" ");
            documents.push(Document { id, source: "documents".into(), language: None, label: Label::Negative, text });
        }
    }
    Ok(documents)
}

fn share(text: &str) -> f64 {
    let (mut found, mut all) = (0.0, 0.0);
    for word in text.split_whitespace() {
        all += 1.0;
        found += f64::from(u8::from(WORDS.iter().any(|wanted| word.eq_ignore_ascii_case(wanted))));
    }
    found / f64::max(all, 1.0)
}
