//! The family `words`.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, Float64Array, UInt64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;

use super::family::{Measure, field};
use crate::text::words::{WordFacts, word_facts};

/// A count and its name.
type Count = (&'static str, fn(&WordFacts) -> u64);

/// A share and its name.
type Share = (&'static str, fn(&WordFacts) -> f64);

const COUNTS: [Count; 5] = [
    ("bytes", |facts| facts.bytes),
    ("characters", |facts| facts.characters),
    ("lines", |facts| facts.lines),
    ("words", |facts| facts.words),
    ("stop_words", |facts| facts.stop_words),
];

const SHARES: [Share; 6] = [
    ("mean_word_length", |facts| facts.mean_word_length),
    ("hashes_per_word", |facts| facts.hashes_per_word),
    ("ellipses_per_word", |facts| facts.ellipses_per_word),
    ("bullet_line_share", |facts| facts.bullet_line_share),
    ("ellipsis_line_share", |facts| facts.ellipsis_line_share),
    ("letter_word_share", |facts| facts.letter_word_share),
];

pub fn fields() -> Fields {
    let counts = COUNTS.iter().map(|(name, _)| field(name, DataType::UInt64));
    counts.chain(SHARES.iter().map(|(name, _)| field(name, DataType::Float64))).collect()
}

pub struct Words;

impl Measure for Words {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let facts: Vec<Option<WordFacts>> = texts.par_iter().map(|text| text.map(word_facts)).collect();
        let counts = COUNTS.iter().map(|(_, count)| {
            Arc::new(facts.iter().map(|facts| facts.as_ref().map(count)).collect::<UInt64Array>()) as ArrayRef
        });
        let shares = SHARES.iter().map(|(_, share)| {
            Arc::new(facts.iter().map(|facts| facts.as_ref().map(share)).collect::<Float64Array>()) as ArrayRef
        });
        counts.chain(shares).collect()
    }
}
