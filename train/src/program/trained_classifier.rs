//! The classifier of a training, ready to be asked.

use std::path::Path;

use super::{classifier_config::ClassifierConfig, trained_folder::TrainedFolder};
use crate::{checkpoint::Which, device::DeviceName, error::Result, model::Classifier, tokenizer::Tokenizer};

/// A classifier with what it was trained with.
#[derive(Debug)]
pub(super) struct TrainedClassifier {
    pub model: Classifier,
    pub tokenizer: Tokenizer,
    pub config: ClassifierConfig,
    /// What the head gives for a state: the classes, or 1 where sequences are alternatives.
    pub outputs: usize,
    /// Examples that go through the model together.
    pub batch_size: usize,
    pub seed: u64,
    /// Steps that it was trained.
    pub step: u64,
}

impl TrainedClassifier {
    /// The classifier of a checkpoint in a folder.
    ///
    /// # Errors
    /// When there is no such checkpoint, it is damaged, or holds another model.
    pub fn load(out: &Path, which: Which, device: DeviceName) -> Result<Self> {
        let folder = TrainedFolder::open(out, which, "classifier", "classifier, which `train classify` makes")?;
        let config: ClassifierConfig = folder.configured("classifier")?;
        let outputs = folder.shape("classes.bias").and_then(|shape| shape.first().copied()).unwrap_or(0);
        let (batch_size, seed, step) = (folder.batch_size(), folder.seed, folder.step());
        let zeros = folder.architecture.zeros_classifier(folder.rows, outputs, config.dropout, &device.open()?);
        let (model, tokenizer) = folder.fill(zeros)?;
        Ok(Self { model, tokenizer, config, outputs, batch_size, seed, step })
    }
}
