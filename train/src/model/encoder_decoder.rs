//! A bidirectional encoder, and a decoder with cross-attention to it.

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};

use super::{
    Architecture,
    block::Block,
    forward_pass::{ForwardPass, Tokens},
    gpt::{embedded, forward},
    parts::Norm,
    purposes,
};
use crate::tensor::{Angles, head};

/// An encoder-decoder transformer, with one embedding for both stacks and for the head.
///
/// Both stacks have `num_layers` blocks. Positions are those of the architecture; T5's own are relative biases.
///
/// Source: Vaswani et al. 2017; Raffel et al. 2020 (T5), section 2.1, for the architecture.
#[derive(Module, Debug)]
pub struct EncoderDecoder {
    tokens: Param<Tensor<2>>,
    positions: Option<Param<Tensor<2>>>,
    encoder: Vec<Block>,
    encoder_norm: Option<Norm>,
    decoder: Vec<Block>,
    decoder_norm: Option<Norm>,
    #[module(skip)]
    architecture: Architecture,
    #[module(skip)]
    angles: Option<Arc<Angles>>,
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
        let table = |rows| Param::from_tensor(Tensor::zeros([rows, self.hidden_size], device));
        let norm = || self.has_last_norm().then(|| Norm::new(self, device));
        let model = EncoderDecoder {
            tokens: table(vocab_size),
            positions: self.has_position_embedding().then(|| table(self.context_length)),
            encoder: (0..self.num_layers).map(|_| Block::new(self, device)).collect(),
            encoder_norm: norm(),
            decoder: (0..self.num_layers).map(|_| Block::with_cross_attention(self, device)).collect(),
            decoder_norm: norm(),
            architecture: *self,
            angles: self.angles(),
        };
        self.initialized(model, seed)
    }
}

impl EncoderDecoder {
    /// The last hidden states of the decoder. `key` is a hash of (seed, step) while training.
    ///
    /// # Shapes
    /// - `source`: `[batch, time]`; `target`: `[batch, other time]`
    /// - returns: `[batch, other time, hidden_size]`
    #[must_use]
    pub fn hidden(&self, source: EncoderInput<'_>, target: Tokens<'_>, key: Option<u64>) -> Tensor<3> {
        let layers = self.architecture.num_layers;
        let pass =
            ForwardPass::bidirectional(&self.architecture, source.tokens, source.lengths, self.angles.clone(), key);
        let x = embedded(&self.tokens, self.positions.as_ref(), source.tokens, &pass);
        let memory = forward(
            &self.encoder,
            self.encoder_norm.as_ref(),
            pass.dropout(x, layers, purposes::ENCODER_EMBEDDING),
            &pass,
        );
        // the decoder's blocks drop by a key of their own
        let key = key.map(|key| key.rotate_left(32));
        let pass =
            ForwardPass::new(&self.architecture, target, self.angles.clone(), key).with_memory(memory, source.lengths);
        let x = embedded(&self.tokens, self.positions.as_ref(), target, &pass);
        forward(&self.decoder, self.decoder_norm.as_ref(), pass.dropout(x, layers, purposes::DECODER_EMBEDDING), &pass)
    }

    /// The logits of the next token at every position of the target, `[batch, other time, vocab_size]`.
    #[must_use]
    pub fn logits(&self, source: EncoderInput<'_>, target: Tokens<'_>) -> Tensor<3> {
        let hidden = self.hidden(source, target, None);
        let [rows, time, hidden_size] = hidden.dims();
        let logits = head(hidden.reshape([rows * time, hidden_size]), self.head());
        logits.reshape([rows, time, self.tokens.dims()[0]])
    }

    /// The head's weight, `[vocab_size, hidden_size]`.
    #[must_use]
    pub fn head(&self) -> Tensor<2> {
        self.tokens.val()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Family, ModelConfig, named_parameters},
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
        for family in [Family::Gpt1, Family::Gpt2, Family::Llama] {
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
