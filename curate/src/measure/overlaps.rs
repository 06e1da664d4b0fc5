//! The family `overlaps`: word n-grams that a document shares with the examples of benchmarks.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, ListBuilder, StructBuilder, UInt32Builder, UInt64Builder},
    datatypes::{DataType, Field, Fields},
};
use rayon::prelude::*;
use schemars::JsonSchema;
use schemas::toml_file::Spanned;
use serde::{Deserialize, Serialize};

use super::{
    Asked,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::Result,
    files::Version,
    source::Benchmark,
    text::overlap::{NgramIndex, NgramLengths, PlainWords},
};

/// Word n-grams of benchmarks.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OverlapFacts {
    /// Words in an n-gram of a long example.
    pub max_ngram: usize,
    /// Fewest words of an example that is looked for as a whole.
    pub min_ngram: usize,
    /// Characters on either side of an n-gram that are cut with it.
    pub context_chars: usize,
}

impl Default for OverlapFacts {
    /// GPT-3's (Brown et al. 2020, appendix C).
    fn default() -> Self {
        let NgramLengths { max, min } = NgramLengths::default();
        Self { max_ngram: max, min_ngram: min, context_chars: OverlapsConfig::CONTEXT_CHARS }
    }
}

/// What is looked for, and how much stands around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OverlapsConfig {
    /// The length of n-grams.
    pub lengths: NgramLengths,
    /// Characters on either side of an n-gram that go with it.
    pub context_chars: usize,
    /// The benchmarks.
    pub benchmarks: Vec<Benchmark>,
}

impl OverlapsConfig {
    /// Characters on either side of an n-gram that go with it (Brown et al. 2020, appendix C).
    pub const CONTEXT_CHARS: usize = 200;

    /// What is looked for, where it can be: n-grams of 2 words or more.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn new(
        lengths: NgramLengths,
        context_chars: usize,
        benchmarks: Vec<Benchmark>,
    ) -> std::result::Result<Self, String> {
        if lengths.min < 2 || lengths.max < lengths.min {
            return Err("an n-gram has 2 words or more, and `max_ngram` is not less than `min_ngram`".into());
        }
        Ok(Self { lengths, context_chars, benchmarks })
    }

    /// The n-grams of all examples, each with the number of the first benchmark that has it.
    ///
    /// An example gives the n-grams of each of its strings, and those of all its strings one after the other.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn index(&self) -> Result<NgramIndex> {
        let mut index = NgramIndex::new(self.lengths);
        let mut words = PlainWords::default();
        for (benchmark, number) in self.benchmarks.iter().zip(0..) {
            for file in &benchmark.files {
                benchmark.examples(file, |example| {
                    each_text(&example.strings, |text| {
                        words.take(text);
                        index.put(&words, number);
                    });
                })?;
            }
        }
        Ok(index)
    }
}

/// The texts of an example whose n-grams are looked for: its strings, and all of them one after the other.
pub fn each_text(strings: &[String], mut take: impl FnMut(&str)) {
    strings.iter().for_each(|text| take(text));
    if strings.len() > 1 {
        take(&strings.join(" "));
    }
}

/// The fields of an overlap. All ends but the last two are bytes; `from` and `to` lie as many characters before and behind the n-gram as
/// the family's configuration says, or at the text's ends.
#[must_use]
pub fn overlap_fields() -> Fields {
    let number = |name| Field::new(name, DataType::UInt32, false);
    Fields::from(vec![
        // the n-gram, by the name that the files of facts have always given it
        Field::new("run", DataType::UInt64, false),
        number("benchmark"),
        number("start"),
        number("end"),
        number("from"),
        number("to"),
        number("from_character"),
        number("to_character"),
    ])
}

/// Finds n-grams of benchmarks.
pub struct Overlaps {
    index: NgramIndex,
    context_chars: usize,
}

/// What stands in one text: the numbers of each overlap in the order of [`overlap_fields`], and the text's characters.
struct Found {
    overlaps: Vec<(u64, [u32; 7])>,
    characters: u32,
}

impl FactFamily for Overlaps {
    type Config = OverlapsConfig;

    const VERSION: Version = Version::new("measure/overlaps", 1);

    fn name(_: &OverlapsConfig) -> &'static str {
        "overlaps"
    }

    /// `overlaps` lists what is found, in the order of the text; it is null where nothing is, as are the `bytes` and `characters` of the
    /// whole text.
    fn fields() -> Fields {
        let item = Field::new("item", DataType::Struct(overlap_fields()), true);
        Fields::from(vec![
            field("overlaps", DataType::List(Arc::new(item))),
            field("bytes", DataType::UInt32),
            field("characters", DataType::UInt32),
        ])
    }

    fn asked(asked: &Asked<'_>) -> Result<Vec<OverlapsConfig>> {
        if !asked.needs("overlaps") {
            return Ok(vec![]);
        }
        let facts = asked.facts.overlaps.as_ref();
        let OverlapFacts { max_ngram, min_ngram, context_chars } =
            facts.map(|facts| *facts.get_ref()).unwrap_or_default();
        let benchmarks = asked.benchmarks.iter().map(|(name, recipe)| recipe.benchmark(name, asked.files));
        let benchmarks = benchmarks.collect::<Result<Vec<_>>>()?;
        let config = OverlapsConfig::new(NgramLengths { max: max_ngram, min: min_ngram }, context_chars, benchmarks);
        let span = || facts.map(Spanned::span).unwrap_or_default();
        Ok(vec![config.map_err(|message| asked.files.fault(span(), message))?])
    }

    fn description(config: &OverlapsConfig) -> String {
        let names: Vec<&str> = config.benchmarks.iter().map(|benchmark| benchmark.name.as_str()).collect();
        let NgramLengths { max, min } = config.lengths;
        format!("n-grams of {max} words, or of {min} or more that are a whole example, of {}", names.join(", "))
    }

    fn load(config: &OverlapsConfig) -> Result<Self> {
        Ok(Self { index: config.index()?, context_chars: config.context_chars })
    }
}

impl Overlaps {
    fn find(&self, words: &mut PlainWords, text: &str) -> Option<Found> {
        words.take(text);
        let mut overlaps = Vec::new();
        // bytes and characters up to the start of the last overlap
        let mut counted = (0, 0);
        self.index.find(words, |overlap| {
            let (start, end) = (words.words()[overlap.first].start, words.words()[overlap.last - 1].end);
            counted = (start as usize, counted.1 + count(&text[counted.0..start as usize]));
            let before = text[..start as usize].char_indices().rev().take(self.context_chars).last();
            let from = before.map_or(start as usize, |(at, _)| at);
            let mut behind = text[end as usize..].char_indices();
            let to = behind.nth(self.context_chars).map_or(text.len(), |(at, _)| end as usize + at);
            let from_character = counted.1 - count(&text[from..start as usize]);
            let to_character = counted.1 + count(&text[start as usize..to]);
            let places =
                [overlap.number, start, end, narrow(from), narrow(to), narrow(from_character), narrow(to_character)];
            overlaps.push((overlap.ngram, places));
        });
        (!overlaps.is_empty()).then(|| Found { overlaps, characters: narrow(count(text)) })
    }
}

fn count(text: &str) -> usize {
    text.chars().count()
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("a document has less than 4 GiB of text")
}

impl Measure for Overlaps {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let found: Vec<Option<Found>> =
            texts.par_iter().map_init(PlainWords::default, |words, text| self.find(words, text.as_ref()?)).collect();
        let mut lists = ListBuilder::new(StructBuilder::from_fields(overlap_fields(), 0));
        let (mut bytes, mut characters) = (UInt32Builder::new(), UInt32Builder::new());
        for (text, found) in texts.iter().zip(&found) {
            for (ngram, places) in found.iter().flat_map(|found| &found.overlaps) {
                let overlap = lists.values();
                overlap.field_builder::<UInt64Builder>(0).expect("an n-gram is 64 bits").append_value(*ngram);
                for (column, place) in (1..).zip(places) {
                    overlap.field_builder::<UInt32Builder>(column).expect("a place is 32 bits").append_value(*place);
                }
                overlap.append(true);
            }
            lists.append(found.is_some());
            bytes.append_option(found.as_ref().and(text.map(|text| narrow(text.len()))));
            characters.append_option(found.as_ref().map(|found| found.characters));
        }
        vec![Arc::new(lists.finish()), Arc::new(bytes.finish()), Arc::new(characters.finish())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlaps(context_chars: usize, example: &str) -> Overlaps {
        let mut words = PlainWords::default();
        words.take(example);
        let mut index = NgramIndex::new(NgramLengths { max: 3, min: 3 });
        index.put(&words, 7);
        Overlaps { index, context_chars }
    }

    #[test]
    fn characters_around_an_ngram_are_counted_as_characters() {
        let text = "«Äußerst» schön: One, TWO three – größer";
        let found = overlaps(4, "one two three").find(&mut PlainWords::default(), text).expect("it stands there");
        let [(_, [benchmark, start, end, from, to, from_character, to_character])] = found.overlaps[..] else {
            panic!("one n-gram stands there, not {}", found.overlaps.len());
        };
        let range = |from: u32, to: u32| &text[from as usize..to as usize];
        assert_eq!((benchmark, range(start, end), range(from, to)), (7, "One, TWO three", "ön: One, TWO three – g"));
        let characters: Vec<char> = text.chars().collect();
        assert_eq!(
            characters[from_character as usize..to_character as usize].iter().collect::<String>(),
            range(from, to)
        );
        assert_eq!(found.characters as usize, characters.len());
        let whole = overlaps(100, "one two three").find(&mut PlainWords::default(), text).expect("it stands there");
        assert_eq!(whole.overlaps[0].1[3..], [0, narrow(text.len()), 0, found.characters]);
    }

    #[test]
    fn a_text_without_an_overlap_has_no_facts() {
        let columns = overlaps(4, "one two three").measure(&[Some("two three one"), None, Some("one two three")]);
        assert!(columns.iter().all(|column| column.null_count() == 2 && column.len() == 3));
    }
}
