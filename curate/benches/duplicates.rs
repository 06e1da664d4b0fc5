//! What is found of planted copies, beside what theory says, and how fast a corpus is freed of its duplicates.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench duplicates -- BOOKS.jsonl.gz POSTS.jsonl.gz FOLDER [options of `curate dedup`]
//! ```
//!
//! Writes FOLDER/corpus.jsonl: books cut at 600 words, posts, and for each rate of 1, 2, 5, 10 and 20 % ten thousand copies in which
//! so many words have become others. Everything is drawn from a fixed seed, and the id of a copy tells what it is a copy of:
//! `ID~RATE`. Then runs `curate dedup` on it and prints, for each rate,
//!
//! - the share of copies that stand in one cluster with their original,
//! - the same as expected: the mean over all copies of P(J) = 1 - (1 - J^rows)^bands, with the exact similarity J of each pair;
//!
//! and of all documents that were merged into a cluster, the share that has an exact similarity of 0.5 or more with another one
//! of it. Where `benches/peers/duplicates_datatrove.py` has left FOLDER/datatrove.tsv, the same is printed for its clusters.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use curate::{
    measure::BandsConfig,
    text::{
        draw::{draw_of, fraction},
        minhash::chance_to_share,
        normal::NormalForm,
        shingles::{Shingler, jaccard},
    },
};
use datafusion::arrow::{array::AsArray as _, compute::cast, datatypes::DataType};
use flate2::read::MultiGzDecoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const SEED: u64 = 1;
const RATES: [u32; 5] = [1, 2, 5, 10, 20];
const COPIES: usize = 10_000;
const BOOK_WORDS: usize = 600;
/// Shorter texts are no documents.
const LEAST_BYTES: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [books, posts, folder, options @ ..] = arguments.as_slice() else {
        return Err("give two corpora and a folder".into());
    };
    let (folder, corpus) = (Path::new(folder), Path::new(folder).join("corpus.jsonl"));
    fs::create_dir_all(folder)?;
    let documents = plant(originals(Path::new(books), Path::new(posts))?);
    write(&corpus, &documents)?;
    let bytes: usize = documents.iter().map(|(_, text)| text.len()).sum();
    println!("{} documents, {:.1} MB of text in {}", documents.len(), bytes as f64 / 1e6, corpus.display());

    let out = folder.join("curate");
    let start = Instant::now();
    let run = Command::new(env!("CARGO_BIN_EXE_curate"))
        .args(["dedup", corpus.to_str().ok_or("the folder's name is UTF-8")?, "--fresh", "--out"])
        .arg(&out)
        .args(options)
        .output()?;
    let seconds = start.elapsed().as_secs_f64();
    print!("{}{}", String::from_utf8_lossy(&run.stderr), String::from_utf8_lossy(&run.stdout));
    println!("curate dedup: {seconds:.2} s, {:.1} MB/s", bytes as f64 / 1e6 / seconds);

    let sets = Sets::of(&documents);
    sets.score("curate", &clusters(&out)?);
    let peer = folder.join("datatrove.tsv");
    if peer.is_file() {
        let lines = fs::read_to_string(peer)?;
        let pairs = lines.lines().filter_map(|line| line.split_once('\t'));
        sets.score("datatrove", &pairs.map(|(id, cluster)| (id.to_owned(), cluster.to_owned())).collect());
    }
    Ok(())
}

type Documents = Vec<(String, String)>;

fn texts(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let lines = BufReader::new(MultiGzDecoder::new(File::open(path)?)).lines();
    let text = |line: std::io::Result<String>| {
        let row: serde_json::Value = serde_json::from_str(&line?)?;
        Ok(row["text"].as_str().unwrap_or_default().to_owned())
    };
    lines.map(text).collect()
}

fn originals(books: &Path, posts: &Path) -> Result<Documents, Box<dyn Error>> {
    let mut documents = Vec::new();
    for (book, text) in texts(books)?.iter().enumerate() {
        let words: Vec<&str> = text.split(' ').collect();
        let pages = words.chunks(BOOK_WORDS).map(|page| page.join(" ")).filter(|page| page.len() > LEAST_BYTES);
        documents.extend(pages.enumerate().map(|(page, text)| (format!("book-{book}-{page}"), text)));
    }
    documents.extend(texts(posts)?.into_iter().enumerate().map(|(post, text)| (format!("post-{post}"), text)));
    Ok(documents)
}

/// The originals and their copies, in an order that is drawn.
fn plant(originals: Documents) -> Documents {
    let draw = |purpose: &str, parts: [u64; 3]| {
        let bytes = parts.map(u64::to_le_bytes);
        draw_of(SEED, &[purpose.as_bytes(), &bytes[0], &bytes[1], &bytes[2]])
    };
    let words: Vec<&str> = originals.iter().step_by(16).flat_map(|(_, text)| text.split(' ')).collect();
    let words: Vec<&str> =
        words.into_iter().filter(|word| word.chars().all(char::is_alphabetic) && !word.is_empty()).collect();
    let mut copies = Vec::new();
    for rate in RATES {
        let mut places: Vec<usize> = (0..originals.len()).collect();
        places.sort_by_key(|place| draw("copied", [u64::from(rate), *place as u64, 0]));
        for place in places.into_iter().take(COPIES) {
            let (id, text) = &originals[place];
            let other = |(word, at): (&str, u64)| {
                let chance = draw("replaced", [u64::from(rate), place as u64, at]);
                if fraction(chance) * 100.0 < f64::from(rate) {
                    let with = draw("replacement", [u64::from(rate), place as u64, at]);
                    words[usize::try_from(with % words.len() as u64).expect("a place in the list")].to_owned()
                } else {
                    word.to_owned()
                }
            };
            let changed: Vec<String> = text.split(' ').zip(0u64..).map(other).collect();
            copies.push((format!("{id}~{rate}"), changed.join(" ")));
        }
    }
    let mut all = originals;
    all.extend(copies);
    all.sort_by_key(|(id, _)| draw_of(SEED, &[b"order", id.as_bytes()]));
    all
}

fn write(path: &Path, documents: &Documents) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    for (id, text) in documents {
        serde_json::to_writer(&mut file, &serde_json::json!({ "id": id, "text": text }))?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}

/// The root of every document that is in a cluster.
fn clusters(out: &Path) -> Result<HashMap<String, String>, Box<dyn Error>> {
    let file: PathBuf = out.join("clusters.parquet");
    let mut clusters = HashMap::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?.build()? {
        let batch = batch?;
        let (ids, roots) = (cast(batch.column(0), &DataType::Utf8)?, cast(batch.column(1), &DataType::Utf8)?);
        let pairs = ids.as_string::<i32>().iter().flatten().zip(roots.as_string::<i32>().iter().flatten());
        clusters.extend(pairs.map(|(id, root)| (id.to_owned(), root.to_owned())));
    }
    Ok(clusters)
}

/// The shingles of every document.
struct Sets(HashMap<String, Vec<u64>>);

impl Sets {
    fn of(documents: &Documents) -> Self {
        let (mut normal, mut shingler) = (NormalForm::default(), Shingler::new(BandsConfig::default().shingle));
        let mut set = |text: &str| {
            let mut shingles = Vec::new();
            normal.take(text);
            shingler.take(&normal, &mut shingles);
            shingles.sort_unstable();
            shingles.dedup();
            shingles
        };
        Self(documents.iter().map(|(id, text)| (id.clone(), set(text))).collect())
    }

    fn score(&self, name: &str, clusters: &HashMap<String, String>) {
        let BandsConfig { bands, rows, .. } = BandsConfig::default();
        // found, expected, copies
        let mut rates: BTreeMap<u32, (f64, f64, f64)> = BTreeMap::new();
        for id in self.0.keys() {
            let Some((original, rate)) = id.rsplit_once('~') else { continue };
            let Ok(rate) = rate.parse() else { continue };
            let counts = rates.entry(rate).or_default();
            let together = clusters.get(id).is_some_and(|root| clusters.get(original) == Some(root));
            counts.0 += f64::from(u8::from(together));
            counts.1 += chance_to_share(jaccard(&self.0[id], &self.0[original]), bands, rows);
            counts.2 += 1.0;
        }
        for (rate, (found, expected, copies)) in rates {
            let (found, expected) = (found / copies, expected / copies);
            println!("{name}: {rate:2} % of words changed: found {found:.4}, P(J) {expected:.4}");
        }
        let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, root) in clusters {
            members.entry(root).or_default().push(id);
        }
        let (mut merged, mut alike) = (0.0, 0.0);
        for members in members.values() {
            let similar = |one: &&&str| {
                let others = members.iter().filter(|other| other != one);
                others.into_iter().any(|other| jaccard(&self.0[**one], &self.0[*other]) >= 0.5)
            };
            merged += members.len() as f64;
            alike += members.iter().filter(similar).count() as f64;
        }
        println!(
            "{name}: {merged} documents in clusters, of which {:.4} are similar to another by 0.5 or more",
            alike / merged
        );
    }
}
