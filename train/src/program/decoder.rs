//! The decoder that a training begins with.

use super::{adaptation::Adaptation, pretrained_model::PretrainedModel, session::Session};
use crate::{
    error::Result,
    model::{Architecture, Gpt},
    tokenizer::Tokenizer,
    trainer::Progress,
};

/// What a training begins with, where that is a model that is there.
#[derive(Clone, Copy)]
pub(super) struct Beginning<'p> {
    pub pretrained: Option<&'p PretrainedModel>,
    /// What is trained in its place.
    pub adaptation: Option<&'p Adaptation>,
}

/// The model that a training begins with: fresh, or with the weights of one that is there; zeros, where it goes on from a checkpoint with
/// all weights. A checkpoint of adapters has not.
pub(super) fn initial_model(
    architecture: &Architecture,
    Beginning { pretrained, adaptation }: Beginning<'_>,
    tokenizer: &Tokenizer,
    seed: u64,
    session: &Session<'_>,
    progress: &mut dyn Progress,
) -> Result<Gpt> {
    let device = session.device();
    let rows = pretrained.map_or_else(|| tokenizer.vocab_size(), |pretrained| pretrained.rows(tokenizer));
    let model = match pretrained {
        _ if session.goes_on() && adaptation.is_none() => architecture.zeros(rows, device),
        None => architecture.init(rows, seed, device),
        Some(pretrained) => {
            pretrained.notes().iter().for_each(|note| progress.note(note));
            let (model, loaded) = pretrained.load_whole(architecture.zeros(rows, device), seed)?;
            progress.note(&format!("begins from {pretrained}: {loaded}"));
            model
        }
    };
    match adaptation {
        Some(adaptation) => adaptation.attach(model, seed, progress),
        None => Ok(model),
    }
}
