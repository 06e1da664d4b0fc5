//! The decoder that a training begins with.

use super::{pretrained_model::PretrainedModel, session::Session};
use crate::{
    error::Result,
    model::{Architecture, Gpt},
    tokenizer::Tokenizer,
    trainer::Progress,
};

/// The model that a training begins with: fresh, or with the weights of one that is there; zeros, where it goes on from a checkpoint with
/// weights of its own.
pub(super) fn initial_model(
    architecture: &Architecture,
    pretrained: Option<&PretrainedModel>,
    tokenizer: &Tokenizer,
    seed: u64,
    session: &Session<'_>,
    progress: &mut dyn Progress,
) -> Result<Gpt> {
    let device = session.device();
    let rows = pretrained.map_or_else(|| tokenizer.vocab_size(), |pretrained| pretrained.rows(tokenizer));
    match pretrained {
        _ if session.goes_on() => Ok(architecture.zeros(rows, device)),
        None => Ok(architecture.init(rows, seed, device)),
        Some(pretrained) => {
            pretrained.notes().iter().for_each(|note| progress.note(note));
            let (model, loaded) = pretrained.load_whole(architecture.zeros(rows, device), seed)?;
            progress.note(&format!("begins from {pretrained}: {loaded}"));
            Ok(model)
        }
    }
}
