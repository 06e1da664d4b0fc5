//! Why a training could not go on.

use std::{io, path::PathBuf};

use schemas::toml_file::TomlError;

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
    /// A configuration has a fault.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// There is nothing to train on, or to judge by.
    #[error("data in {}: {message}", path.display())]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// A tokenizer cannot be made or used.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// There is no such device, or this program was built without it.
    #[error("device `{name}`: {message}")]
    Device {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// The output folder holds a training already.
    #[error("{} holds a training already; go on with it by --resume, or choose another --out", path.display())]
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
    /// A checkpoint was made by another training.
    #[error("checkpoint {} was made with {what} `{found}`, not `{wanted}`", path.display())]
    OtherTraining {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        what: String,
        /// What the checkpoint was made with.
        found: String,
        /// What this training wants.
        wanted: String,
    },
    /// The loss is not a number any more.
    #[error("the loss is {loss} at step {step}; a smaller learning rate or a longer warm-up may help")]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f64,
    },
}

impl Error {
    /// A closure that names an action and a path in an I/O error.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
