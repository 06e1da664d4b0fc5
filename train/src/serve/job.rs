//! What the engine is asked for by a request.

use std::sync::Arc;

use super::{
    choice::{Choice, Echo},
    error::{ApiError, ApiResult},
    request::{ChatRequest, CompletionRequest, Prompt, SamplingParams},
    service::Service,
};
use crate::{
    error::Error,
    generate::{Sampling, continuous::GenerationRequest},
    tokenizer::Message,
};

/// New tokens of a completion where nobody says how many.
const MAX_TOKENS: usize = 16;

/// Log-probabilities that an answer may list: two of each token, its own and that among the likeliest, and those of the likeliest beside it.
/// Each takes some 200 bytes until it is written.
const MOST_LISTED: usize = 1 << 22;

/// What an answer consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Texts.
    Completion,
    /// Messages.
    Chat,
}

/// What the engine is asked for by a request, and what the answer is to be.
#[derive(Debug)]
pub struct Job {
    pub kind: Kind,
    /// Those of each prompt, one after the other.
    pub requests: Vec<GenerationRequest>,
    /// The text of each.
    pub choices: Vec<Choice>,
    /// Texts that are generated for a prompt.
    pub best_of: usize,
    /// Those of them that are given.
    pub n: usize,
    /// Tokens of all prompts.
    pub prompt_tokens: usize,
    /// Tokens that end a text, and say nothing.
    pub eos: Arc<[u32]>,
    /// Whether tokens are listed.
    pub logprobs: bool,
    pub stream: bool,
    pub include_usage: bool,
}

impl Job {
    /// That of a request for completions.
    ///
    /// # Errors
    /// When the request is not what it should be, or asks for more than there may be.
    pub fn of_completion(service: &Service, body: &[u8]) -> ApiResult<Self> {
        let served = &service.served;
        let request = CompletionRequest::read(body, served.vocab_size)?;
        let CompletionRequest { prompts, sampling, best_of, logprobs, echo } = request;
        service.check_model(sampling.model.as_deref())?;
        let eos = eos(service, &sampling);
        let prompt_logprobs = echo && logprobs.is_some();
        let (mut requests, mut choices) = (Vec::new(), Vec::new());
        let (mut prompt_tokens, mut listed) = (0, 0);
        for prompt in prompts {
            let (mut ids, text) = match prompt {
                Prompt::Ids(ids) => (ids, None),
                Prompt::Text(text) => (served.tokenizer.prompt(&text).map_err(failed)?, Some(text)),
            };
            if ids.is_empty() {
                ids.push(served.tokenizer.before_text());
            }
            let max_tokens = sampling.max_tokens.unwrap_or_else(|| room(service, ids.len()).min(MAX_TOKENS));
            check_length(service, &sampling, "prompt", ids.len(), max_tokens)?;
            prompt_tokens += ids.len();
            let tokens = if prompt_logprobs { ids.len() + max_tokens } else { max_tokens };
            listed += best_of * tokens * logprobs.map_or(0, |count| 2 + count);
            check_listed(listed)?;
            let echoed =
                echo.then(|| Echo { text: text.unwrap_or_else(|| service.tokens.text(&ids)), ids: ids.clone() });
            let request = GenerationRequest {
                logprobs,
                echo: prompt_logprobs,
                ..generation(service, &sampling, &eos, ids, max_tokens)
            };
            for sample in 0..best_of as u64 {
                choices.push(Choice::new(&sampling.stops.0, Arc::clone(&eos), echoed.clone(), prompt_logprobs));
                requests.push(GenerationRequest { sample, ..request.clone() });
            }
        }
        Ok(Self {
            kind: Kind::Completion,
            requests,
            choices,
            best_of,
            n: sampling.n,
            prompt_tokens,
            eos,
            logprobs: logprobs.is_some(),
            stream: sampling.stream,
            include_usage: sampling.include_usage,
        })
    }

    /// That of a request for the next message of a conversation.
    ///
    /// # Errors
    /// When the request is not what it should be, or asks for more than there may be.
    pub fn of_chat(service: &Service, body: &[u8]) -> ApiResult<Self> {
        let ChatRequest { messages, sampling, logprobs } = ChatRequest::read(body, service.served.vocab_size)?;
        service.check_model(sampling.model.as_deref())?;
        let ids = conversation(service, &messages)?;
        let prompt_tokens = ids.len();
        // without a word the answer may be as long as it becomes
        let max_tokens = sampling.max_tokens.unwrap_or_else(|| room(service, prompt_tokens));
        check_length(service, &sampling, "messages", prompt_tokens, max_tokens)?;
        check_listed(sampling.n * max_tokens * logprobs.map_or(0, |count| 2 + count))?;
        let eos = eos(service, &sampling);
        let request = GenerationRequest { logprobs, ..generation(service, &sampling, &eos, ids, max_tokens) };
        let requests = (0..sampling.n as u64).map(|sample| GenerationRequest { sample, ..request.clone() });
        let choice = |_| Choice::new(&sampling.stops.0, Arc::clone(&eos), None, false);
        Ok(Self {
            kind: Kind::Chat,
            requests: requests.collect(),
            choices: (0..sampling.n).map(choice).collect(),
            best_of: sampling.n,
            n: sampling.n,
            prompt_tokens,
            eos,
            logprobs: logprobs.is_some(),
            stream: sampling.stream,
            include_usage: sampling.include_usage,
        })
    }
}

/// The ids of a conversation.
///
/// # Errors
/// When the model knows none, or its template refuses this one.
pub fn conversation(service: &Service, messages: &[Message]) -> ApiResult<Vec<u32>> {
    let served = &service.served;
    let Some(template) = &served.template else {
        let message = "this model has no chat template; a server can be given one by `--chat-template`";
        return Err(ApiError::of("messages", message));
    };
    template.prompt(&served.tokenizer, messages).map_err(|error| ApiError::of("messages", error.to_string()))
}

/// That the tokenizer's own parts do not fit together.
#[expect(clippy::needless_pass_by_value, reason = "it is handed on by `map_err`")]
pub fn failed(error: Error) -> ApiError {
    ApiError::failed(error.to_string())
}

/// Tokens that end a text. A special token says nothing, and no text could be found to end with it.
fn eos(service: &Service, sampling: &SamplingParams) -> Arc<[u32]> {
    let special = sampling.stops.0.iter().filter_map(|stop| service.served.tokenizer.special(stop));
    let special: Vec<u32> = special.collect();
    if special.is_empty() { Arc::clone(&service.ends) } else { [&service.ends[..], &special[..]].concat().into() }
}

/// What the engine is asked for, the first sample of a prompt. Without a seed each prompt has one of chance.
fn generation(
    service: &Service,
    sampling: &SamplingParams,
    eos: &Arc<[u32]>,
    prompt: Vec<u32>,
    max_new_tokens: usize,
) -> GenerationRequest {
    let SamplingParams { temperature, top_p, top_k, seed, .. } = *sampling;
    GenerationRequest {
        prompt,
        max_new_tokens,
        sampling: Sampling { temperature, top_k, top_p, seed: seed.unwrap_or_else(|| service.new_chance()) },
        sample: 0,
        eos: Arc::clone(eos),
        suppressed: Arc::clone(&service.suppressed),
        logit_bias: sampling.logit_bias.clone(),
        logprobs: None,
        echo: false,
    }
}

/// The most new tokens behind a prompt; 1 where there is room for none, which is refused.
fn room(service: &Service, prompt: usize) -> usize {
    service.served.context_length.saturating_sub(prompt).min(service.max_tokens).max(1)
}

/// Makes sure that a prompt and what follows it have room.
///
/// - `param`: the key that the prompt is of
fn check_length(service: &Service, sampling: &SamplingParams, param: &str, prompt: usize, new: usize) -> ApiResult<()> {
    let (key, most) = (sampling.max_tokens_key, service.max_tokens);
    if new > most {
        let message = format!("`{key}` is {new}, and this server generates {most} tokens at most");
        return Err(ApiError::of(key, message));
    }
    let context_length = service.served.context_length;
    if prompt + new > context_length {
        return Err(ApiError::too_long(param, context_length, prompt, new));
    }
    Ok(())
}

/// Makes sure that an answer's log-probabilities have room in memory.
fn check_listed(listed: usize) -> ApiResult<()> {
    if listed <= MOST_LISTED {
        return Ok(());
    }
    let message = format!(
        "with `logprobs` the answer might list more than {MOST_LISTED} log-probabilities; ask for fewer of them, for fewer texts, or for shorter \
         ones"
    );
    Err(ApiError::of("logprobs", message))
}
