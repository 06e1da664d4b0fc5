//! What a reward model gives answers: a file of rewards.
//!
//! ```text
//! prompt, completion                            -> id (where rows have one), reward
//! prompt, answers, or prompt, chosen, rejected  -> id (where rows have one), rewards, one of each answer
//! ```
//!
//! A row has a row, whatever it holds: an answer that is empty, or longer than the context, has no reward (null), and is counted.

use std::{fmt, path::PathBuf, sync::Arc};

use arrow::{
    array::{ArrayRef, Float32Builder, ListBuilder},
    datatypes::{DataType, Field},
};
use system::AtomicFile;

use super::{row_results, trained_reward_model::TrainedRewardModel};
use crate::{
    checkpoint::Which,
    data::{AnswerEncoder, AnswerRow, AnswerRows, EncodedAnswers, ReadOptions},
    device::DeviceName,
    error::{Error, Result},
    metrics::mean_and_deviation,
};

/// The column of the reward of a completion.
pub const REWARD: &str = "reward";
/// The column of the rewards of answers.
pub const REWARDS: &str = "rewards";

/// Which file is scored, by what, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreOptions {
    /// The folder of a training.
    pub folder: PathBuf,
    /// A file of prompts with completions, or with answers.
    pub file: PathBuf,
    /// The file to write; `rewards-NAME.parquet` in the folder, with the name of the file, if there is no other.
    pub out: Option<PathBuf>,
    /// Which checkpoint of the training.
    pub which: Which,
    /// The device.
    pub device: DeviceName,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Steps that the reward model was trained.
    pub step: u64,
    /// Rows of the file.
    pub rows: usize,
    /// Answers with a reward.
    pub answers: usize,
    /// Answers without one.
    pub without: usize,
    /// The mean reward, and its standard deviation; no numbers where no answer has one.
    pub mean_and_deviation: [f64; 2],
    /// What is to be said of the rewards, if something is.
    pub note: Option<String>,
    /// The file of rewards.
    pub path: PathBuf,
}

/// Scores a file.
///
/// # Errors
/// When the folder holds no reward model, the file cannot be read, a row is at fault, or the rewards cannot be written.
pub fn score(options: &ScoreOptions) -> Result<Scored> {
    let ScoreOptions { folder, file, out, which, device } = options;
    if !file.is_file() {
        let message = "there is no such file; one of Parquet or JSON lines is scored at a time".to_owned();
        return Err(Error::Data { path: file.clone(), message });
    }
    let model = TrainedRewardModel::load(folder, *which, *device)?;
    let encoder = AnswerEncoder::new(&model.tokenizer, model.context_length())?;
    let mut rows = AnswerRows::open(file, ReadOptions::default())?;
    let (mut names, mut counts, mut places, mut answers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    while let Some(few) = rows.next_few()? {
        let whole = few
            .iter()
            .map(|AnswerRow { prompt, answers, .. }| (prompt.as_str(), answers.iter().map(String::as_str).collect()));
        let whole: Vec<(&str, Vec<&str>)> = whole.collect();
        for (row, encoded) in whole.iter().zip(encoder.encode(&whole)?) {
            if let Ok(encoded) = encoded {
                places.resize(places.len() + row.1.len(), true);
                answers.extend(encoded.sequences());
                continue;
            }
            // of answers that do not all fit, each alone
            let alone: Vec<(&str, Vec<&str>)> = row.1.iter().map(|answer| (row.0, vec![*answer])).collect();
            for encoded in encoder.encode(&alone)? {
                places.push(encoded.is_ok());
                answers.extend(encoded.iter().flat_map(EncodedAnswers::sequences));
            }
        }
        for AnswerRow { id, answers, .. } in few {
            names.push(id);
            counts.push(answers.len());
        }
    }
    if names.is_empty() {
        return Err(Error::Data { path: file.clone(), message: "there is no row to score".to_owned() });
    }
    let rewards = model.rewards(&answers);
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let path = out.clone().unwrap_or_else(|| folder.join(format!("rewards-{name}.parquet")));
    let mut in_order = rewards.iter();
    #[expect(clippy::cast_possible_truncation, reason = "rewards are single precision")]
    let by_answer: Vec<Option<f32>> =
        places.iter().map(|has| has.then(|| *in_order.next().expect("it was given one") as f32)).collect();
    let (column, rewards_of_rows) =
        if rows.are_completions() { completions(&by_answer) } else { lists(&by_answer, &counts) };
    let ids = names.iter().map(Option::as_deref).collect();
    AtomicFile::write_whole(&path, &row_results::parquet(ids, vec![(column, rewards_of_rows, true)]))?;
    Ok(Scored {
        step: model.step,
        rows: counts.len(),
        answers: rewards.len(),
        without: by_answer.len() - rewards.len(),
        mean_and_deviation: mean_and_deviation(&rewards),
        note: model.note(),
        path,
    })
}

fn completions(rewards: &[Option<f32>]) -> (&'static str, ArrayRef) {
    let mut column = Float32Builder::new();
    rewards.iter().for_each(|reward| column.append_option(*reward));
    (REWARD, Arc::new(column.finish()))
}

fn lists(rewards: &[Option<f32>], counts: &[usize]) -> (&'static str, ArrayRef) {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let mut column = ListBuilder::new(Float32Builder::new()).with_field(item);
    let mut rest = rewards;
    for count in counts {
        let (own, others) = rest.split_at(*count);
        column.append_value(own.iter().copied());
        rest = others;
    }
    (REWARDS, Arc::new(column.finish()))
}

/// In a line.
impl fmt::Display for Scored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, rows, answers, without, mean_and_deviation: [mean, deviation], note, .. } = self;
        write!(formatter, "{rows} rows, {answers} answers after {step} steps")?;
        if *answers > 0 {
            write!(formatter, ": mean reward {mean:.4}, standard deviation {deviation:.4}")?;
        }
        if *without > 0 {
            write!(formatter, "; {without} answers are empty, or longer than the context, and have none")?;
        }
        note.iter().try_for_each(|note| write!(formatter, "\n{note}"))
    }
}
