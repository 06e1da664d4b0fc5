//! A server of completions, as OpenAI's clients ask for them.
//!
//! ```text
//! server          sockets, routes, the end          connection   who is slow is not waited for
//!   service       what all requests share: who may ask, what runs, what is counted (`metrics`)
//!     observation a request until its answer is sent                deadline     and how long that may take
//!     request     bytes in, checked requests out
//!     job         what the engine is asked for
//!     answers     a question to passages, and these to an answer, by what `answer_source` has; `page`, on which a person asks
//!     answer      jobs to the engine, its events to an answer, at once or in pieces
//!       engine    the model on a thread of its own
//!       choice    one text, as it grows: whole characters, nothing of a stop string (`text_stream`), tokens by name
//! ```
//!
//! Nothing that is asynchronous computes: the model has its thread, and what takes long of a request, such as reading it and turning text into
//! ids, has threads for that. Whatever waits is bounded: requests, their bodies, connections, and how long each may take.
//!
//! Useful for: clients of OpenAI's API, and evaluation by programs of others. Not useful for: the network at large without a proxy that
//! encrypts.

mod answer;
mod answer_source;
mod answers;
mod choice;
mod connection;
mod deadline;
mod engine;
mod error;
mod forms;
mod job;
mod metrics;
mod observation;
mod page;
mod request;
mod routes;
mod server;
mod service;
mod text_stream;
mod token_names;

pub use answer_source::{AnswerSource, Question};
pub use answers::MOST_PASSAGES;
pub use engine::{Engine, EngineThread};
pub use request::{AnswerRequest, ChatRequest, CompletionRequest, DetokenizeRequest, TokenizeRequest};
pub use server::serve;
pub use service::{ServeLimits, Served, Service};
