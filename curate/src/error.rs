//! Why a run could not go on.

use std::{io, path::PathBuf};

use datafusion::error::DataFusionError;
use schemas::{ledger::Imbalance, prompt::RenderError, toml_file::TomlError};
use system::FileError;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not go on. Each variant names the thing at fault.
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
    /// A file that Tamis wrote does not read as what it should be.
    #[error("{} is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file that was found done has other bytes than were written, though its size and time are the same.
    #[error(
        "{} is damaged: it has other bytes than stage `{stage}` wrote; give the command again, and it is made anew",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The stage that wrote it.
        stage: String,
    },
    /// A stage reads a file that is not there.
    #[error("stage `{stage}` reads {}, which nothing before it has made", path.display())]
    NotMade {
        /// The stage.
        stage: String,
        /// The file.
        path: PathBuf,
    },
    /// A stage opens a file that its fingerprint does not hold: what it makes would outlive a change of that.
    #[error("stage `{stage}` opens {}, which is not among the inputs that it was planned with", path.display())]
    InputNotNamed {
        /// The stage.
        stage: String,
        /// The file.
        path: PathBuf,
    },
    /// A recipe or task has a fault.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// Another run holds the output folder.
    #[error("{} is in use by another run", path.display())]
    Locked {
        /// The output folder.
        path: PathBuf,
    },
    /// The output folder holds the run of another recipe.
    #[error("{} holds a run of the recipe `{found}`, not of `{wanted}`; choose another --out", path.display())]
    OtherRun {
        /// The output folder.
        path: PathBuf,
        /// The recipe whose run it holds.
        found: String,
        /// The recipe that was to be run.
        wanted: String,
    },
    /// The output folder holds something that is no run.
    #[error("{} is not empty, and holds no run; choose another --out", path.display())]
    NotARun {
        /// The output folder.
        path: PathBuf,
    },
    /// A source gave no record.
    #[error("source `{name}` has no record in {files}")]
    EmptySource {
        /// The source.
        name: String,
        /// Its files.
        files: String,
    },
    /// A file of a benchmark has nothing that could be looked for.
    #[error("{} holds no example with a text to look for: a benchmark of nothing finds nothing", path.display())]
    NoExample {
        /// The file.
        path: PathBuf,
    },
    /// More records were broken than the recipe allows.
    #[error(
        "source `{name}`: {broken} of {read} records are broken, more than `max_error_rate` = {limit} allows; they are listed in {}",
        quarantine.display()
    )]
    TooManyFaults {
        /// The source.
        name: String,
        /// Where the faults are listed.
        quarantine: PathBuf,
        /// Broken records.
        broken: u64,
        /// All records so far.
        read: u64,
        /// The largest share that the recipe allows.
        limit: f64,
    },
    /// More bytes of a source's files are lost than the recipe allows.
    #[error(
        "source `{name}`: {lost} of {of} bytes are lost, more than `max_lost_rate` = {limit} allows. {first}. What is lost is listed in {}",
        quarantine.display()
    )]
    TooMuchLost {
        /// The source.
        name: String,
        /// Bytes that are lost, as they lie on disk; all of a file whose end is missing.
        lost: u64,
        /// Bytes of all its files.
        of: u64,
        /// The largest share that may be.
        limit: f64,
        /// The stretch that is lost first: its file, what is wrong, at which byte, and the same in words.
        first: String,
        /// Where it is listed.
        quarantine: PathBuf,
    },
    /// A classifier cannot be trained on what there is.
    #[error("classifier `{name}`: {message}")]
    Classifier {
        /// The classifier.
        name: String,
        /// What is missing.
        message: String,
    },
    /// A model file does not load.
    #[error("cannot load the model {}: {message}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A mixture asks for documents that are not there.
    #[error("mixture `{name}`: {message}")]
    Mixture {
        /// The mixture.
        name: String,
        /// What is missing.
        message: String,
    },
    /// An example could not be put into words.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The sums of the ledger do not close.
    #[error("the ledger does not close: {0}")]
    Ledger(#[from] Imbalance),
    /// There is no such document in a run.
    #[error("no document in {} has the id or URL {id}", folder.display())]
    NoDocument {
        /// The run's folder.
        folder: PathBuf,
        /// What was looked for.
        id: String,
    },
    /// A folder that should be an index is none.
    #[error("{} is no index: it holds no finished run that found near-duplicates", path.display())]
    NotAnIndex {
        /// The folder.
        path: PathBuf,
    },
    /// An index was made in another way than this run would.
    #[error("the index {} was made with {found}, and this run asks for {wanted}: ask for the same, or make it anew", path.display())]
    OtherIndex {
        /// The folder.
        path: PathBuf,
        /// How it was made.
        found: String,
        /// How this run makes bands.
        wanted: String,
    },
    /// There are more documents than clusters can be found among.
    #[error("there are more than {limit} documents: find duplicates in parts of them")]
    TooManyDocuments {
        /// How many there may be.
        limit: u64,
    },
    /// A plan needs more memory than it may have.
    #[error("stage `{stage}` needs more than --memory allows: {message}")]
    Memory {
        /// The stage.
        stage: String,
        /// Who wanted how much, as the engine says it.
        message: String,
    },
    /// A plan failed.
    #[error("stage `{stage}`: {source}")]
    Plan {
        /// The stage.
        stage: String,
        /// What the engine said.
        source: Box<DataFusionError>,
    },
}

impl Error {
    /// A closure that names an action and a path in an I/O error.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::file_error(action, path, source)
    }

    fn file_error(action: &'static str, path: PathBuf, source: io::Error) -> Self {
        Self::File { action, path, source }
    }

    /// What a failed plan is to the user: the error of ours that caused it, if one did, else the engine's with the stage.
    fn from_plan(stage: &str, error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Self>() {
                Ok(own) => *own,
                Err(inner) => Self::Plan { stage: stage.into(), source: Box::new(DataFusionError::External(inner)) },
            },
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
                Self::from_plan(stage, *inner)
            }
            DataFusionError::ResourcesExhausted(message) => Self::Memory { stage: stage.into(), message },
            other => Self::Plan { stage: stage.into(), source: Box::new(other) },
        }
    }
}

impl From<FileError> for Error {
    fn from(FileError { action, path, source }: FileError) -> Self {
        Self::File { action, path, source }
    }
}

/// Gives what a plan says its place.
pub trait InStage<T> {
    /// The same result, whose error is what `stage` says to the user.
    ///
    /// # Errors
    /// When the result is one.
    fn in_stage(self, stage: &str) -> Result<T>;
}

impl<T> InStage<T> for Result<T, DataFusionError> {
    fn in_stage(self, stage: &str) -> Result<T> {
        self.map_err(|error| Error::from_plan(stage, error))
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
