//! Answers from passages, over HTTP: what `train answer` writes.
//!
//! ```text
//! question -> passages, by whatever finds them, on a thread of its own -> an answer, on a thread for what takes long: one after the other
//! ```

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{extract::Request, response::Response};
use serde_json::json;

use super::{
    answer::json_response,
    answer_source::AnswerSource,
    error::{ApiError, ApiResult},
    observation::Observation,
    request::AnswerRequest,
    service::{Service, seconds},
};
use crate::retrieve::{AnswerConfig, Answerer};

/// Passages that may be asked for.
pub const MOST_PASSAGES: usize = 100;

/// Tells who computes that nobody waits for it, when it is dropped.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Answers a question.
///
/// # Errors
/// When the request is not what it should be, there are too many, or it takes too long.
pub(super) async fn answers(
    service: Arc<Service>,
    request: &mut Request,
    observation: &mut Option<Observation>,
) -> ApiResult<Response> {
    let deadline = service.deadline();
    let body = service.body(request).await?;
    let Some(answers) = service.answers.clone() else {
        return Err(ApiError::no_path("POST", "/v1/answers"));
    };
    let AnswerRequest { model, query, k, combining, max_tokens, stop } = AnswerRequest::read(&body, MOST_PASSAGES)?;
    service.check_model(model.as_deref())?;
    let usual = &answers.source.config;
    let max_new_tokens = max_tokens.unwrap_or(usual.max_new_tokens.min(service.max_tokens));
    if max_new_tokens > service.max_tokens {
        let most = service.max_tokens;
        let message = format!("`max_tokens` is {max_new_tokens}, and this server generates {most} tokens at most");
        return Err(ApiError::of("max_tokens", message));
    }
    let config = AnswerConfig {
        combining: combining.unwrap_or(usual.combining),
        max_new_tokens,
        stop: stop.unwrap_or_else(|| usual.stop.clone()),
    };
    let _open = answers.open.try_acquire().map_err(|_| ApiError::full())?;
    let found = deadline.within(answers.passages(&query, k.unwrap_or(answers.source.k))).await??;
    let turn = deadline.within(answers.turn.acquire()).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let waiting = Waiting(Arc::clone(&is_over));
    let work = {
        let (service, answers, query) = (Arc::clone(&service), Arc::clone(&answers), query.clone());
        move || {
            let AnswerSource { model, template, chat, .. } = &answers.source;
            let chat = service.served.template.as_ref().filter(|_| *chat);
            let answerer = Answerer { model, tokenizer: &service.served.tokenizer, chat };
            let prompt = answerer.prompt(template.clone(), config.max_new_tokens)?;
            answerer.answer(&prompt, (&query, found), &config, &|| is_over.load(Ordering::Relaxed))
        }
    };
    let given = deadline.computed(work).await?.map_err(|error| ApiError::of("query", error.to_string()))?;
    drop((waiting, turn));
    if let Some(observation) = observation {
        observation.prompt(given.prompt_tokens);
        observation.tokens(given.tokens);
    }
    let mut object = given.object(&query);
    object["id"] = json!(service.new_id("ans"));
    object["object"] = json!("answer");
    object["created"] = json!(seconds());
    object["model"] = json!(service.served.name);
    object["usage"] = json!({
        "prompt_tokens": given.prompt_tokens,
        "completion_tokens": given.tokens,
        "total_tokens": given.prompt_tokens + given.tokens,
    });
    Ok(json_response(object.to_string().into_bytes()))
}
