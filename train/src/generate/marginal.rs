//! One text behind several contexts, each of which has a weight: what to answer from several passages, none of which is known to be right.
//!
//! ```text
//! by token      p(y) = product over tokens of  sum over contexts  w p(token | context, before)     each token may be another context's
//! by sequence   p(y) = sum over contexts  w  product over tokens  p(token | context, before)       one context has written all of it
//! ```
//!
//! By token, the likeliest token is taken of the mixture. By sequence, each context writes what it finds likeliest, and all of that is judged behind
//! all contexts ("thorough" decoding): the likeliest stays.
//!
//! Useful for: retrieval-augmented generation; with one context, greedy decoding. Not useful for: sampling.
//!
//! Source: Lewis et al. 2020 (RAG), sections 2.1 and 2.5; beams are left out.

use super::StoppingCriteria;
use crate::{
    inference::{InferenceModel, NewTokens, SequenceCache},
    tensor::log_sum_exp,
};

/// Contexts of a text.
#[derive(Debug, Clone, Copy)]
pub struct Contexts<'c> {
    /// The ids of each, one or more, with room behind them for what is written.
    pub prompts: &'c [Vec<u32>],
    /// How likely each is to be the one: they sum up to 1.
    pub weights: &'c [f64],
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Marginal {
    /// Its ids, with the end of the text.
    pub ids: Vec<u32>,
    /// What each context has to do with it: how likely it is to have written it, by token in the mean; they sum up to 1.
    pub shares: Vec<f64>,
    /// The logarithm of how likely it is.
    pub log_likelihood: f64,
}

/// Contexts that were read: what each holds, and the log-probabilities of the token behind it.
#[derive(Clone)]
struct Read {
    caches: Vec<SequenceCache>,
    next: Vec<Vec<f32>>,
}

/// Continues contexts by the likeliest tokens of their mixture; none where the model computes what is no number.
#[must_use]
pub fn by_token(model: &InferenceModel, contexts: Contexts<'_>, criteria: &StoppingCriteria<'_>) -> Option<Marginal> {
    written(model, Read::of(model, contexts.prompts)?, contexts.weights, criteria)
}

/// The text that is likeliest behind all contexts among those that each finds likeliest; none where the model computes what is no number.
#[must_use]
pub fn by_sequence(
    model: &InferenceModel,
    contexts: Contexts<'_>,
    criteria: &StoppingCriteria<'_>,
) -> Option<Marginal> {
    let read = Read::of(model, contexts.prompts)?;
    let mut texts: Vec<Vec<u32>> = Vec::new();
    for place in 0..contexts.prompts.len() {
        let alone = Read { caches: vec![read.caches[place].clone()], next: vec![read.next[place].clone()] };
        let Marginal { ids, .. } = written(model, alone, &[1.0], criteria)?;
        if !texts.contains(&ids) {
            texts.push(ids);
        }
    }
    let mut best: Option<Marginal> = None;
    for ids in texts {
        let each = read.log_likelihoods(model, &ids)?;
        let weighted: Vec<f64> =
            each.iter().zip(contexts.weights).map(|(likelihood, weight)| weight.ln() + likelihood).collect();
        let log_likelihood = log_of_sum(&weighted);
        if best.as_ref().is_none_or(|best| log_likelihood > best.log_likelihood) {
            let shares = weighted.iter().map(|own| (own - log_likelihood).exp()).collect();
            best = Some(Marginal { ids, shares, log_likelihood });
        }
    }
    best
}

/// Continues what was read by the likeliest tokens of the mixture.
fn written(
    model: &InferenceModel,
    mut read: Read,
    weights: &[f64],
    criteria: &StoppingCriteria<'_>,
) -> Option<Marginal> {
    let mut ids: Vec<u32> = Vec::new();
    let mut shares = vec![0.0; weights.len()];
    let mut log_likelihood = 0.0;
    while !criteria.are_met(&ids) {
        let mut mixture = vec![0.0; model.vocab_size()];
        for (log_probs, weight) in read.next.iter().zip(weights) {
            mixture.iter_mut().zip(log_probs).for_each(|(sum, log_prob)| *sum += weight * f64::from(*log_prob).exp());
        }
        criteria.suppressed.iter().for_each(|id| mixture[*id as usize] = -1.0);
        let mut best = 0;
        for (token, probability) in mixture.iter().enumerate() {
            if *probability > mixture[best] {
                best = token;
            }
        }
        for ((share, log_probs), weight) in shares.iter_mut().zip(&read.next).zip(weights) {
            *share += weight * f64::from(log_probs[best]).exp() / mixture[best];
        }
        log_likelihood += mixture[best].ln();
        ids.push(u32::try_from(best).expect("a vocabulary has fewer tokens"));
        if !criteria.are_met(&ids) {
            read.advance(model, &ids[ids.len() - 1..])?;
        }
    }
    let count = ids.len().max(1) as f64;
    let shares = if ids.is_empty() { weights.to_vec() } else { shares.iter().map(|share| share / count).collect() };
    Some(Marginal { ids, shares, log_likelihood })
}

impl Read {
    /// Reads contexts.
    fn of(model: &InferenceModel, prompts: &[Vec<u32>]) -> Option<Self> {
        let caches = prompts.iter().map(|_| model.cache()).collect();
        let mut read = Self { caches, next: Vec::new() };
        let prompts: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
        read.next = read.last(model, &prompts)?;
        Some(read)
    }

    /// Reads more, the same behind each.
    fn advance(&mut self, model: &InferenceModel, tokens: &[u32]) -> Option<()> {
        self.next = self.last(model, &vec![tokens; self.caches.len()])?;
        Some(())
    }

    /// The log-probabilities behind the last of some tokens, which are added to what each holds.
    fn last(&mut self, model: &InferenceModel, tokens: &[&[u32]]) -> Option<Vec<Vec<f32>>> {
        let mut new: Vec<NewTokens<'_>> = self
            .caches
            .iter_mut()
            .zip(tokens)
            .map(|(cache, tokens)| NewTokens { tokens, cache, wanted: tokens.len() - 1..tokens.len() })
            .collect();
        let mut found = Vec::with_capacity(tokens.len());
        model.forward(&mut new, &mut |_, logits| found.push(log_probabilities(logits)));
        found.into_iter().collect()
    }

    /// The logarithms of how likely some tokens are behind each context.
    fn log_likelihoods(&self, model: &InferenceModel, ids: &[u32]) -> Option<Vec<f64>> {
        let Some((first, rest)) = ids.split_first() else { return Some(vec![0.0; self.caches.len()]) };
        let mut sums: Vec<f64> = self.next.iter().map(|next| f64::from(next[*first as usize])).collect();
        if rest.is_empty() {
            return Some(sums);
        }
        let mut caches = self.caches.clone();
        let tokens = &ids[..ids.len() - 1];
        let mut new: Vec<NewTokens<'_>> =
            caches.iter_mut().map(|cache| NewTokens { tokens, cache, wanted: 0..tokens.len() }).collect();
        let mut is_number = true;
        model.forward(&mut new, &mut |at, logits| match log_probabilities(logits) {
            Some(log_probs) => sums[at.sequence] += f64::from(log_probs[rest[at.token] as usize]),
            None => is_number = false,
        });
        is_number.then_some(sums)
    }
}

/// The log-probabilities of logits; none where one is no number.
fn log_probabilities(logits: &[f32]) -> Option<Vec<f32>> {
    #[expect(clippy::cast_possible_truncation, reason = "logits are single precision")]
    let normaliser = log_sum_exp(logits) as f32;
    normaliser.is_finite().then(|| logits.iter().map(|logit| logit - normaliser).collect())
}

/// The logarithm of a sum of few powers, which are told apart further down than single precision does.
fn log_of_sum(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + values.iter().map(|value| (value - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{
        inference::WeightFormat,
        model::{Gpt, ModelConfig, Tokens, named_parameters, replace},
        random::Stream,
    };

    /// A decoder that is sure of what it says.
    fn decoder() -> Gpt {
        let config = ModelConfig {
            num_layers: Some(2),
            num_heads: Some(2),
            hidden_size: Some(16),
            context_length: Some(24),
            ..ModelConfig::default()
        };
        let model = config.architecture().expect("the numbers fit together").init(13, 3, &Device::flex());
        let mut named = named_parameters(&model).into_iter();
        replace(model, |name, _| {
            let stream = Stream::new(5, name);
            let values = named.next().expect("a parameter").values;
            #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
            let moved = |(place, value): (usize, &f32)| value + 0.3 * stream.normal(place as u64) as f32;
            values.iter().enumerate().map(moved).collect()
        })
    }

    /// The probabilities of the token behind some ids.
    fn next(model: &Gpt, ids: &[u32]) -> Vec<f64> {
        let ids: Vec<i32> = ids.iter().map(|id| i32::try_from(*id).expect("small")).collect();
        let logits: Vec<f32> = model
            .logits(Tokens { ids: &ids, batch_size: 1, starts: None })
            .into_data()
            .try_to_vec()
            .expect("single precision");
        let last = &logits[logits.len() - 13..];
        let sum: f64 = last.iter().map(|logit| f64::from(*logit).exp()).sum();
        last.iter().map(|logit| f64::from(*logit).exp() / sum).collect()
    }

    fn behind(prompt: &[u32], ids: &[u32]) -> Vec<u32> {
        [prompt, ids].concat()
    }

    /// How likely a text is behind a context.
    fn likelihood(model: &Gpt, prompt: &[u32], ids: &[u32]) -> f64 {
        (0..ids.len()).map(|place| next(model, &behind(prompt, &ids[..place]))[ids[place] as usize]).product()
    }

    fn criteria<'c>(should_stop: &'c dyn Fn(&[u32]) -> bool, suppressed: &'c [u32]) -> StoppingCriteria<'c> {
        StoppingCriteria { max_new_tokens: 6, bos: 0, eos: &[0], suppressed, should_stop }
    }

    /// Both are what their formulas say, of every token and of every hypothesis, as a model without a cache gives them.
    #[test]
    fn what_is_written_is_the_likeliest_of_the_mixture() {
        let model = decoder();
        let packed = InferenceModel::new(&model, WeightFormat::F32);
        let prompts = [vec![1, 2, 3], vec![4, 5], vec![6, 7, 8, 9]];
        let criteria = criteria(&|_| false, &[11]);
        let mut differ = false;
        for weights in [[0.2, 0.5, 0.3], [0.05, 0.05, 0.9], [1.0 / 3.0; 3]] {
            let contexts = Contexts { prompts: &prompts, weights: &weights };
            let Marginal { ids, shares, log_likelihood } = by_token(&packed, contexts, &criteria).expect("numbers");
            let mut sum = 0.0;
            let mut expected_shares = [0.0; 3];
            for place in 0..ids.len() {
                let each: Vec<Vec<f64>> =
                    prompts.iter().map(|prompt| next(&model, &behind(prompt, &ids[..place]))).collect();
                let mixture = |token: usize| (0..3).map(|context| weights[context] * each[context][token]).sum::<f64>();
                let own = ids[place] as usize;
                assert!((0..13).filter(|token| *token != 11).all(|token| mixture(token) <= mixture(own) + 1e-6));
                sum += mixture(own).ln();
                for context in 0..3 {
                    expected_shares[context] += weights[context] * each[context][own] / mixture(own) / ids.len() as f64;
                }
            }
            assert!((sum - log_likelihood).abs() < 1e-4, "{sum} is not {log_likelihood}");
            assert!(shares.iter().zip(expected_shares).all(|(one, other)| (one - other).abs() < 1e-5), "{shares:?}");

            let found = by_sequence(&packed, contexts, &criteria).expect("numbers");
            let marginal = |ids: &[u32]| -> f64 {
                prompts.iter().zip(weights).map(|(prompt, weight)| weight * likelihood(&model, prompt, ids)).sum()
            };
            assert!((marginal(&found.ids).ln() - found.log_likelihood).abs() < 1e-4);
            for prompt in &prompts {
                let alone = Contexts { prompts: std::slice::from_ref(prompt), weights: &[1.0] };
                let own = by_token(&packed, alone, &criteria).expect("numbers");
                assert!((likelihood(&model, prompt, &own.ids).ln() - own.log_likelihood).abs() < 1e-4);
                assert!(marginal(&own.ids) <= marginal(&found.ids) * 1.0001);
                let behind_own = likelihood(&model, prompt, &found.ids);
                differ |= (behind_own / marginal(&found.ids) - 1.0).abs() > 0.05;
            }
            assert!((found.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
        assert!(differ, "contexts say different things");
    }
}
