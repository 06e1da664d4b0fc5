//! A folder of labels that is open, with its prompts and what answers them.

use std::path::Path;

use super::{
    prompts::{Prompt, read_prompts},
    sampler::AnswerSampler,
    settings::LabelSettings,
    store::Store,
};
use crate::{
    error::{Error, Result},
    inference::InferenceModel,
    tokenizer::Tokenizer,
};

/// A folder of labels that is open to be added to.
#[derive(Debug)]
pub struct Collection {
    pub(super) store: Store,
    /// What draws answers; none where people write them.
    pub(super) sampler: Option<AnswerSampler>,
    /// Prompts that are left out, since the model's context has no room for them and an answer.
    left_out: usize,
}

impl Collection {
    /// Opens a folder, which begins it where nothing is there.
    ///
    /// - `prompts`: a mixture, a file or a folder of files
    /// - `model`: that of the settings, where these have one
    ///
    /// # Errors
    /// When another program holds the folder, it was begun otherwise or does not fit together, or there are no prompts.
    pub fn open(
        folder: &Path,
        prompts: &Path,
        settings: &LabelSettings,
        model: Option<(InferenceModel, Tokenizer)>,
    ) -> Result<Self> {
        let all = read_prompts(prompts)?;
        let sampler = model.and_then(|(model, tokenizer)| AnswerSampler::new(model, tokenizer, settings));
        let mut fitting: Vec<Prompt> = Vec::with_capacity(all.len());
        let count = all.len();
        for prompt in all {
            let has_room = sampler.as_ref().map_or(Ok(true), |sampler| sampler.has_room(&prompt.text))?;
            fitting.extend(has_room.then_some(prompt));
        }
        if fitting.is_empty() {
            let message = "none of its prompts leaves room for an answer in the model's context; fewer --tokens help";
            return Err(Error::Data { path: prompts.to_owned(), message: message.into() });
        }
        let left_out = count - fitting.len();
        Ok(Self { store: Store::create(folder, settings, &fitting)?, sampler, left_out })
    }

    /// What one should know of it, if there is anything.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let Self { left_out, .. } = self;
        (*left_out > 0).then(|| {
            format!("{left_out} prompts are left out: the model's context has no room for them and an answer behind")
        })
    }

    /// Prompts.
    #[must_use]
    pub fn prompts(&self) -> usize {
        self.store.items().len()
    }
}
