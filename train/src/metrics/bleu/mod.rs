//! BLEU: how many n-grams of a text stand in its references, in the geometric mean of their orders, with a penalty for brevity.
//!
//! ```text
//! text, references -> tokens -> BleuStatistics, which can be added -> BleuScore
//! ```
//!
//! Figures are those of `sacreBLEU` 2.6.0, whose tokenizers and smoothings these are.
//!
//! Source: Papineni et al. 2002; Post 2018 for what has to be the same for scores to compare; Chen and Cherry 2014 for smoothing.

mod tokenizer;

use std::{fmt, iter::Sum, ops::AddAssign};

use serde::{Deserialize, Serialize};

pub use tokenizer::Tokenizer;

use super::{
    characters::{cased, words},
    ngrams::{WordIds, WordNgrams},
};

/// The highest order of n-grams.
pub const ORDER: usize = 4;

/// What is done where no n-gram of an order is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoothing {
    /// The first such order counts as half an n-gram, the next as a quarter, and so on, as in `mteval`.
    #[default]
    Exp,
    /// Each such order counts as so much of an n-gram; 0.1 is usual.
    Floor(f64),
    /// So much is added to what was found and to what there is, from order 2 on; 1 is usual.
    AddK(f64),
    /// Nothing: the score is 0.
    None,
}

impl Smoothing {
    /// Its name and value in signatures.
    fn signature(self) -> String {
        match self {
            Self::Exp => "exp".into(),
            Self::Floor(value) => format!("floor[{value:.2}]"),
            Self::AddK(value) => format!("add-k[{value:.2}]"),
            Self::None => "none".into(),
        }
    }
}

/// How BLEU is computed. By default as `sacrebleu` does for a corpus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bleu {
    /// How texts become tokens.
    pub tokenizer: Tokenizer,
    /// What is done where no n-gram of an order is found.
    pub smoothing: Smoothing,
    /// Whether case counts for nothing.
    pub lowercase: bool,
    /// Whether orders of which a text has no n-gram at all are left out.
    pub effective_order: bool,
}

/// What a score follows from; that of a corpus from the sum of its segments'.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BleuStatistics {
    /// Tokens of the text.
    pub hypothesis_length: u64,
    /// Tokens of the reference whose length is nearest, the shorter one of two.
    pub reference_length: u64,
    /// N-grams of each order that stand in a reference, each at most as often as in that which has most of it.
    pub correct: [u64; ORDER],
    /// N-grams of each order.
    pub total: [u64; ORDER],
}

impl AddAssign for BleuStatistics {
    fn add_assign(&mut self, other: Self) {
        self.hypothesis_length += other.hypothesis_length;
        self.reference_length += other.reference_length;
        for order in 0..ORDER {
            self.correct[order] += other.correct[order];
            self.total[order] += other.total[order];
        }
    }
}

impl Sum for BleuStatistics {
    fn sum<I: Iterator<Item = Self>>(segments: I) -> Self {
        segments.fold(Self::default(), |mut sum, segment| {
            sum += segment;
            sum
        })
    }
}

/// A score and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BleuScore {
    /// From 0 to 100.
    pub score: f64,
    /// The precision of each order, smoothed, in percent.
    pub precisions: [f64; ORDER],
    /// The factor by which a text is punished that is shorter than its references, from 0 to 1.
    pub brevity_penalty: f64,
    /// What was counted.
    pub statistics: BleuStatistics,
}

/// As `sacrebleu` prints it: `48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)`.
impl fmt::Display for BleuScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { score, precisions: [one, two, three, four], brevity_penalty, statistics } = self;
        let BleuStatistics { hypothesis_length: hypothesis, reference_length: reference, .. } = *statistics;
        let ratio = if reference == 0 { 0.0 } else { hypothesis as f64 / reference as f64 };
        write!(
            f,
            "{score:.2} {one:.1}/{two:.1}/{three:.1}/{four:.1} (BP = {brevity_penalty:.3} ratio = {ratio:.3} \
             hyp_len = {hypothesis} ref_len = {reference})"
        )
    }
}

impl Bleu {
    /// What is counted of a text beside its references, of which there is one at least.
    #[must_use]
    pub fn statistics<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> BleuStatistics {
        let hypothesis = cased(hypothesis, self.lowercase);
        let references: Vec<_> = references.iter().map(|reference| cased(reference.as_ref(), self.lowercase)).collect();
        let spaced: Vec<_> = references.iter().map(|reference| self.tokenizer.spaced(reference)).collect();
        let hypothesis = self.tokenizer.spaced(&hypothesis);
        let mut ids = WordIds::default();
        let mut ngrams = |text| WordNgrams::of(ids.ids(words(text)).into_iter());
        let hypothesis = ngrams(&hypothesis);
        let references: Vec<WordNgrams> = spaced.iter().map(|reference| ngrams(reference)).collect();
        let length = hypothesis.count(1);
        let nearest = references.iter().map(|reference| reference.count(1));
        let each = |count: &dyn Fn(u32) -> u64| [1, 2, 3, 4].map(count);
        BleuStatistics {
            hypothesis_length: length,
            reference_length: nearest.min_by_key(|other| (length.abs_diff(*other), *other)).unwrap_or(0),
            correct: each(&|order| hypothesis.shared_with_any(&references, order)),
            total: each(&|order| hypothesis.count(order)),
        }
    }

    /// The score of what was counted.
    #[must_use]
    pub fn score(&self, statistics: &BleuStatistics) -> BleuScore {
        let BleuStatistics { hypothesis_length, reference_length, correct, total } = *statistics;
        let (length, wanted) = (hypothesis_length as f64, reference_length as f64);
        let brevity_penalty = if length >= wanted {
            1.0
        } else if hypothesis_length == 0 {
            0.0
        } else {
            (1.0 - wanted / length).exp()
        };
        let mut found = BleuScore { score: 0.0, precisions: [0.0; ORDER], brevity_penalty, statistics: *statistics };
        if correct == [0; ORDER] {
            return found;
        }
        let mut orders = ORDER;
        let mut share = 1.0;
        for order in 0..ORDER {
            let added = match self.smoothing {
                Smoothing::AddK(value) if order > 0 => value,
                _ => 0.0,
            };
            let (correct, total) = (correct[order] as f64 + added, total[order] as f64 + added);
            if total == 0.0 {
                break;
            }
            if self.effective_order {
                orders = order + 1;
            }
            found.precisions[order] = match self.smoothing {
                _ if correct != 0.0 => 100.0 * correct / total,
                Smoothing::Exp => {
                    share *= 2.0;
                    100.0 / (share * total)
                }
                Smoothing::Floor(value) => 100.0 * value / total,
                Smoothing::AddK(_) | Smoothing::None => 0.0,
            };
        }
        // the logarithm of 0 is low enough for a score of 0
        let logarithm = |precision: &f64| if *precision == 0.0 { -9_999_999_999.0 } else { precision.ln() };
        let sum: f64 = found.precisions[..orders].iter().map(logarithm).sum();
        found.score = brevity_penalty * (sum / orders as f64).exp();
        found
    }

    /// The score of one text, for which orders are left out of which it has no n-gram, as `sacrebleu.sentence_bleu` does.
    ///
    /// ```
    /// # use train::metrics::Bleu;
    /// let score = Bleu::default().sentence("the cat sat on the mat", &["the cat sat on a mat"]);
    /// assert_eq!(format!("{:.2}", score.score), "53.73");
    /// ```
    #[must_use]
    pub fn sentence<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> BleuScore {
        let config = Self { effective_order: true, ..*self };
        config.score(&config.statistics(hypothesis, references))
    }

    /// The score of texts together, each with its references.
    pub fn corpus<'a, R: AsRef<str> + 'a>(&self, segments: impl IntoIterator<Item = (&'a str, &'a [R])>) -> BleuScore {
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
        let effective = if self.effective_order { "yes" } else { "no" };
        let (tokenizer, smoothing) = (self.tokenizer.name(), self.smoothing.signature());
        format!("nrefs:{references}|case:{case}|eff:{effective}|tok:{tokenizer}|smooth:{smoothing}")
    }
}
