//! BM25: the passages whose terms say most about a question's.
//!
//! ```text
//! score = sum over the question's terms of  ln(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 (1 - b + b length / mean length))
//! ```
//!
//! Useful for: names, numbers, rare words; a truth to hold encoders against. Not useful for: what is said in other words.
//!
//! Source: Robertson and Zaragoza 2009, in the form of Lucene since version 8, without its lossy lengths; the defaults are Lucene's.
//! Cost: a pass over the postings of the question's terms, 8 bytes a passage; 4 bytes for each posting of the terms that were asked for, whose part
//! of the score that does not depend on the question is computed once.

use std::{collections::BTreeMap, sync::OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    analysis::Analysis,
    best::{Hit, best, best_of_parts},
    postings::Postings,
};

/// The constants of BM25.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bm25Config {
    /// How soon a term that comes again adds nothing: 0 or more.
    pub k1: f32,
    /// How much of a passage's length is held against it: 0 to 1.
    pub b: f32,
}

impl Default for Bm25Config {
    fn default() -> Self {
        Self { k1: 1.2, b: 0.75 }
    }
}

impl Bm25Config {
    /// What is wrong with the numbers, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let Self { k1, b } = *self;
        if !(k1 >= 0.0 && k1.is_finite()) {
            return Some(("k1", format!("it has to be 0 or more, and is {k1}")));
        }
        (!(0.0..=1.0).contains(&b)).then(|| ("b", format!("it lies between 0 and 1, and is {b}")))
    }

    /// What is added to how often a term stands in a passage of some length: `k1 (1 - b + b length / mean length)`.
    pub(super) fn norm(self, length: u32, mean: f32) -> f32 {
        let Self { k1, b } = self;
        k1 * (1.0 - b + b * length as f32 / mean)
    }
}

/// The mean length of passages.
#[expect(clippy::cast_possible_truncation, reason = "scores are single precision")]
pub(super) fn mean_length(total: u64, passages: usize) -> f32 {
    (total as f64 / passages.max(1) as f64).max(1.0) as f32
}

/// What a term is worth that stands in `with` of all passages.
#[expect(clippy::cast_possible_truncation, reason = "scores are single precision")]
pub(super) fn term_weight(all: usize, with: usize) -> f32 {
    let (all, with) = (all as f64, with as f64);
    (1.0 + (all - with + 0.5) / (with + 0.5)).ln() as f32
}

/// How much of its worth a term has in a passage in which it stands so often.
pub(super) fn saturation(count: u16, norm: f32) -> f32 {
    let count = f32::from(count);
    count / (count + norm)
}

/// The terms of a question, each with how often it stands there, in the order in which their worths are added up, whatever the order of words.
pub(super) fn asked_terms(analysis: &Analysis, question: &str, word: &mut String) -> BTreeMap<String, f32> {
    let mut terms: BTreeMap<String, f32> = BTreeMap::new();
    analysis.terms(question, word, |term| match terms.get_mut(term) {
        Some(times) => *times += 1.0,
        None => drop(terms.insert(term.to_owned(), 1.0)),
    });
    terms
}

/// Postings, in one part or in several, that are searched with some constants. What a term is worth follows from all of them.
#[derive(Debug)]
pub struct Bm25<'p> {
    parts: Vec<Part<'p>>,
    analysis: &'p Analysis,
    passages: usize,
}

#[derive(Debug)]
struct Part<'p> {
    postings: &'p Postings,
    /// `k1 (1 - b + b length / mean length)` of each passage.
    norms: Vec<f32>,
    /// `tf / (tf + norm)` of each posting of a term, once it was asked for.
    saturations: Vec<OnceLock<Box<[f32]>>>,
}

/// Memory of a search, whatever is in it between two.
#[derive(Debug, Default)]
pub struct SearchMemory {
    /// Of each passage of a part; all 0 between two searches.
    scores: Vec<f32>,
    word: String,
}

impl<'p> Bm25<'p> {
    /// Searches with some constants.
    ///
    /// - `analysis`: that by which the postings were made
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = &'p Postings>, analysis: &'p Analysis, config: Bm25Config) -> Self {
        let parts: Vec<&Postings> = parts.into_iter().collect();
        let lengths = || parts.iter().flat_map(|part| part.lengths());
        let passages = lengths().count();
        let mean = mean_length(lengths().map(|length| u64::from(*length)).sum(), passages);
        let norm = |length: &u32| config.norm(*length, mean);
        let part = |postings: &'p Postings| Part {
            postings,
            norms: postings.lengths().iter().map(norm).collect(),
            saturations: (0..postings.terms().count()).map(|_| OnceLock::new()).collect(),
        };
        Self { parts: parts.into_iter().map(part).collect(), analysis, passages }
    }

    /// The passages with the highest scores for a question, best first; of equal ones the first. Passages that have none of its terms are none.
    ///
    /// - `k`: passages, at most
    /// - `is_allowed`: whether the passage of a part may be found
    /// - `memory`: may be used again
    #[must_use]
    pub fn search(
        &self,
        question: &str,
        k: usize,
        is_allowed: impl Fn(usize, u32) -> bool,
        memory: &mut SearchMemory,
    ) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.scores(question, memory, |part, scores| {
            best(
                scores,
                k,
                0.0,
                |passage| is_allowed(part, passage),
                |passage, score| hits.push(Hit { part, passage, score }),
            );
        });
        best_of_parts(hits, k)
    }

    /// The scores of all passages for a question, part by part: 0 for those that have none of its terms.
    ///
    /// - `memory`: may be used again
    pub fn scores(&self, question: &str, memory: &mut SearchMemory, mut give: impl FnMut(usize, &[f32])) {
        let SearchMemory { scores, word } = memory;
        let terms = asked_terms(self.analysis, question, word);
        let of_parts = |term: &str| self.parts.iter().map(|part| part.postings.terms().find(term)).collect::<Vec<_>>();
        let terms: Vec<(Vec<Option<u32>>, f32)> = terms
            .into_iter()
            .map(|(term, times)| {
                let numbers = of_parts(&term);
                let weight = self.weight(&numbers) * times;
                (numbers, weight)
            })
            .collect();
        for (number, part) in self.parts.iter().enumerate() {
            let of_part = || terms.iter().filter_map(|(numbers, weight)| Some((numbers[number]?, *weight)));
            if scores.len() < part.norms.len() {
                scores.resize(part.norms.len(), 0.0);
            }
            of_part().for_each(|(term, weight)| part.add(term, weight, scores));
            give(number, &scores[..part.norms.len()]);
            // rather than all of them, where few were touched
            for (term, _) in of_part() {
                let (passages, _) = part.postings.of_term(term);
                passages.iter().for_each(|passage| scores[*passage as usize] = 0.0);
            }
        }
    }

    /// What a term is worth, by the passages that it stands in.
    fn weight(&self, numbers: &[Option<u32>]) -> f32 {
        let of_parts = self.parts.iter().zip(numbers).filter_map(|(part, number)| {
            let (passages, _) = part.postings.of_term((*number)?);
            Some(passages.len())
        });
        term_weight(self.passages, of_parts.sum())
    }
}

impl Part<'_> {
    /// Adds what a term is worth to the score of each of its passages.
    fn add(&self, term: u32, weight: f32, scores: &mut [f32]) {
        let (passages, counts) = self.postings.of_term(term);
        let saturations = self.saturations[term as usize].get_or_init(|| {
            let of_passage = |(passage, count): (&u32, &u16)| saturation(*count, self.norms[*passage as usize]);
            passages.iter().zip(counts).map(of_passage).collect()
        });
        for (passage, saturation) in passages.iter().zip(saturations) {
            scores[*passage as usize] += weight * saturation;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::analysis::AnalysisConfig, *};

    /// The formula, term by term.
    fn by_hand(texts: &[String], question: &str, Bm25Config { k1, b }: Bm25Config) -> Vec<f64> {
        let (k1, b) = (f64::from(k1), f64::from(b));
        let words: Vec<Vec<&str>> = texts.iter().map(|text| text.split_whitespace().collect()).collect();
        let mean = words.iter().map(Vec::len).sum::<usize>() as f64 / words.len() as f64;
        let score = |own: &Vec<&str>| {
            let of_term = |term: &str| {
                let with = words.iter().filter(|words| words.contains(&term)).count() as f64;
                let count = own.iter().filter(|word| **word == term).count() as f64;
                let weight = (1.0 + (words.len() as f64 - with + 0.5) / (with + 0.5)).ln();
                if count == 0.0 { 0.0 } else { weight * count / (count + k1 * (1.0 - b + b * own.len() as f64 / mean)) }
            };
            question.split_whitespace().map(of_term).sum()
        };
        words.iter().map(score).collect()
    }

    proptest! {
        #[test]
        fn scores_are_those_of_the_formula(
            texts in prop::collection::vec(prop::collection::vec(0u8..12, 1..20), 1..30),
            question in prop::collection::vec(0u8..14, 0..6),
            k in 1usize..12, k1 in 0f32..3.0, b in 0f32..1.0, split in 0usize..20,
        ) {
            let join = |words: &Vec<u8>| words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
            let texts: Vec<String> = texts.iter().map(join).collect();
            let question = join(&question);
            let config = Bm25Config { k1, b };
            let analysis = Analysis::new(AnalysisConfig::default());
            let expected = by_hand(&texts, &question, config);
            let found = expected.iter().filter(|score| **score > 0.0).count();
            // in one part, and in two
            let mut scores = Vec::new();
            for split in [texts.len(), split.min(texts.len())] {
                let parts = [&texts[..split], &texts[split..]].map(|texts| Postings::new(texts, &analysis));
                let bm25 = Bm25::new(&parts, &analysis, config);
                let mut memory = SearchMemory::default();
                let hits = bm25.search(&question, k, |_, _| true, &mut memory);
                let number = |hit: &Hit| hit.part * split + hit.passage as usize;
                for hit in &hits {
                    prop_assert!((f64::from(hit.score) - expected[number(hit)]).abs() < 1e-5);
                }
                prop_assert!(hits.len() >= k.min(found));
                prop_assert!(hits.is_sorted_by(|one, other| one.score.total_cmp(&other.score).reverse().then(number(one).cmp(&number(other))).is_lt()));
                // none that was left out is better than one that was found, and a search leaves nothing behind
                let last = hits.last().map_or(f64::INFINITY, |hit| f64::from(hit.score));
                let mut left_out = (0..texts.len()).filter(|passage| hits.iter().all(|hit| number(hit) != *passage));
                prop_assert!(hits.len() < k || left_out.all(|passage| expected[passage] <= last + 1e-5));
                let again = bm25.search(&question, k, |part, passage| part * split + passage as usize != 0, &mut memory);
                prop_assert!(again.iter().all(|hit| number(hit) != 0));
                prop_assert_eq!(&bm25.search(&question, k, |_, _| true, &mut memory), &hits);
                scores.push(hits.iter().take(k).map(|hit| (number(hit), hit.score.to_bits())).collect::<Vec<_>>());
            }
            prop_assert_eq!(&scores[0], &scores[1], "parts change no bit");
        }
    }
}
