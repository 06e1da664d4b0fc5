//! Text from a model, one token after the other.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{model::Gpt, random::Stream};

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Divides the logits; 0 takes the likeliest token.
    pub temperature: f64,
    /// Choose among this many of the likeliest tokens; 0 for all.
    pub top_k: usize,
    /// What the draws are made from.
    pub seed: u64,
}

/// Goes on with `ids` for at most `count` tokens, or until `end` comes. Returns the new ids, `end` among them.
///
/// The model sees the last ids that fit its context. An empty start counts as the end of a text.
#[must_use]
pub fn generate(model: &Gpt, ids: &[u32], count: usize, sampling: Sampling, end: u32, device: &Device) -> Vec<u32> {
    let mut all = if ids.is_empty() { vec![end] } else { ids.to_vec() };
    let start = all.len();
    let stream = Stream::new(sampling.seed, "generate");
    for number in 0..count {
        let seen: Vec<i32> = all[all.len().saturating_sub(model.context())..]
            .iter()
            .map(|id| i32::try_from(*id).expect("a vocabulary has fewer than 2^31 tokens"))
            .collect();
        let time = seen.len();
        let inputs = Tensor::<2, Int>::from_data(TensorData::new(seen, [1, time]), device);
        let logits = model.forward(inputs); // [1, t, v]
        let vocabulary = logits.dims()[2];
        let last = logits.slice([0..1, time - 1..time, 0..vocabulary]);
        let last = last.into_data().try_to_vec::<f32>().expect("logits are single precision");
        let next = choose(&last, sampling, stream.fraction(number as u64));
        all.push(next);
        if next == end {
            break;
        }
    }
    all.split_off(start)
}

/// The token that a draw in `0.0..1.0` takes from the softmax of `logits`.
fn choose(logits: &[f32], sampling: Sampling, draw: f64) -> u32 {
    let mut order: Vec<u32> = (0..u32::try_from(logits.len()).expect("a vocabulary can be numbered")).collect();
    order.sort_by(|one, other| logits[*other as usize].total_cmp(&logits[*one as usize]).then(one.cmp(other)));
    if sampling.temperature <= 0.0 {
        return order[0];
    }
    if sampling.top_k > 0 {
        order.truncate(sampling.top_k);
    }
    let largest = f64::from(logits[order[0] as usize]);
    let weight = |id: &u32| ((f64::from(logits[*id as usize]) - largest) / sampling.temperature).exp();
    let mut left = draw * order.iter().map(weight).sum::<f64>();
    for id in &order {
        left -= weight(id);
        if left < 0.0 {
            return *id;
        }
    }
    order[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 4] = [0.0, 2.0, 1.0, -5.0];

    fn sampling(temperature: f64, top_k: usize) -> Sampling {
        Sampling { temperature, top_k, seed: 1 }
    }

    #[test]
    fn draws_follow_the_softmax() {
        const DRAWS: u64 = 20_000;
        let stream = Stream::new(3, "test");
        let mut counts = [0u32; 4];
        for index in 0..DRAWS {
            counts[choose(&LOGITS, sampling(1.0, 0), stream.fraction(index)) as usize] += 1;
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
            assert_eq!(choose(&LOGITS, sampling(0.0, 0), draw), 1);
            assert_eq!(choose(&LOGITS, sampling(1.0, 1), draw), 1);
            assert!([1, 2].contains(&choose(&LOGITS, sampling(1.0, 2), draw)));
        }
    }
}
