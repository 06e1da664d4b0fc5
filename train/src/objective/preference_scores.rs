//! How well a model ranks answers to prompts that it has not seen.

use super::{
    direct_preference::DirectPreference,
    ranking::rewards,
    scores::{Evaluator, Score, Scores},
};
use crate::{
    data::{Answer, PreferenceBatch, Preferences, by_like_length},
    error::Result,
    metrics::{PreferenceFigures, ValuedAnswer, preference_figures},
    model::{Gpt, RewardModel},
};

/// The answers to some prompts with their rewards, in their order. They go through the model by length, so that little is padded.
///
/// - `numbers`: of the prompts
/// - `batch_size`: prompts that go through the model together
/// - `padding`: any id
/// - `values`: what a batch's answers are given, in their order
pub fn valued_answers(
    preferences: &Preferences,
    numbers: &[usize],
    batch_size: usize,
    padding: u32,
    values: impl Fn(&PreferenceBatch) -> Vec<f32>,
) -> Vec<Vec<ValuedAnswer>> {
    let longest = |place: usize| preferences.longest(numbers[place]);
    by_like_length(numbers.len(), batch_size, longest, |places| {
        let batch: Vec<Vec<Answer<'_>>> = places.iter().map(|place| preferences.get(numbers[*place])).collect();
        let mut values = values(&PreferenceBatch::new(&batch, padding)).into_iter();
        let mut value = |answer: Answer<'_>| ValuedAnswer {
            value: f64::from(values.next().expect("each answer has a value")),
            rank: answer.rank,
            length: answer.ids.len() - answer.prompt,
        };
        batch.into_iter().map(|answers| answers.into_iter().map(&mut value).collect()).collect()
    })
}

/// The rewards of a batch's answers by a model without gradients.
#[must_use]
pub fn batch_rewards(model: &RewardModel, batch: &PreferenceBatch) -> Vec<f32> {
    rewards(model, batch, None).into_data().try_to_vec().expect("rewards are single precision")
}

/// Answers that a model is judged by, of which it has seen none.
#[derive(Debug)]
pub struct PreferenceScores<'p> {
    preferences: &'p Preferences,
    numbers: Vec<usize>,
    hash: String,
    batch_size: usize,
    padding: u32,
    seed: u64,
}

impl<'p> PreferenceScores<'p> {
    /// A sample of prompts.
    ///
    /// - `most`: prompts, at most; they are drawn once, by `seed`
    /// - `batch_size`: prompts that go through the model together
    #[must_use]
    pub fn new(preferences: &'p Preferences, (seed, most): (u64, usize), batch_size: usize, padding: u32) -> Self {
        let numbers = preferences.sample(seed, most);
        let hash = preferences.hash(&numbers);
        Self { preferences, numbers, hash, batch_size, padding, seed }
    }

    /// Prompts that it judges by.
    #[must_use]
    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    fn figures(&self, values: impl Fn(&PreferenceBatch) -> Vec<f32>) -> Option<PreferenceFigures> {
        let Self { preferences, numbers, batch_size, padding, seed, .. } = self;
        let prompts: Vec<u64> = numbers.iter().map(|number| preferences.prompt_key(*number)).collect();
        preference_figures(&valued_answers(preferences, numbers, *batch_size, *padding, values), &prompts, *seed)
    }
}

/// The scores of some figures.
fn scores(figures: Option<&PreferenceFigures>) -> Scores {
    let Some(PreferenceFigures { accuracy, loss, margin, prompts, pairs, .. }) = figures.cloned() else {
        return Scores::default();
    };
    let higher = |score: Score| Score { higher_is_better: true, ..score };
    let scores = vec![
        Score::loss("validation_loss", loss).shown(format!("validation loss {loss:.4}"), "Loss"),
        higher(Score::loss("validation_accuracy", accuracy).shown(format!("accuracy {accuracy:.4}"), "Accuracy")),
        higher(Score::loss("validation_margin", margin).shown(format!("margin {margin:.4}"), "Margin")),
        Score::count("validation_prompts", prompts as u64),
        Score::count("validation_pairs", pairs as u64),
    ];
    Scores { scores, ..Scores::default() }
}

impl Evaluator<RewardModel> for PreferenceScores<'_> {
    fn criterion(&self) -> &'static str {
        "validation_accuracy"
    }

    fn eval_set(&self) -> &str {
        &self.hash
    }

    /// The loss over pairs, the accuracy, and the mean margin.
    fn evaluate(&self, model: &RewardModel, _: u64) -> Result<Scores> {
        Ok(scores(self.figures(|batch| batch_rewards(model, batch)).as_ref()))
    }
}

/// The same by the rewards that direct preference optimization stands for.
#[derive(Debug)]
pub struct DirectScores<'p> {
    /// What it is judged by; its answers have the log-probabilities of the reference.
    pub scores: PreferenceScores<'p>,
    /// What the model is trained towards.
    pub objective: DirectPreference,
}

impl Evaluator<Gpt> for DirectScores<'_> {
    fn criterion(&self) -> &'static str {
        "validation_loss"
    }

    fn eval_set(&self) -> &str {
        &self.scores.hash
    }

    /// The logistic loss over pairs, the accuracy, and the mean margin, of rewards.
    fn evaluate(&self, model: &Gpt, _: u64) -> Result<Scores> {
        let values = |batch: &PreferenceBatch| {
            let rewards = self.objective.log_ratios(model, batch, None) * self.objective.beta;
            rewards.into_data().try_to_vec().expect("single precision")
        };
        Ok(scores(self.scores.figures(values).as_ref()))
    }
}
