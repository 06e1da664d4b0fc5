//! `[ppo]` and `[pretraining]` of a configuration: how a policy learns from what it writes.

use std::path::PathBuf;

use schemars::JsonSchema;
use schemas::toml_file::Spanned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Answers of which the best is taken, at most: their divergence grows with the logarithm.
const MOST_OF_N: usize = 1024;

/// How a policy writes, and learns from what it wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutConfig {
    /// Episodes of a rollout: answers that are written by the policy as it is, and then learnt from; a multiple of the batch size.
    #[serde(default = "sixty_four")]
    pub episodes: usize,
    /// Passes over a rollout.
    #[serde(default = "four")]
    pub epochs: usize,
    /// The most tokens of an answer.
    pub max_new_tokens: usize,
    /// The first tokens of a text that are a prompt, where rows are texts.
    #[serde(default = "eight")]
    pub prompt_tokens: usize,
    /// What logits are divided by, when answers are drawn and wherever their log-probabilities are taken: above 0.
    #[serde(default = "one")]
    pub temperature: f64,
    /// What a nat of the policy's divergence from the model that it began from costs: 0 or more.
    #[serde(default = "a_twentieth")]
    pub kl_coefficient: f64,
    /// The KL divergence in nats an answer that the coefficient is adapted to. By default it stays as it is.
    #[serde(default)]
    pub kl_target: Option<f64>,
    /// Episodes in which the coefficient grows or shrinks by a fifth, about, when it is adapted; no fewer than a rollout has.
    #[serde(default = "ten_thousand")]
    pub kl_horizon: f64,
    /// The mean KL divergence in nats an answer beyond which the training ends with an error. By default there is none.
    #[serde(default)]
    pub max_kl: Option<f64>,
    /// Answers to each validation prompt that the reference gives before the training begins: the page has what the best of 1, 2, 4 and so on of
    /// them is worth, by its divergence. 1,024 at most; by default none.
    #[serde(default)]
    pub best_of_n: Option<usize>,
    /// How far off 1 the ratio of a token's probabilities still gains.
    #[serde(default = "a_fifth")]
    pub clip: f64,
    /// How far off what it was a value still gains.
    #[serde(default = "a_fifth")]
    pub value_clip: f64,
    /// What the loss of values counts.
    #[serde(default = "a_tenth")]
    pub value_weight: f64,
    /// What a reward is worth a token earlier.
    #[serde(default = "one")]
    pub gamma: f64,
    /// How far advantages look beyond the next value.
    #[serde(default = "nearly_one")]
    pub lambda: f64,
    /// Whether rewards are divided by their deviation over a rollout.
    #[serde(default)]
    pub whiten_rewards: bool,
    /// What is taken off the score of an answer that the policy did not end.
    #[serde(default)]
    pub missing_eos_penalty: f64,
    /// Not to be set: see [`Self::fault`].
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    pub top_k: Option<Value>,
    /// Not to be set.
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    pub top_p: Option<Value>,
    /// Not to be set.
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    pub repetition_penalty: Option<Value>,
}

fn sixty_four() -> usize {
    64
}

fn four() -> usize {
    4
}

fn eight() -> usize {
    8
}

fn one() -> f64 {
    1.0
}

fn a_twentieth() -> f64 {
    0.05
}

fn a_fifth() -> f64 {
    0.2
}

fn a_tenth() -> f64 {
    0.1
}

fn nearly_one() -> f64 {
    0.95
}

fn ten_thousand() -> f64 {
    10_000.0
}

impl RolloutConfig {
    /// What is wrong, if something is: the key, and the message.
    ///
    /// - `batch_size`: episodes of a step
    pub(super) fn fault(&self, batch_size: usize, context_length: usize) -> Option<(&'static str, String)> {
        let impure = [("top_k", &self.top_k), ("top_p", &self.top_p), ("repetition_penalty", &self.repetition_penalty)];
        if let Some((key, _)) = impure.into_iter().find(|(_, value)| value.is_some()) {
            let message = "answers are drawn from the whole distribution: under any other, the KL divergence that is measured becomes \
                           negative, and a reward that costs nothing";
            return Some((key, message.into()));
        }
        let Self { episodes, epochs, max_new_tokens, prompt_tokens, .. } = *self;
        let counts = [
            ("episodes", episodes),
            ("epochs", epochs),
            ("max_new_tokens", max_new_tokens),
            ("prompt_tokens", prompt_tokens),
            ("best_of_n", self.best_of_n.unwrap_or(1)),
        ];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Some((key, "it has to be 1 or more".into()));
        }
        if let Some(most) = self.best_of_n.filter(|most| *most > MOST_OF_N) {
            return Some(("best_of_n", format!("it is {MOST_OF_N} at most, and is {most}")));
        }
        if !episodes.is_multiple_of(batch_size) {
            return Some(("episodes", format!("a batch size of {batch_size} does not divide {episodes} episodes")));
        }
        if max_new_tokens >= context_length {
            let message = format!(
                "the model reads {context_length} tokens, and there is no room for a prompt before {max_new_tokens}"
            );
            return Some(("max_new_tokens", message));
        }
        let positive = [
            ("temperature", Some(self.temperature)),
            ("kl_target", self.kl_target),
            ("max_kl", self.max_kl),
            ("clip", Some(self.clip)),
            ("value_clip", Some(self.value_clip)),
        ];
        let is_positive = |number: f64| number > 0.0 && number.is_finite();
        if let Some((key, number)) =
            positive.into_iter().find_map(|(key, number)| Some((key, number.filter(|number| !is_positive(*number))?)))
        {
            return Some((key, format!("it has to be more than 0, and is {number}")));
        }
        let not_negative = [
            ("kl_coefficient", self.kl_coefficient),
            ("value_weight", self.value_weight),
            ("missing_eos_penalty", self.missing_eos_penalty),
        ];
        if let Some((key, number)) =
            not_negative.into_iter().find(|(_, number)| !(*number >= 0.0 && number.is_finite()))
        {
            return Some((key, format!("it has to be 0 or more, and is {number}")));
        }
        let shares = [("gamma", self.gamma), ("lambda", self.lambda)];
        if let Some((key, number)) = shares.into_iter().find(|(_, number)| !(0.0..=1.0).contains(number)) {
            return Some((key, format!("it lies between 0 and 1, and is {number}")));
        }
        self.kl_target?;
        if self.kl_coefficient == 0.0 {
            let message = "a coefficient of 0 stays 0: one that is adapted to `kl_target` begins above it";
            return Some(("kl_coefficient", message.into()));
        }
        let (least, horizon) = (episodes as f64, self.kl_horizon);
        (!(horizon >= least && horizon.is_finite())).then(|| {
            let message =
                format!("`kl_horizon` has to be {least} or more, the episodes between two changes, and is {horizon}");
            ("kl_horizon", message)
        })
    }
}

/// Texts whose cross-entropy is added to the loss, so that the policy does not forget them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PretrainingMixConfig {
    /// The folder of a mixture of texts; or a Parquet file, a file of JSON lines, or a folder of these.
    #[schemars(with = "PathBuf")]
    pub mixture: Spanned<PathBuf>,
    /// What the cross-entropy counts in the loss. With 0 the policy is judged by such texts, and learns nothing from them. [default: that of the
    /// preset, if it has one]
    #[serde(default)]
    pub weight: Option<f64>,
    /// Sequences for each episode of a step. [default: those of the preset; 1 without]
    #[serde(default)]
    pub sequences: Option<usize>,
    /// Tokens of a sequence; by default the model's context length.
    #[serde(default)]
    pub sequence_length: Option<usize>,
}

/// The same, with all of its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PretrainingMix {
    /// What the cross-entropy counts.
    pub weight: f64,
    /// Sequences for each episode of a step.
    pub sequences: usize,
    /// Tokens of a sequence.
    pub sequence_length: usize,
}

impl PretrainingMixConfig {
    /// All of its numbers; or what is wrong: the key, and the message.
    ///
    /// - `preset`: the weight and the sequences of the preset, if it has some
    pub(super) fn checked(
        &self,
        preset: Option<(f64, usize)>,
        context_length: usize,
    ) -> Result<PretrainingMix, (&'static str, String)> {
        let Some(weight) = self.weight.or(preset.map(|(weight, _)| weight)) else {
            return Err(("weight", "it is not there, and no preset says it".into()));
        };
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(("weight", format!("it has to be 0 or more, and is {weight}")));
        }
        let sequences = self.sequences.or(preset.map(|(_, sequences)| sequences)).unwrap_or(1);
        if sequences == 0 {
            return Err(("sequences", "it has to be 1 or more".into()));
        }
        let sequence_length = self.sequence_length.unwrap_or(context_length);
        if sequence_length == 0 || sequence_length > context_length {
            let message = format!("it lies between 1 and the model's {context_length}, and is {sequence_length}");
            return Err(("sequence_length", message));
        }
        Ok(PretrainingMix { weight, sequences, sequence_length })
    }
}

#[cfg(test)]
mod tests {
    use schemas::toml_file::TomlFile;

    use super::*;

    /// Numbers that mean nothing are refused by their names; sampling that is not pure with the reason.
    #[test]
    fn numbers_mean_something() {
        let fault = |more: &str| {
            let text = format!("max_new_tokens = 8\n{more}");
            let config: RolloutConfig = TomlFile::from_text("ppo.toml", text).parse(&[]).expect("it is a table");
            config.fault(16, 32).map(|(key, _)| key)
        };
        assert_eq!(fault(""), None);
        assert_eq!(fault("kl_horizon = 10.0"), None, "nothing is adapted");
        for (more, key) in [
            ("episodes = 40", "episodes"),
            ("epochs = 0", "epochs"),
            ("temperature = 0.0", "temperature"),
            ("kl_coefficient = -0.1", "kl_coefficient"),
            ("gamma = 1.5", "gamma"),
            ("kl_target = 6.0\nkl_horizon = 10.0", "kl_horizon"),
            ("kl_target = 6.0\nkl_coefficient = 0.0", "kl_coefficient"),
            ("top_k = 40", "top_k"),
            ("top_p = 0.9", "top_p"),
            ("repetition_penalty = 1.1", "repetition_penalty"),
        ] {
            assert_eq!(fault(more), Some(key), "{more}");
        }
    }
}
