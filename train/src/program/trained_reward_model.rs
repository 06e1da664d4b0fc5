//! The reward model of a training, ready to be asked; and where its rewards have their 0.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use system::AtomicFile;

use super::trained_folder::TrainedFolder;
use crate::{
    checkpoint::Which,
    data::{
        Answer, AnswerEncoder, AnswerRow, AnswerRows, EncodedAnswers, PreferenceBatch, ReadOptions, by_like_length,
    },
    device::DeviceName,
    error::{Error, Result},
    metrics::mean_and_deviation,
    model::RewardModel,
    objective::batch_rewards,
    tokenizer::Tokenizer,
    trainer::Progress,
};

/// The file that says where rewards have their 0.
const FILE: &str = "reward.json";

/// A reward model with what it was trained with.
#[derive(Debug)]
pub(super) struct TrainedRewardModel {
    pub model: RewardModel,
    pub tokenizer: Tokenizer,
    /// Prompts that go through the model together.
    pub batch_size: usize,
    pub seed: u64,
    /// Steps that it was trained.
    pub step: u64,
    /// Whether its rewards have their 0 where the training found it at its end.
    pub is_shifted: bool,
}

impl TrainedRewardModel {
    /// The reward model of a checkpoint in a folder, whose rewards are shifted as the training found at its end, if it is the one at the end.
    ///
    /// # Errors
    /// When there is no such checkpoint, it is damaged, or holds another model.
    pub fn load(out: &Path, which: Which, device: DeviceName) -> Result<Self> {
        let trained = Self::load_unshifted(out, which, device)?;
        Ok(match Normalization::load(out)?.filter(|normalization| normalization.step == trained.step) {
            Some(normalization) => {
                Self { model: trained.model.shifted(normalization.shift()), is_shifted: true, ..trained }
            }
            None => trained,
        })
    }

    /// The same with rewards as they were trained, whatever was found before.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_unshifted(out: &Path, which: Which, device: DeviceName) -> Result<Self> {
        let folder = TrainedFolder::open(out, which, "reward", "reward model, which `train reward` makes")?;
        let (batch_size, seed, step) = (folder.batch_size(), folder.seed, folder.step());
        let zeros = folder.architecture.zeros_reward_model(folder.rows, &device.open()?);
        let (model, tokenizer) = folder.fill(zeros)?;
        Ok(Self { model, tokenizer, batch_size, seed, step, is_shifted: false })
    }

    /// What is to be said of its rewards, if something is.
    pub fn note(&self) -> Option<String> {
        (!self.is_shifted).then(|| {
            let step = self.step;
            format!("rewards have their 0 nowhere in particular: step {step} is not where the training of the reward model ended")
        })
    }

    /// Tokens of a prompt with an answer, at most.
    pub fn context_length(&self) -> usize {
        self.model.model().architecture().context_length
    }

    /// The rewards of prompts with answers, in their order.
    ///
    /// - `answers`: ids of each, one at least
    pub fn rewards(&self, answers: &[Vec<u32>]) -> Vec<f64> {
        by_like_length(
            answers.len(),
            self.batch_size,
            |place| answers[place].len(),
            |places| {
                let alone = |place: &usize| vec![Answer { ids: &answers[*place], prompt: 1, rank: 0, reference: None }];
                let batch =
                    PreferenceBatch::new(&places.iter().map(alone).collect::<Vec<_>>(), self.tokenizer.padding());
                batch_rewards(&self.model, &batch).into_iter().map(f64::from).collect()
            },
        )
    }
}

/// Answers whose mean reward is to be 0.
#[derive(Debug)]
pub(super) struct Demonstrations {
    path: PathBuf,
    /// Ids of each, with its prompt.
    answers: Vec<Vec<u32>>,
}

impl Demonstrations {
    /// Reads a file of demonstrations, rows of `prompt` and `completion`, of which nothing may be lost.
    ///
    /// # Errors
    /// When the file cannot be read, or has no demonstration that fits into the model's context.
    pub fn read(
        path: &Path,
        tokenizer: &Tokenizer,
        context_length: usize,
        options: ReadOptions,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let fault = |message: &str| Error::Data { path: path.to_owned(), message: message.to_owned() };
        let encoder = AnswerEncoder::new(tokenizer, context_length)?;
        let mut rows = AnswerRows::open(path, ReadOptions { max_lost_rate: 0.0, ..options })?;
        let (mut answers, mut skipped) = (Vec::new(), 0);
        while let Some(few) = rows.next_few()? {
            let texts = few.iter().map(|AnswerRow { prompt, answers, .. }| {
                (prompt.as_str(), answers.iter().map(String::as_str).collect())
            });
            for encoded in encoder.encode(&texts.collect::<Vec<_>>())? {
                skipped += usize::from(encoded.is_err());
                answers.extend(encoded.iter().flat_map(EncodedAnswers::sequences));
            }
        }
        if !rows.are_completions() {
            return Err(fault("demonstrations are rows of `prompt` and `completion`, and it has others"));
        }
        if skipped > 0 {
            let file = path.display();
            progress.note(&format!(
                "{file}: {skipped} demonstrations are empty, or longer than the context, and are left out"
            ));
        }
        if answers.is_empty() {
            return Err(fault("there is no demonstration in it that fits into the context"));
        }
        Ok(Self { path: path.to_owned(), answers })
    }
}

/// Where rewards have their 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    /// Steps that the model was trained.
    pub step: u64,
    /// What the mean was taken of.
    pub of: String,
    /// How many there were.
    pub count: usize,
    /// Their mean reward before it is shifted.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
}

impl Normalization {
    fn new(model: &TrainedRewardModel, of: String, rewards: &[f64]) -> Self {
        let [mean, deviation] = mean_and_deviation(rewards);
        Self { step: model.step, of, count: rewards.len(), mean, deviation }
    }

    /// By demonstrations.
    pub(super) fn of_demonstrations(model: &TrainedRewardModel, demonstrations: &Demonstrations) -> Self {
        let of = format!("demonstrations in {}", demonstrations.path.display());
        Self::new(model, of, &model.rewards(&demonstrations.answers))
    }

    /// By the best answers of what it was trained on.
    ///
    /// - `answers`: ids of each, with its prompt
    pub(super) fn of_best_answers(model: &TrainedRewardModel, answers: &[Vec<u32>]) -> Self {
        Self::new(model, "best answers that it was trained on".into(), &model.rewards(answers))
    }

    /// What is added to each reward.
    #[must_use]
    pub fn shift(&self) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "rewards are single precision")]
        let shift = -self.mean as f32;
        shift
    }

    fn path(out: &Path) -> PathBuf {
        out.join(FILE)
    }

    /// What a training found at its end; none where it has not ended.
    fn load(out: &Path) -> Result<Option<Self>> {
        let path = Self::path(out);
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
        let read = serde_json::from_slice(&bytes);
        read.map(Some).map_err(|error| Error::Damaged { path, message: error.to_string() })
    }

    /// Writes it into the folder of the training.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn save(&self, out: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).expect("numbers are JSON");
        Ok(AtomicFile::write_whole(&Self::path(out), &json)?)
    }
}

/// In a sentence.
impl fmt::Display for Normalization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, count, mean, deviation, .. } = self;
        write!(
            formatter,
            "rewards are shifted by {:.4}: {count} {of} had a mean of {mean:.4} and a standard deviation of {deviation:.4}",
            -mean
        )
    }
}
