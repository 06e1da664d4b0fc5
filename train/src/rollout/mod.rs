//! What is made of the answers that a policy wrote, before it learns from them. Numbers in, numbers out: no tensor, no model.
//!
//! ```text
//! log-probabilities, references, a score -> a reward of each token      (rewards)
//! rewards, values                        -> advantages, returns         (advantage)
//! advantages of all answers              -> those of mean 0, sd 1       (whitening)
//! the KL that came of a coefficient      -> the next coefficient        (kl_control)
//! values, returns                        -> figures to watch            (figures)
//! scores of answers                      -> what the best of n have     (best_of_n)
//! ```
//!
//! An answer is an episode, a token an action, and what stands before a token the state that it was written in.
//!
//! Source: Ziegler et al. 2019; Stiennon et al. 2020; Ouyang et al. 2022 (`InstructGPT`).

mod advantage;
mod best_of_n;
mod figures;
mod kl_control;
mod rewards;
mod whitening;

pub use advantage::{Advantages, advantages};
pub use best_of_n::{best_of_n_kl, best_of_n_mean};
pub use figures::explained_variance;
pub use kl_control::KlControl;
pub use rewards::{kl, kl_k3, token_rewards};
pub use whitening::whiten;
