//! Text from a model, one token after the other.
//!
//! Prompts of different lengths are decoded as one batch with a KV cache, and a sequence that has come to its end leaves it. When a
//! sequence fills the model's context, its last half is kept and the rest forgotten. What an encoder has read of a prompt is kept throughout.

mod beam;
pub mod continuous;
pub mod marginal;
mod sampling;
mod text_cache;
mod text_model;

pub use beam::{BeamConfig, beam_search};
pub use sampling::Sampling;
pub use text_cache::TextCache;
pub use text_model::{LoadedModel, TextModel};

use crate::random::Stream;

/// When a text is complete, and which tokens it may have.
pub struct StoppingCriteria<'a> {
    /// The most new tokens.
    pub max_new_tokens: usize,
    /// The token that an empty prompt stands for, and that a decoder with an encoder begins with.
    pub bos: u32,
    /// The tokens that end a text.
    pub eos: &'a [u32],
    /// Ids that are never chosen, since no token has them: an embedding may have more rows than there are tokens.
    pub suppressed: &'a [u32],
    /// Whether new tokens end a text for another reason, such as a stop string.
    pub should_stop: &'a dyn Fn(&[u32]) -> bool,
}

impl StoppingCriteria<'_> {
    fn are_met(&self, new: &[u32]) -> bool {
        let is_ended = new.last().is_some_and(|last| self.eos.contains(last));
        new.len() >= self.max_new_tokens || is_ended || (self.should_stop)(new)
    }

    /// Masks the logits of suppressed tokens.
    ///
    /// # Shapes
    /// - `logits`: `[batch, vocab_size]`
    fn suppress(&self, logits: &mut [f32], vocab_size: usize) {
        if self.suppressed.is_empty() {
            return;
        }
        for sequence in logits.chunks_exact_mut(vocab_size) {
            self.suppressed.iter().for_each(|id| sequence[*id as usize] = f32::NEG_INFINITY);
        }
    }
}

/// Continues each prompt until a stopping criterion is met. Returns the new ids, with the end-of-text token.
///
/// An empty prompt counts as the beginning-of-text token. An encoder reads each prompt as it is, with or without an end. Draws depend on the seed and the number of the prompt alone.
#[must_use]
pub fn generate(
    model: &impl TextModel,
    prompts: &[Vec<u32>],
    sampling: Sampling,
    criteria: &StoppingCriteria<'_>,
) -> Vec<Vec<u32>> {
    if prompts.is_empty() || criteria.max_new_tokens == 0 {
        return vec![Vec::new(); prompts.len()];
    }
    let (mut decoder, mut sequences) = CachedDecoder::begin(model, prompts, criteria.bos);
    let mut running: Vec<usize> = (0..sequences.len()).collect();
    let streams: Vec<Stream> =
        (0..sequences.len()).map(|number| Stream::new(sampling.seed, &format!("generate {number}"))).collect();
    while !running.is_empty() {
        let ids: Vec<&[u32]> = running.iter().map(|sequence| sequences[*sequence].ids.as_slice()).collect();
        let mut logits = decoder.next(&ids);
        criteria.suppress(&mut logits, model.vocab_size());
        let mut staying = Vec::new();
        for (place, (number, logits)) in running.iter().zip(logits.chunks_exact(model.vocab_size())).enumerate() {
            let sequence = &mut sequences[*number];
            let draw = streams[*number].fraction(sequence.generated().len() as u64);
            sequence.ids.push(sampling.choose(logits, draw));
            if !criteria.are_met(sequence.generated()) {
                staying.push(place);
            }
        }
        if !staying.is_empty() && staying.len() < running.len() {
            decoder.keep(&staying);
        }
        running = staying.into_iter().map(|place| running[place]).collect();
    }
    sequences.into_iter().map(|sequence| sequence.generated().to_vec()).collect()
}

/// What a text begins with, and what was generated after it.
struct Sequence {
    ids: Vec<u32>,
    /// Tokens that were there at first.
    prompt: usize,
}

impl Sequence {
    fn generated(&self) -> &[u32] {
        &self.ids[self.prompt..]
    }
}

/// A model with the cache of a batch.
struct CachedDecoder<'m, M: TextModel> {
    model: &'m M,
    cache: M::Cache,
    /// How many tokens of each sequence the model has processed.
    processed: Vec<usize>,
}

impl<'m, M: TextModel> CachedDecoder<'m, M> {
    /// A decoder for some prompts, and the sequences that it goes on with.
    fn begin(model: &'m M, prompts: &[impl AsRef<[u32]>], bos: u32) -> (Self, Vec<Sequence>) {
        let prompts: Vec<&[u32]> = prompts.iter().map(AsRef::as_ref).collect();
        let (cache, starts) = model.begin(&prompts, bos);
        let sequences = starts.into_iter().map(|ids| Sequence { prompt: ids.len(), ids }).collect();
        (Self { model, cache, processed: vec![0; prompts.len()] }, sequences)
    }

    /// The logits that follow each sequence, `[batch, vocab_size]`.
    fn next(&mut self, sequences: &[&[u32]]) -> Vec<f32> {
        let context = self.model.context_length();
        let lengths = self.cache.lengths();
        let lengths = sequences.iter().zip(&self.processed).zip(&lengths);
        let full: Vec<bool> =
            lengths.map(|((sequence, processed), length)| length + sequence.len() - processed > context).collect();
        if full.contains(&true) {
            let is_all = self.cache.forget(&full);
            let half = (context / 2).max(1);
            for ((sequence, processed), is_full) in sequences.iter().zip(&mut self.processed).zip(full) {
                if is_all || is_full {
                    // at first a whole context may go in; later half of it stays, so that this comes seldom
                    let room = if *processed == 0 { context } else { half };
                    *processed = sequence.len().saturating_sub(room);
                }
            }
        }
        let new = sequences.iter().zip(&self.processed).map(|(sequence, processed)| &sequence[*processed..]);
        let logits = self.model.next(&new.collect::<Vec<_>>(), &mut self.cache);
        self.processed = sequences.iter().map(|sequence| sequence.len()).collect();
        logits
    }

    /// Goes on with these sequences, in this order; one may come more than once.
    fn keep(&mut self, sequences: &[usize]) {
        self.cache.reorder(sequences);
        self.processed = sequences.iter().map(|sequence| self.processed[*sequence]).collect();
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{
        inference::{InferenceModel, WeightFormat},
        model::{Gpt, ModelConfig, Tokens},
    };

    fn model() -> Gpt {
        let config = ModelConfig {
            num_layers: Some(2),
            num_heads: Some(2),
            hidden_size: Some(16),
            context_length: Some(8),
            ..ModelConfig::default()
        };
        config.architecture().expect("the numbers fit together").init(12, 3, &Device::flex())
    }

    /// The same model for inference.
    fn packed(format: WeightFormat) -> InferenceModel {
        InferenceModel::new(&model(), format)
    }

    const GREEDY: Sampling = Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 1 };

    fn criteria(tokens: usize) -> StoppingCriteria<'static> {
        StoppingCriteria { max_new_tokens: tokens, bos: 11, eos: &[11], suppressed: &[], should_stop: &|_| false }
    }

    #[test]
    fn a_prompt_in_a_batch_is_as_if_alone() {
        prompts_are_as_if_alone(&model());
        WeightFormat::ALL.into_iter().for_each(|format| prompts_are_as_if_alone(&packed(format)));
    }

    fn prompts_are_as_if_alone(model: &impl TextModel) {
        let prompts = [vec![1, 2, 3], vec![4], vec![], vec![5, 6]];
        for sampling in [GREEDY, Sampling { temperature: 1.0, ..GREEDY }] {
            let together = generate(model, &prompts, sampling, &criteria(4));
            assert_eq!(generate(model, &prompts[..1], sampling, &criteria(4)), together[..1]);
            assert_eq!(together, generate(model, &prompts, sampling, &criteria(4)), "a seed fixes the text");
        }
    }

    #[test]
    fn greedy_tokens_are_the_likeliest_of_the_whole_text() {
        let model = model();
        let new = &generate(&model, &[vec![1, 2]], GREEDY, &criteria(6))[0];
        assert_eq!(new, &generate(&packed(WeightFormat::F32), &[vec![1, 2]], GREEDY, &criteria(6))[0]);
        let mut ids = vec![1, 2];
        for id in new {
            let decoder: Vec<i32> = ids.clone();
            let logits = model.logits(Tokens { ids: &decoder, batch_size: 1, starts: None }).into_data();
            let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
            let last = &logits[(decoder.len() - 1) * 12..];
            let likeliest = (0..12).max_by(|one, other| last[*one].total_cmp(&last[*other]));
            assert_eq!(likeliest, Some(*id as usize));
            ids.push(i32::try_from(*id).expect("small"));
        }
    }

    #[test]
    fn a_text_may_grow_past_the_context() {
        let prompts = [vec![1; 20], vec![2]];
        let sampling = Sampling { temperature: 1.0, ..GREEDY };
        let new = generate(&model(), &prompts, sampling, &criteria(30));
        assert_eq!(new, generate(&packed(WeightFormat::F32), &prompts, sampling, &criteria(30)));
        for new in new {
            assert!(new.len() == 30 || new.last() == Some(&11));
        }
    }

    /// Suppressed ids do not come up, however likely they are, and each end-of-text token is one.
    #[test]
    fn what_is_suppressed_does_not_come_up() {
        let model = model();
        let free = generate(&model, &[vec![1, 2]], GREEDY, &criteria(6)).remove(0);
        let suppressed = [free[0]];
        let beams = BeamConfig { num_beams: 20, length_penalty: 1.0 };
        for sampling in
            [GREEDY, Sampling { temperature: 50.0, ..GREEDY }, Sampling { temperature: 1.0, top_k: 11, ..GREEDY }]
        {
            let criteria = StoppingCriteria { suppressed: &suppressed, ..criteria(40) };
            let new = generate(&model, &[vec![1, 2], vec![3]], sampling, &criteria).concat();
            assert!(!new.contains(&suppressed[0]), "{new:?}");
            assert!(
                !beam_search(&model, &[1, 2], beams, &StoppingCriteria { max_new_tokens: 4, ..criteria })
                    .contains(&suppressed[0])
            );
        }
        let ends = [11, free[1]];
        let ended = generate(&model, &[vec![1, 2]], GREEDY, &StoppingCriteria { eos: &ends, ..criteria(6) }).remove(0);
        let first = free.iter().position(|id| ends.contains(id)).expect("the second is an end");
        assert_eq!(ended, free[..=first]);
    }

    #[test]
    fn a_text_ends_where_it_should_stop() {
        let over = StoppingCriteria { should_stop: &|new: &[u32]| new.len() == 2, ..criteria(30) };
        let new = generate(&model(), &[vec![1], vec![2]], GREEDY, &over);
        assert!(new.iter().all(|new| new.len() <= 2));
    }
}
