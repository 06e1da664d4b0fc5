//! The model of a checkpoint as it lies on the disk, of which each parameter is read when it is asked for.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use system::hash_file;

use super::{
    folder::{Identity, MODEL, path_of, summary},
    tensor_file::TensorFile,
};
use crate::{
    error::{Error, Result},
    model::{NamedTensor, Which, stored_name},
};

/// A model in the folder of a training.
#[derive(Debug)]
pub struct StoredModel {
    /// The checkpoint.
    pub path: PathBuf,
    /// Steps that it was trained.
    pub step: u64,
    /// What was trained.
    pub identity: Identity,
    /// SHA-256 of the file, as it was written.
    pub sha256: String,
    /// Its parameters.
    pub tensors: TensorFile,
}

impl StoredModel {
    /// Opens the model of a checkpoint.
    ///
    /// # Errors
    /// When there is none such, or it is damaged as far as one sees without reading its numbers.
    pub fn open(out: &Path, which: Which) -> Result<Self> {
        let path = path_of(out, which)?;
        let summary = summary(&path)?;
        let file = path.join(MODEL);
        let written = summary.files.into_iter().find(|written| written.path == MODEL);
        let written = written
            .ok_or_else(|| Error::Damaged { path: file.clone(), message: "its checkpoint does not list it".into() })?;
        let (step, identity) = (summary.state.step, summary.identity);
        Ok(Self { tensors: TensorFile::open(&file)?, path, step, identity, sha256: written.sha256 })
    }

    /// The name of a parameter of its language model in its file: a model with a head of its own has that by another.
    #[must_use]
    pub fn name_of(&self, parameter: &str) -> Option<String> {
        stored_name(parameter, |name| self.tensors.contains(name)).map(Cow::into_owned)
    }

    /// The shape of a parameter by its name in the file.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.shapes().find(|(found, _)| found == name).and_then(|(_, shape)| shape)
    }

    /// Reads a parameter by the name that it has in the language model; none where there is none such.
    ///
    /// # Errors
    /// When its numbers cannot be read, or one of them is not finite.
    pub fn parameter(&self, name: &str) -> Result<Option<NamedTensor>> {
        let Some(stored) = self.name_of(name) else { return Ok(None) };
        Ok(Some(NamedTensor { name: name.to_owned(), ..self.tensors.read(&stored)? }))
    }

    /// Makes sure that the file is the one that was written.
    ///
    /// # Errors
    /// When it cannot be read, or is another.
    pub fn verify(&self) -> Result<()> {
        if hash_file(self.tensors.path())?.sha256 == self.sha256 {
            return Ok(());
        }
        let message = "its bytes are not those that were written".into();
        Err(Error::Damaged { path: self.tensors.path().to_owned(), message })
    }
}
