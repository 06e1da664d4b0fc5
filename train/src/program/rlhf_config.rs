//! `train rlhf` as it is configured: what is answered, by which model at first, who ranks, and how is trained.
//!
//! ```text
//! [prompts], [model], [label]              what is answered, by which model at first, and who ranks
//! [demonstrations], [reward], [policy]     configurations of `train tune`, of `train reward`, and of `train ppo` or `train dpo`
//! a round sets in these                    data.mixture, model.from, reward.model: whatever they say of it themselves
//! ```
//!
//! Useful for: trainings whose data and models only come to be in a round. Not useful for: their own keys, which stay in their own files.

use std::{fmt, ops::RangeInclusive, path::PathBuf};

use schemars::JsonSchema;
use schemas::toml_file::Spanned;
use serde::Deserialize;

/// Answers to a prompt that somebody can rank: more are too many to look at.
const ANSWERS: RangeInclusive<usize> = 2..=9;

/// Rounds of learning from feedback as they are written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RlhfConfig {
    /// The seed of the answers that are ranked, and of the order in which prompts are; each round takes the next one. Trainings have seeds of
    /// their own.
    pub seed: u64,
    /// Rounds, 1 or more. A resume may change it.
    pub rounds: usize,
    /// What is answered.
    pub prompts: PromptsConfig,
    /// The model that the first round begins with.
    pub model: StartConfig,
    /// Who ranks answers, and which.
    pub label: LabelConfig,
    /// What the model is tuned on before the first round. By default it is not.
    #[serde(default)]
    pub demonstrations: Option<TrainingFileConfig>,
    /// How the reward model of a round is trained: a configuration of `train reward`. The round sets `data.mixture`, the rankings of all
    /// rounds so far, and `model.from`, the model that the first round began with.
    pub reward: TrainingFileConfig,
    /// How the policy of a round is trained.
    pub policy: PolicyConfig,
}

/// What is answered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptsConfig {
    /// Rows with a `prompt`: the folder of a mixture, a Parquet file, a file of JSON lines, or a folder of these.
    #[schemars(with = "PathBuf")]
    pub mixture: Spanned<PathBuf>,
}

/// The model that the first round begins with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartConfig {
    /// A folder with a decoder that writes already: the output folder of a training, or one of Hugging Face.
    #[schemars(with = "PathBuf")]
    pub from: Spanned<PathBuf>,
}

/// Who ranks answers, and which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelConfig {
    /// A program that reads lines of `{"prompt", "answers"}` and writes a line of `{"ranks"}` or `{"skip"}` for each. By default people are
    /// asked, and the round waits for them.
    #[serde(default)]
    #[schemars(with = "Option<PathBuf>")]
    pub labeler: Option<Spanned<PathBuf>>,
    /// Answers to a prompt, 2 to 9.
    #[serde(default = "four")]
    pub answers: usize,
    /// The most tokens of an answer.
    #[serde(default = "hundred_and_twenty_eight")]
    pub tokens: usize,
    /// What logits are divided by, when answers are drawn.
    #[serde(default = "one")]
    pub temperature: f64,
    /// Rankings of a round. A program ranks so many where there are as many prompts; people may rank more.
    pub count: usize,
}

fn four() -> usize {
    4
}

fn hundred_and_twenty_eight() -> usize {
    128
}

fn one() -> f64 {
    1.0
}

/// A training that has a file of its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingFileConfig {
    /// The configuration (TOML).
    #[schemars(with = "PathBuf")]
    pub config: Spanned<PathBuf>,
}

/// How the policy of a round is trained.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// By what it learns.
    pub method: PolicyMethod,
    /// The configuration (TOML) of `train ppo` or `train dpo`. The round sets `data.mixture`, which is the prompts for PPO and the rankings of all
    /// rounds so far for DPO; `model.from`, the policy of the round before, which is also the reference that it is held to; and for PPO
    /// `reward.model`.
    #[schemars(with = "PathBuf")]
    pub config: Spanned<PathBuf>,
}

/// By what a policy learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PolicyMethod {
    /// Proximal policy optimization, against the round's reward model.
    Ppo,
    /// Direct preference optimization, on the rankings themselves; the reward model only says how well they can be learnt.
    Dpo,
}

/// As it is written in a configuration.
impl fmt::Display for PolicyMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ppo => "ppo",
            Self::Dpo => "dpo",
        })
    }
}

impl RlhfConfig {
    /// What is wrong with the numbers, if something is: the key, and the message.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let Self { rounds, label: LabelConfig { answers, tokens, temperature, count, .. }, .. } = self;
        let counts = [("rounds", *rounds), ("label.tokens", *tokens), ("label.count", *count)];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Some((key, "it has to be 1 or more".into()));
        }
        if !ANSWERS.contains(answers) {
            let message =
                format!("there are {} to {} answers to a prompt, not {answers}", ANSWERS.start(), ANSWERS.end());
            return Some(("label.answers", message));
        }
        (!(*temperature >= 0.0 && temperature.is_finite()))
            .then(|| ("label.temperature", format!("it has to be 0 or more, and is {temperature}")))
    }
}

#[cfg(test)]
mod tests {
    use schemas::toml_file::{Setting, TomlFile};

    use super::*;

    const WHOLE: &str = "seed = 1\nrounds = 2\nprompts.mixture = \"prompts\"\nmodel.from = \"tuned\"\nlabel.count = 9\n\
                         reward.config = \"reward.toml\"\npolicy = { method = \"dpo\", config = \"dpo.toml\" }\n";

    #[test]
    fn numbers_mean_something() {
        let fault = |setting: &str| {
            let settings: [Setting; 1] = [setting.parse().expect("it is a setting")];
            let config: RlhfConfig = TomlFile::from_text("rlhf.toml", WHOLE).parse(&settings).expect("it is whole");
            config.fault().map(|(key, _)| key)
        };
        assert_eq!(fault("rounds=1"), None);
        for (setting, key) in [
            ("rounds=0", "rounds"),
            ("label.count=0", "label.count"),
            ("label.tokens=0", "label.tokens"),
            ("label.answers=1", "label.answers"),
            ("label.answers=10", "label.answers"),
            ("label.temperature=-0.5", "label.temperature"),
            ("label.temperature=inf", "label.temperature"),
        ] {
            assert_eq!(fault(setting), Some(key), "{setting}");
        }
    }

    /// What somebody has not written is as `train label` has it; a method that is none is refused.
    #[test]
    fn what_is_not_written_is_usual() {
        let file = TomlFile::from_text("rlhf.toml", WHOLE);
        let RlhfConfig { label, demonstrations, policy, .. } = file.parse(&[]).expect("it is whole");
        assert_eq!(
            (label.answers, label.tokens, label.labeler.is_none(), demonstrations.is_none()),
            (4, 128, true, true)
        );
        assert_eq!(policy.method.to_string(), "dpo");
        let error = file.parse::<RlhfConfig>(&["policy.method=sft".parse().expect("it is a setting")]);
        assert!(
            error.expect_err("there is none").to_string().contains("unknown variant `sft`, expected `ppo` or `dpo`")
        );
    }
}
