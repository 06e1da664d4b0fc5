//! What a round won: a line of `rounds.jsonl`.
//!
//! ```text
//! reward/evaluation.json      how well the reward model ranks answers that it has not seen
//! policy/metrics.jsonl        what the policy was judged by, before its first step and after its last; its steps and their time
//! ```
//!
//! A line is written when its round is done: who goes on begins behind the last.
//!
//! Useful for: whether a further round is worth its labels. Not useful for: the course of a training; that stands in its own folder.

use std::{fmt, fs, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json_rows;
use crate::error::{Error, Result};

/// The name of the file.
const FILE: &str = "rounds.jsonl";

/// What a round won.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundFigures {
    /// Its number, from 1.
    pub round: usize,
    /// Rankings that were collected in it.
    pub rankings: usize,
    /// Rankings of all rounds so far, on which its reward model was trained.
    pub all_rankings: usize,
    /// How well the reward model ranks answers.
    pub reward: RewardFigures,
    /// What the policy was judged by before its first step.
    pub before: PolicyFigures,
    /// The same after its last.
    pub after: PolicyFigures,
    /// Steps of the policy.
    pub steps: u64,
    /// Tokens a second that the policy learnt from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
}

/// How well a reward model ranks answers that it has not seen, as its `evaluation.json` has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RewardFigures {
    /// Pairs of answers that were told apart.
    pub pairs: usize,
    /// The share of pairs that it ranks as they were ranked.
    pub accuracy: f64,
    /// Its 95 % interval, by bootstrap over prompts.
    pub interval: [f64; 2],
}

/// What a policy is judged by on its validation data, as far as its method has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyFigures {
    /// The mean score of its answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_reward: Option<f64>,
    /// Its mean KL divergence from the model that the round began with, in nats an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_kl: Option<f64>,
    /// Its loss on texts that it should not forget, in nats a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_loss: Option<f64>,
    /// The loss of direct preference optimization, in nats a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// The share of pairs that it ranks as they were ranked, by how much likelier it finds an answer than the model that the round began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
}

impl RoundFigures {
    /// Those of a round whose trainings are finished.
    ///
    /// - `rankings`: of the round, and of all so far
    /// - `reward`, `policy`: the folders of its trainings
    ///
    /// # Errors
    /// When one of their files cannot be read, or is another.
    pub(super) fn of(round: usize, rankings: [usize; 2], reward: &Path, policy: &Path) -> Result<Self> {
        let evaluation = reward.join("evaluation.json");
        let bytes = fs::read(&evaluation).map_err(Error::file("read", &evaluation))?;
        let reward = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Damaged { path: evaluation, message: error.to_string() })?;
        let metrics: Vec<Value> = json_rows::read(&policy.join("metrics.jsonl"))?;
        let evaluations: Vec<PolicyFigures> = metrics.iter().filter_map(PolicyFigures::of_line).collect();
        let before = evaluations.first().copied().unwrap_or_default();
        let after = evaluations.last().copied().unwrap_or_default();
        let steps = metrics.iter().filter_map(|line| line["step"].as_u64()).max().unwrap_or(0);
        let tokens_per_second = tokens_per_second(&metrics);
        let [rankings, all_rankings] = rankings;
        Ok(Self { round, rankings, all_rankings, reward, before, after, steps, tokens_per_second })
    }

    /// Those of all rounds that are done, in a folder.
    ///
    /// # Errors
    /// When the file cannot be read, or is another.
    pub(super) fn read(out: &Path) -> Result<Vec<Self>> {
        json_rows::read(&out.join(FILE))
    }

    /// Adds them to those of the rounds before: the round is done.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn add(&self, out: &Path) -> Result<()> {
        json_rows::add(&out.join(FILE), std::slice::from_ref(self))
    }
}

impl PolicyFigures {
    /// Those of a line of metrics, if it is about an evaluation.
    fn of_line(line: &Value) -> Option<Self> {
        let is_evaluation = line.as_object()?.keys().any(|key| key.starts_with("validation_"));
        is_evaluation.then(|| Self::deserialize(line).unwrap_or_default())
    }
}

/// What one should know of a reward model before one believes it, as its evaluation has it.
pub(super) fn warnings(judge: &Path) -> Vec<String> {
    let read = fs::read(judge.join("evaluation.json")).ok();
    let evaluation: Option<Value> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let warnings = evaluation.as_ref().and_then(|evaluation| evaluation["warnings"].as_array());
    warnings.into_iter().flatten().filter_map(|warning| warning.as_str().map(str::to_owned)).collect()
}

/// Tokens a second of all steps that a log tells of.
fn tokens_per_second(metrics: &[Value]) -> Option<f64> {
    let steps = || metrics.iter().filter(|line| line["tokens_per_second"].is_number());
    let seconds: f64 = steps().filter_map(|line| line["seconds"].as_f64()).sum();
    let tokens = steps().filter_map(|line| line["tokens"].as_f64()).next_back()?;
    (seconds > 0.0).then(|| tokens / seconds)
}

/// In a line.
impl fmt::Display for RoundFigures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { round, rankings, all_rankings, reward, before, after, steps, .. } = self;
        let RewardFigures { pairs, accuracy, interval: [low, high] } = reward;
        write!(
            formatter,
            "round {round}: {rankings} rankings ({all_rankings} in all); reward model {accuracy:.4} ({low:.4} to {high:.4}) of {pairs} pairs; \
             policy after {steps} steps"
        )?;
        for (what, before, after) in [
            ("validation reward", before.validation_reward, after.validation_reward),
            ("KL", before.validation_kl, after.validation_kl),
            ("text loss", before.text_loss, after.text_loss),
            ("validation loss", before.validation_loss, after.validation_loss),
            ("accuracy", before.validation_accuracy, after.validation_accuracy),
        ] {
            if let (Some(before), Some(after)) = (before, after) {
                write!(formatter, ", {what} {before:.4} to {after:.4}")?;
            }
        }
        match self.tokens_per_second {
            Some(rate) => write!(formatter, "; {rate:.0} tokens/s"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line has the evaluation before the first step and that after the last, whatever lies between; and comes back as it was written.
    #[test]
    fn a_round_is_told_in_a_line() -> Result<()> {
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        let [reward, policy] = ["reward", "policy"].map(|name| out.path().join(name));
        let write = |folder: &Path, name: &str, text: &str| {
            fs::create_dir_all(folder).expect("it can be made");
            fs::write(folder.join(name), text).expect("it can be written");
        };
        write(
            &reward,
            "evaluation.json",
            r#"{"step": 9, "pairs": 7, "accuracy": 0.75, "interval": [0.5, 1.0], "loss": 0.4}"#,
        );
        let metrics = [
            r#"{"step": 0, "validation_reward": -0.5, "validation_kl": 0.0, "text_loss": 5.25}"#,
            r#"{"step": 2, "loss": 1.0, "tokens": 30, "seconds": 2.0, "tokens_per_second": 15.0}"#,
            r#"{"step": 2, "validation_reward": 0.25, "validation_kl": 1.0, "text_loss": null}"#,
            r#"{"step": 4, "loss": 1.0, "tokens": 80, "seconds": 3.0, "tokens_per_second": 16.7}"#,
            r#"{"step": 4, "validation_reward": 0.5, "validation_kl": 2.0, "text_loss": 5.5, "held_out": {}}"#,
        ];
        write(&policy, "metrics.jsonl", &metrics.join("\n"));
        let figures = RoundFigures::of(1, [6, 6], &reward, &policy)?;
        assert_eq!((figures.before.validation_reward, figures.after.text_loss), (Some(-0.5), Some(5.5)));
        assert_eq!((figures.steps, figures.tokens_per_second, figures.reward.pairs), (4, Some(16.0), 7));
        figures.add(out.path())?;
        assert_eq!(RoundFigures::read(out.path())?, std::slice::from_ref(&figures));
        assert_eq!(
            figures.to_string(),
            "round 1: 6 rankings (6 in all); reward model 0.7500 (0.5000 to 1.0000) of 7 pairs; policy after 4 steps, \
             validation reward -0.5000 to 0.5000, KL 0.0000 to 2.0000, text loss 5.2500 to 5.5000; 16 tokens/s"
        );
        Ok(())
    }
}
