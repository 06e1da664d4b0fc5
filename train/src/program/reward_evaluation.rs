//! How good a reward model is on rankings that it has not seen: what `evaluation.json` and `card.md` say.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::trained_reward_model::{Normalization, TrainedRewardModel};
use crate::{
    data::{PreferenceBatch, Preferences},
    metrics::{MarginPart, PreferenceFigures, preference_figures},
    objective::{batch_rewards, valued_answers},
};

/// How good a reward model is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RewardEvaluation {
    /// Steps that it was trained.
    pub step: u64,
    /// How it ranks answers.
    #[serde(flatten)]
    pub figures: PreferenceFigures,
    /// What one should know before one believes it.
    pub warnings: Vec<String>,
}

/// Judges a reward model by rankings, one at least.
pub(super) fn evaluate(model: &TrainedRewardModel, preferences: &Preferences) -> RewardEvaluation {
    let numbers: Vec<usize> = (0..preferences.count()).collect();
    let values = |batch: &PreferenceBatch| batch_rewards(&model.model, batch);
    let answers = valued_answers(preferences, &numbers, model.batch_size, model.tokenizer.padding(), values);
    let prompts: Vec<u64> = numbers.iter().map(|number| preferences.prompt_key(*number)).collect();
    let figures = preference_figures(&answers, &prompts, model.seed).expect("each ranking has a pair");
    let warnings = warnings(&figures);
    RewardEvaluation { step: model.step, figures, warnings }
}

/// What one should know before one believes a reward model with such figures.
fn warnings(figures: &PreferenceFigures) -> Vec<String> {
    /// Fewer prompts than this have no interval to speak of.
    const FEW: usize = 5;
    let PreferenceFigures { interval: [low, high], accuracy, length, prompts, .. } = figures;
    let mut warnings = Vec::new();
    if *prompts < FEW {
        warnings.push(format!("it was judged by {prompts} prompts, of which no interval says anything"));
    }
    if *low <= 0.5 {
        warnings.push(format!(
            "an accuracy of {accuracy:.3} ({low:.3} to {high:.3}) may be chance: more rankings, or a larger model, are needed"
        ));
    }
    warnings.extend(length.warning());
    if length.longer_is_better >= *accuracy {
        warnings.push(format!(
            "calling the longer answer the better one is right as often or more ({:.3})",
            length.longer_is_better
        ));
    }
    warnings
}

impl RewardEvaluation {
    /// The card: a page in Markdown on what the model was judged by, and how it did.
    #[must_use]
    pub fn card(&self, normalization: &Normalization) -> String {
        let Self { step, figures, warnings } = self;
        let PreferenceFigures { prompts, pairs, accuracy, interval: [low, high], margin, loss, .. } = figures;
        let mut card = String::from("# Reward model\n\n");
        let mut line = |text: fmt::Arguments<'_>| card.write_fmt(text).expect("memory can be written");
        line(format_args!("After {step} steps, on {pairs} comparisons of {prompts} prompts that it has not seen.\n\n"));
        for warning in warnings {
            line(format_args!("> **Take care:** {warning}.\n\n"));
        }
        line(format_args!("| figure | value |\n|---|---|\n"));
        line(format_args!("| accuracy, 95 % interval by prompts | {accuracy:.4} ({low:.4} to {high:.4}) |\n"));
        line(format_args!("| loss, nats a comparison | {loss:.4} |\n| mean margin | {margin:.4} |\n"));
        line(format_args!("| expected calibration error | {:.4} |\n\n", figures.calibration_error));
        line(format_args!("{normalization}.\n\n## By margin\n\n"));
        line(format_args!("| difference of rewards | comparisons | accuracy |\n|---|---|---|\n"));
        for MarginPart { sizes: [least, most], pairs, accuracy } in &figures.by_margin {
            line(format_args!("| {least:.3} to {most:.3} | {pairs} | {accuracy:.4} |\n"));
        }
        let share = |share: Option<f64>| share.map_or_else(|| "none".to_owned(), |share| format!("{share:.4}"));
        let length = &figures.length;
        line(format_args!("\n## By length\n\n| figure | value |\n|---|---|\n"));
        line(format_args!("| accuracy of calling the longer answer better | {:.4} |\n", length.longer_is_better));
        line(format_args!(
            "| accuracy where the better answer is longer | {} |\n",
            share(length.where_better_is_longer)
        ));
        line(format_args!("| accuracy where it is shorter | {} |\n", share(length.where_better_is_shorter)));
        line(format_args!("| share of pairs whose longer answer has more | {:.4} |\n", length.longer_has_more));
        card
    }
}

/// A line for each figure, and for each warning.
impl fmt::Display for RewardEvaluation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, figures, warnings } = self;
        let PreferenceFigures { prompts, pairs, accuracy, interval: [low, high], loss, margin, .. } = figures;
        writeln!(formatter, "{pairs} comparisons of {prompts} prompts after {step} steps")?;
        writeln!(formatter, "accuracy {accuracy:.4} ({low:.4} to {high:.4})")?;
        writeln!(formatter, "loss {loss:.4}, margin {margin:.4}")?;
        write!(
            formatter,
            "calibration error {:.4}; longer is better {:.4}",
            figures.calibration_error, figures.length.longer_is_better
        )?;
        warnings.iter().try_for_each(|warning| write!(formatter, "\ntake care: {warning}"))
    }
}
