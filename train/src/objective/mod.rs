//! What a model is trained towards, and what it is judged by. Nothing here steps.
//!
//! ```text
//! model, batch, key -> an objective -> a loss with named parts        (next_token, teacher_forcing)
//! model             -> an evaluator -> scores, one of which decides   (perplexity)
//! ```
//!
//! The loop knows these traits and no more; each kind of training brings its own.

mod loss;
mod next_token;
mod perplexity;
mod scores;
mod teacher_forcing;

pub use loss::{Loss, Objective};
pub use next_token::{NextToken, next_token_loss};
pub use perplexity::EvalSets;
pub use scores::{Evaluator, Number, Score, Scores};
pub use teacher_forcing::teacher_forcing_loss;
