//! The part `[dpo]` of a configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::objective::PreferenceLoss;

/// What direct preference optimization minimises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LossConfig {
    /// How strongly the model is held to the reference: above 0.
    #[serde(default = "a_tenth")]
    pub beta: f64,
    /// The share of comparisons that is taken to be the wrong way round: 0 or more and below a half.
    #[serde(default)]
    pub label_smoothing: f64,
    /// The loss: `sigmoid`, or `ipo`.
    #[serde(default)]
    pub loss: PreferenceLoss,
}

fn a_tenth() -> f64 {
    0.1
}

impl Default for LossConfig {
    fn default() -> Self {
        Self { beta: a_tenth(), label_smoothing: 0.0, loss: PreferenceLoss::default() }
    }
}

impl LossConfig {
    /// What is wrong, if something is: the key, and the message.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let Self { beta, label_smoothing, loss } = *self;
        if !(beta > 0.0 && beta.is_finite()) {
            return Some(("beta", format!("it has to be more than 0, and is {beta}")));
        }
        if !(0.0..0.5).contains(&label_smoothing) {
            return Some(("label_smoothing", format!("it is 0 or more and below a half, and not {label_smoothing}")));
        }
        (label_smoothing > 0.0 && loss == PreferenceLoss::Ipo).then(|| {
            ("label_smoothing", "wrong comparisons are what `sigmoid` can be smoothed for, and not `ipo`".into())
        })
    }
}

#[cfg(test)]
mod tests {
    use schemas::toml_file::TomlFile;

    use super::*;

    /// A number that means nothing is refused by its name.
    #[test]
    fn numbers_mean_something() {
        let fault = |text: &str| {
            let config: LossConfig = TomlFile::from_text("dpo.toml", text).parse(&[]).expect("it is a table");
            config.fault().map(|(key, _)| key)
        };
        assert_eq!(fault(""), None);
        assert_eq!(fault("beta = 0.0"), Some("beta"));
        assert_eq!(fault("beta = inf"), Some("beta"));
        assert_eq!(fault("label_smoothing = 0.5"), Some("label_smoothing"));
        assert_eq!(fault("label_smoothing = 0.1"), None);
        assert_eq!(fault("label_smoothing = 0.1\nloss = \"ipo\""), Some("label_smoothing"));
    }
}
