//! The model of a training, ready to generate.

use std::path::Path;

use burn::module::Module as _;

use super::{pretrained_model::PretrainedModel, recorded::model_of};
use crate::{
    checkpoint::{self, Checkpoint, Which},
    device::DeviceName,
    error::{Error, Result},
    generate::LoadedModel,
    model::language_model,
    tokenizer::{self, Tokenizer},
};

/// The model and tokenizer of a checkpoint in a folder, ready to generate.
///
/// # Errors
/// When there is no such checkpoint, or it is damaged.
pub fn load(out: &Path, which: Which, device: DeviceName) -> Result<(LoadedModel, Tokenizer)> {
    if checkpoint::checkpoints(out)?.is_empty() && out.join("config.json").is_file() {
        let message = "it is a folder of Hugging Face, of which `train import` makes a training".to_owned();
        return Err(Error::Data { path: out.to_owned(), message });
    }
    let mut checkpoint = whole(out, which)?;
    // of a classifier the language model writes
    checkpoint.model = language_model(checkpoint.model);
    let device = device.open()?;
    let tokenizer = Tokenizer::load(&out.join(tokenizer::FILE))?;
    let folder = out.join("checkpoints");
    // an embedding may have more rows than there are tokens
    let rows = checkpoint.model.iter().find(|named| named.name == "tokens").map_or(0, |table| table.shape[0]);
    if tokenizer.vocab_size() > rows {
        let (last, message) = (tokenizer.vocab_size() - 1, "the tokenizer beside it has ids up to");
        return Err(Error::Damaged {
            path: folder,
            message: format!("its model knows {rows} tokens, and {message} {last}"),
        });
    }
    let architecture = model_of(&checkpoint.identity, &folder)?.1;
    let model = if architecture.has_encoder() {
        let model = architecture.zeros_encoder_decoder(rows, &device);
        LoadedModel::EncoderDecoder(checkpoint::with_weights(model, checkpoint.model, &folder)?.valid().into())
    } else {
        let model = architecture.zeros(rows, &device);
        LoadedModel::Decoder(checkpoint::with_weights(model, checkpoint.model, &folder)?.valid().into())
    };
    Ok((model, tokenizer))
}

/// A checkpoint in a folder with all weights of its model: where it holds adapters alone, they are merged into the model that they are for.
///
/// # Errors
/// When there is no such checkpoint, or it is damaged; when the model of its adapters is gone or has changed.
pub(super) fn whole(out: &Path, which: Which) -> Result<Checkpoint> {
    let mut checkpoint = checkpoint::find(out, which)?;
    if checkpoint.identity.base.is_some() {
        checkpoint.model = PretrainedModel::open(out, Which::Step(checkpoint.state.step))?.parameters()?;
    }
    Ok(checkpoint)
}
