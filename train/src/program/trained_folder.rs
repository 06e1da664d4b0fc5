//! The folder of a training of a model that is more than a language model: what it holds, before its numbers are in a module.

use std::path::{Path, PathBuf};

use burn::module::Module;
use serde::de::DeserializeOwned;

use super::{
    recorded::{configured, model_of},
    training::TrainingConfig,
};
use crate::{
    checkpoint::{self, StoredModel, Which},
    error::{Error, Result},
    model::Architecture,
    tokenizer::{self, Tokenizer},
};

/// The model of a checkpoint with the tokenizer beside it: what only a training needs is not read.
pub(super) struct TrainedFolder {
    checkpoints: PathBuf,
    stored: StoredModel,
    tokenizer: Tokenizer,
    training: TrainingConfig,
    pub architecture: Architecture,
    /// Rows of its token embedding.
    pub rows: usize,
    pub seed: u64,
}

impl TrainedFolder {
    /// Reads a checkpoint of a folder.
    ///
    /// - `table`: of its configuration, that trainings of this kind have
    /// - `what`: it is to hold, in words
    ///
    /// # Errors
    /// When there is no such checkpoint, it is damaged, or one of another kind of training.
    pub fn open(out: &Path, which: Which, table: &str, what: &str) -> Result<Self> {
        let stored = StoredModel::open(out, which)?;
        let checkpoints = out.join("checkpoints");
        let identity = &stored.identity;
        if identity.config[table].is_null() {
            return Err(Error::Data { path: out.to_owned(), message: format!("it holds no {what}") });
        }
        let training: TrainingConfig = configured(identity, "training", &checkpoints)?;
        let seed: u64 = configured(identity, "seed", &checkpoints)?;
        let architecture = model_of(identity, &checkpoints)?.1;
        let tokenizer = Tokenizer::load(&out.join(tokenizer::FILE))?;
        let rows = stored
            .name_of("tokens")
            .and_then(|table| stored.shape(&table))
            .and_then(|shape| shape.first().copied())
            .unwrap_or(0);
        if tokenizer.vocab_size() > rows {
            let last = tokenizer.vocab_size() - 1;
            let message = format!("its model knows {rows} tokens, and the tokenizer beside it has ids up to {last}");
            return Err(Error::Damaged { path: checkpoints, message });
        }
        Ok(Self { checkpoints, stored, tokenizer, training, architecture, rows, seed })
    }

    /// A table of its configuration.
    ///
    /// # Errors
    /// When it is of another version.
    pub fn configured<T: DeserializeOwned>(&self, table: &str) -> Result<T> {
        configured(&self.stored.identity, table, &self.checkpoints)
    }

    /// The shape of a parameter.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.stored.shape(name)
    }

    /// SHA-256 of the file of its parameters.
    pub fn sha256(&self) -> &str {
        &self.stored.sha256
    }

    /// Steps that it was trained.
    pub fn step(&self) -> u64 {
        self.stored.step
    }

    /// Examples that went through the model together.
    pub fn batch_size(&self) -> usize {
        (self.training.batch_size / self.training.gradient_accumulation).max(1)
    }

    /// A module with its numbers, without gradients; and the tokenizer.
    ///
    /// # Errors
    /// When they are not those of such a module.
    pub fn fill<M: Module>(self, zeros: M) -> Result<(M, Tokenizer)> {
        let model = checkpoint::with_stored_weights(zeros, &self.stored)?.valid();
        Ok((model, self.tokenizer))
    }
}
