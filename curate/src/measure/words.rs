//! The family `words`: all that quality rules need, counted on one list of tokens.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, UInt64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;

use super::{
    Asked,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::Result,
    files::Version,
    text::facts::{FactCounter, TextFacts},
};

/// A count and its name. Every fact is a count: what it is divided by is for the rules to say.
type Count = (&'static str, fn(&TextFacts) -> u64);

const COUNTS: [Count; 34] = [
    ("bytes", |facts| facts.words.bytes),
    ("characters", |facts| facts.words.characters),
    ("tokens", |facts| facts.words.tokens),
    ("words", |facts| facts.words.words),
    ("word_characters", |facts| facts.words.word_characters),
    ("twice_median_word_characters", |facts| facts.words.twice_median_word_characters),
    ("letter_tokens", |facts| facts.words.letter_tokens),
    ("stop_words", |facts| facts.words.stop_words),
    ("digit_characters", |facts| facts.characters.digits),
    ("white_space_characters", |facts| facts.characters.white_space),
    ("bracket_characters", |facts| facts.characters.brackets),
    ("non_alphanumeric_characters", |facts| facts.characters.non_alphanumeric),
    ("hashes", |facts| facts.words.hashes),
    ("ellipses", |facts| facts.words.ellipses),
    ("line_feeds", |facts| facts.lines.line_feeds),
    ("lines", |facts| facts.lines.lines),
    ("bullet_lines", |facts| facts.lines.bullet_lines),
    ("ellipsis_lines", |facts| facts.lines.ellipsis_lines),
    ("closed_lines", |facts| facts.lines.closed_lines),
    ("short_lines", |facts| facts.lines.short_lines),
    ("repeated_lines", |facts| facts.lines.repeated_lines),
    ("repeated_line_characters", |facts| facts.lines.repeated_line_characters),
    ("paragraphs", |facts| facts.lines.paragraphs),
    ("repeated_paragraphs", |facts| facts.lines.repeated_paragraphs),
    ("repeated_paragraph_characters", |facts| facts.lines.repeated_paragraph_characters),
    ("top_2_characters", |facts| facts.ngrams.top[0]),
    ("top_3_characters", |facts| facts.ngrams.top[1]),
    ("top_4_characters", |facts| facts.ngrams.top[2]),
    ("repeated_5_characters", |facts| facts.ngrams.repeated[0]),
    ("repeated_6_characters", |facts| facts.ngrams.repeated[1]),
    ("repeated_7_characters", |facts| facts.ngrams.repeated[2]),
    ("repeated_8_characters", |facts| facts.ngrams.repeated[3]),
    ("repeated_9_characters", |facts| facts.ngrams.repeated[4]),
    ("repeated_10_characters", |facts| facts.ngrams.repeated[5]),
];

/// Counts words, lines and signs.
pub struct Words;

impl FactFamily for Words {
    type Config = ();

    const VERSION: Version = Version::new("measure/words", 2);

    fn name((): &()) -> &'static str {
        "words"
    }

    fn fields() -> Fields {
        COUNTS.iter().map(|(name, _)| field(name, DataType::UInt64)).collect()
    }

    /// Every recipe has it.
    fn asked(_: &Asked<'_>) -> Result<Vec<()>> {
        Ok(vec![()])
    }

    fn load((): &()) -> Result<Self> {
        Ok(Self)
    }
}

impl Measure for Words {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let facts: Vec<Option<TextFacts>> = texts
            .par_iter()
            .map_init(FactCounter::default, |counter, text| text.map(|text| counter.count(text)))
            .collect();
        let column = |(_, count): &Count| {
            Arc::new(facts.iter().map(|facts| facts.as_ref().map(count)).collect::<UInt64Array>()) as ArrayRef
        };
        COUNTS.iter().map(column).collect()
    }
}
