//! A model that writes text, a token at a time.

use burn::tensor::Tensor;

use super::text_cache::{LoadedCache, TextCache};
use crate::{
    inference::{InferenceModel, NewTokens, SequenceCache, WeightFormat},
    model::{EncoderDecoder, EncoderInput, Gpt, KvCache, Tokens},
};

/// A model that writes text, a token at a time.
pub trait TextModel {
    /// What it keeps of tokens that it has processed.
    type Cache: TextCache;

    /// Rows of the token embedding.
    fn vocab_size(&self) -> usize;

    /// The most tokens that its cache has room for.
    fn context_length(&self) -> usize;

    /// Whether an encoder reads prompts; else a text goes on after them.
    fn has_encoder(&self) -> bool;

    /// A cache for some prompts, and the ids that the text of each begins with: a decoder goes on after a prompt, and with an encoder, which
    /// reads it, the text begins with `bos` alone. An empty prompt counts as `bos`.
    fn begin(&self, prompts: &[&[u32]], bos: u32) -> (Self::Cache, Vec<Vec<u32>>);

    /// The logits, `[batch, vocab_size]`, that follow what a cache holds and the new tokens of each sequence, which are added to it.
    fn next(&self, new: &[&[u32]], cache: &mut Self::Cache) -> Vec<f32>;
}

impl TextModel for Gpt {
    type Cache = KvCache;

    fn vocab_size(&self) -> usize {
        self.vocab_size()
    }

    fn context_length(&self) -> usize {
        self.architecture().context_length
    }

    fn has_encoder(&self) -> bool {
        false
    }

    fn begin(&self, prompts: &[&[u32]], bos: u32) -> (KvCache, Vec<Vec<u32>>) {
        let cache = KvCache::new(self.architecture(), prompts.len(), &self.device());
        (cache, prompts.iter().map(|prompt| or_begin(prompt, bos)).collect())
    }

    fn next(&self, new: &[&[u32]], cache: &mut KvCache) -> Vec<f32> {
        next(new, |tokens, counts| self.next(tokens, counts, cache))
    }
}

impl TextModel for EncoderDecoder {
    type Cache = KvCache;

    fn vocab_size(&self) -> usize {
        self.vocab_size()
    }

    fn context_length(&self) -> usize {
        self.architecture().context_length
    }

    fn has_encoder(&self) -> bool {
        true
    }

    fn begin(&self, prompts: &[&[u32]], bos: u32) -> (KvCache, Vec<Vec<u32>>) {
        let mut sources: Vec<Vec<u32>> = prompts.iter().map(|prompt| or_begin(prompt, bos)).collect();
        if self.architecture().has_position_embedding() {
            // there are no positions further on: of what is longer the end is read, as a decoder reads it
            for source in &mut sources {
                source.drain(..source.len().saturating_sub(self.architecture().context_length));
            }
        }
        let (ids, lengths) = padded(sources.iter().map(Vec::as_slice));
        let tokens = Tokens { ids: &ids, batch_size: prompts.len(), starts: None };
        (self.cache(EncoderInput { tokens, lengths: &lengths }), vec![vec![bos]; prompts.len()])
    }

    fn next(&self, new: &[&[u32]], cache: &mut KvCache) -> Vec<f32> {
        next(new, |tokens, counts| self.next(tokens, counts, cache))
    }
}

impl TextModel for InferenceModel {
    type Cache = Vec<SequenceCache>;

    fn vocab_size(&self) -> usize {
        self.vocab_size()
    }

    fn context_length(&self) -> usize {
        self.context_length()
    }

    fn has_encoder(&self) -> bool {
        false
    }

    fn begin(&self, prompts: &[&[u32]], bos: u32) -> (Vec<SequenceCache>, Vec<Vec<u32>>) {
        let caches = prompts.iter().map(|_| self.cache()).collect();
        (caches, prompts.iter().map(|prompt| or_begin(prompt, bos)).collect())
    }

    fn next(&self, new: &[&[u32]], caches: &mut Vec<SequenceCache>) -> Vec<f32> {
        let mut logits = Vec::with_capacity(new.len() * self.vocab_size());
        let mut sequences = Vec::with_capacity(new.len());
        for (tokens, cache) in new.iter().zip(caches) {
            sequences.push(NewTokens { tokens, cache, wanted: tokens.len() - 1..tokens.len() });
        }
        self.forward(&mut sequences, &mut |_, of_token| logits.extend_from_slice(of_token));
        logits
    }
}

/// A model of any kind.
#[derive(Debug)]
pub enum LoadedModel {
    /// It goes on after a prompt.
    Decoder(Box<Gpt>),
    /// The same, made for inference on a CPU.
    Inference(Box<InferenceModel>),
    /// It reads a prompt and answers it.
    EncoderDecoder(Box<EncoderDecoder>),
}

impl LoadedModel {
    /// The same, where it is a decoder made for inference on a CPU.
    #[must_use]
    pub fn for_inference(self, format: WeightFormat) -> Self {
        match self {
            Self::Decoder(model) => Self::Inference(InferenceModel::new(&model, format).into()),
            other => other,
        }
    }
}

impl TextModel for LoadedModel {
    type Cache = LoadedCache;

    fn vocab_size(&self) -> usize {
        match self {
            Self::Decoder(model) => model.vocab_size(),
            Self::Inference(model) => model.vocab_size(),
            Self::EncoderDecoder(model) => model.vocab_size(),
        }
    }

    fn context_length(&self) -> usize {
        match self {
            Self::Decoder(model) => model.context_length(),
            Self::Inference(model) => model.context_length(),
            Self::EncoderDecoder(model) => model.context_length(),
        }
    }

    fn has_encoder(&self) -> bool {
        matches!(self, Self::EncoderDecoder(_))
    }

    fn begin(&self, prompts: &[&[u32]], bos: u32) -> (LoadedCache, Vec<Vec<u32>>) {
        let of_tensors = |(cache, starts)| (LoadedCache::Tensors(cache), starts);
        match self {
            Self::Decoder(model) => of_tensors(model.begin(prompts, bos)),
            Self::Inference(model) => {
                let (caches, starts) = model.begin(prompts, bos);
                (LoadedCache::Sequences(caches), starts)
            }
            Self::EncoderDecoder(model) => of_tensors(model.begin(prompts, bos)),
        }
    }

    fn next(&self, new: &[&[u32]], cache: &mut LoadedCache) -> Vec<f32> {
        match (self, cache) {
            (Self::Decoder(model), LoadedCache::Tensors(cache)) => TextModel::next(model.as_ref(), new, cache),
            (Self::Inference(model), LoadedCache::Sequences(caches)) => model.next(new, caches),
            (Self::EncoderDecoder(model), LoadedCache::Tensors(cache)) => TextModel::next(model.as_ref(), new, cache),
            _ => unreachable!("a cache that another model began"),
        }
    }
}

/// The logits that follow new tokens of several sequences, of a model that takes them as one tensor.
fn next(new: &[&[u32]], model: impl FnOnce(Tokens<'_>, &[usize]) -> Tensor<2>) -> Vec<f32> {
    let (ids, counts) = padded(new.iter().copied());
    let tokens = Tokens { ids: &ids, batch_size: new.len(), starts: None };
    model(tokens, &counts).into_data().try_to_vec().expect("logits are single precision")
}

/// A prompt, or the beginning-of-text token in the place of none.
fn or_begin(prompt: &[u32], bos: u32) -> Vec<u32> {
    if prompt.is_empty() { vec![bos] } else { prompt.to_vec() }
}

/// Sequences filled up to the longest, `[batch, time]`, and how much of each is not padding.
fn padded<'s>(sequences: impl Iterator<Item = &'s [u32]> + Clone) -> (Vec<i32>, Vec<usize>) {
    let counts: Vec<usize> = sequences.clone().map(<[u32]>::len).collect();
    let time = counts.iter().copied().max().unwrap_or(0);
    let mut ids = Vec::with_capacity(counts.len() * time);
    for (row, sequence) in sequences.enumerate() {
        ids.extend(sequence.iter().map(|id| i32::try_from(*id).expect("a vocabulary has fewer than 2^31 tokens")));
        ids.resize((row + 1) * time, 0);
    }
    (ids, counts)
}
