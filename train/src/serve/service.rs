//! What all requests share: the model, its tokenizer, who may ask, what may be asked for, and what was counted.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, Request},
    http::header,
};
use futures::StreamExt as _;
use system::sha256;
use tokio::{
    sync::Notify,
    task::spawn_blocking,
    time::{timeout, timeout_at},
};

use super::{
    connection::{Peer, Working},
    engine::Engine,
    error::{ApiError, ApiResult},
    metrics::{Finished, GONE, Metrics},
};
use crate::tokenizer::{ChatTemplate, Tokenizer};

/// How many times the largest body is read, and passed over, of one that is larger.
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
    /// New tokens of a text.
    pub max_tokens: usize,
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
    pub(super) metrics: Metrics,
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

/// A request that is worked on: it is counted when it is dropped.
#[derive(Debug)]
pub struct Observation {
    service: Arc<Service>,
    endpoint: &'static str,
    start: Instant,
    finished: Finished,
    _working: Option<Working>,
}

impl Service {
    /// The service of a model that runs in an engine.
    #[must_use]
    pub fn new(served: Served, engine: Engine, limits: ServeLimits) -> Self {
        Self {
            suppressed: served.tokenizer.unused(served.vocab_size).into(),
            key: limits.api_key.as_ref().map(|key| sha256(key.as_bytes())),
            served,
            limits,
            engine,
            metrics: Metrics::new(),
            created: seconds(),
            working: AtomicUsize::new(0),
            is_ending: AtomicBool::new(false),
            over: Notify::new(),
            next_id: AtomicU64::new(0),
            chance: RandomState::new().build_hasher().finish(),
        }
    }

    /// What the model is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.served.name
    }

    /// Begins to work on a request.
    pub(super) fn observe(self: &Arc<Self>, endpoint: &'static str, request: &Request) -> Observation {
        self.working.fetch_add(1, Ordering::SeqCst);
        let peer = request.extensions().get::<ConnectInfo<Peer>>();
        Observation {
            service: Arc::clone(self),
            endpoint,
            start: Instant::now(),
            finished: Finished { code: GONE, ..Finished::default() },
            _working: peer.map(|ConnectInfo(peer)| peer.begin()),
        }
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
                let told = self.over.notified();
                if self.working.load(Ordering::SeqCst) == 0 {
                    return;
                }
                // a request may be over between the two lines above
                let _ = timeout(Duration::from_millis(100), told).await;
            }
        };
        let _ = timeout(self.limits.end_time, over).await;
    }

    /// The body of a request.
    ///
    /// # Errors
    /// When it is no JSON, too large, or takes too long.
    pub(super) async fn body(&self, request: Request) -> ApiResult<Bytes> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.map(|value| value.split(';').next().unwrap_or_default().trim());
        if !media_type.is_some_and(|value| value.eq_ignore_ascii_case("application/json")) {
            return Err(ApiError::other_media_type());
        }
        let limit = self.limits.body;
        let too_large = || ApiError::too_large(limit);
        let announced =
            request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|size: usize| size > limit) && request.headers().contains_key(header::EXPECT) {
            // who asks before sending is spared it
            return Err(too_large());
        }
        let end = tokio::time::Instant::now() + self.limits.body_time;
        let mut stream = request.into_body().into_data_stream();
        let (mut body, mut size) = (Vec::new(), 0);
        loop {
            let next = timeout_at(end, stream.next()).await.map_err(|_| ApiError::slow_body(self.limits.body_time))?;
            let Some(part) = next else {
                return if size > limit { Err(too_large()) } else { Ok(body.into()) };
            };
            let part = part.map_err(|error| ApiError::invalid(format!("the body breaks off: {error}")))?;
            size += part.len();
            if size <= limit {
                body.extend_from_slice(&part);
                continue;
            }
            // a client that is still sending does not read why that is in vain
            body = Vec::new();
            if size / PASSED_OVER > limit {
                return Err(too_large());
            }
        }
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

impl Observation {
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// When the answer has to be complete.
    pub fn deadline(&self) -> tokio::time::Instant {
        (self.start + self.service.limits.time).into()
    }

    /// The request has these tokens.
    pub fn prompt(&mut self, tokens: usize) {
        self.finished.prompt_tokens = tokens;
    }

    /// Something of the answer is there.
    pub fn tokens(&mut self, generated: usize) {
        self.finished.first_token.get_or_insert_with(|| self.start.elapsed());
        self.finished.generated_tokens = generated;
    }

    /// The answer is complete.
    pub fn end(&mut self, code: u16) {
        self.finished.code = code;
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        self.service.metrics.count(self.endpoint, Finished { duration, ..self.finished });
        self.service.working.fetch_sub(1, Ordering::SeqCst);
        self.service.over.notify_waiters();
    }
}

/// Runs what takes long on a thread for that.
///
/// # Errors
/// When it panics.
pub async fn computed<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> ApiResult<T> {
    spawn_blocking(work).await.map_err(|error| ApiError::failed(format!("a fault of this server: {error}")))
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
