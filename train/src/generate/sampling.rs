//! Sampling a token from logits.

use crate::tensor::{likeliest, powers};

/// The settings of sampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Divides the logits; 0 is greedy decoding.
    pub temperature: f64,
    /// Sample from this many of the likeliest tokens; 0 for all.
    pub top_k: usize,
    /// Sample from the likeliest tokens that have this share of the probability together; 1 for all (nucleus sampling).
    ///
    /// Source: Holtzman et al. 2020.
    pub top_p: f64,
    /// The seed.
    pub seed: u64,
}

impl Sampling {
    /// The token that a draw in `0.0..1.0` takes from the softmax of `logits`: of all in the order of their ids; of some, the likeliest first,
    /// and of equals the one with the smaller id.
    #[must_use]
    pub fn choose(self, logits: &[f32], draw: f64) -> u32 {
        let mut order = Order { logits, ids: Vec::new() };
        let first = order.at(0).unwrap_or(0);
        let scale = 1.0 / self.temperature;
        if self.temperature <= 0.0 || scale > f64::from(f32::MAX) {
            return first;
        }
        let (weights, mut total) = powers(logits, scale);
        let weight = |id: u32| f64::from(weights[id as usize]);
        if (self.top_k == 0 || self.top_k >= logits.len()) && self.top_p >= 1.0 {
            return of_all(&weights, draw * total).unwrap_or(first);
        }
        let mut count = logits.len();
        if self.top_k > 0 && self.top_k < count {
            count = self.top_k;
            total = (0..count).map_while(|place| order.at(place)).map(weight).sum();
        }
        if self.top_p < 1.0 {
            let (wanted, mut kept, mut nucleus) = (self.top_p * total, 0.0, 0);
            while nucleus < count.max(1)
                && (nucleus == 0 || kept < wanted)
                && let Some(id) = order.at(nucleus)
            {
                kept += weight(id);
                nucleus += 1;
            }
            (count, total) = (nucleus, kept);
        }
        let mut left = draw * total;
        let mut last = first;
        for place in 0..count {
            let Some(id) = order.at(place) else { break };
            left -= weight(id);
            if left < 0.0 {
                return id;
            }
            // what is lost in adding up belongs to the last that can be drawn
            last = if weight(id) > 0.0 { id } else { last };
        }
        last
    }
}

/// The id at which the sum of all weights up to it is above a number; the last that can be drawn, where adding up lost so much.
fn of_all(weights: &[f32], mut left: f64) -> Option<u32> {
    let mut last = None;
    for (id, weight) in (0..).zip(weights).filter(|(_, weight)| **weight > 0.0) {
        left -= f64::from(*weight);
        last = Some(id);
        if left < 0.0 {
            break;
        }
    }
    last
}

/// Ids by their logits, the largest first, sorted as far as they are asked for: a draw hardly ever needs more than the first few.
struct Order<'l> {
    logits: &'l [f32],
    ids: Vec<u32>,
}

impl Order<'_> {
    /// How many are sorted at first, and then.
    const SORTED: [usize; 2] = [64, 1024];

    /// The id at a place; none behind the last.
    fn at(&mut self, place: usize) -> Option<u32> {
        let Self { logits, ids } = self;
        if place >= ids.len() && place < logits.len() {
            let [few, some] = Self::SORTED;
            // zeros are equal, whatever their sign
            let logit = |id: &u32| logits[*id as usize] + 0.0;
            let likelier = |one: &u32, other: &u32| logit(other).total_cmp(&logit(one)).then(one.cmp(other));
            *ids = if place < few {
                likeliest(logits, few, &[]).into_iter().map(|(id, _)| id).collect()
            } else {
                let mut all: Vec<u32> = (0..).take(logits.len()).collect();
                if place < some && some < all.len() {
                    all.select_nth_unstable_by(some, likelier);
                    all.truncate(some);
                }
                all.sort_unstable_by(likelier);
                all
            };
        }
        ids.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    const LOGITS: [f32; 4] = [0.0, 2.0, 1.0, -5.0];

    fn sampling(temperature: f64, top_k: usize, top_p: f64) -> Sampling {
        Sampling { temperature, top_k, top_p, seed: 1 }
    }

    #[test]
    fn draws_follow_the_softmax() {
        const DRAWS: u64 = 20_000;
        let stream = Stream::new(3, "test");
        let mut counts = [0u32; 4];
        for index in 0..DRAWS {
            counts[sampling(1.0, 0, 1.0).choose(&LOGITS, stream.fraction(index)) as usize] += 1;
        }
        let sum: f64 = LOGITS.iter().map(|logit| f64::from(*logit).exp()).sum();
        for (count, logit) in counts.iter().zip(LOGITS) {
            let (share, expected) = (f64::from(*count) / DRAWS as f64, f64::from(logit).exp() / sum);
            assert!((share - expected).abs() < 0.015, "{counts:?}: {share} is not {expected}");
        }
    }

    /// Of many tokens a draw takes the one that it takes of all of them in their order: by their ids, or where some are left out by likelihood.
    #[test]
    fn many_tokens_are_drawn_in_their_order() {
        let stream = Stream::new(4, "test");
        let logits: Vec<f32> = (0..3_000).map(|place| (stream.bits(place) % 50) as f32 / 20.0).collect();
        let mut order: Vec<usize> = (0..3_000).collect();
        order.sort_by(|one, other| logits[*other].total_cmp(&logits[*one]).then(one.cmp(other)));
        let powers: Vec<f64> = order.iter().map(|id| f64::from(logits[*id]).exp()).collect();
        let total: f64 = powers.iter().sum();
        for draw in [0.0, 0.01, 0.04, 0.2, 0.5, 0.9, 0.999] {
            let mut left = draw * total;
            let place = powers.iter().position(|power| {
                left -= power;
                left < 0.0
            });
            let expected = place.map(|place| order[place]);
            let almost_all = 1.0 - 1e-12;
            assert_eq!(Some(sampling(1.0, 0, almost_all).choose(&logits, draw) as usize), expected, "{draw}");
            let mut left = draw * total;
            let expected = logits.iter().position(|logit| {
                left -= f64::from(*logit).exp();
                left < 0.0
            });
            assert_eq!(Some(sampling(1.0, 0, 1.0).choose(&logits, draw) as usize), expected, "{draw}");
        }
    }

    #[test]
    fn limits_hold() {
        for draw in [0.0, 0.3, 0.6, 0.9999] {
            assert_eq!(sampling(0.0, 0, 1.0).choose(&LOGITS, draw), 1);
            assert_eq!(sampling(1e-50, 0, 1.0).choose(&LOGITS, draw), 1);
            assert_eq!(sampling(1.0, 1, 1.0).choose(&LOGITS, draw), 1);
            assert!([1, 2].contains(&sampling(1.0, 2, 1.0).choose(&LOGITS, draw)));
            // the likeliest has 0.66 of the probability, the first two 0.91
            assert_eq!(sampling(1.0, 0, 0.6).choose(&LOGITS, draw), 1);
            assert!([1, 2].contains(&sampling(1.0, 0, 0.9).choose(&LOGITS, draw)));
            assert_eq!(sampling(1.0, 0, 0.0).choose(&LOGITS, draw), 1);
        }
    }
}
