//! The classifier of a training, ready to be asked.

use std::path::Path;

use burn::module::Module as _;

use super::{
    classifier_config::ClassifierConfig,
    recorded::{configured, model_of},
    training::TrainingConfig,
};
use crate::{
    checkpoint::{self, Which},
    device::DeviceName,
    error::{Error, Result},
    model::{Classifier, stored_name},
    tokenizer::{self, Tokenizer},
};

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
        let checkpoint = checkpoint::find(out, which)?;
        let folder = out.join("checkpoints");
        let configuration = &checkpoint.identity.config;
        if configuration["classifier"].is_null() {
            let message = "it holds no classifier, which `train classify` makes".to_owned();
            return Err(Error::Data { path: out.to_owned(), message });
        }
        let config: ClassifierConfig = configured(&checkpoint.identity, "classifier", &folder)?;
        let training: TrainingConfig = configured(&checkpoint.identity, "training", &folder)?;
        let seed: u64 = configured(&checkpoint.identity, "seed", &folder)?;
        let architecture = model_of(&checkpoint.identity, &folder)?.1;
        let tokenizer = Tokenizer::load(&out.join(tokenizer::FILE))?;
        let shape = |name: &str| {
            let named = checkpoint.model.iter().find(|named| named.name == name);
            named.and_then(|named| named.shape.first().copied()).unwrap_or(0)
        };
        let table = stored_name("tokens", |name| checkpoint.model.iter().any(|named| named.name == name));
        let (rows, outputs) = (table.map_or(0, |name| shape(&name)), shape("classes.bias"));
        if tokenizer.vocab_size() > rows {
            let last = tokenizer.vocab_size() - 1;
            let message = format!("its model knows {rows} tokens, and the tokenizer beside it has ids up to {last}");
            return Err(Error::Damaged { path: folder, message });
        }
        let step = checkpoint.state.step;
        let model = architecture.zeros_classifier(rows, outputs, config.dropout, &device.open()?);
        let model = checkpoint::with_weights(model, checkpoint.model, &folder)?.valid();
        let batch_size = training.batch_size / training.gradient_accumulation;
        Ok(Self { model, tokenizer, config, outputs, batch_size, seed, step })
    }
}
