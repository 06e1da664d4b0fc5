//! chrF and chrF++: the F-score of n-grams of characters, and of words.
//!
//! ```text
//! text, references -> ChrfStatistics of the nearest reference, which can be added -> a score
//! ```
//!
//! Figures are those of `sacreBLEU` 2.6.0.
//!
//! Source: Popović 2015 (chrF), 2017 (chrF++); Popović 2016 for a beta of 2.

use std::{iter::Sum, ops::AddAssign};

use serde::{Deserialize, Serialize};

use super::{
    characters::{cased, is_space, words},
    ngrams::{CharacterNgrams, WordIds, WordNgrams},
};

/// What stands for a precision or a recall that has nothing to be taken of.
const EPSILON: f64 = 1e-16;

/// How chrF is computed. By default as `sacrebleu` does: chrF2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chrf {
    /// The highest order of n-grams of characters, up to 6.
    pub char_order: u32,
    /// The highest order of n-grams of words, up to 4: 0 for chrF, 2 for chrF++.
    pub word_order: u32,
    /// How many times as much recall counts as precision.
    pub beta: u32,
    /// Whether case counts for nothing.
    pub lowercase: bool,
    /// Whether white space counts among characters.
    pub whitespace: bool,
    /// Whether each order has an F-score, of which the mean is taken, and none is left out: as the author's script does.
    pub eps_smoothing: bool,
}

impl Default for Chrf {
    fn default() -> Self {
        Self { char_order: 6, word_order: 0, beta: 2, lowercase: false, whitespace: false, eps_smoothing: false }
    }
}

/// The n-grams of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct NgramCounts {
    /// Of the text; none where the reference has none.
    pub hypothesis: u64,
    /// Of the reference.
    pub reference: u64,
    /// Of both.
    pub shared: u64,
}

/// What a score follows from: n-grams of each order, of characters and then of words. That of a corpus follows from the sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChrfStatistics(pub Vec<NgramCounts>);

impl AddAssign<&Self> for ChrfStatistics {
    fn add_assign(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), NgramCounts::default());
        for (sum, counts) in self.0.iter_mut().zip(&other.0) {
            sum.hypothesis += counts.hypothesis;
            sum.reference += counts.reference;
            sum.shared += counts.shared;
        }
    }
}

impl Sum for ChrfStatistics {
    fn sum<I: Iterator<Item = Self>>(segments: I) -> Self {
        segments.fold(Self::default(), |mut sum, segment| {
            sum += &segment;
            sum
        })
    }
}

/// The n-grams of a text.
struct TextNgrams {
    characters: CharacterNgrams,
    words: WordNgrams,
}

impl Chrf {
    /// chrF++: with n-grams of one and two words.
    #[must_use]
    pub fn plus_plus() -> Self {
        Self { word_order: 2, ..Self::default() }
    }

    /// Its name, such as `chrF2++`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("chrF{}{}", self.beta, "+".repeat(self.word_order as usize))
    }

    /// What is counted of a text beside that of its references, of which there is one at least, that gives the best score.
    #[must_use]
    pub fn statistics<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> ChrfStatistics {
        let hypothesis = cased(hypothesis, self.lowercase);
        let references: Vec<_> = references.iter().map(|reference| cased(reference.as_ref(), self.lowercase)).collect();
        let mut ids = WordIds::default();
        let hypothesis = self.ngrams(&hypothesis, &mut ids);
        let mut best = (f64::NEG_INFINITY, ChrfStatistics::default());
        for reference in &references {
            let statistics = self.counts(&hypothesis, &self.ngrams(reference, &mut ids));
            let score = self.score(&statistics);
            if score > best.0 {
                best = (score, statistics);
            }
        }
        best.1
    }

    fn ngrams<'t>(&self, text: &'t str, ids: &mut WordIds<'t>) -> TextNgrams {
        let counts = |sign: &char| self.whitespace || !is_space(*sign);
        let split = if self.word_order > 0 { ids.ids(split_marks(text)) } else { Vec::new() };
        TextNgrams {
            characters: CharacterNgrams::of(text.chars().filter(counts).map(u32::from)),
            words: WordNgrams::of(split.into_iter()),
        }
    }

    fn counts(&self, hypothesis: &TextNgrams, reference: &TextNgrams) -> ChrfStatistics {
        let counts = |hypothesis, reference, shared| NgramCounts {
            hypothesis: if reference == 0 { 0 } else { hypothesis },
            reference,
            shared,
        };
        let characters = (1..=self.char_order).map(|order| {
            let (one, other) = (&hypothesis.characters, &reference.characters);
            counts(one.count(order), other.count(order), one.shared(other, order))
        });
        let words = (1..=self.word_order).map(|order| {
            let (one, other) = (&hypothesis.words, &reference.words);
            counts(one.count(order), other.count(order), one.shared(other, order))
        });
        ChrfStatistics(characters.chain(words).collect())
    }

    /// The score of what was counted, from 0 to 100.
    #[must_use]
    pub fn score(&self, statistics: &ChrfStatistics) -> f64 {
        let factor = f64::from(self.beta.pow(2));
        let f_score = |precision: f64, recall: f64| (1.0 + factor) * precision * recall / (factor * precision + recall);
        let rate = |shared: u64, of: u64| if of > 0 { shared as f64 / of as f64 } else { EPSILON };
        let (mut sum, mut precisions, mut recalls, mut orders) = (0.0, 0.0, 0.0, 0u32);
        for NgramCounts { hypothesis, reference, shared } in &statistics.0 {
            let (precision, recall) = (rate(*shared, *hypothesis), rate(*shared, *reference));
            sum += if factor * precision + recall > 0.0 { f_score(precision, recall) } else { EPSILON };
            if *hypothesis > 0 && *reference > 0 {
                precisions += precision;
                recalls += recall;
                orders += 1;
            }
        }
        if self.eps_smoothing {
            return 100.0 * sum / f64::from(self.char_order + self.word_order);
        }
        let (precision, recall) = match orders {
            0 => (0.0, 0.0),
            _ => (precisions / f64::from(orders), recalls / f64::from(orders)),
        };
        if precision + recall == 0.0 { 0.0 } else { 100.0 * f_score(precision, recall) }
    }

    /// The score of one text, from 0 to 100.
    ///
    /// ```
    /// # use train::metrics::Chrf;
    /// let score = Chrf::default().sentence("the cat sat on the mat", &["the cat sat on a mat"]);
    /// assert_eq!(format!("{score:.2}"), "72.08");
    /// ```
    #[must_use]
    pub fn sentence<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> f64 {
        self.score(&self.statistics(hypothesis, references))
    }

    /// The score of texts together, each with its references, from 0 to 100.
    pub fn corpus<'a, R: AsRef<str> + 'a>(&self, segments: impl IntoIterator<Item = (&'a str, &'a [R])>) -> f64 {
        let each = segments.into_iter().map(|(hypothesis, references)| self.statistics(hypothesis, references));
        self.score(&each.sum())
    }

    /// What has to be the same for scores to compare, as `sacrebleu` writes it, without a version.
    ///
    /// - `references`: for each text; `None` where they differ
    #[must_use]
    pub fn signature(&self, references: Option<usize>) -> String {
        let references = references.map_or_else(|| "var".to_owned(), |count| count.to_string());
        let case = if self.lowercase { "lc" } else { "mixed" };
        let yes = |is: bool| if is { "yes" } else { "no" };
        format!(
            "nrefs:{references}|case:{case}|eff:{}|nc:{}|nw:{}|space:{}",
            yes(!self.eps_smoothing),
            self.char_order,
            self.word_order,
            yes(self.whitespace)
        )
    }
}

/// The words of a text, from which one mark of ASCII is split: that at the end, else that at the beginning.
fn split_marks(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    let is_mark = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_punctuation());
    let split = move |word: &'_ str| -> usize {
        if word.chars().nth(1).is_none() {
            0
        } else if is_mark(word.chars().next_back()) {
            word.len() - 1
        } else {
            usize::from(is_mark(word.chars().next()))
        }
    };
    let pieces: Vec<&str> = words(text).flat_map(|word| <[&str; 2]>::from(word.split_at(split(word)))).collect();
    pieces.into_iter().filter(|piece| !piece.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_is_split_from_a_word() {
        let pieces: Vec<&str> = split_marks("(hi) «ja»! ! é, ((x é").collect();
        assert_eq!(pieces, ["(hi", ")", "«ja»", "!", "!", "é", ",", "(", "(x", "é"]);
    }
}
