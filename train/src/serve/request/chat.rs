//! A request for the next message of a conversation.

use serde_json::{Value, json};

use super::{common::SamplingParams, fields::Fields};
use crate::{
    serve::error::{ApiError, ApiResult},
    tokenizer::Message,
};

/// The likeliest tokens that may be asked for.
const MOST_LOGPROBS: usize = 20;

/// Keys of chats that ask for what this server does not have.
const UNSUPPORTED: [&str; 5] = ["reasoning_effort", "verbosity", "prediction", "audio", "web_search_options"];

/// A request for the next message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// One or more.
    pub messages: Vec<Message>,
    /// How tokens are chosen.
    pub sampling: SamplingParams,
    /// How many of the likeliest tokens are listed beside each.
    pub logprobs: Option<usize>,
}

impl ChatRequest {
    /// Reads a body.
    ///
    /// - `vocab_size`: ids that the model knows
    ///
    /// # Errors
    /// When a key is missing, unknown, or has another value than it may have.
    pub fn read(body: &[u8], vocab_size: usize) -> ApiResult<Self> {
        let mut fields = Fields::of_body(body)?;
        let messages = messages(&mut fields)?;
        let sampling = SamplingParams::take(&mut fields, &["max_completion_tokens", "max_tokens"], vocab_size)?;
        if sampling.max_tokens == Some(0) {
            let key = sampling.max_tokens_key;
            return Err(ApiError::of(key, format!("`{key}` has to be 1 or more")));
        }
        let with = fields.bool("logprobs")?.unwrap_or(false);
        let top = fields.count("top_logprobs", [0, MOST_LOGPROBS])?;
        if top.is_some() && !with {
            return Err(ApiError::of("top_logprobs", "`top_logprobs` is for requests whose `logprobs` is true"));
        }
        fields.neutral("functions", &[json!([])])?;
        fields.neutral("function_call", &[json!("none"), json!("auto")])?;
        fields.neutral("modalities", &[json!(["text"])])?;
        fields.unsupported(&UNSUPPORTED)?;
        fields.pass_over(&["parallel_tool_calls"]);
        fields.end()?;
        Ok(Self { messages, sampling, logprobs: with.then(|| top.unwrap_or(0)) })
    }
}

/// Takes the messages of a conversation.
pub(super) fn messages(fields: &mut Fields) -> ApiResult<Vec<Message>> {
    match fields.take("messages") {
        Some(Value::Array(values)) if !values.is_empty() => {
            values.into_iter().enumerate().map(|(number, value)| message(value, number)).collect()
        }
        Some(Value::Array(_)) => Err(ApiError::of("messages", "`messages` is an empty list")),
        Some(other) => Err(fields.other("messages", "a list of messages", &other)),
        None => Err(ApiError::of("messages", "`messages` is missing")),
    }
}

fn message(value: Value, number: usize) -> ApiResult<Message> {
    let place = format!("messages[{number}]");
    let mut fields = Fields::of_value(value, &place)?;
    let missing = |name: &str| ApiError::of(&format!("{place}.{name}"), format!("`{place}.{name}` is missing"));
    let role = fields.string("role")?.ok_or_else(|| missing("role"))?;
    // newer clients call the system so
    let role = if role == "developer" { "system".to_owned() } else { role };
    let content = match fields.take("content") {
        Some(Value::String(text)) => text,
        Some(Value::Array(parts)) => {
            let parts = parts.into_iter().enumerate();
            let texts = parts.map(|(part, value)| text_of(value, &format!("{place}.content[{part}]")));
            texts.collect::<ApiResult<String>>()?
        }
        Some(other) => return Err(fields.other("content", "a string, or a list of parts", &other)),
        None => return Err(missing("content")),
    };
    fields.pass_over(&["name"]);
    for name in ["tool_calls", "tool_call_id", "function_call", "audio", "refusal"] {
        fields.neutral(name, &[json!([])])?;
    }
    fields.end()?;
    Ok(Message { role, content })
}

/// A part of a message, which has to be text.
fn text_of(value: Value, place: &str) -> ApiResult<String> {
    let mut fields = Fields::of_value(value, place)?;
    fields.neutral("type", &[json!("text")])?;
    let text = fields.string("text")?;
    let text = text.ok_or_else(|| ApiError::of(place, format!("`{place}.text` is missing")))?;
    fields.end()?;
    Ok(text)
}
