//! What a model was asked about an example, and what it answered.

use super::{choice::ScoredAnswer, skip::Skip};

/// What a model was asked about an example, and what it answered. A row of `samples.parquet`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// The example's id; of prompts that came ready, what stands with them, or the number of the line.
    pub id: String,
    /// Whether the id is the example's own, and not the number of its line.
    pub has_id: bool,
    /// The file that the example stands in.
    pub file: String,
    /// Its number in the file, from 1.
    pub number: u64,
    /// Demonstrations that were shown.
    pub shown: u32,
    /// What the model was given; of choices that stand in it, that of the first.
    pub prompt: String,
    /// Answers whose likelihood was taken: every choice, or the right one.
    pub answers: Vec<SampleAnswer>,
    /// The number of the right choice.
    pub gold: Option<usize>,
    /// The number of the choice that was made, by the task's own scoring.
    pub predicted: Option<usize>,
    /// What the model wrote, once for each sample that was drawn.
    pub generated: Vec<String>,
    /// The answer that was found in what it wrote; of several samples the one that most have.
    pub answer: Option<String>,
    /// All answers that are right.
    pub references: Vec<String>,
    /// Tokens at the front of the prompt that the model was not given, for want of room.
    pub cut: usize,
    /// The score of the example by the task's own metric; of a text its log-likelihood by byte.
    pub score: Option<f64>,
    /// Why it has no score, where it has none.
    pub skip: Option<Skip>,
    /// Whether the example stood in the training data, as far as was looked for it.
    pub leaked: bool,
}

/// An answer whose likelihood was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleAnswer {
    /// The name of the choice.
    pub name: String,
    /// The prompt, where the choice has one of its own.
    pub prompt: Option<String>,
    /// What stands behind the prompt.
    pub text: String,
    /// How likely it is.
    pub scored: ScoredAnswer,
}

impl Sample {
    /// The likelihoods of the answers.
    #[must_use]
    pub fn scored(&self) -> Vec<ScoredAnswer> {
        self.answers.iter().map(|answer| answer.scored).collect()
    }
}

/// The samples in an order that is theirs, whatever that of their file: by id; those that have none by what was asked.
///
/// Sums of fractions and bootstrap samples depend on an order; taken in this one, they do not depend on that of the file.
#[must_use]
pub fn in_order(samples: &[Sample]) -> Vec<&Sample> {
    let mut ordered: Vec<&Sample> = samples.iter().collect();
    ordered.sort_by_cached_key(|&sample| {
        let id = if sample.has_id { sample.id.as_str() } else { "" };
        let answers: Vec<&str> = sample.answers.iter().map(|answer| answer.text.as_str()).collect();
        let place = (sample.file.as_str(), sample.number);
        (id, sample.prompt.as_str(), answers, sample.gold, &sample.references, place)
    });
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_not_that_of_the_file() {
        let sample = |id: &str, prompt: &str, number: u64| Sample {
            id: if id.is_empty() { number.to_string() } else { id.to_owned() },
            has_id: !id.is_empty(),
            prompt: prompt.to_owned(),
            number,
            ..Sample::default()
        };
        let there = [sample("b", "x", 1), sample("", "z", 2), sample("a", "y", 3), sample("", "w", 4)];
        let back = [sample("", "w", 1), sample("a", "y", 2), sample("", "z", 3), sample("b", "x", 4)];
        let prompts =
            |samples: &[Sample]| in_order(samples).iter().map(|sample| sample.prompt.clone()).collect::<Vec<_>>();
        assert_eq!(prompts(&there), ["w", "z", "y", "x"]);
        assert_eq!(prompts(&there), prompts(&back));
    }
}
