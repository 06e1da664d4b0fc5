//! A request to the engine, and what becomes of it to an answer: at once, or in pieces.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use futures::stream;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    choice::{Choice, Delta, Finish, TokenLogprob},
    deadline::Deadline,
    engine::{EngineEvent, Generations},
    error::{ApiError, ApiResult},
    forms::{
        Answer, ChatChoice, ChatDelta, ChatLogprobs, ChatMessage, ChatPiece, CompletionChoice, CompletionLogprobs,
        Usage,
    },
    job::{Job, Kind},
    observation::Observation,
    service::Service,
};

/// What stands in every piece of an answer.
#[derive(Debug)]
struct Head {
    kind: Kind,
    id: String,
    created: u64,
    service: Arc<Service>,
    logprobs: bool,
    /// Tokens that end a text, and say nothing.
    eos: Arc<[u32]>,
}

/// Answers a request.
///
/// # Errors
/// When there are too many, the engine refuses it, or it takes too long: before any of it was sent.
pub async fn answer(job: Job, deadline: Deadline, observation: &mut Option<Observation>) -> ApiResult<Response> {
    let observed = observation.as_mut().expect("nobody has taken it yet");
    let service = Arc::clone(observed.service());
    let before = if job.kind == Kind::Completion { "cmpl" } else { "chatcmpl" };
    let head = Head {
        kind: job.kind,
        id: service.new_id(before),
        created: super::service::seconds(),
        logprobs: job.logprobs,
        eos: job.eos,
        service: Arc::clone(&service),
    };
    let generations = service.engine.submit(job.requests).ok_or_else(ApiError::full)?;
    observed.prompt(job.prompt_tokens);
    let count = job.choices.len();
    let running = Running {
        generations,
        choices: job.choices,
        first_tokens: vec![None; count],
        left: count,
        generated: 0,
        deadline,
    };
    if job.stream {
        let observation = observation.take().expect("it was there");
        let usage = job.include_usage.then_some(job.prompt_tokens);
        return Ok(pieces(head, running, usage, observation));
    }
    let groups = Groups { best_of: job.best_of, n: job.n };
    whole(head, running, groups, job.prompt_tokens, observed).await
}

/// Texts that are being generated.
#[derive(Debug)]
struct Running {
    generations: Generations,
    choices: Vec<Choice>,
    /// When the first token of each came.
    first_tokens: Vec<Option<Instant>>,
    /// Those that are not complete.
    left: usize,
    /// Tokens of all.
    generated: usize,
    deadline: Deadline,
}

impl Running {
    /// What comes next: an event's place, and what it adds there.
    async fn next(&mut self, observation: &mut Observation) -> ApiResult<(usize, Delta)> {
        let service = Arc::clone(observation.service());
        loop {
            let next = self.deadline.within(self.generations.next()).await?;
            let (place, event) = match next.ok_or_else(|| ApiError::failed("the model has stopped"))? {
                (place, EngineEvent::Generation(event)) => (place, event),
                (_, EngineEvent::Refused(fault)) => return Err(ApiError::refused(&fault)),
            };
            let choice = &mut self.choices[place];
            if choice.is_over() {
                continue;
            }
            let before = choice.tokens;
            let delta = choice.take(event, &service.tokens);
            self.generated += choice.tokens - before;
            observation.tokens(self.generated);
            if choice.tokens > 0 {
                self.first_tokens[place].get_or_insert_with(Instant::now);
            }
            match delta.finish {
                Some(Finish::Failed) => {
                    return Err(ApiError::failed("the model computed what is no number: its weights are broken"));
                }
                Some(_) => {
                    self.left -= 1;
                    // after a stop string the engine would go on
                    self.generations.cancel(place);
                    if let Some(first) = self.first_tokens[place] {
                        observation.text(first.elapsed(), choice.tokens);
                    }
                }
                None => {}
            }
            return Ok((place, delta));
        }
    }
}

/// How many texts there are of each prompt.
#[derive(Debug, Clone, Copy)]
struct Groups {
    /// Those that are generated, one after the other.
    best_of: usize,
    /// Those of them that are given.
    n: usize,
}

/// A text that is complete.
#[derive(Debug, Default)]
struct Complete {
    text: String,
    tokens: Vec<TokenLogprob>,
    finish: Option<&'static str>,
}

/// The answer at once.
async fn whole(
    head: Head,
    mut running: Running,
    groups: Groups,
    prompt_tokens: usize,
    observation: &mut Observation,
) -> ApiResult<Response> {
    let mut texts: Vec<Complete> = running.choices.iter().map(|_| Complete::default()).collect();
    while running.left > 0 {
        let (place, delta) = running.next(observation).await?;
        texts[place].text.push_str(&delta.text);
        if head.logprobs {
            texts[place].tokens.extend(delta.tokens);
        }
        texts[place].finish = delta.finish.map(Finish::name).or(texts[place].finish);
    }
    let usage = Usage::new(prompt_tokens, running.generated);
    let places = best(&running.choices, groups);
    let json = running.deadline.computed(move || {
        let chosen = places.into_iter().map(|place| std::mem::take(&mut texts[place])).collect();
        head.whole(chosen, usage)
    });
    Ok(json_response(json.await?))
}

/// The places of the texts that are given: of those of each prompt the ones whose tokens are the likeliest, on average.
fn best(choices: &[Choice], Groups { best_of, n }: Groups) -> Vec<usize> {
    let mean = |place: &usize| choices[*place].logprob / choices[*place].tokens.max(1) as f64;
    let groups = (0..choices.len() / best_of).map(|group| group * best_of..(group + 1) * best_of);
    let of_group = |group: std::ops::Range<usize>| {
        let mut places: Vec<usize> = group.collect();
        if n < best_of {
            places.sort_by(|one, other| mean(other).total_cmp(&mean(one)));
            places.truncate(n);
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
            Ok((place, delta)) => {
                if !delta.text.is_empty() || !delta.tokens.is_empty() || delta.finish.is_some() {
                    self.ready.push_back(self.head.piece(place, delta, self.usage.map(|_| Value::Null)));
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
                // the client may take its time to read of it
                self.running.generations.cancel_all();
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
        let table = &self.service.tokens;
        let texts = texts.into_iter().enumerate();
        let usage = Some(json!(usage));
        match self.kind {
            Kind::Completion => {
                let choice = |(index, Complete { text, tokens, finish }): (usize, Complete)| CompletionChoice {
                    text,
                    index,
                    logprobs: self.logprobs.then(|| CompletionLogprobs::new(&tokens, table)),
                    finish_reason: finish,
                };
                bytes_of(&self.answer("text_completion", texts.map(choice).collect(), usage))
            }
            Kind::Chat => {
                let choice = |(index, Complete { text, tokens, finish }): (usize, Complete)| ChatChoice {
                    index,
                    message: ChatMessage { role: "assistant", content: text, refusal: None },
                    logprobs: self.logprobs.then(|| ChatLogprobs::new(&tokens, table, &self.eos)),
                    finish_reason: finish,
                };
                bytes_of(&self.answer("chat.completion", texts.map(choice).collect(), usage))
            }
        }
    }

    /// A piece of a text.
    fn piece(&self, index: usize, delta: Delta, usage: Option<Value>) -> Bytes {
        let table = &self.service.tokens;
        let Delta { text, tokens, finish } = delta;
        let finish_reason = finish.map(Finish::name);
        match self.kind {
            Kind::Completion => {
                let logprobs = self.logprobs.then(|| CompletionLogprobs::new(&tokens, table));
                let choice = CompletionChoice { text, index, logprobs, finish_reason };
                event(&self.answer("text_completion", vec![choice], usage))
            }
            Kind::Chat => {
                let logprobs = self.logprobs.then(|| ChatLogprobs::new(&tokens, table, &self.eos));
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
