//! A model in a folder, ready for inference on a processor: that of a training, or one of Hugging Face.

use std::path::Path;

use super::pretrained_model::PretrainedModel;
use crate::{
    checkpoint::{self, Which},
    error::{Error, Result},
    inference::{InferenceModel, WeightFormat},
    tokenizer::{self, Tokenizer},
};

/// A model for inference, with its tokenizer.
#[derive(Debug)]
pub struct ReadyModel {
    /// The model.
    pub model: InferenceModel,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// SHA-256 of its weights; where there are several files, over those of all.
    pub sha256: String,
    /// Steps that it was trained, where it is that of a training.
    pub step: Option<u64>,
    /// What one should know of it.
    pub notes: Vec<String>,
}

impl ReadyModel {
    /// The model in a folder.
    ///
    /// - `which`: of a training
    ///
    /// # Errors
    /// When there is none, it is no decoder, something of it is missing or damaged, or its tokenizer has ids that it does not know.
    pub fn open(folder: &Path, which: Which, format: WeightFormat) -> Result<Self> {
        let fault = |message: String| Error::Data { path: folder.to_owned(), message };
        if !folder.is_dir() {
            return Err(fault("there is no such folder".into()));
        }
        if checkpoint::checkpoints(folder)?.is_empty() && !folder.join("config.json").is_file() {
            return Err(fault("it has neither the checkpoints of a training nor a config.json".into()));
        }
        let pretrained = PretrainedModel::open(folder, which)?;
        let path = pretrained.tokenizer().ok_or_else(|| fault(format!("it has no {}", tokenizer::FILE)))?;
        let tokenizer = Tokenizer::load(&path)?;
        let model = pretrained.inference(format)?;
        if tokenizer.vocab_size() > model.vocab_size() {
            let (last, rows) = (tokenizer.vocab_size() - 1, model.vocab_size());
            let message = format!("its model knows {rows} tokens, and the tokenizer beside it has ids up to {last}");
            return Err(Error::Damaged { path, message });
        }
        let notes = pretrained.notes().iter().cloned().chain(tokenizer.note()).collect();
        Ok(Self { model, tokenizer, sha256: pretrained.sha256()?, step: pretrained.step(), notes })
    }
}
