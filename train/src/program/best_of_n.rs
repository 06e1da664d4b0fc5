//! What the best of n answers of the model that a policy begins as is worth: `best_of_n.jsonl`, a line for each n.
//!
//! ```text
//! prompts of the validation data, N answers to each, their scores -> for n = 1, 2, 4 ... N: the mean over all choices of n, its divergence
//! ```
//!
//! Useful for: what can be had of a reward without a training, by divergence. Not useful for: large divergences; see
//! [`crate::rollout::best_of_n_kl`].

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use super::{answer_scores::AnswerScores, json_rows, rollouts::Author};
use crate::{
    error::Result,
    rollout::{best_of_n_kl, best_of_n_mean},
};

/// The name of the file.
pub(super) const FILE: &str = "best_of_n.jsonl";

/// What the best of so many answers is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct BestOfN {
    /// Answers of which the one with the highest reward is taken.
    pub n: usize,
    /// The KL divergence from the model that gives them, in nats: at most, where some are equally good.
    pub kl: f64,
    /// Its mean reward.
    pub reward: f64,
    /// The mean of what `[gold_reward]` gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gold_reward: Option<f64>,
    /// The hash of all that they follow from.
    pub key: String,
}

impl BestOfN {
    /// Those of 1, 2, 4 and more answers of the reference, up to `most`; none, where it is to stop.
    ///
    /// - `most`: answers that are drawn to each prompt
    /// - `key`: the hash of all that they follow from
    /// - `should_stop`: asked before each answer to all prompts
    ///
    /// # Errors
    /// As [`Author::scored`].
    pub fn of_reference(
        author: &Author<'_>,
        gold: Option<&AnswerScores>,
        prompts: &[Vec<u32>],
        (most, key): (usize, &str),
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Self>>> {
        let empty = || vec![Vec::new(); prompts.len()];
        let (mut rewards, mut golds) = (empty(), empty());
        for first in (0..).step_by(prompts.len()).take(most) {
            if should_stop() {
                return Ok(None);
            }
            let answers = author.scored(author.reference, prompts, first)?;
            let of_gold = match gold {
                Some(gold) => Some(author.scores_by(gold, &answers.written)?),
                None => None,
            };
            for (place, reward) in answers.scores.iter().enumerate() {
                rewards[place].push(*reward);
                golds[place].extend(of_gold.as_ref().map(|of_gold| of_gold[place]));
            }
        }
        let mean = |measures: &[Vec<f64>], n: usize| {
            let each = rewards.iter().zip(measures).map(|(rewards, measures)| best_of_n_mean(rewards, measures, n));
            each.sum::<f64>() / prompts.len() as f64
        };
        let counts = (0..usize::BITS).map(|exponent| 1 << exponent).take_while(|n| *n < most).chain([most]);
        let of = |n| Self {
            n,
            kl: best_of_n_kl(n),
            reward: mean(&rewards, n),
            gold_reward: gold.map(|_| mean(&golds, n)),
            key: key.to_owned(),
        };
        Ok(Some(counts.map(of).collect()))
    }

    /// All that were found in a folder before, where they follow from the same.
    ///
    /// # Errors
    /// When the file cannot be read, or is another.
    pub fn read(out: &Path, most: usize, key: &str) -> Result<Option<Vec<Self>>> {
        let found: Vec<Self> = json_rows::read(&out.join(FILE))?;
        let fits = found.last().is_some_and(|last| last.n == most && last.key == key);
        Ok(fits.then_some(found))
    }
}

/// In a line.
impl fmt::Display for BestOfN {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, kl, reward, gold_reward, .. } = self;
        write!(formatter, "best of {n} answers of the reference: reward {reward:.4}")?;
        if let Some(gold) = gold_reward {
            write!(formatter, ", gold reward {gold:.4}")?;
        }
        write!(formatter, ", KL {kl:.3}")
    }
}
