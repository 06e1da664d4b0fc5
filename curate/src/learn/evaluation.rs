//! How well scores tell one side from the other, and how sure that is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::draw::draw_of;

/// Times that a sample is drawn anew for an interval.
const RESAMPLES: u64 = 1000;

/// Bins of a reliability diagram and of a histogram.
pub const BINS: usize = 10;

/// How well scores tell the reference from the rest. What would be a share of nothing is null.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// Documents of the reference.
    pub positives: u64,
    /// Documents of the rest.
    pub negatives: u64,
    /// Documents that have no score, for the classifier knows too little of them; they count in no figure.
    #[serde(default)]
    pub unscored: u64,
    /// Why some figures are null, where one of the two sides is missing.
    #[serde(default)]
    pub missing: Option<String>,
    /// Of what scores above 0.5, the share that is of the reference.
    pub precision: Option<f64>,
    /// Of the reference, the share that scores above 0.5.
    pub recall: Option<f64>,
    /// The harmonic mean of the two; null where there is nothing of the reference.
    pub f1: Option<f64>,
    /// The probability that a document of the reference scores above one of the rest; ties count half. Null where one side is missing.
    pub roc_auc: Option<f64>,
    /// Where that lies in 95 % of samples that are drawn from these documents and have both sides.
    pub roc_auc_interval: Option<[f64; 2]>,
    /// The same probability for a score that is the document's length in bytes.
    pub length_roc_auc: Option<f64>,
    /// Where the difference of the two lies in 95 % of samples; above 0, the scores know more than the length.
    pub above_length_interval: Option<[f64; 2]>,
    /// Scores against what they say, in bins of a tenth.
    pub reliability: Vec<ReliabilityBin>,
}

/// Documents whose scores lie in one tenth.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReliabilityBin {
    /// How many.
    pub documents: u64,
    /// The mean of their scores; null where there are none.
    pub score: Option<f64>,
    /// The share of them that is of the reference, where both sides weigh the same; null where there are none, or one side is missing.
    pub positives: Option<f64>,
}

/// A document that was scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The score.
    pub score: f64,
    /// Whether the document is of the reference.
    pub label: bool,
    /// Its bytes.
    pub bytes: u64,
}

impl Evaluation {
    /// Evaluates scores with their true labels. The same documents in the same order give the same intervals.
    #[must_use]
    pub fn of(scored: &[Scored]) -> Self {
        let count = |is_counted: &dyn Fn(&Scored) -> bool| scored.iter().filter(|scored| is_counted(scored)).count();
        let positive_count = count(&|scored| scored.label);
        let negative_count = scored.len() - positive_count;
        let (positives, negatives) = (positive_count as f64, negative_count as f64);
        let above = count(&|scored| scored.score > 0.5) as f64;
        let hits = count(&|scored| scored.label && scored.score > 0.5) as f64;
        let scores = Ranking::new(scored, |scored| scored.score);
        let lengths = Ranking::new(scored, |scored| scored.bytes as f64);
        let all = vec![1; scored.len()];
        let (roc_auc_interval, above_length_interval) = intervals(scored, &scores, &lengths);
        Self {
            positives: positive_count as u64,
            negatives: negative_count as u64,
            unscored: 0,
            missing: missing(positive_count, negative_count),
            precision: share(hits, above),
            recall: share(hits, positives),
            // 2 TP / (2 TP + FP + FN), and 0 where nothing was found of what there is
            f1: share(2.0 * hits, above + positives).filter(|_| positive_count > 0),
            roc_auc: scores.area(scored, &all),
            roc_auc_interval,
            length_roc_auc: lengths.area(scored, &all),
            above_length_interval,
            reliability: reliability(scored, positives, negatives),
        }
    }

    /// The area under ROC with its interval, as people read it; without one of the two sides, that there is none.
    #[must_use]
    pub fn area(&self, digits: usize) -> String {
        match (self.roc_auc, self.roc_auc_interval) {
            (Some(area), Some([low, high])) => format!("{area:.digits$} ({low:.digits$} to {high:.digits$})"),
            _ => format!("none, for {}", self.missing.as_deref().unwrap_or("there are no documents")),
        }
    }
}

/// Which side is missing.
fn missing(positives: usize, negatives: usize) -> Option<String> {
    let why = match (positives, negatives) {
        (0, 0) => "there are no documents",
        (0, _) => "there is no document of the reference (label 1)",
        (_, 0) => "there is no document of the rest (label 0)",
        _ => return None,
    };
    Some(why.to_owned())
}

/// A share of something; none of nothing.
fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| round(part / whole))
}

/// A figure as people read it.
#[must_use]
pub fn shown(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "none".to_owned(), |figure| format!("{figure:.digits$}"))
}

fn round(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// Documents by a number, the lowest first; those of one number stand together.
struct Ranking {
    order: Vec<u32>,
    /// Where each group of one number ends.
    ends: Vec<usize>,
}

impl Ranking {
    fn new(scored: &[Scored], number: impl Fn(&Scored) -> f64) -> Self {
        let mut order: Vec<u32> = (0..).take(scored.len()).collect();
        let at = |place: u32| number(&scored[place as usize]);
        order.sort_by(|one, other| at(*one).total_cmp(&at(*other)));
        let mut end = 0;
        let groups = order.chunk_by(|one, next| at(*one).total_cmp(&at(*next)).is_eq());
        let ends = groups.map(|group| {
            end += group.len();
            end
        });
        Self { ends: ends.collect(), order }
    }

    /// Over all pairs of a positive and a negative: the share where the positive has the higher number, and half of the ties. Each
    /// document counts as often as `times` says. None where there is no pair.
    fn area(&self, scored: &[Scored], times: &[u32]) -> Option<f64> {
        let (mut wins, mut positives, mut negatives, mut start) = (0.0, 0.0, 0.0, 0);
        for end in &self.ends {
            let (mut positives_here, mut negatives_here) = (0.0, 0.0);
            for place in &self.order[start..*end] {
                let count = f64::from(times[*place as usize]);
                if scored[*place as usize].label {
                    positives_here += count;
                } else {
                    negatives_here += count;
                }
            }
            wins += positives_here * (negatives + 0.5 * negatives_here);
            positives += positives_here;
            negatives += negatives_here;
            start = *end;
        }
        let pairs = positives * negatives;
        (pairs > 0.0).then(|| round(wins / pairs))
    }
}

/// Where 95 % of some figures lie.
type Interval = Option<[f64; 2]>;

/// The intervals of the area under the scores, and of what it is above that under the lengths: a paired bootstrap. A sample without one
/// of the sides has no area, and is left out.
fn intervals(scored: &[Scored], scores: &Ranking, lengths: &Ranking) -> (Interval, Interval) {
    let positives = scored.iter().filter(|scored| scored.label).count();
    if positives == 0 || positives == scored.len() {
        return (None, None);
    }
    let (mut areas, mut differences) = (Vec::new(), Vec::new());
    let mut times = vec![0u32; scored.len()];
    for sample in 0..RESAMPLES {
        times.fill(0);
        for place in 0..scored.len() as u64 {
            let draw = draw_of(sample, &[b"bootstrap", &place.to_le_bytes()]);
            let drawn = (u128::from(draw) * scored.len() as u128) >> 64;
            times[usize::try_from(drawn).expect("below the length")] += 1;
        }
        if let (Some(area), Some(of_length)) = (scores.area(scored, &times), lengths.area(scored, &times)) {
            areas.push(area);
            differences.push(area - of_length);
        }
    }
    (middle(&mut areas), middle(&mut differences))
}

/// Where 95 % of some numbers lie.
fn middle(numbers: &mut [f64]) -> Interval {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len().checked_sub(1)?;
    Some([round(numbers[last * 25 / 1000]), round(numbers[last - last * 25 / 1000])])
}

fn reliability(scored: &[Scored], positives: f64, negatives: f64) -> Vec<ReliabilityBin> {
    (0..BINS)
        .map(|bin| {
            let inside = || scored.iter().filter(move |scored| bin_of(scored.score) == bin);
            let count = inside().count();
            let documents = count as f64;
            let of_reference = inside().filter(|scored| scored.label).count() as f64;
            let weights = share(of_reference, positives).zip(share(documents - of_reference, negatives));
            ReliabilityBin {
                documents: count as u64,
                score: share(inside().map(|scored| scored.score).sum::<f64>(), documents),
                positives: weights.and_then(|(within, without)| share(within, within + without)),
            }
        })
        .collect()
}

/// The bin of a score.
#[must_use]
pub fn bin_of(score: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a score is between 0 and 1")]
    let bin = (score * BINS as f64) as usize;
    bin.min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(rows: &[(f64, bool, u64)]) -> Vec<Scored> {
        rows.iter().map(|(score, label, bytes)| Scored { score: *score, label: *label, bytes: *bytes }).collect()
    }

    #[test]
    fn the_area_counts_pairs() {
        let rows = [(0.9, true, 9), (0.8, false, 8), (0.6, true, 7), (0.6, false, 7), (0.1, false, 9)];
        let evaluation = Evaluation::of(&scored(&rows));
        // of six pairs: 0.9 wins three; 0.6 wins one, ties one, loses one
        assert_eq!(evaluation.roc_auc, Some(0.75));
        assert_eq!((evaluation.precision, evaluation.recall), (Some(0.5), Some(1.0)));
        assert_eq!(evaluation.f1, Some(0.666_667));
        // 9 bytes win two and tie one; 7 bytes tie one and lose two
        assert_eq!(evaluation.length_roc_auc, Some(0.5));
        let bins: Vec<u64> = evaluation.reliability.iter().map(|bin| bin.documents).collect();
        assert_eq!(bins, [0, 1, 0, 0, 0, 0, 2, 0, 1, 1]);
    }

    /// With a thousand documents whose scores overlap the interval holds the area, is as wide as theory says, and excludes chance.
    #[test]
    fn an_interval_is_as_wide_as_it_should_be() {
        let noise = |number: u64| (draw_of(7, &[&number.to_le_bytes()]) >> 11) as f64 / (1u64 << 53) as f64;
        let rows: Vec<Scored> = (0..1000)
            .map(|number| {
                let label = number % 2 == 0;
                Scored {
                    score: (noise(number) + f64::from(u8::from(label)) * 0.5) / 1.5,
                    label,
                    bytes: 10 + number % 3,
                }
            })
            .collect();
        let evaluation = Evaluation::of(&rows);
        let [low, high] = evaluation.roc_auc_interval.expect("both sides are there");
        let area = evaluation.roc_auc.expect("both sides are there");
        // two uniform distributions of which one is moved by half: 7 of 8 pairs
        assert!((area - 0.875).abs() < 0.02, "{evaluation:?}");
        assert!(low < area && area < high, "{evaluation:?}");
        // Hanley and McNeil 1982: a standard error of 0.011
        assert!((0.030..0.060).contains(&(high - low)), "{low} to {high}");
        assert!(evaluation.above_length_interval.is_some_and(|[low, _]| low > 0.2), "{evaluation:?}");
    }

    /// A class that is missing has no area, as in scikit-learn from 1.6 on; what can be said is said.
    #[test]
    fn nothing_over_nothing_is_no_figure() {
        let nothing = Evaluation::of(&[]);
        let bare = Evaluation { missing: nothing.missing.clone(), ..Evaluation::default() };
        assert_eq!(Evaluation { reliability: vec![], ..nothing }, bare);

        let good = Evaluation::of(&scored(&[(0.9, true, 9), (0.2, true, 8)]));
        assert_eq!((good.precision, good.recall, good.f1), (Some(1.0), Some(0.5), Some(0.666_667)));
        assert_eq!((good.roc_auc, good.roc_auc_interval, good.above_length_interval), (None, None, None));
        assert_eq!(good.area(2), "none, for there is no document of the rest (label 0)");
        assert!(
            good.reliability.iter().all(|bin| bin.positives.is_none() && bin.score.is_some() == (bin.documents > 0))
        );

        let bad = Evaluation::of(&scored(&[(0.9, false, 9)]));
        assert_eq!((bad.precision, bad.recall, bad.f1, bad.length_roc_auc), (Some(0.0), None, None, None));
        assert!(bad.missing.is_some_and(|missing| missing.contains("of the reference")));

        // nothing scores above one half
        let low = Evaluation::of(&scored(&[(0.1, true, 9), (0.2, false, 9)]));
        assert_eq!((low.precision, low.recall, low.f1, low.roc_auc), (None, Some(0.0), Some(0.0), Some(0.0)));
        // of two documents half of the samples have one side alone
        assert_eq!(low.roc_auc_interval, Some([0.0, 0.0]));
    }
}
