//! How well scores tell one side from the other, and how sure that is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::draw::draw_of;

/// Times that a sample is drawn anew for an interval.
const RESAMPLES: u64 = 1000;

/// Bins of a reliability diagram and of a histogram.
pub const BINS: usize = 10;

/// How well scores tell the reference from the rest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// Documents of the reference.
    pub positives: u64,
    /// Documents of the rest.
    pub negatives: u64,
    /// Of what scores above 0.5, the share that is of the reference.
    pub precision: f64,
    /// Of the reference, the share that scores above 0.5.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// The probability that a document of the reference scores above one of the rest; ties count half.
    pub roc_auc: f64,
    /// Where that lies in 95 % of samples that are drawn from these documents.
    pub roc_auc_interval: [f64; 2],
    /// The same probability for a score that is the document's length in bytes.
    pub length_roc_auc: f64,
    /// Where the difference of the two lies in 95 % of samples; above 0, the scores know more than the length.
    pub above_length_interval: [f64; 2],
    /// Scores against what they say, in bins of a tenth.
    pub reliability: Vec<ReliabilityBin>,
}

/// Documents whose scores lie in one tenth.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReliabilityBin {
    /// How many.
    pub documents: u64,
    /// The mean of their scores.
    pub score: f64,
    /// The share of them that is of the reference, where both sides weigh the same.
    pub positives: f64,
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
        let positive_count = scored.iter().filter(|scored| scored.label).count();
        let negative_count = scored.len() - positive_count;
        let (positives, negatives) = (positive_count as f64, negative_count as f64);
        let above = scored.iter().filter(|scored| scored.score > 0.5).count() as f64;
        let hits = scored.iter().filter(|scored| scored.label && scored.score > 0.5).count() as f64;
        let (precision, recall) = (share(hits, above), share(hits, positives));
        let scores = Ranking::new(scored, |scored| scored.score);
        let lengths = Ranking::new(scored, |scored| scored.bytes as f64);
        let all = vec![1; scored.len()];
        let (roc_auc, length_roc_auc) = (scores.area(scored, &all), lengths.area(scored, &all));
        let (roc_auc_interval, above_length_interval) = intervals(scored, &scores, &lengths);
        Self {
            positives: positive_count as u64,
            negatives: negative_count as u64,
            precision,
            recall,
            f1: share(2.0 * precision * recall, precision + recall),
            roc_auc,
            roc_auc_interval,
            length_roc_auc,
            above_length_interval,
            reliability: reliability(scored, positives, negatives),
        }
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { round(part / whole) }
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
    /// document counts as often as `times` says.
    fn area(&self, scored: &[Scored], times: &[u32]) -> f64 {
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
        share(wins, positives * negatives)
    }
}

/// The intervals of the area under the scores, and of what it is above that under the lengths: a paired bootstrap.
fn intervals(scored: &[Scored], scores: &Ranking, lengths: &Ranking) -> ([f64; 2], [f64; 2]) {
    if scored.is_empty() {
        return Default::default();
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
        let area = scores.area(scored, &times);
        areas.push(area);
        differences.push(area - lengths.area(scored, &times));
    }
    (middle(&mut areas), middle(&mut differences))
}

/// Where 95 % of some numbers lie.
fn middle(numbers: &mut [f64]) -> [f64; 2] {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len() - 1;
    [round(numbers[last * 25 / 1000]), round(numbers[last - last * 25 / 1000])]
}

fn reliability(scored: &[Scored], positives: f64, negatives: f64) -> Vec<ReliabilityBin> {
    (0..BINS)
        .map(|bin| {
            let inside = || scored.iter().filter(move |scored| bin_of(scored.score) == bin);
            let count = inside().count();
            let documents = count as f64;
            let of_reference = inside().filter(|scored| scored.label).count() as f64;
            let (weight_in, weight_out) = (share(of_reference, positives), share(documents - of_reference, negatives));
            ReliabilityBin {
                documents: count as u64,
                score: share(inside().map(|scored| scored.score).sum::<f64>(), documents),
                positives: share(weight_in, weight_in + weight_out),
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
        assert!((evaluation.roc_auc - 4.5 / 6.0).abs() < 1e-6, "{evaluation:?}");
        assert!((evaluation.precision - 0.5).abs() < 1e-6 && (evaluation.recall - 1.0).abs() < 1e-6, "{evaluation:?}");
        // 9 bytes win two and tie one; 7 bytes tie one and lose two
        assert!((evaluation.length_roc_auc - 3.0 / 6.0).abs() < 1e-6, "{evaluation:?}");
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
        let [low, high] = evaluation.roc_auc_interval;
        // two uniform distributions of which one is moved by half: 7 of 8 pairs
        assert!((evaluation.roc_auc - 0.875).abs() < 0.02, "{evaluation:?}");
        assert!(low < evaluation.roc_auc && evaluation.roc_auc < high, "{evaluation:?}");
        // Hanley and McNeil 1982: a standard error of 0.011
        assert!((0.030..0.060).contains(&(high - low)), "{low} to {high}");
        assert!(evaluation.above_length_interval[0] > 0.2, "{evaluation:?}");
    }

    #[test]
    fn nothing_gives_zeros_and_no_nan() {
        let evaluation = Evaluation::of(&[]);
        assert_eq!(Evaluation { reliability: vec![], ..evaluation }, Evaluation::default());
    }
}
