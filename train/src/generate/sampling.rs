//! Sampling a token from logits.

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
    /// The token that a draw in `0.0..1.0` takes from the softmax of `logits`; of equals the one with the smaller id goes first.
    #[must_use]
    pub fn choose(self, logits: &[f32], draw: f64) -> u32 {
        let mut order: Vec<u32> = (0..u32::try_from(logits.len()).expect("a vocabulary can be numbered")).collect();
        let likelier =
            |one: &u32, other: &u32| logits[*other as usize].total_cmp(&logits[*one as usize]).then(one.cmp(other));
        if self.temperature <= 0.0 {
            return order.into_iter().min_by(likelier).expect("there is a token");
        }
        if self.top_k > 0 && self.top_k < order.len() {
            order.select_nth_unstable_by(self.top_k, likelier);
            order.truncate(self.top_k);
        }
        order.sort_unstable_by(likelier);
        let largest = f64::from(logits[order[0] as usize]);
        let weight = |id: &u32| ((f64::from(logits[*id as usize]) - largest) / self.temperature).exp();
        let mut total = order.iter().map(weight).sum::<f64>();
        if self.top_p < 1.0 {
            let mut kept = 0.0;
            let nucleus = order.iter().take_while(|id| {
                let wanted = kept < self.top_p * total;
                kept += if wanted { weight(id) } else { 0.0 };
                wanted
            });
            let count = nucleus.count().max(1);
            order.truncate(count);
            total = order.iter().map(weight).sum();
        }
        let mut left = draw * total;
        for id in &order {
            left -= weight(id);
            if left < 0.0 {
                return *id;
            }
        }
        order[0]
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

    #[test]
    fn limits_hold() {
        for draw in [0.0, 0.3, 0.6, 0.9999] {
            assert_eq!(sampling(0.0, 0, 1.0).choose(&LOGITS, draw), 1);
            assert_eq!(sampling(1.0, 1, 1.0).choose(&LOGITS, draw), 1);
            assert!([1, 2].contains(&sampling(1.0, 2, 1.0).choose(&LOGITS, draw)));
            // the likeliest has 0.66 of the probability, the first two 0.91
            assert_eq!(sampling(1.0, 0, 0.6).choose(&LOGITS, draw), 1);
            assert!([1, 2].contains(&sampling(1.0, 0, 0.9).choose(&LOGITS, draw)));
            assert_eq!(sampling(1.0, 0, 0.0).choose(&LOGITS, draw), 1);
        }
    }
}
