//! The examples of benchmarks that stand in documents, one JSON object a line.

use std::collections::HashSet;

use serde::Serialize;

use crate::{
    decide::{BenchmarkAccount, ContaminationCuts},
    error::Result,
    measure::{OverlapsConfig, each_text},
    text::overlap::{NgramIndex, PlainWords},
};

/// An example that stands in documents.
#[derive(Serialize)]
struct FoundExample<'a> {
    benchmark: &'a str,
    file: String,
    /// Its line, or the number of its object, from 1.
    place: u64,
    /// N-grams that it has.
    #[serde(rename = "runs")]
    ngrams: u64,
    /// N-grams that were cut out of documents.
    cut: u64,
    /// N-grams that stand in so many documents that they were left alone.
    common: u64,
}

/// Reads the benchmarks once more, counts the examples whose n-grams stand in documents, and lists them.
pub fn find_examples(
    config: &OverlapsConfig,
    cuts: &ContaminationCuts,
    cut: &HashSet<u64>,
    accounts: &mut [BenchmarkAccount],
    list: &mut Vec<u8>,
) -> Result<()> {
    let lengths = NgramIndex::new(config.lengths);
    let mut words = PlainWords::default();
    for (benchmark, account) in config.benchmarks.iter().zip(accounts) {
        for file in &benchmark.files {
            benchmark.examples(file, |example| {
                let mut found = FoundExample {
                    benchmark: &benchmark.name,
                    file: file.path.display().to_string(),
                    place: example.place,
                    ngrams: 0,
                    cut: 0,
                    common: 0,
                };
                each_text(&example.strings, |text| {
                    words.take(text);
                    lengths.ngrams_of(&words, |ngram| {
                        found.ngrams += 1;
                        found.cut += u64::from(cut.contains(&ngram));
                        found.common += u64::from(!cuts.counts(ngram));
                    });
                });
                account.examples += 1;
                account.short += u64::from(found.ngrams == 0);
                account.found += u64::from(found.cut > 0);
                account.whole += u64::from(found.cut > 0 && found.cut == found.ngrams);
                account.common += u64::from(found.cut == 0 && found.common > 0);
                if found.cut + found.common > 0 {
                    serde_json::to_writer(&mut *list, &found).expect("an example's place is JSON");
                    list.push(b'\n');
                }
            })?;
        }
    }
    Ok(())
}
