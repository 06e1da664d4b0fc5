//! Results of a search as a run of TREC, which `trec_eval` and its kin judge.
//!
//! ```text
//! query Q0 passage rank score train        a line for each passage, by query
//! ```

use std::{
    collections::HashSet,
    io::Write as _,
    path::{Path, PathBuf},
};

use system::AtomicFile;

use crate::{
    error::{Error, Result},
    retrieve::Found,
};

/// A run that is written, and is there once all of it is.
#[derive(Debug)]
pub(super) struct TrecRun {
    path: PathBuf,
    file: AtomicFile,
    questions: HashSet<String>,
}

impl TrecRun {
    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), file: AtomicFile::create(path)?, questions: HashSet::new() })
    }

    /// Adds what was found for a question, best first. One without an id is known by its number.
    ///
    /// # Errors
    /// When the file cannot be written, two questions have one id, or an id has white space, which stands between the columns: it is named.
    pub fn push(&mut self, id: Option<&str>, number: usize, found: &[Found]) -> Result<()> {
        let number = number.to_string();
        let question = id.unwrap_or(&number);
        if !self.questions.insert(question.to_owned()) {
            let message = format!("two questions have the id {question}, and a run of TREC tells them apart by it");
            return Err(Error::Data { path: self.path.clone(), message });
        }
        for (rank, Found { id, hit }) in (1..).zip(found) {
            if let Some(id) = [question, id].into_iter().find(|id| id.is_empty() || id.contains(char::is_whitespace)) {
                let message =
                    format!("the id {id:?} cannot stand in a run of TREC, whose columns stand between white space");
                return Err(Error::Data { path: self.path.clone(), message });
            }
            writeln!(self.file, "{question} Q0 {id} {rank} {} train", hit.score)
                .map_err(Error::file("write", &self.path))?;
        }
        Ok(())
    }

    /// Ends it, in the place of what was there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn publish(self) -> Result<()> {
        Ok(self.file.publish()?)
    }
}
