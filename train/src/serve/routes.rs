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
    answer::{answer, json_response},
    error::{ApiError, ApiResult},
    job::{Job, conversation, failed},
    observation::Observation,
    page,
    request::{DetokenizeRequest, TokenizeRequest, Tokenized},
    service::Service,
};
use crate::{percent, tokenizer::ChatTemplate};

/// Contexts of ids that are turned into text at once.
const MOST_CONTEXTS: usize = 4;

/// The path under which models are listed, and each is found.
const MODELS: &str = "/v1/models";

/// All paths.
pub fn router(service: Arc<Service>) -> Router {
    let answering = match &service.answers {
        Some(_) => page::routes(Router::new().route("/v1/answers", post(answers))),
        None => Router::new(),
    };
    answering
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
    mut request: Request,
    work: impl AsyncFnOnce(Arc<Service>, &mut Request, &mut Option<Observation>) -> ApiResult<Response>,
) -> Response {
    let mut observation = Some(Observation::new(&service, endpoint, &request));
    let answered = match service.admit(&request) {
        Ok(()) => work(Arc::clone(&service), &mut request, &mut observation).await,
        Err(error) => Err(error),
    };
    service.pass_over(&mut request).await;
    let response = answered.unwrap_or_else(ApiError::into_response);
    match observation {
        Some(mut observation) => {
            observation.end(response.status().as_u16());
            observation.until_sent(response)
        }
        // what comes in pieces has taken it along
        None => response,
    }
}

async fn completions(State(service): Shared, request: Request) -> Response {
    counted(service, "/v1/completions", request, async |service, request, observation| {
        let deadline = service.deadline();
        let body = service.body(request).await?;
        let job = deadline.computed(move || Job::of_completion(&service, &body)).await??;
        answer(job, deadline, observation).await
    })
    .await
}

async fn chat_completions(State(service): Shared, request: Request) -> Response {
    counted(service, "/v1/chat/completions", request, async |service, request, observation| {
        let deadline = service.deadline();
        let body = service.body(request).await?;
        let job = deadline.computed(move || Job::of_chat(&service, &body)).await??;
        answer(job, deadline, observation).await
    })
    .await
}

async fn answers(State(service): Shared, request: Request) -> Response {
    counted(service, "/v1/answers", request, super::answers::answers).await
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
                service.check_model(Some(&percent::decoded(name)))?;
                Ok(json_of(&model))
            }
        }
    })
    .await
}

async fn tokenize(State(service): Shared, request: Request) -> Response {
    counted(service, "/tokenize", request, async |service, request, _| {
        let deadline = service.deadline();
        let body = service.body(request).await?;
        let work = move || {
            let TokenizeRequest { model, of, with_names } = TokenizeRequest::read(&body)?;
            service.check_model(model.as_deref())?;
            let tokenizer = &service.served.tokenizer;
            let ids = match of {
                Tokenized::Text { text, add_special_tokens: true } => tokenizer.prompt(&text).map_err(failed)?,
                Tokenized::Text { text, .. } => tokenizer.encode_with_special(&text).map_err(failed)?,
                Tokenized::Messages(messages) => conversation(&service, &messages)?,
            };
            let names = || ids.iter().map(|id| tokenizer.token(*id)).collect::<Vec<Option<String>>>();
            Ok(json!({
                "count": ids.len(), "max_model_len": service.served.context_length, "token_strs": with_names.then(names), "tokens": ids,
            }))
        };
        Ok(json_of(&deadline.computed(work).await??))
    })
    .await
}

async fn detokenize(State(service): Shared, request: Request) -> Response {
    counted(service, "/detokenize", request, async |service, request, _| {
        let deadline = service.deadline();
        let body = service.body(request).await?;
        let work = move || {
            let DetokenizeRequest { model, ids } = DetokenizeRequest::read(&body, service.served.vocab_size)?;
            service.check_model(model.as_deref())?;
            let most = service.served.context_length.saturating_mul(MOST_CONTEXTS);
            if ids.len() > most {
                let message = format!("`tokens` has {} token ids, and this server takes {most} at most", ids.len());
                return Err(ApiError::of("tokens", message));
            }
            Ok(json!({ "prompt": service.tokens.text(&ids) }))
        };
        Ok(json_of(&deadline.computed(work).await??))
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
    let mut observation = Observation::new(&service, "/health", &request);
    let (status, word) =
        if service.is_ending() { (StatusCode::SERVICE_UNAVAILABLE, "ending") } else { (StatusCode::OK, "ok") };
    observation.end(status.as_u16());
    let mut response = json_of(&json!({ "status": word }));
    *response.status_mut() = status;
    response
}

/// What was counted, also while the server ends.
async fn metrics(State(service): Shared, request: Request) -> Response {
    let mut observation = Observation::new(&service, "/metrics", &request);
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
