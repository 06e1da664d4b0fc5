//! Requests that turn text into ids, and back.

use serde_json::Value;

use super::{
    chat::messages,
    fields::{Fields, id},
};
use crate::{
    serve::error::{ApiError, ApiResult},
    tokenizer::Message,
};

/// What is turned into ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tokenized {
    /// A text.
    Text {
        /// The text.
        text: String,
        /// Whether what stands before every text of the model stands before it.
        add_special_tokens: bool,
    },
    /// A conversation, with the words that ask for an answer behind it.
    Messages(Vec<Message>),
}

/// A request for the ids of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizeRequest {
    /// The model that is asked.
    pub model: Option<String>,
    /// The text.
    pub of: Tokenized,
    /// Whether the tokens are named, too.
    pub with_names: bool,
}

/// A request for the text of some ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetokenizeRequest {
    /// The model that is asked.
    pub model: Option<String>,
    /// The ids.
    pub ids: Vec<u32>,
}

impl TokenizeRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// When a key is missing, unknown, or has another value than it may have.
    pub fn read(body: &[u8]) -> ApiResult<Self> {
        let mut fields = Fields::of_body(body)?;
        let model = fields.string("model")?;
        let with_names = fields.bool("return_token_strs")?.unwrap_or(false);
        let prompt = fields.string("prompt")?;
        let add_special_tokens = fields.bool("add_special_tokens")?.unwrap_or(true);
        let of = match prompt {
            Some(text) => Tokenized::Text { text, add_special_tokens },
            None => {
                fields.neutral("add_generation_prompt", &[true.into()])?;
                if !fields.has("messages") {
                    return Err(ApiError::of("prompt", "`prompt` is missing"));
                }
                Tokenized::Messages(messages(&mut fields)?)
            }
        };
        fields.end()?;
        Ok(Self { model, of, with_names })
    }
}

impl DetokenizeRequest {
    /// Reads a body.
    ///
    /// - `vocab_size`: ids that the model knows
    ///
    /// # Errors
    /// When a key is missing, unknown, or has another value than it may have.
    pub fn read(body: &[u8], vocab_size: usize) -> ApiResult<Self> {
        let mut fields = Fields::of_body(body)?;
        let model = fields.string("model")?;
        let ids = match fields.take("tokens") {
            Some(Value::Array(values)) => {
                values.iter().map(|value| id(value, "tokens", vocab_size)).collect::<ApiResult<_>>()?
            }
            Some(other) => return Err(fields.other("tokens", "a list of token ids", &other)),
            None => return Err(ApiError::of("tokens", "`tokens` is missing")),
        };
        fields.end()?;
        Ok(Self { model, ids })
    }
}
