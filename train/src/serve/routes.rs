//! What stands at each path.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    answer::{Job, Kind, answer, json_response},
    choice::{Choice, Echo, text_of},
    error::{ApiError, ApiResult},
    request::{ChatRequest, Choosing, CompletionRequest, DetokenizeRequest, Prompt, TokenizeRequest, Tokenized},
    service::{Observation, Service, computed},
};
use crate::{
    error::Error,
    generate::{Sampling, continuous::GenerationRequest},
    tokenizer::{ChatTemplate, Message},
};

/// The path under which models are listed, and each is found.
const MODELS: &str = "/v1/models";

/// All paths.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/completions", post(completions))
        .route("/v1/chat/completions", post(chat_completions))
        .route(MODELS, get(models))
        .route("/v1/models/{*name}", get(models))
        .route("/tokenize", post(tokenize))
        .route("/detokenize", post(detokenize))
        .route("/tokenizer_info", get(tokenizer_info))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .with_state(service)
}

type Shared = State<Arc<Service>>;

/// Works on a request and counts it, whatever becomes of it.
async fn counted(
    service: Arc<Service>,
    endpoint: &'static str,
    request: Request,
    work: impl AsyncFnOnce(Arc<Service>, Request, &mut Option<Observation>) -> ApiResult<Response>,
) -> Response {
    let mut observation = Some(service.observe(endpoint, &request));
    let answered = match service.admit(&request) {
        Ok(()) => work(service, request, &mut observation).await,
        Err(error) => Err(error),
    };
    let response = answered.unwrap_or_else(ApiError::into_response);
    // what comes in pieces is over later
    if let Some(mut observation) = observation {
        observation.end(response.status().as_u16());
    }
    response
}

async fn completions(State(service): Shared, request: Request) -> Response {
    counted(service, "/v1/completions", request, async |service, request, observation| {
        let body = service.body(request).await?;
        let job = computed(move || completion_job(&service, &body)).await??;
        answer(job, observation).await
    })
    .await
}

async fn chat_completions(State(service): Shared, request: Request) -> Response {
    counted(service, "/v1/chat/completions", request, async |service, request, observation| {
        let body = service.body(request).await?;
        let job = computed(move || chat_job(&service, &body)).await??;
        answer(job, observation).await
    })
    .await
}

fn completion_job(service: &Service, body: &[u8]) -> ApiResult<Job> {
    let served = &service.served;
    let request = CompletionRequest::read(body, served.vocab_size)?;
    let CompletionRequest { prompts, choosing, max_tokens, best_of, logprobs, echo } = request;
    service.check_model(choosing.model.as_deref())?;
    let chance = service.new_chance();
    let (mut requests, mut choices, mut prompt_tokens) = (Vec::new(), Vec::new(), 0);
    for prompt in prompts {
        let (mut ids, text) = match prompt {
            Prompt::Ids(ids) => (ids, None),
            Prompt::Text(text) => (served.tokenizer.prompt(&text).map_err(failed)?, Some(text)),
        };
        if ids.is_empty() {
            ids.push(served.tokenizer.before_text());
        }
        check_length(service, "prompt", ids.len(), max_tokens)?;
        prompt_tokens += ids.len();
        let given_back = echo.then(|| {
            let text = text.unwrap_or_else(|| text_of(&ids, &served.tokenizer));
            Echo { text, ids: ids.clone() }
        });
        let is_judged = echo && logprobs.is_some();
        for sample in 0..best_of {
            let request = generation(service, &choosing, (sample, chance), (ids.clone(), max_tokens));
            let request = GenerationRequest { logprobs, echo: is_judged, ..request };
            choices.push(Choice::new(&choosing.stops.0, Arc::clone(&request.eos), given_back.clone(), is_judged));
            requests.push(request);
        }
    }
    Ok(Job {
        kind: Kind::Completion,
        requests,
        choices,
        samples: [best_of, choosing.n],
        prompt_tokens,
        logprobs: logprobs.is_some(),
        stream: choosing.stream,
        include_usage: choosing.include_usage,
    })
}

fn chat_job(service: &Service, body: &[u8]) -> ApiResult<Job> {
    let served = &service.served;
    let ChatRequest { messages, choosing, logprobs } = ChatRequest::read(body, served.vocab_size)?;
    service.check_model(choosing.model.as_deref())?;
    let ids = conversation(service, &messages)?;
    // without a word the answer may be as long as it becomes
    let room = served.context_length.saturating_sub(ids.len()).min(service.limits.max_tokens);
    let max_tokens = choosing.max_tokens.unwrap_or(room.max(1));
    check_length(service, "messages", ids.len(), max_tokens)?;
    let chance = service.new_chance();
    let of_sample = |sample| {
        let request = generation(service, &choosing, (sample, chance), (ids.clone(), max_tokens));
        GenerationRequest { logprobs, ..request }
    };
    let requests: Vec<GenerationRequest> = (0..choosing.n).map(of_sample).collect();
    let choice = |request: &GenerationRequest| Choice::new(&choosing.stops.0, Arc::clone(&request.eos), None, false);
    Ok(Job {
        kind: Kind::Chat,
        choices: requests.iter().map(choice).collect(),
        requests,
        samples: [choosing.n, choosing.n],
        prompt_tokens: ids.len(),
        logprobs: logprobs.is_some(),
        stream: choosing.stream,
        include_usage: choosing.include_usage,
    })
}

/// What the engine is asked for.
///
/// - `sample`: its number among those of its prompt; and a number of chance, where the request has no seed
/// - `prompt`: its ids, and the most new tokens
fn generation(
    service: &Service,
    choosing: &Choosing,
    (sample, chance): (usize, u64),
    (prompt, max_new_tokens): (Vec<u32>, usize),
) -> GenerationRequest {
    let served = &service.served;
    let ends = match &served.template {
        Some(template) => template.stops(&served.tokenizer),
        None => served.tokenizer.ends().to_vec(),
    };
    // a special token says nothing, and no text could be found to end with it
    let special = choosing.stops.0.iter().filter_map(|stop| served.tokenizer.special(stop));
    let eos: Vec<u32> = ends.into_iter().chain(special).collect();
    let Choosing { temperature, top_p, top_k, seed, .. } = *choosing;
    GenerationRequest {
        prompt,
        max_new_tokens,
        sampling: Sampling { temperature, top_k, top_p, seed: seed.unwrap_or(chance) },
        sample: sample as u64,
        eos: eos.into(),
        suppressed: Arc::clone(&service.suppressed),
        logit_bias: choosing.logit_bias.clone(),
        logprobs: None,
        echo: false,
    }
}

/// Makes sure that a prompt and what follows it have room.
fn check_length(service: &Service, param: &str, prompt: usize, new: usize) -> ApiResult<()> {
    let most = service.limits.max_tokens;
    if new > most {
        let message = format!("`max_tokens` is {new}, and this server generates {most} tokens at most");
        return Err(ApiError::of("max_tokens", message));
    }
    let context_length = service.served.context_length;
    if prompt + new > context_length {
        return Err(ApiError::too_long(param, context_length, prompt, new));
    }
    Ok(())
}

/// The ids of a conversation.
fn conversation(service: &Service, messages: &[Message]) -> ApiResult<Vec<u32>> {
    let served = &service.served;
    let Some(template) = &served.template else {
        let message = "this model has no chat template; a server can be given one by `--chat-template`";
        return Err(ApiError::of("messages", message));
    };
    template.prompt(&served.tokenizer, messages).map_err(|error| ApiError::of("messages", error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed on by `map_err`")]
fn failed(error: Error) -> ApiError {
    ApiError::failed(error.to_string())
}

async fn models(State(service): Shared, request: Request) -> Response {
    counted(service, MODELS, request, async |service, request, _| {
        let served = &service.served;
        let model = json!({
            "id": served.name, "object": "model", "created": service.created, "owned_by": "tamis", "root": served.name, "parent": null,
            "max_model_len": served.context_length,
        });
        let name = request.uri().path().strip_prefix(MODELS).and_then(|rest| rest.strip_prefix('/'));
        match name {
            None => Ok(json_of(&json!({ "object": "list", "data": [model] }))),
            Some(name) => {
                service.check_model(Some(&percent_decoded(name)))?;
                Ok(json_of(&model))
            }
        }
    })
    .await
}

async fn tokenize(State(service): Shared, request: Request) -> Response {
    counted(service, "/tokenize", request, async |service, request, _| {
        let body = service.body(request).await?;
        let work = move || {
            let TokenizeRequest { model, of, with_names } = TokenizeRequest::read(&body)?;
            service.check_model(model.as_deref())?;
            let tokenizer = &service.served.tokenizer;
            let ids = match of {
                Tokenized::Text(text, true) => tokenizer.prompt(&text).map_err(failed)?,
                Tokenized::Text(text, false) => tokenizer.encode_with_special(&text).map_err(failed)?,
                Tokenized::Messages(messages) => conversation(&service, &messages)?,
            };
            let names = || ids.iter().map(|id| tokenizer.token(*id)).collect::<Vec<Option<String>>>();
            Ok(json!({
                "count": ids.len(), "max_model_len": service.served.context_length, "token_strs": with_names.then(names), "tokens": ids,
            }))
        };
        Ok(json_of(&computed(work).await??))
    })
    .await
}

async fn detokenize(State(service): Shared, request: Request) -> Response {
    counted(service, "/detokenize", request, async |service, request, _| {
        let body = service.body(request).await?;
        let work = move || {
            let DetokenizeRequest { model, ids } = DetokenizeRequest::read(&body, service.served.vocab_size)?;
            service.check_model(model.as_deref())?;
            Ok(json!({ "prompt": text_of(&ids, &service.served.tokenizer) }))
        };
        Ok(json_of(&computed(work).await??))
    })
    .await
}

async fn tokenizer_info(State(service): Shared, request: Request) -> Response {
    counted(service, "/tokenizer_info", request, async |service, _, _| {
        let served = &service.served;
        let tokenizer = &served.tokenizer;
        let token = |id: Option<u32>| id.and_then(|id| tokenizer.token(id));
        let info = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "vocab_size": served.vocab_size,
            "model_max_length": served.context_length,
            "eos_token": token(Some(tokenizer.end_of_text())),
            "bos_token": token(tokenizer.bos()),
            "pad_token": token(Some(tokenizer.padding())),
            "unk_token": tokenizer.unknown(),
            "chat_template": served.template.as_ref().map(ChatTemplate::source),
        });
        Ok(json_of(&info))
    })
    .await
}

/// Whether the server takes requests; without a key, since whoever watches over it has none.
async fn health(State(service): Shared, request: Request) -> Response {
    let mut observation = service.observe("/health", &request);
    let (status, word) =
        if service.is_ending() { (StatusCode::SERVICE_UNAVAILABLE, "ending") } else { (StatusCode::OK, "ok") };
    observation.end(status.as_u16());
    let mut response = json_of(&json!({ "status": word }));
    *response.status_mut() = status;
    response
}

/// What was counted, also while the server ends.
async fn metrics(State(service): Shared, request: Request) -> Response {
    let mut observation = service.observe("/metrics", &request);
    let response = match service.authorize(&request) {
        Ok(()) => {
            let mut response =
                Response::new(service.metrics.text(service.engine.counts(), service.engine.open()).into());
            let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, text);
            response
        }
        Err(error) => error.into_response(),
    };
    observation.end(response.status().as_u16());
    response
}

async fn nothing(State(service): Shared, request: Request) -> Response {
    counted(service, "other", request, async |_, request, _| {
        Err(ApiError::no_path(request.method().as_str(), request.uri().path()))
    })
    .await
}

async fn other_method(State(service): Shared, request: Request) -> Response {
    counted(service, "other", request, async |_, request, _| {
        Err(ApiError::other_method(request.method().as_str(), request.uri().path()))
    })
    .await
}

fn json_of(value: &Value) -> Response {
    json_response(value.to_string().into_bytes())
}

/// A part of a path as it is meant.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let byte = others.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
