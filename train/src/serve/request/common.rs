//! What completions and chats have in common: how tokens are chosen, and where a text ends.

use serde_json::{Value, json};

use super::fields::{Fields, id, shown};
use crate::serve::error::{ApiError, ApiResult};

/// Strings that end a text.
const MOST_STOPS: usize = 32;

/// Characters of such a string.
const MOST_STOP_CHARACTERS: usize = 256;

/// Samples of one prompt.
pub const MOST_SAMPLES: usize = 128;

/// Tokens of `logit_bias`.
const MOST_BIASED: usize = 1024;

/// Keys that say something of the caller's account, and change nothing here.
const OF_ACCOUNTS: [&str; 6] = ["user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"];

/// How tokens are chosen, and how the answer is told.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingParams {
    /// The model that is asked; none where nobody says.
    pub model: Option<String>,
    /// The most new tokens; none where nobody says.
    pub max_tokens: Option<usize>,
    /// The key by which these are asked for.
    pub max_tokens_key: &'static str,
    pub temperature: f64,
    pub top_p: f64,
    /// 0 for all.
    pub top_k: usize,
    /// None for one of chance.
    pub seed: Option<u64>,
    pub logit_bias: Vec<(u32, f32)>,
    /// Texts for each prompt.
    pub n: usize,
    pub stops: Stops,
    /// Whether the answer comes in pieces.
    pub stream: bool,
    /// Whether the last piece says how many tokens there were.
    pub include_usage: bool,
}

/// Strings before which a text ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stops(pub Vec<String>);

impl SamplingParams {
    /// Takes them out of a request.
    ///
    /// - `max_tokens_keys`: the keys by which the most new tokens may be asked for, the first of which goes before the others
    ///
    /// # Errors
    /// When a key has another value than it may have.
    pub fn take(fields: &mut Fields, max_tokens_keys: &[&'static str], vocab_size: usize) -> ApiResult<Self> {
        fields.pass_over(&OF_ACCOUNTS);
        fields.neutral("presence_penalty", &[json!(0), json!(0.0)])?;
        fields.neutral("frequency_penalty", &[json!(0), json!(0.0)])?;
        // asked for by what was written for beam search elsewhere
        fields.neutral("num_beams", &[json!(1)])?;
        fields.neutral("response_format", &[json!({ "type": "text" })])?;
        fields.neutral("tools", &[json!([])])?;
        fields.neutral("tool_choice", &[json!("none"), json!("auto")])?;
        let (mut max_tokens, mut max_tokens_key) = (None, "max_tokens");
        for key in max_tokens_keys {
            let found = fields.count(key, [0, u32::MAX as usize])?;
            if max_tokens.is_none() && found.is_some() {
                (max_tokens, max_tokens_key) = (found, *key);
            }
        }
        let stream = fields.bool("stream")?.unwrap_or(false);
        let include_usage = match fields.take("stream_options") {
            None => false,
            Some(_) if !stream => {
                let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
                return Err(ApiError::of("stream_options", message));
            }
            Some(options) => {
                let mut options = Fields::of_value(options, "stream_options")?;
                let include = options.bool("include_usage")?.unwrap_or(false);
                options.neutral("include_obfuscation", &[json!(false)])?;
                options.end()?;
                include
            }
        };
        Ok(Self {
            model: fields.string("model")?,
            max_tokens,
            max_tokens_key,
            temperature: fields.number("temperature", [0.0, 2.0])?.unwrap_or(1.0),
            top_p: fields.number("top_p", [0.0, 1.0])?.unwrap_or(1.0),
            top_k: top_k(fields)?,
            seed: seed(fields)?,
            logit_bias: logit_bias(fields, vocab_size)?,
            n: fields.count("n", [1, MOST_SAMPLES])?.unwrap_or(1),
            stops: stops(fields)?,
            stream,
            include_usage,
        })
    }
}

/// `-1` says all, too, as elsewhere.
fn top_k(fields: &mut Fields) -> ApiResult<usize> {
    match fields.take("top_k") {
        None => Ok(0),
        Some(value) if value == json!(-1) => Ok(0),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number.ok_or_else(|| fields.other("top_k", "a whole number, 0 or -1 for all", &value))
        }
    }
}

/// Any whole number of 64 bits, with a sign or without.
fn seed(fields: &mut Fields) -> ApiResult<Option<u64>> {
    let Some(value) = fields.take("seed") else { return Ok(None) };
    let seed = value.as_u64().or_else(|| Some(value.as_i64()?.cast_unsigned()));
    seed.map(Some).ok_or_else(|| fields.other("seed", "a whole number of 64 bits", &value))
}

fn logit_bias(fields: &mut Fields, vocab_size: usize) -> ApiResult<Vec<(u32, f32)>> {
    let Some(value) = fields.take("logit_bias") else { return Ok(Vec::new()) };
    let Value::Object(biases) = value else {
        return Err(fields.other("logit_bias", "an object of token ids and numbers", &value));
    };
    if biases.len() > MOST_BIASED {
        return Err(ApiError::of("logit_bias", format!("`logit_bias` has more than {MOST_BIASED} tokens")));
    }
    let mut known: Vec<(u32, f32)> = Vec::with_capacity(biases.len());
    for (name, bias) in biases {
        // a number may have a sign, and an id has none
        let number: Option<u64> = name.parse().ok().filter(|_| name.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.ok_or_else(|| {
            ApiError::of("logit_bias", format!("`logit_bias` has a key that is no token's id: {}", shown(&name.into())))
        })?;
        let id = id(&number.into(), "logit_bias", vocab_size)?;
        if known.iter().any(|(other, _)| *other == id) {
            return Err(ApiError::of("logit_bias", format!("`logit_bias` has the token id {id} twice")));
        }
        let number = bias.as_f64().filter(|bias| (-100.0..=100.0).contains(bias));
        let number = number.ok_or_else(|| fields.other("logit_bias", "of numbers from -100 to 100", &bias))?;
        #[expect(clippy::cast_possible_truncation, reason = "logits are single precision")]
        let bias = number as f32;
        known.push((id, bias));
    }
    Ok(known)
}

pub(super) fn stops(fields: &mut Fields) -> ApiResult<Stops> {
    let values = match fields.take("stop") {
        None => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
    };
    if values.len() > MOST_STOPS {
        return Err(ApiError::of("stop", format!("`stop` has more than {MOST_STOPS} strings")));
    }
    let stops = values.into_iter().map(|value| match value {
        Value::String(stop) if stop.is_empty() => Err(ApiError::of("stop", "a string of `stop` is empty")),
        Value::String(stop) if stop.chars().count() > MOST_STOP_CHARACTERS => {
            let message = format!("a string of `stop` has more than {MOST_STOP_CHARACTERS} characters");
            Err(ApiError::of("stop", message))
        }
        Value::String(stop) => Ok(stop),
        other => Err(fields.other("stop", "a string, or a list of strings", &other)),
    });
    Ok(Stops(stops.collect::<ApiResult<_>>()?))
}
