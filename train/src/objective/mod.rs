//! What a model is trained towards, and what it is judged by. Nothing here steps.
//!
//! ```text
//! model, batch, key -> an objective -> a loss with named parts        (next_token, teacher_forcing, classification,
//!                                                                        ranking, direct_preference, ppo, contrastive)
//! model             -> an evaluator -> scores, one of which decides   (perplexity, pair_loss; class_scores, preference_scores
//!                                                                        and retrieval_scores by `metrics`)
//! ```
//!
//! The loop knows these traits and no more; each kind of training brings its own.

mod class_scores;
mod classification;
mod contrastive;
mod direct_preference;
mod loss;
mod next_token;
mod pair_loss;
mod pairs;
mod perplexity;
mod ppo;
mod preference_scores;
mod ranking;
mod retrieval_scores;
mod scores;
mod teacher_forcing;

pub use class_scores::{ClassScores, Prediction, class_log_odds, metrics_of, predictions};
pub use classification::Classification;
pub use contrastive::Contrastive;
pub use direct_preference::{DirectPreference, PreferenceLoss, reference_log_probabilities};
pub use loss::{Loss, Objective};
pub use next_token::{NextToken, next_token_loss};
pub use pair_loss::PairEvalSets;
pub use perplexity::EvalSets;
pub use ppo::{Drawn, Ppo, answer_values, policy_log_probabilities};
pub use preference_scores::{DirectScores, PreferenceScores, batch_rewards, valued_answers};
pub use ranking::Ranking;
pub use retrieval_scores::{Encoding, RetrievalFigures, RetrievalScores, text_vectors};
pub use scores::{Evaluator, Number, Score, Scores};
pub use teacher_forcing::{TeacherForcing, teacher_forcing_loss};
