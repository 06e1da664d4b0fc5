//! Small models of each family, and their tensors in memory, for the tests.

use std::collections::BTreeMap;

use burn::tensor::Device;
use serde_json::Value;

use super::{SpecialTokens, TensorSource, export};
use crate::{
    model::{Family, ModelConfig, NamedTensor, Positions, named_parameters},
    tensor::RopeScaling,
};

pub const SPECIAL: SpecialTokens<'static> = SpecialTokens { bos: 10, eos: &[10], pad: 0 };

/// The tensors of a folder, in memory.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    pub weights: BTreeMap<String, NamedTensor>,
    /// Names of tensors that are no weights.
    pub others: Vec<String>,
}

impl Folder {
    pub fn of(weights: impl IntoIterator<Item = NamedTensor>) -> Self {
        let weights = weights.into_iter().map(|named| (named.name.clone(), named)).collect();
        Self { weights, others: Vec::new() }
    }
}

impl TensorSource for Folder {
    fn shapes(&self) -> BTreeMap<String, Option<Vec<usize>>> {
        let weights = self.weights.iter().map(|(name, named)| (name.clone(), Some(named.shape.clone())));
        weights.chain(self.others.iter().map(|name| (name.clone(), None))).collect()
    }

    fn read(&self, name: &str) -> Result<NamedTensor, String> {
        Ok(self.weights[name].clone())
    }
}

/// Two blocks; with rotary positions grouped queries and scaled angles, too.
pub fn config(family: Family) -> ModelConfig {
    let is_rotary = matches!(family.parts().positions, Positions::Rotary { .. });
    ModelConfig {
        family: Some(family),
        num_layers: Some(2),
        num_heads: Some(4),
        num_kv_heads: is_rotary.then_some(2),
        hidden_size: Some(8),
        context_length: Some(6),
        norm_eps: Some(1e-6),
        rope_scaling: is_rotary.then_some(RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context_length: 4,
        }),
        ..ModelConfig::default()
    }
}

/// The parameters of a model of a family, where no two numbers of a bias are alike, and the same as a folder has them.
pub fn exported(family: Family) -> (Vec<NamedTensor>, Value, Folder) {
    let architecture = config(family).architecture().expect("the numbers fit together");
    let mut ours = if architecture.has_encoder() {
        named_parameters(&architecture.init_encoder_decoder(11, 1, &Device::flex()))
    } else {
        named_parameters(&architecture.init(11, 1, &Device::flex()))
    };
    for bias in ours.iter_mut().filter(|named| named.name.ends_with("bias")) {
        bias.values.iter_mut().enumerate().for_each(|(place, value)| *value = place as f32);
    }
    let (config, theirs) = export(family, &architecture, &ours, SPECIAL).expect("the family has a counterpart");
    (ours, config, Folder::of(theirs))
}
