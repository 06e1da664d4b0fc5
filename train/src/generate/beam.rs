//! Beam search.

use super::{CachedDecoder, StoppingCriteria, TextModel};

/// The settings of beam search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeamConfig {
    /// Beams, 1 or more.
    pub num_beams: usize,
    /// The log probability is divided by the length to this power: 0 prefers short texts, more than 1 long ones.
    ///
    /// Source: Wu et al. 2016, equation 14, in the simpler form that is usual.
    pub length_penalty: f64,
}

/// A hypothesis.
#[derive(Debug, Clone)]
struct Beam {
    new: Vec<u32>,
    /// The sum of the log probabilities of its tokens.
    sum: f64,
}

impl BeamConfig {
    fn score(self, beam: &Beam) -> f64 {
        beam.sum / (beam.new.len().max(1) as f64).powf(self.length_penalty)
    }
}

/// Continues a prompt by the likeliest text that is found. Returns the new ids, with the end-of-text token.
#[must_use]
pub fn beam_search(
    model: &impl TextModel,
    prompt: &[u32],
    config: BeamConfig,
    criteria: &StoppingCriteria<'_>,
) -> Vec<u32> {
    if criteria.max_new_tokens == 0 {
        return Vec::new();
    }
    let (mut decoder, starts) = CachedDecoder::begin(model, &[prompt], criteria.bos);
    let start = starts.into_iter().flat_map(|sequence| sequence.ids).collect::<Vec<u32>>();
    let mut running = vec![Beam { new: Vec::new(), sum: 0.0 }];
    let mut over: Vec<Beam> = Vec::new();
    while !running.is_empty() {
        let texts: Vec<Vec<u32>> = running.iter().map(|beam| [start.as_slice(), &beam.new].concat()).collect();
        let mut logits = decoder.next(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        criteria.suppress(&mut logits, model.vocab_size());
        let mut next = expand(&running, &logits, model.vocab_size(), 2 * config.num_beams);
        let mut staying = Vec::new();
        for (parent, beam) in next.drain(..) {
            if criteria.are_met(&beam.new) {
                over.push(beam);
            } else if staying.len() < config.num_beams {
                staying.push((parent, beam));
            }
        }
        over.sort_by(|one, other| config.score(other).total_cmp(&config.score(one)));
        over.truncate(config.num_beams);
        // a text that goes on only loses probability: it must already be better than what is over
        let worst = over.get(config.num_beams - 1).map(|beam| config.score(beam));
        let hopeful = staying.iter().any(|(_, beam)| {
            let longest = Beam { new: vec![0; criteria.max_new_tokens], sum: beam.sum };
            worst.is_none_or(|worst| config.score(beam).max(config.score(&longest)) > worst)
        });
        if !hopeful {
            break;
        }
        decoder.keep(&staying.iter().map(|(parent, _)| *parent).collect::<Vec<_>>());
        running = staying.into_iter().map(|(_, beam)| beam).collect();
    }
    over.into_iter().next().map(|beam| beam.new).unwrap_or_default()
}

/// The likeliest `count` continuations of all beams by one token, each with the number of the beam that it continues.
fn expand(running: &[Beam], logits: &[f32], vocab_size: usize, count: usize) -> Vec<(usize, Beam)> {
    let mut all: Vec<(f64, usize, u32)> = Vec::with_capacity(running.len() * vocab_size);
    for (parent, (beam, logits)) in running.iter().zip(logits.chunks_exact(vocab_size)).enumerate() {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits.iter().map(|logit| f64::from(logit - largest).exp()).sum();
        let log_sum_exp = f64::from(largest) + sum.ln();
        let possible = (0u32..).zip(logits).filter(|(_, logit)| **logit > f32::NEG_INFINITY);
        all.extend(possible.map(|(id, logit)| (beam.sum + f64::from(*logit) - log_sum_exp, parent, id)));
    }
    let likelier = |one: &(f64, usize, u32), other: &(f64, usize, u32)| {
        other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)).then(one.2.cmp(&other.2))
    };
    if count < all.len() {
        all.select_nth_unstable_by(count, likelier);
        all.truncate(count);
    }
    all.sort_unstable_by(likelier);
    let follower = |(sum, parent, id): (f64, usize, u32)| {
        (parent, Beam { new: [running[parent].new.as_slice(), &[id]].concat(), sum })
    };
    all.into_iter().map(follower).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{
        generate::{Sampling, generate},
        model::{Gpt, ModelConfig, Tokens},
    };

    fn model() -> Gpt {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(16),
            context_length: Some(16),
            ..ModelConfig::default()
        };
        // larger weights than those of a start, so that probabilities differ
        let model = config.architecture().expect("the numbers fit together").init(6, 5, &Device::flex());
        let mut numbers = crate::model::named_parameters(&model).into_iter();
        crate::model::replace(model, |_, _| {
            let named = numbers.next().expect("a parameter");
            named.values.iter().map(|x| x * 20.0).collect()
        })
    }

    fn log_probability(model: &Gpt, prompt: &[u32], new: &[u32]) -> f64 {
        let ids: Vec<i32> = prompt.iter().chain(new).map(|id| i32::try_from(*id).expect("small")).collect();
        let logits = model.logits(Tokens { ids: &ids, batch_size: 1, starts: None }).into_data();
        let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
        let at = |(place, id): (usize, &u32)| {
            let row = &logits[(prompt.len() + place - 1) * 6..][..6];
            let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
            f64::from(row[*id as usize]) - sum.ln()
        };
        new.iter().enumerate().map(at).sum()
    }

    const CRITERIA: StoppingCriteria<'static> =
        StoppingCriteria { max_new_tokens: 3, bos: 5, eos: &[5], suppressed: &[], should_stop: &|_| false };

    #[test]
    fn enough_beams_find_the_likeliest_of_all_texts() {
        let model = model();
        let mut texts: Vec<Vec<u32>> = Vec::new();
        for one in 0..6 {
            for other in 0..6 {
                for last in 0..6 {
                    let text = [one, other, last];
                    let end = text.iter().position(|id| *id == 5).map_or(3, |place| place + 1);
                    texts.push(text[..end].to_vec());
                }
            }
        }
        let likeliest =
            texts.iter().map(|text| log_probability(&model, &[1, 2], text)).fold(f64::NEG_INFINITY, f64::max);
        let found = beam_search(&model, &[1, 2], BeamConfig { num_beams: 40, length_penalty: 0.0 }, &CRITERIA);
        assert!((log_probability(&model, &[1, 2], &found) - likeliest).abs() < 1e-4);
    }

    #[test]
    fn one_beam_is_greedy() {
        let model = model();
        let greedy = Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 1 };
        let beam = beam_search(&model, &[3], BeamConfig { num_beams: 1, length_penalty: 1.0 }, &CRITERIA);
        assert_eq!(beam, generate(&model, &[vec![3]], greedy, &CRITERIA)[0]);
    }
}
