//! A request that is worked on, from its head to the last bytes of its answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::{ConnectInfo, Request},
    http::header,
    response::Response,
};
use futures::{StreamExt as _, stream};

use super::{
    connection::{Peer, Working},
    metrics::{Finished, GONE},
    service::Service,
};

/// Bytes of an answer that are handed on at once. A few of them are held before they are written; the others wait until the client has taken
/// these.
const PIECE: usize = 16 << 10;

/// A request that is worked on: it is counted when it is dropped.
#[derive(Debug)]
pub struct Observation {
    service: Arc<Service>,
    endpoint: &'static str,
    start: Instant,
    finished: Finished,
    _working: Option<Working>,
}

impl Observation {
    /// Begins to work on a request.
    pub fn new(service: &Arc<Service>, endpoint: &'static str, request: &Request) -> Self {
        service.begin();
        let peer = request.extensions().get::<ConnectInfo<Peer>>();
        Self {
            service: Arc::clone(service),
            endpoint,
            start: Instant::now(),
            finished: Finished { code: GONE, ..Finished::default() },
            _working: peer.map(|ConnectInfo(peer)| peer.begin()),
        }
    }

    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// The request has these tokens.
    pub fn prompt(&mut self, tokens: usize) {
        self.finished.prompt_tokens = tokens;
    }

    /// The answer has so many tokens by now.
    pub fn tokens(&mut self, generated: usize) {
        if generated > 0 {
            self.finished.first_token.get_or_insert_with(|| self.start.elapsed());
        }
        self.finished.generated_tokens = generated;
    }

    /// A text of the answer is complete.
    ///
    /// - `since_first`: the time since its first token
    pub fn text(&self, since_first: Duration, tokens: usize) {
        self.service.metrics.count_text(since_first, tokens);
    }

    /// The answer is known.
    pub fn end(&mut self, code: u16) {
        self.finished.code = code;
    }

    /// A response that is whole, whose request is worked on until the client has taken it: the connection is not idle before, and a server
    /// that ends waits for it.
    pub fn until_sent(self, response: Response) -> Response {
        /// What was not handed on yet.
        struct Unsent {
            body: BodyDataStream,
            part: Bytes,
            _observation: Observation,
        }
        let (mut head, body) = response.into_parts();
        if let Some(size) = body.size_hint().exact() {
            head.headers.insert(header::CONTENT_LENGTH, size.into());
        }
        let unsent = Unsent { body: body.into_data_stream(), part: Bytes::new(), _observation: self };
        let pieces = stream::unfold(unsent, async |mut unsent| {
            while unsent.part.is_empty() {
                match unsent.body.next().await? {
                    Ok(part) => unsent.part = part,
                    Err(error) => return Some((Err(error), unsent)),
                }
            }
            let piece = unsent.part.split_to(unsent.part.len().min(PIECE));
            Some((Ok(piece), unsent))
        });
        Response::from_parts(head, Body::from_stream(pieces))
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        self.service.metrics.count(self.endpoint, Finished { duration, ..self.finished });
        self.service.finish();
    }
}
