//! A bidirectional encoder, and a decoder with cross-attention to it.

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};

use super::{
    Architecture, KvCache,
    block::Block,
    forward_pass::{ForwardPass, Tokens},
    gpt::{embedded, forward, last_rows},
    parts::Norm,
    purposes,
    relative_positions::RelativePositions,
};
use crate::tensor::{Angles, Precision, head};

/// An encoder-decoder transformer, with one embedding for both stacks.
///
/// Both stacks have `num_layers` blocks. Relative positions are a table of each stack; others are shared.
///
/// Source: Vaswani et al. 2017; Raffel et al. 2020 (T5), section 2.1.
#[derive(Module, Debug)]
pub struct EncoderDecoder {
    tokens: Param<Tensor<2>>,
    positions: Option<Param<Tensor<2>>>,
    encoder_relative: Option<RelativePositions>,
    encoder: Vec<Block>,
    encoder_norm: Option<Norm>,
    decoder_relative: Option<RelativePositions>,
    decoder: Vec<Block>,
    decoder_norm: Option<Norm>,
    head: Option<Param<Tensor<2>>>,
    #[module(skip)]
    architecture: Architecture,
    #[module(skip)]
    angles: Option<Arc<Angles>>,
    #[module(skip)]
    precision: Precision,
}

/// Sequences for the encoder, and how much of each is not padding.
#[derive(Debug, Clone, Copy)]
pub struct EncoderInput<'a> {
    /// `[batch, time]`.
    pub tokens: Tokens<'a>,
    /// `[batch]`.
    pub lengths: &'a [usize],
}

impl Architecture {
    /// An encoder and a decoder with initial weights from `seed`, as [`Architecture::init`] has them.
    #[must_use]
    pub fn init_encoder_decoder(&self, vocab_size: usize, seed: u64, device: &Device) -> EncoderDecoder {
        self.initialized(self.zeros_encoder_decoder(vocab_size, device), seed)
    }

    /// The same of zeros, to be filled with weights that are there.
    #[must_use]
    pub fn zeros_encoder_decoder(&self, vocab_size: usize, device: &Device) -> EncoderDecoder {
        let table = |rows| Param::from_tensor(Tensor::zeros([rows, self.hidden_size], device));
        let norm = || self.has_last_norm().then(|| Norm::new(self, device));
        EncoderDecoder {
            tokens: table(vocab_size),
            positions: self.has_position_embedding().then(|| table(self.context_length)),
            encoder_relative: RelativePositions::new(self, true, device),
            encoder: (0..self.num_layers).map(|_| Block::new(self, device)).collect(),
            encoder_norm: norm(),
            decoder_relative: RelativePositions::new(self, false, device),
            decoder: (0..self.num_layers).map(|_| Block::with_cross_attention(self, device)).collect(),
            decoder_norm: norm(),
            head: (!self.tie_embeddings).then(|| table(vocab_size)),
            architecture: *self,
            angles: self.angles(),
            precision: Precision::F32,
        }
    }
}

impl EncoderDecoder {
    /// The same model, which computes in a precision.
    #[must_use]
    pub fn computing_in(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The hidden states of the encoder. `key` is a hash of (seed, step) while training.
    ///
    /// # Shapes
    /// - `source`: `[batch, time]`
    /// - returns: `[batch, time, hidden_size]`
    fn encoded(&self, source: EncoderInput<'_>, key: Option<u64>) -> Tensor<3> {
        let EncoderInput { tokens, lengths } = source;
        let furthest = tokens.time() - 1;
        let pass = ForwardPass::bidirectional(&self.architecture, tokens, lengths, self.angles.clone(), key)
            .with_bias(self.encoder_relative.as_ref().map(|relative| relative.bias(furthest, furthest)));
        let x = self.precision.of(embedded(&self.tokens, self.positions.as_ref(), tokens, &pass));
        let x = pass.dropout(x, self.architecture.num_layers, purposes::ENCODER_EMBEDDING);
        let x = forward(&self.encoder, self.encoder_norm.as_ref(), x, &pass);
        pass.dropout_inside(x, self.architecture.num_layers, purposes::STACK)
    }

    /// What the decoder makes of its tokens.
    fn decoded(&self, target: Tokens<'_>, pass: &ForwardPass<'_>) -> Tensor<3> {
        let x = self.precision.of(embedded(&self.tokens, self.positions.as_ref(), target, pass));
        let x = pass.dropout(x, self.architecture.num_layers, purposes::DECODER_EMBEDDING);
        let x = forward(&self.decoder, self.decoder_norm.as_ref(), x, pass);
        self.architecture.for_head(pass.dropout_inside(x, self.architecture.num_layers, purposes::STACK))
    }

    /// The last hidden states of the decoder: what the head is given. `key` is a hash of (seed, step) while training.
    ///
    /// # Shapes
    /// - `source`: `[batch, time]`; `target`: `[batch, other time]`
    /// - returns: `[batch, other time, hidden_size]`
    #[must_use]
    pub fn hidden(&self, source: EncoderInput<'_>, target: Tokens<'_>, key: Option<u64>) -> Tensor<3> {
        let memory = self.encoded(source, key);
        // the decoder's blocks drop by a key of their own
        let key = key.map(|key| key.rotate_left(32));
        let pass = ForwardPass::new(&self.architecture, target, self.angles.clone(), key)
            .with_memory(memory, source.lengths)
            .with_bias(self.decoder_relative.as_ref().map(|relative| relative.bias(target.time() - 1, 0)));
        self.decoded(target, &pass)
    }

    /// The logits of the next token at every position of the target, `[batch, other time, vocab_size]`.
    #[must_use]
    pub fn logits(&self, source: EncoderInput<'_>, target: Tokens<'_>) -> Tensor<3> {
        let hidden = self.hidden(source, target, None);
        let [rows, time, hidden_size] = hidden.dims();
        let logits = head(hidden.reshape([rows * time, hidden_size]), self.head());
        logits.reshape([rows, time, self.vocab_size()])
    }

    /// A cache for the decoder, with what the encoder has read.
    #[must_use]
    pub fn cache(&self, source: EncoderInput<'_>) -> KvCache {
        let memory = self.encoded(source, None);
        let keys = self.decoder.iter().map(|block| block.memory_keys(memory.clone())).collect();
        KvCache::new(&self.architecture, source.tokens.batch_size, &self.device()).with_memory(keys, source.lengths)
    }

    /// The logits that follow what a cache holds and the first `counts[i]` tokens of sequence `i`, which are added to it.
    ///
    /// # Shapes
    /// - `target`: `[batch, time]`; what stands behind a sequence's count is padding
    /// - returns: `[batch, vocab_size]`, of the last token that counts
    #[must_use]
    pub fn next(&self, target: Tokens<'_>, counts: &[usize], cache: &mut KvCache) -> Tensor<2> {
        let furthest = cache.furthest(target.time());
        let pass = ForwardPass::cached(&self.architecture, target.time(), self.angles.clone(), cache, counts)
            .with_bias(self.decoder_relative.as_ref().map(|relative| relative.bias(furthest, 0)));
        let x = self.decoded(target, &pass);
        drop(pass);
        cache.advance(counts);
        head(last_rows(x, counts), self.head())
    }

    /// The head's weight, `[vocab_size, hidden_size]`.
    #[must_use]
    pub fn head(&self) -> Tensor<2> {
        self.head.as_ref().unwrap_or(&self.tokens).val()
    }

    /// The model's architecture.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The device that it is on.
    #[must_use]
    pub fn device(&self) -> Device {
        self.tokens.device()
    }

    /// Rows of the token embedding.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.tokens.dims()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Family, ModelConfig, Stacks, named_parameters},
        optimize::{Gradients, OptimizerConfig},
        tensor::head_loss,
    };

    fn tiny(family: Family) -> Architecture {
        let config = ModelConfig {
            family: Some(family),
            num_layers: Some(2),
            num_heads: Some(2),
            hidden_size: Some(16),
            context_length: Some(6),
            ..ModelConfig::default()
        };
        config.architecture().expect("the numbers fit together")
    }

    fn logits(model: &EncoderDecoder, source: [i32; 3], length: usize, target: [i32; 2]) -> Vec<f32> {
        let source = EncoderInput { tokens: Tokens { ids: &source, batch_size: 1, starts: None }, lengths: &[length] };
        let logits = model.logits(source, Tokens { ids: &target, batch_size: 1, starts: None });
        logits.into_data().try_to_vec().expect("logits are single precision")
    }

    #[test]
    fn a_target_depends_on_its_source_and_not_on_what_comes() {
        for &family in Family::ALL {
            let model = tiny(family).init_encoder_decoder(12, 1, &Device::flex());
            let one = logits(&model, [1, 2, 3], 3, [4, 5]);
            assert_ne!(one, logits(&model, [1, 2, 7], 3, [4, 5]), "{family:?}");
            assert_eq!(one[..12], logits(&model, [1, 2, 3], 3, [4, 9])[..12], "{family:?}");
            assert_eq!(
                logits(&model, [1, 2, 3], 2, [4, 5]),
                logits(&model, [1, 2, 7], 2, [4, 5]),
                "{family:?}: padding"
            );
        }
    }

    /// Sequences of different lengths, sources that are padded, and rows that are mixed as beams mix them.
    #[test]
    fn a_cache_gives_the_same_logits() {
        for &family in Family::ALL {
            let model = tiny(family).init_encoder_decoder(12, 1, &Device::flex());
            let tokens = |ids| Tokens { ids, batch_size: 2, starts: None };
            let mut cache = model.cache(EncoderInput { tokens: tokens(&[1, 2, 3, 7, 8, 0]), lengths: &[3, 2] });
            let _ = model.next(tokens(&[4, 5, 6, 0]), &[2, 1], &mut cache);
            cache.reorder(&[1, 0, 0]);
            let next = Tokens { ids: &[9, 10, 11], batch_size: 3, starts: None };
            let next: Vec<f32> =
                model.next(next, &[1; 3], &mut cache).into_data().try_to_vec().expect("single precision");
            let whole = |source: &[i32], target: &[i32]| -> Vec<f32> {
                let one = |ids| Tokens { ids, batch_size: 1, starts: None };
                let source = EncoderInput { tokens: one(source), lengths: &[source.len()] };
                let logits = model.logits(source, one(target)).into_data();
                let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
                logits[logits.len() - 12..].to_vec()
            };
            let expected =
                [whole(&[7, 8], &[6, 9]), whole(&[1, 2, 3], &[4, 5, 10]), whole(&[1, 2, 3], &[4, 5, 11])].concat();
            let close = next.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-5);
            assert!(close && next.len() == expected.len(), "{family:?}: {next:?} is not {expected:?}");
        }
    }

    #[test]
    fn an_architecture_counts_its_parameters() {
        for &family in Family::ALL {
            let architecture = Architecture { stacks: Stacks::EncoderDecoder, num_kv_heads: 1, ..tiny(family) };
            let model = architecture.init_encoder_decoder(16, 1, &Device::flex());
            assert_eq!(model.num_params(), architecture.parameters(16), "{family:?}");
        }
    }

    /// To copy the source is only to be learned by cross-attention, and every parameter has a part in it.
    #[test]
    fn it_learns_to_copy() {
        let mut model = tiny(Family::Gpt2).init_encoder_decoder(8, 1, &Device::flex().autodiff());
        let mut optimizer = OptimizerConfig::default().build().expect("defaults fit together");
        let draws = crate::random::Stream::new(1, "copy");
        let mut losses = Vec::new();
        for step in 0..150u64 {
            let ids: Vec<i32> =
                (0..64 * 3).map(|at| i32::try_from(1 + draws.bits(step * 192 + at) % 7).expect("small")).collect();
            let target: Vec<i32> = ids.chunks(3).flat_map(|row| [0, row[0], row[1]]).collect();
            let source = EncoderInput { tokens: Tokens { ids: &ids, batch_size: 64, starts: None }, lengths: &[3; 64] };
            let hidden = model.hidden(source, Tokens { ids: &target, batch_size: 64, starts: None }, None);
            let loss = head_loss(hidden.reshape([192, 16]), model.head(), &ids, &[1.0 / 192.0; 192]);
            let mut graph = loss.backward();
            let gradients = Gradients::of(&model, &mut graph);
            assert_eq!(gradients.by_name().count(), named_parameters(&model).len(), "every parameter has a gradient");
            model = optimizer.step(model, gradients, 1e-2);
            losses.push(loss.into_scalar::<f32>());
        }
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        assert!(first > 1.9 && last < 0.3, "from {first} to {last}");
    }
}
