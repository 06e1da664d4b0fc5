//! How well numbers rank answers as people did: pair by pair of those that somebody told apart.
//!
//! ```text
//! answers of a prompt: value, rank, length  -> pairs of different ranks -> right (1), equal (1/2), wrong (0)
//! ```
//!
//! The pairs of a prompt share their answers, so that intervals are taken by prompts.
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), section 3.5 (pairs of a ranking, whose probability is a sigmoid of their difference); Singhal et
//! al. 2023 for lengths.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Binning, Confidence, bootstrap::bootstrap, calibration_bins, calibration_error};

/// Bins of the calibration of pairs.
const BINS: usize = 10;
/// Parts of equally many pairs, by their margins.
const PARTS: usize = 4;
/// From this share of pairs on that a reward and a length rank alike, or the other way, the reward is called one of length.
const ALIKE: f64 = 0.9;

/// An answer as it was ranked, and what it was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValuedAnswer {
    /// The number that it was given: more is better.
    pub value: f64,
    /// Its rank: less is better, and equal ones are ties.
    pub rank: u32,
    /// Tokens of the answer.
    pub length: usize,
}

/// How answers are ranked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PreferenceFigures {
    /// Prompts with a pair.
    pub prompts: usize,
    /// Pairs of answers to one prompt with different ranks.
    pub pairs: usize,
    /// The share of pairs whose better answer has the larger value; of equal values a half.
    pub accuracy: f64,
    /// Its 95 % interval, by bootstrap over prompts.
    pub interval: [f64; 2],
    /// The mean difference of a better and a worse answer.
    pub margin: f64,
    /// The mean of `-log sigmoid(difference)` over the pairs, in nats.
    pub loss: f64,
    /// Pairs by the size of their difference, from the smallest on.
    pub by_margin: Vec<MarginPart>,
    /// The expected calibration error of `sigmoid(difference)` as the probability that an answer is the better one.
    pub calibration_error: f64,
    /// What lengths have to do with it.
    pub length: LengthFigures,
}

/// Pairs whose differences are of like size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MarginPart {
    /// The least and the largest size of a difference.
    pub sizes: [f64; 2],
    /// Pairs.
    pub pairs: usize,
    /// The share that is right.
    pub accuracy: f64,
}

/// What lengths have to do with values and ranks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LengthFigures {
    /// The accuracy of calling the longer answer better.
    pub longer_is_better: f64,
    /// The accuracy on pairs whose better answer is the longer one, if there are any.
    pub where_better_is_longer: Option<f64>,
    /// On pairs whose better answer is the shorter one.
    pub where_better_is_shorter: Option<f64>,
    /// The share of pairs whose longer answer has the larger value.
    pub longer_has_more: f64,
}

impl LengthFigures {
    /// What is to be said of values that lengths alone would give, if they are such.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let share = self.longer_has_more;
        let which = if share >= ALIKE {
            "longer"
        } else if share <= 1.0 - ALIKE {
            "shorter"
        } else {
            return None;
        };
        let percent = 100.0 * share.max(1.0 - share);
        Some(format!(
            "the reward is one of length, or nearly: in {percent:.0} % of pairs the {which} answer has more, whatever it says"
        ))
    }
}

/// A pair: how much more the better answer has, and how much longer it is.
#[derive(Debug, Clone, Copy)]
struct Pair {
    difference: f64,
    tokens: f64,
}

/// How answers are ranked; none where no two answers of a ranking have different ranks.
///
/// - `prompts`: what tells the prompt of each ranking from others: there may be several rankings of one
/// - `seed`: of the interval
#[must_use]
pub fn preference_figures(rankings: &[Vec<ValuedAnswer>], prompts: &[u64], seed: u64) -> Option<PreferenceFigures> {
    let mut by_prompt: BTreeMap<u64, Vec<Pair>> = BTreeMap::new();
    for (answers, prompt) in rankings.iter().zip(prompts) {
        let pairs = pairs(answers);
        if !pairs.is_empty() {
            by_prompt.entry(*prompt).or_default().extend(pairs);
        }
    }
    let by_prompt: Vec<Vec<Pair>> = by_prompt.into_values().collect();
    let all: Vec<Pair> = by_prompt.iter().flatten().copied().collect();
    if all.is_empty() {
        return None;
    }
    let count = all.len() as f64;
    let right: Vec<(f64, usize)> =
        by_prompt.iter().map(|pairs| (pairs.iter().map(|pair| is_more(pair.difference)).sum(), pairs.len())).collect();
    let of_prompts = |places: &[usize]| {
        let sum = |of: fn(&(f64, usize)) -> f64| places.iter().map(|place| of(&right[*place])).sum::<f64>();
        sum(|(right, _)| *right) / sum(|(_, pairs)| *pairs as f64)
    };
    let confidences: Vec<Confidence> = all.iter().map(confidence).collect();
    Some(PreferenceFigures {
        prompts: by_prompt.len(),
        pairs: all.len(),
        accuracy: accuracy(&all).unwrap_or(f64::NAN),
        interval: bootstrap(by_prompt.len(), seed, of_prompts).interval,
        margin: all.iter().map(|pair| pair.difference).sum::<f64>() / count,
        loss: all.iter().map(|pair| softplus(-pair.difference)).sum::<f64>() / count,
        by_margin: by_margin(&all),
        calibration_error: calibration_error(&calibration_bins(&confidences, Binning::EqualCount, BINS)),
        length: lengths(&all),
    })
}

/// The pairs of a prompt's answers that are told apart.
fn pairs(answers: &[ValuedAnswer]) -> Vec<Pair> {
    let mut found = Vec::new();
    for better in answers {
        for worse in answers.iter().filter(|worse| worse.rank > better.rank) {
            let (difference, tokens) = (better.value - worse.value, better.length as f64 - worse.length as f64);
            found.push(Pair { difference, tokens });
        }
    }
    found
}

/// 1 for a number above 0, 1/2 for 0, and 0 for what is below or no number.
fn is_more(difference: f64) -> f64 {
    if difference > 0.0 {
        1.0
    } else if difference == 0.0 {
        0.5
    } else {
        0.0
    }
}

fn accuracy(pairs: &[Pair]) -> Option<f64> {
    let right: f64 = pairs.iter().map(|pair| is_more(pair.difference)).sum();
    (!pairs.is_empty()).then(|| right / pairs.len() as f64)
}

/// `log(1 + exp(x))`, for any `x`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// How sure the values are of which answer is the better one, and whether it is.
fn confidence(pair: &Pair) -> Confidence {
    let probability = 1.0 / (1.0 + (-pair.difference.abs()).exp());
    Confidence { probability, is_right: pair.difference > 0.0 }
}

fn by_margin(pairs: &[Pair]) -> Vec<MarginPart> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|one, other| one.difference.abs().total_cmp(&other.difference.abs()));
    let parts = PARTS.min(sorted.len());
    let bounds = |part: usize| part * sorted.len() / parts;
    let part = |part: usize| {
        let pairs = &sorted[bounds(part)..bounds(part + 1)];
        let size = |pair: &Pair| pair.difference.abs();
        MarginPart {
            sizes: [size(&pairs[0]), size(&pairs[pairs.len() - 1])],
            pairs: pairs.len(),
            accuracy: accuracy(pairs).unwrap_or(f64::NAN),
        }
    };
    (0..parts).map(part).collect()
}

fn lengths(pairs: &[Pair]) -> LengthFigures {
    let count = pairs.len() as f64;
    let which = |is: fn(&&Pair) -> bool| accuracy(&pairs.iter().filter(is).copied().collect::<Vec<_>>());
    let mean = |of: fn(&Pair) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    LengthFigures {
        longer_is_better: mean(|pair| is_more(pair.tokens)),
        where_better_is_longer: which(|pair| pair.tokens > 0.0),
        where_better_is_shorter: which(|pair| pair.tokens < 0.0),
        longer_has_more: mean(|pair| is_more(pair.difference * pair.tokens)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn answer(value: f64, rank: u32, length: usize) -> ValuedAnswer {
        ValuedAnswer { value, rank, length }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    /// By hand: three answers of which two are a tie have two pairs, and two answers one.
    #[test]
    fn pairs_are_those_of_different_ranks() {
        let prompts = [
            vec![answer(2.0, 0, 9), answer(1.0, 1, 4), answer(3.0, 1, 9)],
            vec![answer(-1.0, 1, 2), answer(-1.0, 0, 7)],
        ];
        let found = preference_figures(&prompts, &[1, 2], 1).expect("there are pairs");
        assert_eq!((found.prompts, found.pairs), (2, 3));
        near(found.accuracy, 1.5 / 3.0);
        near(found.margin, (1.0 - 1.0 + 0.0) / 3.0);
        let softplus = |x: f64| x.exp().ln_1p();
        near(found.loss, (softplus(-1.0) + softplus(1.0) + softplus(0.0)) / 3.0);
        // lengths: 9 against 4 (right), 9 against 9 (a half), 7 against 2 (right)
        near(found.length.longer_is_better, 2.5 / 3.0);
        assert_eq!(found.length.where_better_is_longer, Some(0.75));
        assert_eq!(found.length.where_better_is_shorter, None);
        assert_eq!(found.by_margin.iter().map(|part| part.pairs).sum::<usize>(), 3);
        assert_eq!(preference_figures(&[vec![answer(1.0, 0, 1), answer(2.0, 0, 1)]], &[1], 1), None);
    }

    /// What is the length and nothing else is called that; what is not, is not.
    #[test]
    fn a_reward_of_length_is_named() {
        let of = |value: fn(usize) -> f64| {
            let prompts: Vec<Vec<ValuedAnswer>> = (0..40)
                .map(|prompt| {
                    let answer = |place: usize| {
                        let length = 5 + (prompt * 7 + place * 13) % 29;
                        answer(value(length), u32::try_from(place).expect("few"), length)
                    };
                    (0..3).map(answer).collect()
                })
                .collect();
            let keys: Vec<u64> = (0..40).collect();
            preference_figures(&prompts, &keys, 1).expect("there are pairs").length.warning()
        };
        assert!(of(|length| length as f64).is_some_and(|text| text.contains("100 % of pairs the longer")));
        assert!(of(|length| -(length as f64)).is_some_and(|text| text.contains("100 % of pairs the shorter")));
        assert_eq!(of(|length| ((length * 37) % 11) as f64), None);
    }

    proptest! {
        /// The interval is about the accuracy, and parts hold all pairs; another unit of values moves no accuracy.
        #[test]
        fn figures_hold_together(values in vec((-3.0f64..3.0, 0u32..3, 1usize..50), 6..60)) {
            let prompts: Vec<Vec<ValuedAnswer>> = values
                .chunks(3)
                .map(|answers| answers.iter().map(|(value, rank, length)| answer(*value, *rank, *length)).collect())
                .collect();
            let twice: Vec<Vec<ValuedAnswer>> = prompts
                .iter()
                .map(|answers| answers.iter().map(|own| ValuedAnswer { value: 2.0 * own.value, ..*own }).collect())
                .collect();
            // every second ranking is one more of the prompt before
            let keys: Vec<u64> = (0..prompts.len() as u64).map(|ranking| ranking / 2).collect();
            if let Some(found) = preference_figures(&prompts, &keys, 1) {
                let other = preference_figures(&twice, &keys, 1).expect("the same pairs");
                prop_assert_eq!(found.accuracy.to_bits(), other.accuracy.to_bits());
                prop_assert!((found.margin * 2.0 - other.margin).abs() < 1e-9);
                prop_assert!(found.interval[0] <= found.accuracy + 1e-12 || found.prompts < 4);
                prop_assert!(found.prompts <= prompts.len().div_ceil(2));
                prop_assert_eq!(found.by_margin.iter().map(|part| part.pairs).sum::<usize>(), found.pairs);
            }
        }
    }
}
