//! Examples with their answers, before the one that is asked (Brown et al. 2020).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::task::Parts;

/// How many demonstrations there are, and what stands between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demonstrations {
    /// Fewest demonstrations; where there are fewer examples to train on, all of them.
    pub min: u32,
    /// Most demonstrations; where it is more than `min`, the number is sampled for each example.
    pub max: u32,
    /// What stands behind each: one line break, or two.
    #[serde(default = "blank_line")]
    pub separator: String,
}

fn blank_line() -> String {
    "\n\n".to_owned()
}

impl Demonstrations {
    /// As many for each example, a blank line between them.
    #[must_use]
    pub fn fixed(count: u32) -> Self {
        Self { min: count, max: count, separator: blank_line() }
    }

    /// How many there are for an example that has drawn `draw`.
    #[must_use]
    pub fn count(&self, draw: u64) -> u32 {
        let choices = u128::from(self.max.saturating_sub(self.min)) + 1;
        self.min + u32::try_from((u128::from(draw) * choices) >> 64).unwrap_or_default()
    }

    /// Puts demonstrations before a prompt, and the preamble before all of them. What has no completion stays as it is.
    #[must_use]
    pub fn before<'p>(&self, preamble: &str, shown: impl IntoIterator<Item = &'p Parts>, asked: Parts) -> Parts {
        let Parts::Completion { prompt, completion } = asked else { return asked };
        let mut whole = preamble.to_owned();
        for shown in shown {
            if let Parts::Completion { prompt, completion } = shown {
                for part in [prompt, completion.trim_end(), &self.separator] {
                    whole.push_str(part);
                }
            }
        }
        whole.push_str(&prompt);
        Parts::Completion { prompt: whole, completion }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(question: &str, answer: &str) -> Parts {
        Parts::Completion { prompt: format!("Q: {question}\nA:"), completion: format!(" {answer}\n") }
    }

    #[test]
    fn demonstrations_stand_before_the_prompt() {
        let asked = Demonstrations::fixed(1).before("Add.\n\n", &[sum("1+1", "2")], sum("2+2", "4"));
        let prompt = "Add.\n\nQ: 1+1\nA: 2\n\nQ: 2+2\nA:".to_owned();
        assert_eq!(asked, Parts::Completion { prompt, completion: " 4\n".into() });
    }

    #[test]
    fn a_draw_gives_every_number_its_share() {
        let drawn = Demonstrations { min: 2, max: 4, separator: "\n".into() };
        let third = u64::MAX / 3;
        assert_eq!([0, third - 1, third + 1, 2 * third + 2, u64::MAX].map(|draw| drawn.count(draw)), [2, 2, 3, 4, 4]);
        assert_eq!(Demonstrations::fixed(3).count(u64::MAX), 3);
    }
}
