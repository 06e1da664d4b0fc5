//! Why a training could not go on.

use std::{io, path::PathBuf};

use schemas::{prompt::RenderError, toml_file::TomlError};
use system::FileError;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a training could not go on. Each variant names the thing at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused to do something with a file.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file in the folder of a run of `curate` is not the one that the run wrote.
    #[error(
        "{} is not the file that `curate run` wrote: its SHA-256 is {found:.12}..., and {} has {written:.12}...; give the run again",
        path.display(),
        manifest.display()
    )]
    NotAsWritten {
        /// The file.
        path: PathBuf,
        /// The run's manifest.
        manifest: PathBuf,
        /// The hash of the file, as 64 hexadecimal digits.
        found: String,
        /// The hash that the manifest has of it.
        written: String,
    },
    /// A file breaks off, or cannot be unpacked any further.
    #[error(
        "cannot read all of {}: {fault}; {lost} of its {of} bytes are lost. Repair the file, or allow a share of lost bytes with \
         `max_lost_rate`",
        path.display()
    )]
    LostBytes {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        fault: String,
        /// Bytes that are lost, as they lie on disk; all, where the file's end is missing.
        lost: u64,
        /// Bytes of the file.
        of: u64,
    },
    /// More bytes of a source are lost than may be.
    #[error("{}: {lost} of {of} bytes are lost, over the share of {limit} that `max_lost_rate` allows", path.display())]
    TooMuchLost {
        /// The source.
        path: PathBuf,
        /// Bytes that are lost, as they lie on disk.
        lost: u64,
        /// Bytes of its files.
        of: u64,
        /// The largest share that may be.
        limit: f64,
    },
    /// A configuration has a fault.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// An example of a task that a template cannot render.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// There is nothing to train on, or to evaluate on.
    #[error("data in {}: {message}", path.display())]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// A model cannot be read from or written to a folder of Hugging Face.
    #[error("{}: {message}", path.display())]
    HuggingFace {
        /// The folder that was read.
        path: PathBuf,
        /// What stands in the way.
        message: String,
    },
    /// Adapters are there, and not the model that they are for.
    #[error("{} holds adapters alone, of the model in {}: {message}", path.display(), base.display())]
    Base {
        /// The checkpoint, or the folder of the training.
        path: PathBuf,
        /// Where the model lay.
        base: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A model computed what is no number: its weights are broken.
    #[error("the model computes what is no number behind the prompt of example {id}: its weights are broken")]
    NotANumber {
        /// The example.
        id: String,
    },
    /// An answer of a policy has no score.
    #[error(
        "the score of an answer is {score}, and nothing can be learnt from that: {answer:?} behind the prompt {prompt:?}"
    )]
    Score {
        /// The score.
        score: f64,
        /// The prompt.
        prompt: String,
        /// The answer.
        answer: String,
    },
    /// A policy has left its reference.
    #[error(
        "the policy has left its reference: a KL divergence of {kl:.3} nats an answer in rollout {rollout}, over {most} (`ppo.max_kl`), at a mean \
         score of {score:.3}; what was learnt until then is saved, and goes on from there with --resume and a larger one"
    )]
    RunawayKl {
        /// Nats an answer.
        kl: f64,
        /// The most that is allowed.
        most: f64,
        /// The mean score.
        score: f64,
        /// The number of the rollout.
        rollout: u64,
    },
    /// A database refuses something, or an index in it is not what it should be.
    #[error("index {index}: {message}")]
    IndexDatabase {
        /// Where the index is.
        index: String,
        /// What the database said, or what is wrong.
        message: String,
    },
    /// A model cannot go on with a prompt.
    #[error("example {id}: {message}")]
    Prompt {
        /// The example.
        id: String,
        /// What stands in the way.
        message: String,
    },
    /// An evaluation cannot be made as it was asked for.
    #[error("{what}: {message}")]
    Evaluation {
        /// The task, file or folder.
        what: String,
        /// What stands in the way.
        message: String,
    },
    /// A tokenizer cannot be made or used.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// A chat template cannot be read, or does not render a conversation.
    #[error("chat template {place}: {message}")]
    ChatTemplate {
        /// Where it stands.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// There is no such device, or this program was built without it.
    #[error("device `{name}`: {message}")]
    Device {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// An optimizer cannot be made, or is not for the model.
    #[error("`optimizer.{key}`: {message}")]
    Optimizer {
        /// The key of the configuration.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// The output folder holds a training already.
    #[error("{} already holds a training; go on with it by --resume, or choose another --out", path.display())]
    AlreadyTrained {
        /// The folder.
        path: PathBuf,
    },
    /// The output folder holds no checkpoint.
    #[error("{} holds no checkpoint", path.display())]
    NoCheckpoint {
        /// The folder.
        path: PathBuf,
    },
    /// The output folder holds no checkpoint of a step.
    #[error("{} holds no checkpoint of step {step}; there are {}", path.display(), there.join(", "))]
    NoSuchStep {
        /// The folder.
        path: PathBuf,
        /// The step that was asked for.
        step: u64,
        /// The checkpoints that are there.
        there: Vec<String>,
    },
    /// No checkpoint of the training is its best.
    #[error(
        "{} has no best checkpoint: the newest was saved before the first evaluation, or the first since `evaluate_sequences` changed",
        path.display()
    )]
    NoBest {
        /// The folder.
        path: PathBuf,
    },
    /// A checkpoint was made by another training.
    #[error(
        "checkpoint {} is of another training:\n  {}\nUndo these changes, or train anew with another --out. \
         A resume may change {may_change}, and `training.steps` as long as the steps that were taken keep their learning rates",
        path.display(),
        differences.join("\n  ")
    )]
    OtherTraining {
        /// The checkpoint.
        path: PathBuf,
        /// What differs, each with what it was and what it is.
        differences: Vec<String>,
        /// Keys that may differ.
        may_change: String,
    },
    /// Several trainings were begun otherwise than they would go on.
    #[error(
        "{} was begun in another way:\n  {}\nUndo these changes, or begin anew with another --out. A resume may change {may_change}",
        path.display(),
        differences.join("\n  ")
    )]
    OtherBeginning {
        /// The file that says what they were.
        path: PathBuf,
        /// What differs, each with what it was and what it is.
        differences: Vec<String>,
        /// Keys that may differ.
        may_change: &'static str,
    },
    /// A checkpoint has keys of a configuration that this version does not know.
    #[error("checkpoint {} was saved by another version of this program: in its configuration, {message}", path.display())]
    OtherVersion {
        /// The checkpoint.
        path: PathBuf,
        /// The key, and what may stand in its place.
        message: String,
    },
    /// The loss or the gradients spiked, and nothing is left to do about it.
    #[error("step {step}: {spike}{}; a smaller learning rate or a longer warm-up may help", in_a_row(*spikes))]
    Spiked {
        /// The step that was not taken.
        step: u64,
        /// What was seen.
        spike: String,
        /// Spikes in a row, this one included.
        spikes: u64,
    },
    /// One of many trainings could not go on.
    #[error("{}: {source}", path.display())]
    InSweep {
        /// Its folder.
        path: PathBuf,
        /// Why.
        source: Box<Error>,
    },
    /// A database could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Database {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: Box<rusqlite::Error>,
    },
    /// A folder holds no labels.
    #[error("{} holds no labels", path.display())]
    NoLabels {
        /// The folder.
        path: PathBuf,
    },
    /// A folder holds labels of another kind.
    #[error("{} holds {holds}, and no {wanted}", path.display())]
    OtherKindOfLabels {
        /// The folder.
        path: PathBuf,
        /// What is there.
        holds: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// Labels were collected in another way than they would be now.
    #[error(
        "{} was begun in another way:\n  {}\nGo on as it was begun, or choose another folder",
        path.display(),
        differences.join("\n  ")
    )]
    OtherLabels {
        /// The database.
        path: PathBuf,
        /// What differs, each with what it was and what it is.
        differences: Vec<String>,
    },
    /// Another program collects labels into a folder.
    #[error("{} is held by another `train label`; end that one, or choose another folder", path.display())]
    LabelsHeld {
        /// The folder.
        path: PathBuf,
    },
    /// A row of a database of labels does not fit what stands beside it.
    #[error("{} is damaged: {table}, row {row}: {message}", path.display())]
    DamagedLabels {
        /// The database.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The row: its number, or its key.
        row: String,
        /// What is wrong with it.
        message: String,
    },
    /// A scripted labeler has ended, or said what is no judgment.
    #[error("labeler {}, line {line}: {message}", path.display())]
    Labeler {
        /// The program.
        path: PathBuf,
        /// The line that it wrote, or should have written, from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
}

fn in_a_row(spikes: u64) -> String {
    if spikes > 1 { format!(", the last of {spikes} spikes in a row") } else { String::new() }
}

impl Error {
    /// A closure that names an action and a path in an I/O error.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// A closure that names an action and a path in an error of `SQLite`.
    pub fn database(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.into();
        move |source| Self::Database { action, path, source: Box::new(source) }
    }
}

impl From<FileError> for Error {
    fn from(FileError { action, path, source }: FileError) -> Self {
        Self::File { action, path, source }
    }
}
