//! The model as a whole.

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};
use rayon::prelude::*;

use super::{
    Architecture, Initialization, KvCache, Positions,
    adapter::Adapter,
    block::Block,
    forward_pass::{ForwardPass, Tokens},
    lora::Adapters,
    parameters::replace,
    parts::Norm,
    purposes,
    relative_positions::RelativePositions,
};
use crate::{
    random::Stream,
    tensor::{Angles, DistanceBias, LowRank, Precision, embedding, head},
};

/// The standard deviation of initial weights.
///
/// Source: Radford et al. 2018 (GPT-1), section 4.1.
const DEVIATION: f64 = 0.02;

/// A decoder-only transformer.
#[derive(Module, Debug)]
pub struct Gpt {
    tokens: Param<Tensor<2>>,
    positions: Option<Param<Tensor<2>>>,
    relative: Option<RelativePositions>,
    blocks: Vec<Block>,
    norm: Option<Norm>,
    head: Option<Param<Tensor<2>>>,
    #[module(skip)]
    architecture: Architecture,
    #[module(skip)]
    angles: Option<Arc<Angles>>,
    #[module(skip)]
    precision: Precision,
}

impl Architecture {
    /// A decoder with initial weights from `seed`. With [`Initialization::Gpt`] they are normal with a standard deviation of 0.02, divided by
    /// `sqrt(2 num_layers)` for those that add to the residual stream; biases 0, gains 1. An encoder that the architecture has is left out.
    ///
    /// Source: Radford et al. 2019 (GPT-2), section 2.3.
    #[must_use]
    pub fn init(&self, vocab_size: usize, seed: u64, device: &Device) -> Gpt {
        self.initialized(self.zeros(vocab_size, device), seed)
    }

    /// A model of zeros, to be filled with weights that are there.
    #[must_use]
    pub fn zeros(&self, vocab_size: usize, device: &Device) -> Gpt {
        let table = |rows| Param::from_tensor(Tensor::zeros([rows, self.hidden_size], device));
        Gpt {
            tokens: table(vocab_size),
            positions: self.has_position_embedding().then(|| table(self.context_length)),
            relative: RelativePositions::new(self, false, device),
            blocks: (0..self.num_layers).map(|_| Block::new(self, device)).collect(),
            norm: self.has_last_norm().then(|| Norm::new(self, device)),
            head: (!self.tie_embeddings).then(|| table(vocab_size)),
            architecture: *self,
            angles: self.angles(),
            precision: Precision::F32,
        }
    }

    /// The rotary angles, where positions are rotary.
    pub(super) fn angles(&self) -> Option<Arc<Angles>> {
        let Positions::Rotary { theta, scaling } = self.positions else { return None };
        Some(Arc::new(Angles::new(self.context_length, self.head_dim, theta, scaling)))
    }

    /// The same module with initial weights.
    pub(super) fn initialized<M: Module>(&self, module: M, seed: u64) -> M {
        replace(module, |name, shape| {
            let count: usize = shape.iter().product();
            let constant = |value: f32| vec![value; count];
            if name.ends_with("gain") {
                return constant(1.0);
            }
            if name.ends_with("bias") {
                return constant(0.0);
            }
            let stream = Stream::new(seed, &purposes::of_weights(name));
            let columns: Vec<f64> = (0..shape[shape.len() - 1]).map(|column| self.deviation(name, column)).collect();
            let draw = |element: usize| columns[element % columns.len()] * stream.normal(element as u64);
            #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
            (0..count).into_par_iter().map(|element| draw(element) as f32).collect()
        })
    }

    /// The standard deviation of a column of initial weights.
    fn deviation(&self, name: &str, column: usize) -> f64 {
        let Self { hidden_size, intermediate_size, head_dim, .. } = *self;
        let of_inputs = |inputs: usize| 1.0 / (inputs as f64).sqrt();
        let (is_output, is_down) = (name.ends_with("output.weight"), name.ends_with("down.weight"));
        match self.initialization {
            Initialization::Gpt if is_output || is_down => DEVIATION / (2.0 * self.num_layers as f64).sqrt(),
            Initialization::Gpt => DEVIATION,
            Initialization::T5 if name == "tokens" || name == "positions" => 1.0,
            Initialization::T5 if is_output => of_inputs(self.query_columns()),
            Initialization::T5 if is_down => of_inputs(intermediate_size),
            // what scores are not divided by
            Initialization::T5 if name.ends_with("queries.weight") => of_inputs(hidden_size * head_dim),
            Initialization::T5 if name.ends_with("input.weight") && column < self.query_columns() => {
                of_inputs(hidden_size * head_dim)
            }
            Initialization::T5 => of_inputs(hidden_size),
        }
    }
}

impl Gpt {
    /// The same model, which computes in a precision.
    #[must_use]
    pub fn computing_in(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same model with adapters, whose numbers are drawn from `seed`, and which change nothing yet. Adapters that were there are gone.
    #[must_use]
    pub fn with_adapters(mut self, adapters: &Adapters, seed: u64) -> Self {
        let device = self.device();
        let blocks = self.blocks.iter_mut().enumerate();
        let layers = blocks.flat_map(|(layer, block)| {
            block.linears_mut().map(move |(name, linear)| (format!("blocks.{layer}.{name}"), linear))
        });
        for (name, linear) in layers {
            let adapted = adapters.linears.iter().find(|adapted| adapted.name == name);
            linear.lora = adapted.map(|adapted| Adapter::new(adapted, &adapters.lora, seed, &device));
        }
        self
    }

    /// The last hidden states: what the head is given at every position. `key` is a hash of (seed, step) while training, and none otherwise.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, time]`, with `time` at most the context length
    /// - returns: `[batch, time, hidden_size]`
    #[must_use]
    pub fn hidden(&self, tokens: Tokens<'_>, key: Option<u64>) -> Tensor<3> {
        let pass = ForwardPass::new(&self.architecture, tokens, self.angles.clone(), key);
        let bias = self.relative.as_ref().map(|relative| relative.bias(tokens.time() - 1, 0));
        self.architecture.for_head(self.forward(tokens, &pass.with_bias(bias)))
    }

    /// The logits that follow what a cache holds and the first `counts[i]` tokens of sequence `i`, which are added to it.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, time]`; what stands behind a sequence's count is padding
    /// - returns: `[batch, vocab_size]`, of the last token that counts
    #[must_use]
    pub fn next(&self, tokens: Tokens<'_>, counts: &[usize], cache: &mut KvCache) -> Tensor<2> {
        let bias = self.relative.as_ref().map(|relative| relative.bias(cache.furthest(tokens.time()), 0));
        let pass = ForwardPass::cached(&self.architecture, tokens.time(), self.angles.clone(), cache, counts);
        let x = self.forward(tokens, &pass.with_bias(bias)); // [b, t, h]
        cache.advance(counts);
        head(last_rows(self.architecture.for_head(x), counts), self.head())
    }

    /// The hidden states of an encoder: every position attends to all of its sequence.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, time]`; `lengths`: `[batch]`, the tokens of each sequence that are not padding
    /// - returns: `[batch, time, hidden_size]`
    #[must_use]
    pub fn encoded(&self, tokens: Tokens<'_>, lengths: &[usize], key: Option<u64>) -> Tensor<3> {
        let pass = ForwardPass::bidirectional(&self.architecture, tokens, lengths, self.angles.clone(), key);
        let bias = self.relative.as_ref().map(|relative| relative.bias(tokens.time() - 1, tokens.time() - 1));
        self.forward(tokens, &pass.with_bias(bias))
    }

    fn forward(&self, tokens: Tokens<'_>, pass: &ForwardPass<'_>) -> Tensor<3> {
        let x = self.precision.of(embedded(&self.tokens, self.positions.as_ref(), tokens, pass)); // [b, t, h]
        forward(
            &self.blocks,
            self.norm.as_ref(),
            pass.dropout(x, self.architecture.num_layers, purposes::EMBEDDING),
            pass,
        )
    }

    /// The logits of the next token at every position.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, time]`, with `time` at most the context length
    /// - returns: `[batch, time, vocab_size]`
    #[must_use]
    pub fn logits(&self, tokens: Tokens<'_>) -> Tensor<3> {
        let hidden = self.hidden(tokens, None);
        let [rows, time, hidden_size] = hidden.dims();
        head(hidden.reshape([rows * time, hidden_size]), self.head()).reshape([rows, time, self.vocab_size()])
    }

    /// The head's weight, `[vocab_size, hidden_size]`.
    #[must_use]
    pub fn head(&self) -> Tensor<2> {
        self.head.as_ref().unwrap_or(&self.tokens).val()
    }

    /// What the adapter of a block's linear layer, such as `attention.input`, adds to it, if it has one.
    #[must_use]
    pub fn adapter(&self, layer: usize, name: &str) -> Option<LowRank> {
        Some(self.blocks[layer].linear(name)?.lora.as_ref()?.low_rank(None))
    }

    /// What is added to the scores of keys up to `behind` places before their query, where positions are relative.
    #[must_use]
    pub fn relative_bias(&self, behind: usize) -> Option<DistanceBias> {
        Some(self.relative.as_ref()?.bias(behind, 0))
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

impl Architecture {
    /// Hidden states as the head is given them.
    pub(super) fn for_head(&self, x: Tensor<3>) -> Tensor<3> {
        if self.scale_logits { x * (1.0 / (self.hidden_size as f64).sqrt()) } else { x }
    }
}

/// The hidden state of the last token that counts of each sequence, `[batch, hidden_size]`.
pub(super) fn last_rows(x: Tensor<3>, counts: &[usize]) -> Tensor<2> {
    let [rows, time, hidden_size] = x.dims();
    let last = counts.iter().enumerate().map(|(row, count)| row * time + count - 1);
    let x = x.reshape([rows * time, hidden_size]);
    let rows: Vec<Tensor<2>> = last.map(|place| x.clone().slice([place..place + 1, 0..hidden_size])).collect();
    Tensor::cat(rows, 0)
}

/// The embeddings of tokens and of their positions.
pub(super) fn embedded(
    tokens: &Param<Tensor<2>>,
    positions: Option<&Param<Tensor<2>>>,
    given: Tokens<'_>,
    pass: &ForwardPass<'_>,
) -> Tensor<3> {
    let x = embedding(tokens.val(), given.ids, given.batch_size); // [b, t, h]
    let Some(positions) = positions else { return x };
    let places = pass.positions.iter().map(|place| i32::try_from(*place).expect("a context is short"));
    x + embedding(positions.val(), &places.collect::<Vec<_>>(), given.batch_size)
}

/// All blocks, and the last norm.
pub(super) fn forward(blocks: &[Block], norm: Option<&Norm>, x: Tensor<3>, pass: &ForwardPass<'_>) -> Tensor<3> {
    let x = blocks.iter().enumerate().fold(x, |x, (layer, block)| block.forward(x, pass, layer));
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, ModelConfig, Stacks};

    fn tiny(family: Family) -> Architecture {
        let config = ModelConfig {
            family: Some(family),
            num_layers: Some(2),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(6),
            ..ModelConfig::default()
        };
        // a decoder of these parts, whatever else the family has
        Architecture { stacks: Stacks::Decoder, ..config.architecture().expect("the numbers fit together") }
    }

    fn logits(model: &Gpt, ids: [i32; 4], starts: Option<&[i32]>) -> Vec<f32> {
        model
            .logits(Tokens { ids: &ids, batch_size: 1, starts })
            .into_data()
            .try_to_vec()
            .expect("logits are single precision")
    }

    #[test]
    fn a_position_does_not_see_what_comes_after_it() {
        for &family in Family::ALL {
            let model = tiny(family).init(16, 1, &Device::flex());
            let (one, other) = (logits(&model, [1, 2, 3, 4], None), logits(&model, [1, 2, 3, 9], None));
            assert_eq!(one[..3 * 16], other[..3 * 16], "{family:?}");
            assert_ne!(one[3 * 16..], other[3 * 16..], "{family:?}");
        }
    }

    #[test]
    fn an_encoder_attends_both_ways_and_not_to_padding() {
        let model = tiny(Family::Gpt2).init(16, 1, &Device::flex());
        let of = |ids: [i32; 4], length| -> Vec<f32> {
            let tokens = Tokens { ids: &ids, batch_size: 1, starts: None };
            model.encoded(tokens, &[length], None).into_data().try_to_vec().expect("single precision")
        };
        assert_ne!(of([1, 2, 3, 4], 4)[..8], of([1, 2, 3, 9], 4)[..8], "the first position attends to the last");
        assert_eq!(of([1, 2, 3, 4], 3)[..3 * 8], of([1, 2, 3, 9], 3)[..3 * 8], "nothing attends to padding");
    }

    #[test]
    fn documents_that_are_masked_are_as_if_alone() {
        for family in [Family::Gpt2, Family::Llama] {
            let model = tiny(family).init(16, 1, &Device::flex());
            let together = logits(&model, [7, 8, 3, 4], Some(&[0, 0, 2, 2]));
            let alone = logits(&model, [3, 4, 1, 1], None);
            assert_eq!(together[2 * 16..], alone[..2 * 16], "{family:?}");
        }
    }

    #[test]
    fn a_cache_gives_the_same_logits() {
        for &family in Family::ALL {
            let model = tiny(family).init(16, 1, &Device::flex());
            let mut cache = KvCache::new(model.architecture(), 2, &Device::flex());
            let padded = Tokens { ids: &[7, 8, 3, 5, 0, 0], batch_size: 2, starts: None };
            let _ = model.next(padded, &[3, 1], &mut cache);
            let next = model.next(Tokens { ids: &[4, 9], batch_size: 2, starts: None }, &[1, 1], &mut cache);
            let next: Vec<f32> = next.into_data().try_to_vec().expect("logits are single precision");
            let (one, other) = (logits(&model, [7, 8, 3, 4], None), logits(&model, [5, 9, 0, 0], None));
            let expected = [&one[3 * 16..], &other[16..2 * 16]].concat();
            let close = next.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-5);
            assert!(close && next.len() == expected.len(), "{family:?}: {next:?} is not {expected:?}");
            assert_eq!(cache.lengths(), [4, 2]);
        }
    }

    #[test]
    fn an_architecture_counts_its_parameters() {
        for &family in Family::ALL {
            let architecture = Architecture { num_kv_heads: 1, ..tiny(family) };
            assert_eq!(
                architecture.init(16, 1, &Device::flex()).num_params(),
                architecture.parameters(16),
                "{family:?}"
            );
        }
    }

    #[test]
    fn the_seed_decides_the_weights() {
        let of = |seed| logits(&tiny(Family::Gpt2).init(16, seed, &Device::flex()), [1, 2, 3, 4], None);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
