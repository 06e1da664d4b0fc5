//! Encoders of questions and of passages: a vector for each text, such that a question's is like those of the passages that answer it.
//!
//! ```text
//! before every text, text, <|endoftext|>   -> states -> the last of them, or their mean -> a vector, of length 1 for cosine similarity
//! question . passage                       -> their similarity
//! ```
//!
//! Both are one model, or each has its own, which begin with the same weights. Parameters are `model.tokens` and so on, of the one model or of that of
//! questions, and `passage.tokens` and so on, of a model of passages' own.
//!
//! Useful for: passages that say what a question asks in other words. Not useful for: models that read both together.
//!
//! Source: Karpukhin et al. 2020 (DPR), section 3.1, whose encoders attend both ways and are read at their first token; a decoder's last token has
//! seen all of its text.

use std::collections::HashMap;

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Architecture, Gpt, Tokens,
    parameters::{named_parameters, replace_some},
    states::{last_states, mean_states},
};
use crate::tensor::Precision;

/// How the states of a text become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The state of the last token.
    #[default]
    Last,
    /// The mean of the states of all tokens.
    Mean,
}

/// How like two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Similarity {
    /// Their dot product.
    #[default]
    Dot,
    /// The cosine of the angle between them.
    Cosine,
}

/// What encoders are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoders {
    /// Whether one model reads questions and passages.
    pub shared: bool,
    /// How states become a vector.
    pub pooling: Pooling,
    /// How like two vectors are.
    pub similarity: Similarity,
}

/// Encoders of questions and of passages.
#[derive(Module, Debug)]
pub struct DualEncoder {
    model: Gpt,
    passage: Option<Gpt>,
    #[module(skip)]
    encoders: Encoders,
}

impl Architecture {
    /// Encoders of zeros, to be filled with weights that are there.
    #[must_use]
    pub fn zeros_dual_encoder(&self, vocab_size: usize, encoders: Encoders, device: &Device) -> DualEncoder {
        let model = || self.zeros(vocab_size, device);
        DualEncoder { model: model(), passage: (!encoders.shared).then(model), encoders }
    }

    /// Encoders with initial weights from `seed`, those that a language model would have.
    #[must_use]
    pub fn init_dual_encoder(&self, vocab_size: usize, encoders: Encoders, seed: u64, device: &Device) -> DualEncoder {
        let zeros = self.zeros_dual_encoder(vocab_size, encoders, device);
        DualEncoder { model: self.init(vocab_size, seed, device), ..zeros }.with_like_passages()
    }
}

impl DualEncoder {
    /// The same, whose model of passages, if it has its own, has the weights of that of questions.
    #[must_use]
    pub fn with_like_passages(self) -> Self {
        let Self { model, passage, encoders } = self;
        let passage = passage.map(|passage| {
            let mut weights: HashMap<String, Vec<f32>> =
                named_parameters(&model).into_iter().map(|named| (named.name, named.values)).collect();
            replace_some(passage, |name, _| weights.remove(name))
        });
        Self { model, passage, encoders }
    }

    /// The same, which computes in a precision. Vectors are always f32.
    #[must_use]
    pub fn computing_in(self, precision: Precision) -> Self {
        let passage = self.passage.map(|passage| passage.computing_in(precision));
        Self { model: self.model.computing_in(precision), passage, ..self }
    }

    /// The model of questions.
    #[must_use]
    pub fn model(&self) -> &Gpt {
        &self.model
    }

    /// The vectors of questions.
    ///
    /// - `lengths`: `[sequences]`, tokens that are not padding, 1 or more
    /// - `key`: a hash of (seed, step) while training, for what is dropped
    /// - returns: `[sequences, hidden_size]`
    #[must_use]
    pub fn queries(&self, tokens: Tokens<'_>, lengths: &[usize], key: Option<u64>) -> Tensor<2> {
        self.vectors(&self.model, tokens, lengths, key)
    }

    /// The vectors of passages.
    ///
    /// - `lengths`: `[sequences]`, tokens that are not padding, 1 or more
    /// - `key`: a hash of (seed, step) while training, for what is dropped
    /// - returns: `[sequences, hidden_size]`
    #[must_use]
    pub fn passages(&self, tokens: Tokens<'_>, lengths: &[usize], key: Option<u64>) -> Tensor<2> {
        self.vectors(self.passage.as_ref().unwrap_or(&self.model), tokens, lengths, key)
    }

    fn vectors(&self, model: &Gpt, tokens: Tokens<'_>, lengths: &[usize], key: Option<u64>) -> Tensor<2> {
        let hidden = model.hidden(tokens, key);
        let vectors = match self.encoders.pooling {
            Pooling::Last => last_states(hidden, lengths),
            Pooling::Mean => mean_states(hidden, lengths),
        };
        match self.encoders.similarity {
            Similarity::Dot => vectors,
            Similarity::Cosine => unit(vectors),
        }
    }
}

/// Vectors of length 1 in the same directions; one of nothing stays.
fn unit(x: Tensor<2>) -> Tensor<2> {
    let length = x.clone().square().sum_dim(1).sqrt().clamp_min(1e-12); // [s, 1]
    x / length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ModelConfig, named_shapes};

    fn encoder(encoders: Encoders) -> DualEncoder {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(6),
            ..ModelConfig::default()
        };
        config.architecture().expect("the numbers fit together").init_dual_encoder(16, encoders, 3, &Device::flex())
    }

    fn vectors(x: Tensor<2>) -> Vec<f32> {
        x.into_data().try_to_vec().expect("single precision")
    }

    /// However vectors are read, padding and neighbours change nothing; and encoders that are two begin as one.
    #[test]
    fn a_vector_is_that_of_its_text() {
        for pooling in [Pooling::Last, Pooling::Mean] {
            for similarity in [Similarity::Dot, Similarity::Cosine] {
                for shared in [true, false] {
                    let encoder = encoder(Encoders { shared, pooling, similarity });
                    let tokens = |ids, batch_size| Tokens { ids, batch_size, starts: None };
                    let padded = vectors(encoder.queries(tokens(&[1, 2, 3, 9, 4, 5, 6, 7], 2), &[3, 4], None));
                    let alone = [
                        vectors(encoder.passages(tokens(&[1, 2, 3], 1), &[3], None)),
                        vectors(encoder.passages(tokens(&[4, 5, 6, 7], 1), &[4], None)),
                    ];
                    let alone = alone.concat();
                    let apart = padded.iter().zip(&alone).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
                    assert!(apart < 1e-5, "{pooling:?} {similarity:?}: {padded:?} {alone:?}");
                    let length = padded[..8].iter().map(|x| x * x).sum::<f32>().sqrt();
                    assert_eq!((length - 1.0).abs() < 1e-5, similarity == Similarity::Cosine, "{length}");
                    let count = named_shapes(&encoder).len();
                    assert_eq!(count, named_shapes(encoder.model()).len() * if shared { 1 } else { 2 });
                }
            }
        }
    }
}
