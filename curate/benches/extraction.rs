//! How fast text is extracted, and how much of it is right: every page of an archive, on one core.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench extraction -- PAGES.warc.gz [GOLD.json]
//! ```
//!
//! GOLD holds, for each URL, text that must be in the extraction and text that must not: `{url: {"with": [..], "without": [..]}}`.
//! Prints pages and MB of HTML a second, and, with GOLD, precision, recall and F1 over those texts: for all pages, for the seven
//! tenths of the domains that our rules were made on, and for the three tenths that nobody looked at.
//! `benches/peers/extraction_python.py` counts the same for Python's extractors.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{collections::BTreeMap, error::Error, fs::File, io::BufReader, time::Instant};

use curate::{
    archive::{
        charset,
        http::Response,
        warc::{Item, WarcReader},
    },
    extract::{Extractor, PageLimits},
};
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

/// What must be in a page's text, and what must not.
#[derive(Debug, Deserialize)]
struct Gold {
    with: Vec<String>,
    without: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    found: f64,
    missed: f64,
    wrong: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let pages = read(&paths.next().ok_or("give an archive of pages")?)?;
    let gold: BTreeMap<String, Gold> = match paths.next() {
        Some(path) => serde_json::from_reader(BufReader::new(File::open(path)?))?,
        None => BTreeMap::new(),
    };
    let megabytes = pages.iter().map(|(_, page)| page.len()).sum::<usize>() as f64 / 1e6;
    for extractor in [Extractor::Tamis, Extractor::Trafilatura] {
        let mut all = [Counts::default(); 2];
        let start = Instant::now();
        let texts = pages.iter().map(|(_, page)| extractor.extract(page, &PageLimits::default()));
        let texts: Vec<_> = texts.collect();
        let seconds = start.elapsed().as_secs_f64();
        for ((url, _), text) in pages.iter().zip(texts) {
            let Some(gold) = gold.get(url) else { continue };
            let text = text.ok().flatten().map(|page| page.text).unwrap_or_default();
            let hits = |texts: &[String]| texts.iter().filter(|wanted| text.contains(*wanted)).count() as f64;
            let counts = &mut all[usize::from(is_unseen(url))];
            counts.found += hits(&gold.with);
            counts.missed += gold.with.len() as f64 - hits(&gold.with);
            counts.wrong += hits(&gold.without);
        }
        let [seen, unseen] = all;
        println!(
            "{extractor:?}: {} pages, {:.0} pages/s, {:.1} MB/s; all {}; seven tenths {}; three tenths {}",
            pages.len(),
            pages.len() as f64 / seconds,
            megabytes / seconds,
            score(seen.plus(unseen)),
            score(seen),
            score(unseen)
        );
    }
    Ok(())
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self { found: self.found + other.found, missed: self.missed + other.missed, wrong: self.wrong + other.wrong }
    }
}

fn score(Counts { found, missed, wrong }: Counts) -> String {
    let (precision, recall) = (found / (found + wrong), found / (found + missed));
    let f1 = 2.0 * precision * recall / (precision + recall);
    format!("precision {precision:.3} recall {recall:.3} F1 {f1:.4}")
}

/// URLs and pages of the responses in an archive.
fn read(path: &str) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut reader = WarcReader::new(BufReader::new(File::open(path)?))?;
    let mut pages = Vec::new();
    while let Some(item) = reader.next_item()? {
        let Item::Record(record) = item else { continue };
        if record.kind() != "response" {
            continue;
        }
        let response = Response::parse(&record.block).map_err(|(fault, detail)| format!("{fault}: {detail}"))?;
        let body = response.body(usize::MAX).map_err(|(fault, detail)| format!("{fault}: {detail}"))?;
        let body = body.map(|body| body.bytes).unwrap_or_default();
        let page = charset::decode(&body, response.charset()).into_owned();
        pages.push((record.url().unwrap_or_default().to_owned(), page));
    }
    Ok(pages)
}

/// Whether a page is of the three tenths of the domains that were left out when rules were made.
fn is_unseen(url: &str) -> bool {
    let domain = match url.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default().trim_start_matches("www."),
        // files that are named by their domain and a word of their path
        None => url.trim_start_matches("hard::").split(['-', '/']).next().unwrap_or_default(),
    };
    xxh3_64(domain.as_bytes()) % 10 >= 7
}
