//! Beam search over a model for inference.
//!
//! Beams share what they have in common in their caches. A text that is over has its log-probability divided by `((5 + length) / 6)^alpha`.
//!
//! Source: Wu et al. 2016, equation 14; width 4 and an alpha of 0.6 for free answers after Brown et al. 2020 (GPT-3), section 2.4.

use crate::{
    inference::{InferenceModel, LogitsAt, NewTokens, SequenceCache},
    tensor::{likeliest, log_sum_exp},
};

/// The settings of beam search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeamSearch {
    /// Beams, 1 or more.
    pub num_beams: usize,
    /// The power of the length penalty: 0 prefers short texts.
    pub alpha: f64,
}

impl Default for BeamSearch {
    fn default() -> Self {
        Self { num_beams: 4, alpha: 0.6 }
    }
}

/// When a text is over.
pub struct BeamEnd<'a> {
    /// Most new tokens.
    pub max_new_tokens: usize,
    /// Tokens that end a text.
    pub eos: &'a [u32],
    /// Ids that no token has, in ascending order.
    pub suppressed: &'a [u32],
    /// Whether new tokens end a text for another reason, such as a stop string.
    pub should_stop: &'a dyn Fn(&[u32]) -> bool,
}

struct Beam {
    new: Vec<u32>,
    /// The sum of the log-probabilities of its tokens.
    sum: f64,
    /// Of all its tokens but the last.
    cache: SequenceCache,
}

impl BeamSearch {
    fn score(self, sum: f64, length: usize) -> f64 {
        sum / ((5.0 + length as f64) / 6.0).powf(self.alpha)
    }

    /// The likeliest text that is found behind a prompt of one token or more: new ids, with the one that ends it. None, where the model computes
    /// what is no number.
    #[must_use]
    pub fn run(self, model: &InferenceModel, prompt: &[u32], end: &BeamEnd<'_>) -> Option<Vec<u32>> {
        let room = (model.context_length() + 1).saturating_sub(prompt.len());
        let most = end.max_new_tokens.min(room);
        if most == 0 {
            return Some(Vec::new());
        }
        let mut cache = model.cache();
        let before = prompt.len() - 1;
        if before > 0 {
            let new = NewTokens { tokens: &prompt[..before], cache: &mut cache, wanted: before..before };
            model.forward(&mut [new], &mut |_, _| {});
        }
        let mut running = vec![Beam { new: Vec::new(), sum: 0.0, cache }];
        let mut over: Vec<(f64, Vec<u32>)> = Vec::new();
        for length in 1..=most {
            let lasts: Vec<u32> = running.iter().map(|beam| *beam.new.last().unwrap_or(&prompt[before])).collect();
            let next = self.expanded(model, &mut running, &lasts, end)?;
            let mut staying = Vec::new();
            for (sum, parent, token) in next {
                let new = [running[parent].new.as_slice(), &[token]].concat();
                if length == most || end.eos.contains(&token) || (end.should_stop)(&new) {
                    over.push((self.score(sum, new.len()), new));
                } else if staying.len() < self.num_beams {
                    staying.push(Beam { new, sum, cache: running[parent].cache.clone() });
                }
            }
            over.sort_by(|one, other| other.0.total_cmp(&one.0));
            over.truncate(self.num_beams);
            // a text that goes on only loses probability: it must already be better than what is over
            let worst = over.get(self.num_beams - 1).map(|(score, _)| *score);
            let hope = |beam: &Beam| self.score(beam.sum, most).max(self.score(beam.sum, beam.new.len()));
            if worst.is_some_and(|worst| staying.iter().all(|beam| hope(beam) <= worst)) {
                break;
            }
            running = staying;
            if running.is_empty() {
                break;
            }
        }
        Some(over.into_iter().next().map(|(_, new)| new).unwrap_or_default())
    }

    /// The likeliest continuations of all beams by one token: sum, beam, token. None, where a sum is no number.
    fn expanded(
        self,
        model: &InferenceModel,
        running: &mut [Beam],
        lasts: &[u32],
        end: &BeamEnd<'_>,
    ) -> Option<Vec<(f64, usize, u32)>> {
        let count = 2 * self.num_beams;
        let mut all: Vec<(f64, usize, u32)> = Vec::with_capacity(running.len() * count);
        let sums: Vec<f64> = running.iter().map(|beam| beam.sum).collect();
        let mut new: Vec<NewTokens<'_>> = running
            .iter_mut()
            .zip(lasts)
            .map(|(beam, last)| NewTokens { tokens: std::slice::from_ref(last), cache: &mut beam.cache, wanted: 0..1 })
            .collect();
        let mut are_numbers = true;
        model.forward(&mut new, &mut |LogitsAt { sequence, .. }, logits| {
            let normalizer = log_sum_exp(logits);
            are_numbers &= normalizer.is_finite();
            // the best of all are among the best of each
            let best = likeliest(logits, count, end.suppressed).into_iter();
            all.extend(best.map(|(id, logit)| (sums[sequence] + f64::from(logit) - normalizer, sequence, id)));
        });
        all.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)).then(one.2.cmp(&other.2)));
        all.truncate(count);
        are_numbers.then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{evaluate::tests::model, inference::WeightFormat, model::Tokens};

    fn log_probability(model: &crate::model::Gpt, prompt: &[u32], new: &[u32]) -> f64 {
        let ids: Vec<i32> = prompt.iter().chain(new).map(|id| i32::try_from(*id).expect("small")).collect();
        let logits = model.logits(Tokens { ids: &ids, batch_size: 1, starts: None }).into_data();
        let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
        let at = |(place, id): (usize, &u32)| {
            let row = &logits[(prompt.len() + place - 1) * 12..][..12];
            let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
            f64::from(row[*id as usize]) - sum.ln()
        };
        new.iter().enumerate().map(at).sum()
    }

    const END: BeamEnd<'static> = BeamEnd { max_new_tokens: 3, eos: &[5], suppressed: &[11], should_stop: &|_| false };

    /// Enough beams find the best of all texts, by the penalty that is asked for.
    #[test]
    fn enough_beams_find_the_best_of_all_texts() {
        let model = model();
        let inference = InferenceModel::new(&model, WeightFormat::F32);
        let mut texts: Vec<Vec<u32>> = Vec::new();
        for one in 0..11 {
            for other in 0..11 {
                for last in 0..11 {
                    let text = [one, other, last];
                    let end = text.iter().position(|id| *id == 5).map_or(3, |place| place + 1);
                    texts.push(text[..end].to_vec());
                }
            }
        }
        for alpha in [0.0, 0.6, 3.0] {
            let search = BeamSearch { num_beams: 200, alpha };
            let score = |text: &Vec<u32>| search.score(log_probability(&model, &[1, 2], text), text.len());
            let best = texts.iter().map(score).fold(f64::NEG_INFINITY, f64::max);
            let found = search.run(&inference, &[1, 2], &END).expect("its weights are sound");
            assert!((score(&found) - best).abs() < 1e-4, "{alpha}: {found:?}");
        }
    }

    /// One beam is greedy decoding, to the end of the context and no further.
    #[test]
    fn one_beam_is_greedy() {
        let model = model();
        let inference = InferenceModel::new(&model, WeightFormat::F32);
        let end = BeamEnd { max_new_tokens: 100, eos: &[], ..END };
        let found = BeamSearch { num_beams: 1, alpha: 1.0 }.run(&inference, &[3], &end).expect("its weights are sound");
        assert_eq!(found.len(), 16);
        let mut ids = vec![3];
        for id in &found[..6] {
            let mut cache = inference.cache();
            let mut likeliest_id = 0;
            let new = NewTokens { tokens: &ids, cache: &mut cache, wanted: ids.len() - 1..ids.len() };
            inference.forward(&mut [new], &mut |_, logits| likeliest_id = likeliest(logits, 1, END.suppressed)[0].0);
            assert_eq!(*id, likeliest_id);
            ids.push(*id);
        }
    }
}
