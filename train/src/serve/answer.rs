//! A request to the engine, and what becomes of it to an answer: at once, or in pieces.

use std::{collections::VecDeque, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use futures::stream;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::timeout_at;

use super::{
    choice::{Added, Choice, Finish, Told},
    engine::{EngineEvent, Generations},
    error::{ApiError, ApiResult},
    forms::{
        Answer, ChatChoice, ChatDelta, ChatLogprobs, ChatMessage, ChatPiece, CompletionChoice, CompletionLogprobs,
        Usage,
    },
    service::{Observation, Service, computed},
};
use crate::generate::continuous::GenerationRequest;

/// What an answer consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Texts.
    Completion,
    /// Messages.
    Chat,
}

/// A request that was read.
#[derive(Debug)]
pub struct Job {
    pub kind: Kind,
    /// Those of each prompt, one after the other.
    pub requests: Vec<GenerationRequest>,
    /// The text of each.
    pub choices: Vec<Choice>,
    /// Texts that are generated for a prompt, and those that are given.
    pub samples: [usize; 2],
    /// Tokens of all prompts.
    pub prompt_tokens: usize,
    /// Whether tokens are told of.
    pub logprobs: bool,
    pub stream: bool,
    pub include_usage: bool,
}

/// What stands in every piece of an answer.
#[derive(Debug)]
struct Head {
    kind: Kind,
    id: String,
    created: u64,
    service: Arc<Service>,
    logprobs: bool,
}

/// Answers a request.
///
/// # Errors
/// When there are too many, the engine refuses it, or it takes too long: before any of it was sent.
pub async fn answer(job: Job, observation: &mut Option<Observation>) -> ApiResult<Response> {
    let observed = observation.as_mut().expect("nobody has taken it yet");
    let service = Arc::clone(observed.service());
    let before = if job.kind == Kind::Completion { "cmpl" } else { "chatcmpl" };
    observed.prompt(job.prompt_tokens);
    let head = Head {
        kind: job.kind,
        id: service.new_id(before),
        created: super::service::seconds(),
        logprobs: job.logprobs,
        service: Arc::clone(&service),
    };
    let generations = service.engine.submit(job.requests).ok_or_else(ApiError::full)?;
    let running = Running { generations, left: job.choices.len(), choices: job.choices, generated: 0 };
    if job.stream {
        let observation = observation.take().expect("it was there");
        let usage = job.include_usage.then_some(job.prompt_tokens);
        return Ok(pieces(head, running, usage, observation));
    }
    whole(head, running, job.samples, job.prompt_tokens, observed).await
}

/// Texts that are being generated.
#[derive(Debug)]
struct Running {
    generations: Generations,
    choices: Vec<Choice>,
    /// Those that are not complete.
    left: usize,
    /// Tokens of all.
    generated: usize,
}

impl Running {
    /// What comes next: an event's place, and what it adds there.
    async fn next(&mut self, observation: &mut Observation) -> ApiResult<(usize, Added)> {
        let deadline = observation.deadline();
        let service = Arc::clone(observation.service());
        loop {
            let next = timeout_at(deadline, self.generations.next()).await;
            let next = next.map_err(|_| ApiError::timeout(service.limits.time))?;
            let (place, event) = match next.ok_or_else(|| ApiError::failed("the model has stopped"))? {
                (place, EngineEvent::Generation(event)) => (place, event),
                (_, EngineEvent::Refused(fault)) => return Err(ApiError::refused(&fault)),
            };
            let choice = &mut self.choices[place];
            if choice.is_over() {
                continue;
            }
            let before = choice.tokens;
            let added = choice.take(event, &service.served.tokenizer);
            self.generated += choice.tokens - before;
            observation.tokens(self.generated);
            match added.finish {
                Some(Finish::Failed) => {
                    return Err(ApiError::failed("the model computed what is no number: its weights are broken"));
                }
                Some(_) => {
                    self.left -= 1;
                    // after a stop string the engine would go on
                    self.generations.cancel(place);
                }
                None => {}
            }
            return Ok((place, added));
        }
    }
}

/// A text that is complete.
#[derive(Debug, Default)]
struct Complete {
    text: String,
    tokens: Vec<Told>,
    finish: Option<&'static str>,
}

/// The answer at once.
async fn whole(
    head: Head,
    mut running: Running,
    [generated, given]: [usize; 2],
    prompt_tokens: usize,
    observation: &mut Observation,
) -> ApiResult<Response> {
    let mut texts: Vec<Complete> = running.choices.iter().map(|_| Complete::default()).collect();
    while running.left > 0 {
        let (place, added) = running.next(observation).await?;
        texts[place].text.push_str(&added.text);
        if head.logprobs {
            texts[place].tokens.extend(added.tokens);
        }
        texts[place].finish = added.finish.map(Finish::name).or(texts[place].finish);
    }
    let usage = Usage::new(prompt_tokens, running.generated);
    let places = best(&running.choices, generated, given);
    let json = computed(move || {
        let chosen = places.into_iter().map(|place| std::mem::take(&mut texts[place])).collect();
        head.whole(chosen, usage)
    });
    Ok(json_response(json.await?))
}

/// The places of the texts that are given: of those of each prompt the ones whose tokens are the likeliest, on average.
fn best(choices: &[Choice], generated: usize, given: usize) -> Vec<usize> {
    let mean = |place: &usize| choices[*place].logprob / choices[*place].tokens.max(1) as f64;
    let groups = (0..choices.len() / generated).map(|group| group * generated..(group + 1) * generated);
    let of_group = |group: std::ops::Range<usize>| {
        let mut places: Vec<usize> = group.collect();
        if given < generated {
            places.sort_by(|one, other| mean(other).total_cmp(&mean(one)));
            places.truncate(given);
        }
        places
    };
    groups.flat_map(of_group).collect()
}

/// An answer in pieces.
struct Pieces {
    head: Head,
    running: Running,
    /// Tokens of the prompts, where the last piece says them.
    usage: Option<usize>,
    observation: Observation,
    /// What was not sent yet.
    ready: VecDeque<Bytes>,
    is_over: bool,
}

fn pieces(head: Head, running: Running, usage: Option<usize>, observation: Observation) -> Response {
    let mut ready = VecDeque::new();
    if head.kind == Kind::Chat {
        let delta = || ChatDelta { role: Some("assistant"), content: Some(String::new()) };
        for index in 0..running.choices.len() {
            let piece = ChatPiece { index, delta: delta(), logprobs: None, finish_reason: None };
            ready.push_back(event(&head.answer("chat.completion.chunk", vec![piece], usage.map(|_| Value::Null))));
        }
    }
    let pieces = Pieces { head, running, usage, observation, ready, is_over: false };
    let stream = stream::unfold(pieces, async |mut pieces| {
        loop {
            if let Some(bytes) = pieces.ready.pop_front() {
                return Some((Ok::<_, std::convert::Infallible>(bytes), pieces));
            }
            if pieces.is_over {
                return None;
            }
            pieces.go_on().await;
        }
    });
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

impl Pieces {
    /// Takes what comes next, and makes it ready.
    async fn go_on(&mut self) {
        match self.running.next(&mut self.observation).await {
            Ok((place, added)) => {
                if !added.text.is_empty() || !added.tokens.is_empty() || added.finish.is_some() {
                    self.ready.push_back(self.head.piece(place, added, self.usage.map(|_| Value::Null)));
                }
                if self.running.left == 0 {
                    if let Some(prompt_tokens) = self.usage {
                        let usage = Some(json!(Usage::new(prompt_tokens, self.running.generated)));
                        self.ready.push_back(self.head.last(usage));
                    }
                    self.ready.push_back(Bytes::from_static(b"data: [DONE]\n\n"));
                    self.observation.end(200);
                    self.is_over = true;
                }
            }
            Err(error) => {
                self.ready.push_back(event(&error.json()));
                self.observation.end(error.code());
                self.is_over = true;
            }
        }
    }
}

impl Head {
    fn answer<C>(&self, object: &'static str, choices: Vec<C>, usage: Option<Value>) -> Answer<'_, C> {
        Answer { id: &self.id, object, created: self.created, model: &self.service.served.name, choices, usage }
    }

    /// The whole answer as JSON.
    fn whole(&self, texts: Vec<Complete>, usage: Usage) -> Vec<u8> {
        let tokenizer = &self.service.served.tokenizer;
        let texts = texts.into_iter().enumerate();
        let usage = Some(json!(usage));
        match self.kind {
            Kind::Completion => {
                let choice = |(index, Complete { text, tokens, finish }): (usize, Complete)| CompletionChoice {
                    text,
                    index,
                    logprobs: self.logprobs.then(|| CompletionLogprobs::new(&tokens, tokenizer)),
                    finish_reason: finish,
                };
                bytes_of(&self.answer("text_completion", texts.map(choice).collect(), usage))
            }
            Kind::Chat => {
                let choice = |(index, Complete { text, tokens, finish }): (usize, Complete)| ChatChoice {
                    index,
                    message: ChatMessage { role: "assistant", content: text, refusal: None },
                    logprobs: self.logprobs.then(|| ChatLogprobs::new(&tokens, tokenizer)),
                    finish_reason: finish,
                };
                bytes_of(&self.answer("chat.completion", texts.map(choice).collect(), usage))
            }
        }
    }

    /// A piece of a text.
    fn piece(&self, index: usize, added: Added, usage: Option<Value>) -> Bytes {
        let tokenizer = &self.service.served.tokenizer;
        let Added { text, tokens, finish } = added;
        let finish_reason = finish.map(Finish::name);
        match self.kind {
            Kind::Completion => {
                let logprobs = self.logprobs.then(|| CompletionLogprobs::new(&tokens, tokenizer));
                let choice = CompletionChoice { text, index, logprobs, finish_reason };
                event(&self.answer("text_completion", vec![choice], usage))
            }
            Kind::Chat => {
                let logprobs = self.logprobs.then(|| ChatLogprobs::new(&tokens, tokenizer));
                let delta = ChatDelta { role: None, content: (!text.is_empty()).then_some(text) };
                let piece = ChatPiece { index, delta, logprobs, finish_reason };
                event(&self.answer("chat.completion.chunk", vec![piece], usage))
            }
        }
    }

    /// The last piece, which says how many tokens there were.
    fn last(&self, usage: Option<Value>) -> Bytes {
        let object = if self.kind == Kind::Completion { "text_completion" } else { "chat.completion.chunk" };
        event(&self.answer(object, Vec::<()>::new(), usage))
    }
}

fn bytes_of(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("an answer is JSON")
}

/// An event of a stream.
fn event(value: &impl Serialize) -> Bytes {
    [b"data: ", &bytes_of(value)[..], b"\n\n"].concat().into()
}

/// A response of JSON.
pub fn json_response(json: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(json));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
