//! A classifier on what is counted in a document: shares of lines, punctuation and repetition, and none of its length.
//!
//! A model knows of a text the share of its letters that are in scripts which it was trained on, and nothing of one without a word: the
//! shares of another script, or of nothing, are no prose's and no menu's, and may look like either's. It does not know words: base64 is Latin.
//!
//! Useful for: telling prose from lists and menus in any words. Not useful for: telling good prose from bad.

use linfa::{Dataset, prelude::Fit as _};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::{
    files::Version,
    text::{
        facts::{FactCounter, TextFacts},
        letters::{LetterCounts, share_of},
    },
};

/// How statistics are learned and scored.
pub const VERSION: Version = Version::new("learn/statistics", 2);

/// A share and its name.
type Share = (&'static str, fn(&TextFacts) -> f64);

/// The shares. Those that grow with a text's length by themselves are not among them. Their names stand in models, and stay: runs are
/// n-grams.
const SHARES: [Share; 15] = [
    ("characters of a word", |facts| of(facts.words.word_characters, facts.words.words)),
    ("median characters of a word", |facts| facts.words.twice_median_word_characters as f64 / 2.0),
    ("words with a letter", |facts| of(facts.words.letter_tokens, facts.words.words)),
    ("marks", |facts| 1.0 - of(facts.words.words, facts.words.tokens)),
    ("hash marks", |facts| of(facts.words.hashes, facts.words.words).sqrt()),
    ("ellipses", |facts| of(facts.words.ellipses, facts.words.words).sqrt()),
    ("words of a line, logarithm", |facts| (1.0 + of(facts.words.words, facts.lines.lines)).ln()),
    ("closed lines", |facts| of(facts.lines.closed_lines, facts.lines.lines)),
    ("short lines", |facts| of(facts.lines.short_lines, facts.lines.lines)),
    ("lines with a bullet", |facts| of(facts.lines.bullet_lines, facts.lines.lines)),
    ("lines with an ellipsis", |facts| of(facts.lines.ellipsis_lines, facts.lines.lines)),
    ("repeated lines", |facts| of(facts.lines.repeated_lines, facts.lines.lines)),
    ("characters in repeated lines", |facts| of(facts.lines.repeated_line_characters, facts.words.characters)),
    ("characters in repeated runs of 5", |facts| of(facts.ngrams.repeated[0], facts.words.characters)),
    ("characters in repeated runs of 10", |facts| of(facts.ngrams.repeated[5], facts.words.characters)),
];

fn of(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How far from the mean a share counts, in standard deviations.
const FAR: f64 = 3.0;

/// The share of all letters from which on a class of letters is one that the training texts are written in.
const WRITTEN_IN: f64 = 1e-3;

/// The model: a weight for each share, of which mean and deviation were taken out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatisticsModel {
    shares: Vec<Learned>,
    intercept: f64,
    /// What the training texts are written in; none for a model of an earlier program, which takes every script for its own.
    #[serde(default)]
    letters: Option<Vec<u32>>,
}

/// What is known of a share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Learned {
    share: String,
    mean: f64,
    deviation: f64,
    weight: f64,
}

/// The shares of a text.
pub fn shares(text: &str, counter: &mut FactCounter) -> Vec<f64> {
    shares_of(&counter.count(text))
}

fn shares_of(facts: &TextFacts) -> Vec<f64> {
    SHARES.iter().map(|(_, share)| share(facts)).collect()
}

impl StatisticsModel {
    /// Fits the labels of texts with these shares, of which there should be as many of either side.
    ///
    /// - `letters`: those of the texts
    /// - `l2`: half of this times the sum of squared weights is added to the mean loss; above 0
    ///
    /// # Errors
    /// When the search fails; says why.
    pub fn fit(rows: &[Vec<f64>], labels: &[bool], letters: &LetterCounts, l2: f64) -> Result<Self, String> {
        let count = rows.len() as f64;
        let mut weights: Vec<Learned> = (SHARES.iter().enumerate())
            .map(|(column, (name, _))| {
                let mean = rows.iter().map(|row| row[column]).sum::<f64>() / count;
                let squares = rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>();
                let deviation = (squares / count).sqrt();
                Learned {
                    share: (*name).to_owned(),
                    mean,
                    deviation: if deviation > 1e-9 { deviation } else { 1.0 },
                    weight: 0.0,
                }
            })
            .collect();
        let values = rows.iter().flat_map(|row| weights.iter().zip(row).map(|(weight, share)| weight.standard(*share)));
        let records =
            Array2::from_shape_vec((rows.len(), SHARES.len()), values.collect()).map_err(|error| error.to_string())?;
        let data = Dataset::new(records, Array1::from_vec(labels.to_vec()));
        let search = LogisticRegression::default().alpha(l2 * count).max_iterations(500).gradient_tolerance(1e-6);
        let fitted = search.fit(&data).map_err(|error| error.to_string())?;
        // the library chooses which label is the positive one
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        weights.iter_mut().zip(fitted.params()).for_each(|(weight, fitted)| weight.weight = sign * fitted);
        let letters = Some(letters.with_share(WRITTEN_IN));
        Ok(Self { shares: weights, intercept: sign * fitted.intercept(), letters })
    }

    /// The log-odds that `text` is of the reference, and how much of it is known: the share of its letters that are in scripts of the
    /// training texts; 0 of a text without a word, a letter or a line.
    #[must_use]
    pub fn read(&self, text: &str, counter: &mut FactCounter) -> (f64, f64) {
        let facts = counter.count(text);
        let known = match &self.letters {
            _ if facts.words.words == 0 || facts.lines.lines == 0 => 0.0,
            Some(letters) => share_of(text, letters).unwrap_or(0.0),
            None => 1.0,
        };
        (self.log_odds_of(&shares_of(&facts)), known)
    }

    /// The log-odds of a text with these shares.
    #[must_use]
    pub fn log_odds_of(&self, shares: &[f64]) -> f64 {
        self.intercept
            + self.shares.iter().zip(shares).map(|(weight, share)| weight.weight * weight.standard(*share)).sum::<f64>()
    }

    /// The shares with their weights.
    pub fn weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.shares.iter().map(|weight| (weight.share.as_str(), weight.weight))
    }

    /// Whether the model is of the shares that this program takes.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.shares.iter().map(|weight| weight.share.as_str()).eq(SHARES.iter().map(|(name, _)| *name))
    }
}

impl Learned {
    fn standard(&self, share: f64) -> f64 {
        ((share - self.mean) / self.deviation).clamp(-FAR, FAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_told_from_menus() {
        let prose = "The keeper of the lighthouse wrote down the weather, and in the evening he read it out.\n";
        let menu = "Home | News\nAbout us\nContact us\nLog in ...\n";
        let texts: Vec<String> =
            (1..21).map(|times| if times % 2 == 0 { prose.repeat(times) } else { menu.repeat(times) }).collect();
        let mut counter = FactCounter::default();
        let rows: Vec<Vec<f64>> = texts.iter().map(|text| shares(text, &mut counter)).collect();
        let labels: Vec<bool> = (1..21).map(|times| times % 2 == 0).collect();
        let mut letters = LetterCounts::default();
        texts.iter().for_each(|text| letters.count(text));
        let model = StatisticsModel::fit(&rows, &labels, &letters, 0.01).expect("the search ends");
        let other = "A sailor of the harbour mended the old nets, and in the morning he sold them to the others.";
        let (log_odds, known) = model.read(other, &mut counter);
        assert!(log_odds > 0.0 && (known - 1.0).abs() < 1e-9);
        assert!(model.read("Shop | Cart\nHelp\nTerms\n", &mut counter).0 < 0.0);
        // of what has no word, and of other scripts, it knows nothing, whatever the shares look like
        for unknown in ["", " \n", ".", "— — —", "12345", "数学是美丽的", "Мост построили шире"]
        {
            assert!(model.read(unknown, &mut counter).1.abs() < 1e-9, "{unknown:?}");
        }
        let (_, half) = model.read("abcd да, да", &mut counter);
        assert!((half - 0.5).abs() < 1e-9);
        assert!(model.is_known());
        let copy: StatisticsModel =
            serde_json::from_str(&serde_json::to_string(&model).expect("it is JSON")).expect("it was a model");
        // JSON gives a number back to the last bit but one
        let difference = copy.read(menu, &mut counter).0 - model.read(menu, &mut counter).0;
        assert!(difference.abs() < 1e-9);
        // a model of an earlier program has no letters, and takes all for its own
        let mut old = serde_json::to_value(&model).expect("it is JSON");
        old.as_object_mut().and_then(|model| model.remove("letters")).expect("it has letters");
        let old: StatisticsModel = serde_json::from_value(old).expect("it was a model");
        assert!((old.read("数学是美丽的", &mut counter).1 - 1.0).abs() < 1e-9);
    }
}
