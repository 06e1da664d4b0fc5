//! What encoders are, and what they learn from: the part `[encoder]` of a configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Encoders, Pooling, Similarity};

/// What encoders are, and what they learn from.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// Whether one model reads questions and passages. Else each has its own, and both begin with the same weights.
    pub shared: bool,
    /// How the states of a text become one vector: that of its `last` token, or their `mean`.
    pub pooling: Pooling,
    /// How like two vectors are: their `dot` product, or the `cosine` of the angle between them.
    pub similarity: Similarity,
    /// What similarities are divided by in the loss: above 0. [default: 1 for dot products, 0.05 for cosines]
    pub temperature: Option<f64>,
    /// Hard negatives of a question that are in its batch, at most: drawn anew each time out of `negatives`.
    pub hard_negatives: usize,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            shared: true,
            pooling: Pooling::default(),
            similarity: Similarity::default(),
            temperature: None,
            hard_negatives: 1,
        }
    }
}

impl EncoderConfig {
    /// What is wrong with the numbers, if something is: the key, and the message.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let temperature = self.temperature.filter(|temperature| !(temperature.is_finite() && *temperature > 0.0))?;
        Some(("temperature", format!("it has to be more than 0, and is {temperature}")))
    }

    /// The same with everything written out.
    pub(super) fn resolved(self) -> Self {
        let usual = match self.similarity {
            Similarity::Dot => 1.0,
            Similarity::Cosine => 0.05,
        };
        Self { temperature: Some(self.temperature.unwrap_or(usual)), ..self }
    }

    /// What the encoders are.
    pub(super) fn encoders(&self) -> Encoders {
        let Self { shared, pooling, similarity, .. } = *self;
        Encoders { shared, pooling, similarity }
    }
}
