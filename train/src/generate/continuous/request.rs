//! What is asked for, and what comes of it.

use std::sync::Arc;

use super::TokenScore;
use crate::generate::Sampling;

/// A prompt that is to be continued, or judged.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationRequest {
    /// The ids of the prompt, one or more.
    pub prompt: Vec<u32>,
    /// The most new tokens; 0 with `echo`, to judge the prompt alone. A text also ends where the model's context is full.
    pub max_new_tokens: usize,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Which of several samples of one prompt this is: each has draws of its own.
    pub sample: u64,
    /// The tokens that end a text.
    pub eos: Arc<[u32]>,
    /// Ids that are never chosen nor listed among the best, since no token has them.
    pub suppressed: Arc<[u32]>,
    /// What is added to the logits of some ids before one is chosen. Log-probabilities are those of the model, without.
    pub logit_bias: Vec<(u32, f32)>,
    /// How many of the likeliest tokens are listed beside each; none where nobody asks.
    pub logprobs: Option<usize>,
    /// Whether the tokens of the prompt are judged, too.
    pub echo: bool,
}

/// Something that became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum GenerationEvent {
    /// The prompt was judged, where that was asked for: an entry a token, none for the first. Comes before any token.
    Prompt {
        /// `[prompt]`.
        scores: Vec<Option<TokenScore>>,
    },
    /// A new token.
    Token(TokenScore),
    /// Nothing more will come.
    Finished {
        /// Why.
        reason: FinishReason,
    },
}

/// Why a text is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// It has an end-of-text token, which was its last event.
    EndOfText,
    /// It has as many tokens as were asked for, or as the model's context has room for.
    Length,
    /// The model computed what is no number: its weights are broken.
    NotANumber,
}

/// Why a request cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// There is nothing to continue.
    #[error("the prompt has no tokens")]
    EmptyPrompt,
    /// The model has no positions for all of it.
    #[error("the prompt has {tokens} tokens, and the model's context {context_length}")]
    TooLong {
        /// Tokens of the prompt.
        tokens: usize,
        /// The most that the model can process.
        context_length: usize,
    },
    /// There is no such token.
    #[error("{id} is no token's id: the model has {vocab_size} tokens")]
    UnknownId {
        /// The id.
        id: u32,
        /// Tokens that the model knows.
        vocab_size: usize,
    },
}
