//! How fast text becomes ids, on all cores.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench encoding -- DOCUMENTS.jsonl TOKENIZER.json [IDS.jsonl]
//! ```
//!
//! Prints MB of text a second, thrice, and bytes a token. With IDS, the ids of each document are written there, a list a line;
//! `benches/peers/encode_tokenizers.py` times the Python package `tokenizers` on the same files and compares every id.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    time::Instant,
};

use train::{data::Documents, tokenizer::Tokenizer};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let mut documents = Documents::open(Path::new(&paths.next().ok_or("give documents")?))?;
    let mut texts = Vec::new();
    while let Some(few) = documents.next_few()? {
        texts.extend(few.iter().map(|document| document.texts().last().unwrap_or_default().to_owned()));
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let bytes = texts.iter().map(|text| text.len()).sum::<usize>() as f64;
    let tokenizer = Tokenizer::load(Path::new(&paths.next().ok_or("give a tokenizer.json")?))?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        ids = tokenizer.encode_batch(&texts)?;
        let seconds = start.elapsed().as_secs_f64();
        let tokens = ids.iter().map(Vec::len).sum::<usize>() as f64;
        println!("{} documents, {:.2} MB/s, {:.3} bytes a token", texts.len(), bytes / 1e6 / seconds, bytes / tokens);
    }
    if let Some(path) = paths.next() {
        let mut file = BufWriter::new(File::create(path)?);
        for ids in ids {
            writeln!(file, "{}", serde_json::to_string(&ids)?)?;
        }
        file.flush()?;
    }
    Ok(())
}
