//! The model as a whole.

use burn::{
    module::{Module, Param},
    nn::{LayerNorm, LayerNormConfig},
    tensor::{Device, Int, Tensor, module::embedding},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{block::Block, parameters::replace};
use crate::random::Stream;

/// The deviation of weights at the start.
///
/// Source: Radford et al. 2018 (GPT-1), section 4.1.
const DEVIATION: f64 = 0.02;

/// The model's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GptConfig {
    /// Blocks, 1 or more.
    pub layers: usize,
    /// Heads of each block; they divide the width.
    pub heads: usize,
    /// Numbers that stand for a token within the model.
    pub width: usize,
    /// Tokens that the model sees at a time.
    pub context: usize,
}

/// A decoder-only transformer with learned positions and a tied head.
#[derive(Module, Debug)]
pub struct Gpt {
    tokens: Param<Tensor<2>>,
    positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

impl GptConfig {
    /// A model whose weights are drawn from `seed`: normal with deviation 0.02, those that add to the residual stream smaller by
    /// the root of twice the number of layers; biases 0, gains 1.
    ///
    /// Source: Radford et al. 2019 (GPT-2), section 2.3.
    #[must_use]
    pub fn init(&self, vocabulary: usize, seed: u64, device: &Device) -> Gpt {
        let model = Gpt {
            tokens: Param::from_tensor(Tensor::zeros([vocabulary, self.width], device)),
            positions: Param::from_tensor(Tensor::zeros([self.context, self.width], device)),
            blocks: (0..self.layers).map(|_| Block::new(self.width, self.heads, device)).collect(),
            norm: LayerNormConfig::new(self.width).init(device),
        };
        let residual = DEVIATION / (2.0 * self.layers as f64).sqrt();
        replace(model, |name, shape| {
            let count: usize = shape.iter().product();
            let constant = |value: f32| vec![value; count];
            if name.ends_with("gamma") {
                return constant(1.0);
            }
            if name.ends_with("bias") || name.ends_with("beta") {
                return constant(0.0);
            }
            let adds_to_stream = name.ends_with("attention.output.weight") || name.ends_with("down.weight");
            let deviation = if adds_to_stream { residual } else { DEVIATION };
            let stream = Stream::new(seed, name);
            #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
            (0..count as u64).map(|element| (deviation * stream.normal(element)) as f32).collect()
        })
    }
}

impl Gpt {
    /// The logits of the next token at every position.
    ///
    /// # Shapes
    /// - `ids`: `[batch, time]`, with `time` at most the context
    /// - returns: `[batch, time, vocabulary]`
    #[must_use]
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let [batch, time] = ids.dims();
        let [vocabulary, width] = self.tokens.dims();
        let positions = self.positions.val().slice([0..time, 0..width]).unsqueeze::<3>(); // [1, t, w]
        let mut x = embedding(self.tokens.val(), ids) + positions; // [b, t, w]
        for block in &self.blocks {
            x = block.forward(x);
        }
        let x = self.norm.forward(x).reshape([batch * time, width]);
        x.matmul(self.tokens.val().transpose()).reshape([batch, time, vocabulary])
    }

    /// How many tokens the model sees at a time.
    #[must_use]
    pub fn context(&self) -> usize {
        self.positions.dims()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> (GptConfig, Device) {
        (GptConfig { layers: 2, heads: 2, width: 8, context: 6 }, Device::flex())
    }

    fn logits(model: &Gpt, ids: [i32; 4], device: &Device) -> Vec<f32> {
        let ids = Tensor::<1, Int>::from_data(ids, device).reshape([1, 4]);
        model.forward(ids).into_data().try_to_vec::<f32>().expect("logits are single precision")
    }

    #[test]
    fn a_position_does_not_see_what_comes_after_it() {
        let (config, device) = tiny();
        let model = config.init(16, 1, &device);
        let one = logits(&model, [1, 2, 3, 4], &device);
        let other = logits(&model, [1, 2, 3, 9], &device);
        assert_eq!(one[..3 * 16], other[..3 * 16]);
        assert_ne!(one[3 * 16..], other[3 * 16..]);
    }

    #[test]
    fn the_seed_decides_the_weights() {
        let (config, device) = tiny();
        let of = |seed| logits(&config.init(16, seed, &device), [1, 2, 3, 4], &device);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
