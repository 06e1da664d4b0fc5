//! ROUGE: how much of a reference a summary has, in words, pairs of words, and longest common subsequences.
//!
//! ```text
//! text -> lower case -> words of a to z and 0 to 9 -> stems, where they are asked for -> counts -> precision, recall, F-score
//! ```
//!
//! Figures are those of `rouge_score` 0.1.2. A letter that is not from a to z parts words: this is for English.
//!
//! Source: Lin 2004; the summary's subsequence as in version 1.5.5 of its script.

mod stemmer;
mod subsequence;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ngrams::{WordIds, WordNgrams};

/// How ROUGE is computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rouge {
    /// Whether words of more than three letters are replaced by their stems.
    pub stemmer: bool,
}

/// Fractions from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecall {
    /// The share of the summary that is in the reference.
    pub precision: f64,
    /// The share of the reference that is in the summary.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

impl PrecisionRecall {
    /// - `shared`: what is in both, of `predicted` and of `wanted`
    fn new(shared: u64, predicted: u64, wanted: u64) -> Self {
        let share = |of: u64| shared as f64 / of.max(1) as f64;
        let (precision, recall) = (share(predicted), share(wanted));
        let f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
        Self { precision, recall, f1 }
    }
}

/// The scores of a summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RougeScores {
    /// By words.
    pub rouge1: PrecisionRecall,
    /// By pairs of words.
    pub rouge2: PrecisionRecall,
    /// By the longest common subsequence of the whole texts.
    #[serde(rename = "rougeL")]
    pub rouge_l: PrecisionRecall,
    /// By the longest common subsequences of sentences, which stand on lines of their own.
    #[serde(rename = "rougeLsum")]
    pub rouge_lsum: PrecisionRecall,
}

impl Rouge {
    /// The words of a text that are counted.
    ///
    /// ```
    /// # use train::metrics::Rouge;
    /// assert_eq!(Rouge { stemmer: true }.words("Naïve dogs, ponies"), ["na", "ve", "dog", "poni"]);
    /// ```
    #[must_use]
    pub fn words(self, text: &str) -> Vec<String> {
        self.words_of_line(&text.to_lowercase())
    }

    fn words_of_line(self, lowercase: &str) -> Vec<String> {
        let words =
            lowercase.split(|sign: char| !matches!(sign, 'a'..='z' | '0'..='9')).filter(|word| !word.is_empty());
        let stemmed = |word: &str| if self.stemmer && word.len() > 3 { stemmer::stem(word) } else { word.to_owned() };
        words.map(stemmed).filter(|word| !word.is_empty()).collect()
    }

    /// The scores of a summary; for each measure those of the reference, of which there is one at least, that gives the best F-score.
    ///
    /// ```
    /// # use train::metrics::Rouge;
    /// let scores = Rouge::default().score("the cat sat", &["the cat sat down"]);
    /// assert_eq!(scores.rouge1.recall, 0.75);
    /// assert_eq!(scores.rouge2.f1, 0.8);
    /// ```
    #[must_use]
    pub fn score<R: AsRef<str>>(self, prediction: &str, references: &[R]) -> RougeScores {
        let better = |best: &mut PrecisionRecall, other: PrecisionRecall| {
            if other.f1 > best.f1 {
                *best = other;
            }
        };
        let mut scores = references.iter().map(|reference| self.score_one(prediction, reference.as_ref()));
        let first = scores.next().unwrap_or_default();
        scores.fold(first, |mut best, other| {
            better(&mut best.rouge1, other.rouge1);
            better(&mut best.rouge2, other.rouge2);
            better(&mut best.rouge_l, other.rouge_l);
            better(&mut best.rouge_lsum, other.rouge_lsum);
            best
        })
    }

    fn score_one(self, prediction: &str, reference: &str) -> RougeScores {
        let lines = |text: &str| -> Vec<Vec<String>> {
            text.to_lowercase()
                .split('\n')
                .map(|line| self.words_of_line(line))
                .filter(|words| !words.is_empty())
                .collect()
        };
        let (prediction, reference) = (lines(prediction), lines(reference));
        let mut ids = WordIds::default();
        let (prediction, reference) = (Text::new(&prediction, &mut ids), Text::new(&reference, &mut ids));
        let of = |shared| PrecisionRecall::new(shared, prediction.count(), reference.count());
        RougeScores {
            rouge1: ngrams(&prediction, &reference, 1),
            rouge2: ngrams(&prediction, &reference, 2),
            rouge_l: of(subsequence::length(&reference.words, &prediction.words).into()),
            rouge_lsum: of(shared_by_lines(&prediction, &reference)),
        }
    }
}

/// The words of a text as numbers.
struct Text {
    /// Line by line.
    lines: Vec<Vec<u32>>,
    /// One after the other.
    words: Vec<u32>,
}

impl Text {
    fn new<'w>(lines: &'w [Vec<String>], ids: &mut WordIds<'w>) -> Self {
        let lines: Vec<Vec<u32>> = lines.iter().map(|line| ids.ids(line.iter().map(String::as_str))).collect();
        Self { words: lines.concat(), lines }
    }

    fn count(&self) -> u64 {
        self.words.len() as u64
    }
}

fn ngrams(prediction: &Text, reference: &Text, order: u32) -> PrecisionRecall {
    let [predicted, wanted] = [prediction, reference].map(|text| WordNgrams::of(text.words.iter().copied()));
    PrecisionRecall::new(predicted.shared(&wanted, order), predicted.count(order), wanted.count(order))
}

/// Words of each line of the reference that are in its longest common subsequence with any line of the prediction, no word more often than
/// both texts have it.
fn shared_by_lines(prediction: &Text, reference: &Text) -> u64 {
    let mut left: HashMap<u32, [u32; 2]> = HashMap::new();
    for (text, words) in [&prediction.words, &reference.words].into_iter().enumerate() {
        words.iter().for_each(|word| left.entry(*word).or_default()[text] += 1);
    }
    let mut shared = 0;
    for line in &reference.lines {
        let mut places: Vec<usize> =
            prediction.lines.iter().flat_map(|other| subsequence::places(line, other)).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            if let Some([predicted, wanted]) = left.get_mut(&line[place])
                && *predicted > 0
                && *wanted > 0
            {
                (*predicted, *wanted) = (*predicted - 1, *wanted - 1);
                shared += 1;
            }
        }
    }
    shared
}
