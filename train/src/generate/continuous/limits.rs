//! How much runs at once.

/// The limits of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Tokens that go through the model in a step, about: one of each sequence that is being continued, the others of prompts.
    pub step_tokens: usize,
    /// Sequences that run at once.
    pub sequences: usize,
    /// Bytes of keys and values, those of shared prefixes included. One sequence of the model's whole context always has room.
    pub cache_bytes: usize,
}

impl Default for BatchLimits {
    /// Chunks that fill a processor's matrix product, and hold up the others for a fraction of a second.
    fn default() -> Self {
        Self { step_tokens: 256, sequences: 32, cache_bytes: 1 << 30 }
    }
}
