//! How fast texts are searched for n-grams of benchmarks, on one core, and whether planted ones are found to the byte.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench overlaps -- DOCUMENTS.jsonl EXAMPLES...
//! ```
//!
//! EXAMPLES are JSON lines, of which every string of eight words or more is an example, or files of any other kind, of which every
//! line is one; packed as gzip or not. Prints how many n-grams there are, how many texts share one as they come, and MB of text a second
//! from text to overlaps; then plants in every tenth text a stretch of an example, of 13 to 40 words, in capitals and with commas, and
//! prints how many are found, and how many with other ends than they have.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{
    error::Error,
    fs::{self, File},
    hint::black_box,
    io::Read as _,
    path::Path,
    time::Instant,
};

use curate::text::{
    draw::draw,
    overlap::{NgramIndex, NgramLengths, PlainWords},
};
use flate2::read::MultiGzDecoder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let documents = read(&paths.next().ok_or("give documents and examples")?)?;
    let text =
        |line| serde_json::from_str::<serde_json::Value>(line).map(|row| row["text"].as_str().map(str::to_owned));
    let texts: Vec<String> =
        documents.lines().map(text).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let mut examples = Vec::new();
    for path in paths {
        for line in read(&path)?.lines() {
            match serde_json::from_str(line) {
                Ok(row) => strings(&row, &mut examples),
                Err(_) => examples.push(line.to_owned()),
            }
        }
    }
    let mut words = PlainWords::default();
    let mut index = NgramIndex::new(NgramLengths::default());
    let mut taken = 0;
    for (example, number) in examples.iter().zip(0..) {
        words.take(example);
        taken += usize::from(index.put(&words, number));
    }
    println!("{} examples, of which {taken} are long enough; {} n-grams", examples.len(), index.len());

    let megabytes = texts.iter().map(String::len).sum::<usize>() as f64 / 1e6;
    for _ in 0..3 {
        let start = Instant::now();
        let mut sharing = 0;
        for text in &texts {
            let mut any = false;
            words.take(text);
            index.find(&words, |_| any = true);
            sharing += usize::from(black_box(any));
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("{} texts, of which {sharing} share an n-gram; {:.0} MB/s", texts.len(), megabytes / seconds);
    }
    plant(&texts, &examples, &index);
    Ok(())
}

fn read(path: &str) -> Result<String, Box<dyn Error>> {
    if Path::new(path).extension().is_none_or(|extension| extension != "gz") {
        return Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned());
    }
    let mut bytes = Vec::new();
    MultiGzDecoder::new(File::open(path)?).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Every string of a JSON value.
fn strings(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        serde_json::Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

fn plant(texts: &[String], examples: &[String], index: &NgramIndex) {
    let long: Vec<Vec<&str>> = examples
        .iter()
        .map(|example| example.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect())
        .filter(|words: &Vec<&str>| words.len() >= 13 && words.iter().all(|word| word.is_ascii()))
        .collect();
    let pick = |purpose: &str, number: usize, of: usize| {
        usize::try_from(draw(1, purpose, &number.to_string()) % of.max(1) as u64).expect("a small number")
    };
    let mut words = PlainWords::default();
    let (mut planted, mut found, mut exact) = (0, 0, 0);
    for (number, text) in texts.iter().enumerate().step_by(10) {
        words.take(text);
        let mut clean = true;
        index.find(&words, |_| clean = false);
        let (true, Some(example)) = (clean, long.get(pick("example", number, long.len()))) else { continue };
        let length = 13 + pick("length", number, 28.min(example.len() - 12));
        let first = pick("first", number, example.len() - length + 1);
        let leak = example[first..first + length].join(", ").to_uppercase();
        let leak = leak.trim_matches(|letter: char| !letter.is_alphanumeric());
        let middle = (text.len() / 2..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        // words that stand in no example keep what is beside the leak from being part of it
        let (before, behind) = (format!("{} xqzv ", &text[..middle]), format!(" xqzv {}", &text[middle..]));
        let with_leak = format!("{before}{leak}{behind}");
        words.take(&with_leak);
        let (mut start, mut end) = (usize::MAX, 0);
        index.find(&words, |overlap| {
            start = start.min(words.words()[overlap.first].start as usize);
            end = end.max(words.words()[overlap.last - 1].end as usize);
        });
        planted += 1;
        found += usize::from(end > 0);
        exact += usize::from((start, end) == (before.len(), before.len() + leak.len()));
    }
    println!("{planted} stretches planted, {found} found, {} with other ends", found - exact);
}
