//! A request for completions.

use serde_json::{Value, json};

use super::{
    common::{MOST_SAMPLES, SamplingParams},
    fields::{Fields, id},
};
use crate::serve::error::{ApiError, ApiResult};

/// Prompts of a request.
const MOST_PROMPTS: usize = 2048;

/// Texts that are asked for at once: prompts times samples.
const MOST_TEXTS: usize = 4096;

/// The likeliest tokens that may be asked for.
const MOST_LOGPROBS: usize = 100;

/// What is to be continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// Text.
    Text(String),
    /// Token ids.
    Ids(Vec<u32>),
}

/// A request for completions.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletionRequest {
    /// One or more.
    pub prompts: Vec<Prompt>,
    /// How tokens are chosen.
    pub sampling: SamplingParams,
    /// Samples of each prompt, of which the best are given.
    pub best_of: usize,
    /// How many of the likeliest tokens are listed beside each.
    pub logprobs: Option<usize>,
    /// Whether the prompt is given back, too.
    pub echo: bool,
}

impl CompletionRequest {
    /// Reads a body.
    ///
    /// - `vocab_size`: ids that the model knows
    ///
    /// # Errors
    /// When a key is missing, unknown, or has another value than it may have.
    pub fn read(body: &[u8], vocab_size: usize) -> ApiResult<Self> {
        let mut fields = Fields::of_body(body)?;
        let prompts = match fields.take("prompt") {
            None => vec![Prompt::Text(String::new())],
            Some(value) => prompts(value, vocab_size)?,
        };
        let sampling = SamplingParams::take(&mut fields, &["max_tokens"], vocab_size)?;
        let best_of = fields.count("best_of", [1, MOST_SAMPLES])?.unwrap_or(sampling.n);
        let logprobs = match fields.take("logprobs") {
            // as older clients ask for none
            None | Some(Value::Bool(false)) => None,
            Some(value) => {
                let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
                let count = count.filter(|count| *count <= MOST_LOGPROBS);
                let wanted = format!("a whole number from 0 to {MOST_LOGPROBS}");
                Some(count.ok_or_else(|| fields.other("logprobs", &wanted, &value))?)
            }
        };
        let echo = fields.bool("echo")?.unwrap_or(false);
        fields.neutral("suffix", &[json!("")])?;
        fields.end()?;
        if sampling.max_tokens == Some(0) && !echo {
            return Err(ApiError::of("max_tokens", "`max_tokens` has to be 1 or more, but with `echo`"));
        }
        if best_of < sampling.n {
            return Err(ApiError::of("best_of", format!("`best_of` has to be {} or more, as `n` is", sampling.n)));
        }
        if sampling.stream && best_of > sampling.n {
            return Err(ApiError::of(
                "best_of",
                "the best of several cannot be streamed: which is best is known at the end",
            ));
        }
        if prompts.len() * best_of > MOST_TEXTS {
            let message =
                format!("more than {MOST_TEXTS} texts are asked for: {} prompts, {best_of} of each", prompts.len());
            return Err(ApiError::of("prompt", message));
        }
        Ok(Self { prompts, sampling, best_of, logprobs, echo })
    }
}

/// A string, strings, ids, or lists of ids.
fn prompts(value: Value, vocab_size: usize) -> ApiResult<Vec<Prompt>> {
    let wanted = "`prompt` has to be a string, a list of strings, a list of token ids, or a list of such lists";
    let values = match value {
        Value::String(text) => return Ok(vec![Prompt::Text(text)]),
        Value::Array(values) => values,
        _ => return Err(ApiError::of("prompt", wanted)),
    };
    let of_list = |values: Vec<Value>| -> ApiResult<Prompt> {
        if values.is_empty() {
            return Err(ApiError::of("prompt", "`prompt` has a list without a token"));
        }
        Ok(Prompt::Ids(values.iter().map(|value| id(value, "prompt", vocab_size)).collect::<ApiResult<_>>()?))
    };
    match values.first() {
        None => Err(ApiError::of("prompt", "`prompt` is an empty list")),
        Some(Value::Number(_)) => Ok(vec![of_list(values)?]),
        Some(_) if values.len() > MOST_PROMPTS => {
            Err(ApiError::of("prompt", format!("`prompt` has more than {MOST_PROMPTS} prompts")))
        }
        Some(Value::String(_)) => {
            let texts = values.into_iter().map(|value| match value {
                Value::String(text) => Ok(Prompt::Text(text)),
                _ => Err(ApiError::of("prompt", wanted)),
            });
            texts.collect()
        }
        Some(_) => {
            let lists = values.into_iter().map(|value| match value {
                Value::Array(values) => of_list(values),
                _ => Err(ApiError::of("prompt", wanted)),
            });
            lists.collect()
        }
    }
}
