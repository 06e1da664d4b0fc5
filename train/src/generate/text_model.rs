//! A model that writes text, a token at a time.

use burn::tensor::Tensor;

use crate::model::{EncoderDecoder, EncoderInput, Gpt, KvCache, Tokens};

/// A model that writes text, a token at a time.
pub trait TextModel {
    /// Rows of the token embedding.
    fn vocab_size(&self) -> usize;

    /// The most tokens that its cache has room for.
    fn context_length(&self) -> usize;

    /// Whether an encoder reads prompts; else a text goes on after them.
    fn has_encoder(&self) -> bool;

    /// A cache for each of some prompts, and the ids that the text begins with: a decoder goes on after a prompt, and with an encoder,
    /// which reads it, the text begins with `bos` alone. An empty prompt counts as `bos`.
    fn begin(&self, prompts: &[&[u32]], bos: u32) -> (KvCache, Vec<Vec<u32>>);

    /// The logits that follow what a cache holds and the first `counts[i]` tokens of sequence `i`, which are added to it.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, time]`; what stands behind a sequence's count is padding
    /// - returns: `[batch, vocab_size]`, of the last token that counts
    fn next(&self, tokens: Tokens<'_>, counts: &[usize], cache: &mut KvCache) -> Tensor<2>;
}

impl TextModel for Gpt {
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

    fn next(&self, tokens: Tokens<'_>, counts: &[usize], cache: &mut KvCache) -> Tensor<2> {
        self.next(tokens, counts, cache)
    }
}

impl TextModel for EncoderDecoder {
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

    fn next(&self, tokens: Tokens<'_>, counts: &[usize], cache: &mut KvCache) -> Tensor<2> {
        self.next(tokens, counts, cache)
    }
}

/// A model of either kind.
#[derive(Debug)]
pub enum LoadedModel {
    /// It goes on after a prompt.
    Decoder(Box<Gpt>),
    /// It reads a prompt and answers it.
    EncoderDecoder(Box<EncoderDecoder>),
}

impl LoadedModel {
    fn model(&self) -> &dyn TextModel {
        match self {
            Self::Decoder(model) => model.as_ref(),
            Self::EncoderDecoder(model) => model.as_ref(),
        }
    }
}

impl TextModel for LoadedModel {
    fn vocab_size(&self) -> usize {
        self.model().vocab_size()
    }

    fn context_length(&self) -> usize {
        self.model().context_length()
    }

    fn has_encoder(&self) -> bool {
        self.model().has_encoder()
    }

    fn begin(&self, prompts: &[&[u32]], bos: u32) -> (KvCache, Vec<Vec<u32>>) {
        self.model().begin(prompts, bos)
    }

    fn next(&self, tokens: Tokens<'_>, counts: &[usize], cache: &mut KvCache) -> Tensor<2> {
        self.model().next(tokens, counts, cache)
    }
}

/// A prompt, or the beginning-of-text token in the place of none.
fn or_begin(prompt: &[u32], bos: u32) -> Vec<u32> {
    if prompt.is_empty() { vec![bos] } else { prompt.to_vec() }
}

/// Sequences filled up to the longest, `[batch, time]`, and how much of each is not padding.
pub(super) fn padded<'s>(sequences: impl Iterator<Item = &'s [u32]> + Clone) -> (Vec<i32>, Vec<usize>) {
    let counts: Vec<usize> = sequences.clone().map(<[u32]>::len).collect();
    let time = counts.iter().copied().max().unwrap_or(0);
    let mut ids = Vec::with_capacity(counts.len() * time);
    for (row, sequence) in sequences.enumerate() {
        ids.extend(sequence.iter().map(|id| i32::try_from(*id).expect("a vocabulary has fewer than 2^31 tokens")));
        ids.resize((row + 1) * time, 0);
    }
    (ids, counts)
}
