//! Many texts at once, each of which comes and goes on its own.
//!
//! ```text
//! add -> waiting -> running: its prompt in chunks, then a token a step -> finished
//!           |          |                                                    |
//!           +-- finds what is known of its prompt <- prefixes <- leaves what it has computed
//! ```
//!
//! A step runs new tokens of all running sequences through the model together: one of each that is being continued, and as much of the
//! prompts as the budget of a step has room for, so that no long prompt holds up the others. What prompts have in common is computed once
//! and held once, in a tree of prefixes; so are the log-probabilities of prompts that were asked for, which a cache of keys and values alone
//! would lose.
//!
//! What a request is answered depends on the request alone: logits depend on their own sequence, bit for bit, and draws on (seed, number of
//! the sample, position). Whatever runs beside it, in which order it came, and whether it had to give way to others in between makes no
//! difference.
//!
//! Useful for: servers, and evaluation by generation or likelihood. Not useful for: beam search; models with an encoder.
//!
//! Source: Yu et al. 2022 (Orca), section 3.1, for scheduling by the step; Agrawal et al. 2023 (Sarathi) for prompts in chunks beside
//! decoding; Zheng et al. 2024 (SGLang), section 3, for the tree.

mod batch;
mod limits;
mod prefix_tree;
mod request;
mod score;
mod sequence;

pub use batch::{BatchCounts, ContinuousBatch};
pub use limits::BatchLimits;
pub use request::{FinishReason, GenerationEvent, GenerationRequest, RequestFault};
pub use score::TokenScore;
