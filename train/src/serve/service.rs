//! What all requests share: the model, its tokenizer, who may ask, what may be asked for, and what was counted.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::header,
};
use futures::StreamExt as _;
use system::sha256;
use tokio::{
    sync::Notify,
    time::{Instant, timeout, timeout_at},
};

use super::{
    answer_source::{AnswerSource, Answers},
    deadline::Deadline,
    engine::Engine,
    error::{ApiError, ApiResult},
    metrics::Metrics,
    token_names::TokenTable,
};
use crate::tokenizer::{ChatTemplate, Tokenizer};

/// How many times the largest body is read, and passed over, of one that nobody takes.
const PASSED_OVER: usize = 8;

/// What is served.
#[derive(Debug)]
pub struct Served {
    /// What the model is called.
    pub name: String,
    /// What else it is called.
    pub aliases: Vec<String>,
    /// The model's tokenizer.
    pub tokenizer: Tokenizer,
    /// What turns conversations into prompts; none where the model knows no conversations.
    pub template: Option<ChatTemplate>,
    /// Tokens that the model knows, some of which the tokenizer may not have.
    pub vocab_size: usize,
    /// Tokens that it can process.
    pub context_length: usize,
}

/// What may be asked for.
#[derive(Debug, Clone)]
pub struct ServeLimits {
    /// New tokens of a text; as many as the model's context has room for, where nobody says.
    pub max_tokens: Option<usize>,
    /// Bytes of a body.
    pub body: usize,
    /// How long a body may take.
    pub body_time: Duration,
    /// How long an answer may take.
    pub time: Duration,
    /// How long requests may take that run when the server is to end.
    pub end_time: Duration,
    /// The key that has to be sent, where one has to.
    pub api_key: Option<String>,
}

/// What all requests share.
#[derive(Debug)]
pub struct Service {
    /// What is served.
    pub(super) served: Served,
    pub(super) limits: ServeLimits,
    pub(super) engine: Engine,
    /// What questions are answered from; none where they are not.
    pub(super) answers: Option<Arc<Answers>>,
    pub(super) metrics: Metrics,
    /// The most new tokens of a text.
    pub(super) max_tokens: usize,
    /// What tokens say.
    pub(super) tokens: TokenTable,
    /// Tokens that end a text.
    pub(super) ends: Arc<[u32]>,
    /// Ids that no token has.
    pub(super) suppressed: Arc<[u32]>,
    /// When it began, in seconds since 1970.
    pub(super) created: u64,
    /// SHA-256 of the key.
    key: Option<String>,
    /// Requests that are worked on.
    working: AtomicUsize,
    is_ending: AtomicBool,
    /// Told whenever a request is over.
    over: Notify,
    next_id: AtomicU64,
    /// A number of chance.
    chance: u64,
}

impl Service {
    /// The service of a model that runs in an engine.
    #[must_use]
    pub fn new(served: Served, engine: Engine, limits: ServeLimits) -> Self {
        let ends = match &served.template {
            Some(template) => template.stops(&served.tokenizer),
            None => served.tokenizer.ends().to_vec(),
        };
        Self {
            max_tokens: limits.max_tokens.unwrap_or(served.context_length).min(served.context_length),
            tokens: TokenTable::new(&served.tokenizer, served.vocab_size),
            ends: ends.into(),
            suppressed: served.tokenizer.unused(served.vocab_size).into(),
            key: limits.api_key.as_ref().map(|key| sha256(key.as_bytes())),
            served,
            limits,
            engine,
            answers: None,
            metrics: Metrics::new(),
            created: seconds(),
            working: AtomicUsize::new(0),
            is_ending: AtomicBool::new(false),
            over: Notify::new(),
            next_id: AtomicU64::new(0),
            chance: RandomState::new().build_hasher().finish(),
        }
    }

    /// The same, which also answers questions from passages.
    ///
    /// - `most`: questions that are answered or wait, at most
    #[must_use]
    pub fn with_answers(self, source: AnswerSource, most: usize) -> Self {
        Self { answers: Some(Arc::new(Answers::new(source, most))), ..self }
    }

    /// What the model is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.served.name
    }

    /// A request is worked on.
    pub(super) fn begin(&self) {
        self.working.fetch_add(1, Ordering::SeqCst);
    }

    /// A request is over.
    pub(super) fn finish(&self) {
        self.working.fetch_sub(1, Ordering::SeqCst);
        self.over.notify_waiters();
    }

    /// When an answer has to be complete that is asked for now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.limits.time)
    }

    /// Whether a request may be worked on.
    ///
    /// # Errors
    /// When it has not the key, or the server is ending.
    pub(super) fn admit(&self, request: &Request) -> ApiResult<()> {
        self.authorize(request)?;
        if self.is_ending() { Err(ApiError::ending()) } else { Ok(()) }
    }

    /// Whether a request has the key.
    ///
    /// # Errors
    /// When it has not.
    pub(super) fn authorize(&self, request: &Request) -> ApiResult<()> {
        if let Some(key) = &self.key {
            let sent = request.headers().get(header::AUTHORIZATION);
            let sent = sent.ok_or_else(|| {
                ApiError::unauthorized(
                    "You didn't provide an API key: the header `Authorization` has to be `Bearer` and the key.",
                )
            })?;
            let token = sent.to_str().ok().and_then(|sent| sent.split_once(' '));
            let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            if !token.is_some_and(|(_, token)| is_equal(&sha256(token.trim().as_bytes()), key)) {
                return Err(ApiError::unauthorized("Incorrect API key provided."));
            }
        }
        Ok(())
    }

    /// Whether the server is ending.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::SeqCst)
    }

    /// Takes no further requests, and waits for those that are worked on, within their limit.
    pub(super) async fn end(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
        let over = async {
            loop {
                // it is woken by whatever is over from here on
                let told = self.over.notified();
                if self.working.load(Ordering::SeqCst) == 0 {
                    return;
                }
                told.await;
            }
        };
        let _ = timeout(self.limits.end_time, over).await;
    }

    /// The body of a request. What of it is left is for [`Self::pass_over`].
    ///
    /// # Errors
    /// When it is no JSON, too large, or takes too long.
    pub(super) async fn body(&self, request: &mut Request) -> ApiResult<Bytes> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.map(|value| value.split(';').next().unwrap_or_default().trim());
        if !media_type.is_some_and(|value| value.eq_ignore_ascii_case("application/json")) {
            return Err(ApiError::other_media_type());
        }
        let limit = self.limits.body;
        let announced =
            request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|size: usize| size > limit) {
            return Err(ApiError::too_large(limit));
        }
        let end = Instant::now() + self.limits.body_time;
        let mut parts = std::mem::take(request.body_mut()).into_data_stream();
        let mut body = Vec::new();
        loop {
            let next = timeout_at(end, parts.next()).await.map_err(|_| ApiError::slow_body(self.limits.body_time))?;
            let Some(part) = next else { return Ok(body.into()) };
            let part = part.map_err(|error| ApiError::invalid(format!("the body breaks off: {error}")))?;
            if part.len() > limit - body.len() {
                // it was told to send, and is sending
                request.headers_mut().remove(header::EXPECT);
                *request.body_mut() = Body::from_stream(parts);
                return Err(ApiError::too_large(limit));
            }
            body.extend_from_slice(&part);
        }
    }

    /// Reads what nobody has taken of a request's body, within limits: a client that is still sending does not read why that is in vain.
    pub(super) async fn pass_over(&self, request: &mut Request) {
        if request.headers().contains_key(header::EXPECT) {
            // who asks before sending is spared it
            return;
        }
        let most = self.limits.body.saturating_mul(PASSED_OVER);
        let mut parts = std::mem::take(request.body_mut()).into_data_stream();
        let read = async {
            let mut size = 0;
            while let Some(Ok(part)) = parts.next().await {
                size += part.len();
                if size > most {
                    return;
                }
            }
        };
        let _ = timeout(self.limits.body_time, read).await;
    }

    /// Makes sure that a request is for this model.
    ///
    /// # Errors
    /// When it is for another.
    pub(super) fn check_model(&self, name: Option<&str>) -> ApiResult<()> {
        let Served { name: own, aliases, .. } = &self.served;
        match name {
            Some(name) if name != own && !aliases.iter().any(|alias| alias == name) => Err(ApiError::no_model(name)),
            _ => Ok(()),
        }
    }

    /// An id for an answer.
    pub(super) fn new_id(&self, before: &str) -> String {
        format!("{before}-{:016x}", self.new_chance())
    }

    /// A number of chance.
    pub(super) fn new_chance(&self) -> u64 {
        let number = self.next_id.fetch_add(1, Ordering::Relaxed);
        crate::random::Stream::new(self.chance, "serve").bits(number)
    }
}

/// Seconds since 1970.
pub fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether two hashes are equal, in a time that says nothing of where they differ.
fn is_equal(one: &str, other: &str) -> bool {
    let different = one.bytes().zip(other.bytes()).fold(0, |different, (one, other)| different | (one ^ other));
    different == 0 && one.len() == other.len()
}
