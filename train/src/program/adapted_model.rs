//! What a model's parameters become in a training of adapters: the table with rows for new tokens, fewer positions, weights with the
//! adapters merged into them.

use crate::model::{AdapterWeights, NamedTensor, with_new_rows};

/// Adapters, and what else a training changed of the model that they are for.
#[derive(Debug)]
pub struct AdaptedModel {
    pub weights: AdapterWeights,
    /// Rows of the token embedding.
    pub vocab_size: usize,
    /// Learned positions, if it has some.
    pub context_length: usize,
    /// What new rows are drawn from.
    pub seed: u64,
}

impl AdaptedModel {
    /// A parameter of the model with its adapters merged into it.
    pub fn merged(&self, mut named: NamedTensor) -> NamedTensor {
        match named.name.as_str() {
            "tokens" | "head" => with_new_rows(named, self.vocab_size, self.seed),
            "positions" if named.shape[0] > self.context_length => {
                named.shape[0] = self.context_length;
                named.values.truncate(named.shape.iter().product());
                named
            }
            _ => self.weights.merged(named),
        }
    }
}
