//! What a model was asked about an example, and what it answered.

use super::{choice::ScoredAnswer, skip::Skip};

/// What a model was asked about an example, and what it answered. A row of `samples.parquet`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// The example's id; of prompts that came ready, what stands with them, or the number of the line.
    pub id: String,
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
    /// The score of the example by the task's own metric.
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
