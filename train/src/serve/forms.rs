//! The forms of answers.

use serde::Serialize;
use serde_json::Value;

use super::{
    choice::TokenLogprob,
    token_names::{NamedTop, TokenTable, finite},
};

/// Tokens of a request and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the API has these names")]
pub struct Usage {
    pub prompt_tokens: usize,
    pub completion_tokens: usize,
    pub total_tokens: usize,
}

/// An answer, or a piece of one.
#[derive(Debug, Serialize)]
pub struct Answer<'a, C> {
    pub id: &'a str,
    pub object: &'static str,
    pub created: u64,
    pub model: &'a str,
    pub choices: Vec<C>,
    /// None where nobody asks; null in pieces but the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Value>,
}

/// A text of completions.
#[derive(Debug, Serialize)]
pub struct CompletionChoice {
    pub text: String,
    pub index: usize,
    pub logprobs: Option<CompletionLogprobs>,
    pub finish_reason: Option<&'static str>,
}

/// The tokens of completions: lists of one length.
#[derive(Debug, Default, Serialize)]
pub struct CompletionLogprobs {
    pub tokens: Vec<String>,
    pub token_logprobs: Vec<Option<f32>>,
    pub top_logprobs: Vec<Option<NamedTop>>,
    pub text_offset: Vec<usize>,
}

/// A message of an answer.
#[derive(Debug, Serialize)]
pub struct ChatChoice {
    pub index: usize,
    pub message: ChatMessage,
    pub logprobs: Option<ChatLogprobs>,
    pub finish_reason: Option<&'static str>,
}

/// What the assistant says.
#[derive(Debug, Serialize)]
pub struct ChatMessage {
    pub role: &'static str,
    pub content: String,
    pub refusal: Option<()>,
}

/// A piece of a message.
#[derive(Debug, Serialize)]
pub struct ChatPiece {
    pub index: usize,
    pub delta: ChatDelta,
    pub logprobs: Option<ChatLogprobs>,
    pub finish_reason: Option<&'static str>,
}

/// What a piece adds.
#[derive(Debug, Default, Serialize)]
pub struct ChatDelta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// The tokens of a message.
#[derive(Debug, Serialize)]
pub struct ChatLogprobs {
    pub content: Vec<ChatToken>,
    pub refusal: Option<()>,
}

/// A token of a message.
#[derive(Debug, Serialize)]
pub struct ChatToken {
    #[serde(flatten)]
    pub token: ChatTopToken,
    pub top_logprobs: Vec<ChatTopToken>,
}

/// A token that is likely in its place.
#[derive(Debug, Serialize)]
pub struct ChatTopToken {
    pub token: String,
    pub logprob: f32,
    pub bytes: Vec<u8>,
}

impl Usage {
    pub fn new(prompt_tokens: usize, completion_tokens: usize) -> Self {
        Self { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
    }
}

impl CompletionLogprobs {
    pub fn new(tokens: &[TokenLogprob], table: &TokenTable) -> Self {
        let mut logprobs = Self::default();
        for TokenLogprob { id, score, offset } in tokens {
            logprobs.tokens.push(table.name(*id).into_owned());
            logprobs.token_logprobs.push(score.as_ref().map(|score| finite(score.logprob)));
            logprobs.top_logprobs.push(score.as_ref().map(|score| NamedTop::new(table, score)));
            logprobs.text_offset.push(*offset);
        }
        logprobs
    }
}

impl ChatLogprobs {
    /// - `eos`: tokens that end the message, and say nothing in it
    pub fn new(tokens: &[TokenLogprob], table: &TokenTable, eos: &[u32]) -> Self {
        let listed = |id: u32, logprob: f32| ChatTopToken {
            token: table.name(id).into_owned(),
            logprob: finite(logprob),
            // all of them together are the message
            bytes: if eos.contains(&id) { Vec::new() } else { table.bytes(id).to_vec() },
        };
        let token = |TokenLogprob { score, .. }: &TokenLogprob| {
            let score = score.as_ref()?;
            let top_logprobs = score.top.iter().map(|(id, logprob)| listed(*id, *logprob)).collect();
            Some(ChatToken { token: listed(score.id, score.logprob), top_logprobs })
        };
        Self { content: tokens.iter().filter_map(token).collect(), refusal: None }
    }
}
