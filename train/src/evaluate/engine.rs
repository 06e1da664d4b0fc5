//! A model that is evaluated, and how it is asked.

use std::sync::Arc;

use super::{
    beam::BeamEnd,
    likelihood::{Likelihood, LikelihoodOptions, likelihoods},
    protocol::Protocol,
    request::{Request, RequestEncoder},
    written::{Writer, WritingConfig, WritingPrompt},
};
use crate::{
    error::{Error, Result},
    generate::{Sampling, continuous::BatchLimits},
    inference::InferenceModel,
    tokenizer::Tokenizer,
};

/// A model that is evaluated, with its tokenizer.
#[derive(Debug, Clone)]
pub struct Engine<'t> {
    model: Arc<InferenceModel>,
    encoder: RequestEncoder<'t>,
    options: LikelihoodOptions,
    limits: BatchLimits,
}

impl<'t> Engine<'t> {
    /// - `context_length`: most tokens that the model is given, where that is less than it reads
    ///
    /// # Errors
    /// When the tokenizer has ids that the model does not know, or the context is none.
    pub fn new(
        model: Arc<InferenceModel>,
        tokenizer: &'t Tokenizer,
        context_length: Option<usize>,
        options: LikelihoodOptions,
    ) -> Result<Self> {
        if tokenizer.vocab_size() > model.vocab_size() {
            let (ids, rows) = (tokenizer.vocab_size() - 1, model.vocab_size());
            return Err(Error::Tokenizer(format!("its ids go up to {ids}, and the model knows {rows} tokens")));
        }
        let most = model.context_length();
        if let Some(context) = context_length.filter(|context| !(2..=most).contains(context)) {
            let message = format!("the model reads {most} tokens");
            return Err(Error::Evaluation { what: format!("a context of {context} tokens"), message });
        }
        let encoder = RequestEncoder::new(tokenizer, context_length.unwrap_or(most));
        let limits = BatchLimits { step_tokens: options.batch_tokens.clamp(1, 512), ..BatchLimits::default() };
        Ok(Self { model, encoder, options, limits })
    }

    /// What makes requests for it.
    #[must_use]
    pub fn encoder(&self) -> RequestEncoder<'t> {
        self.encoder
    }

    /// The tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &'t Tokenizer {
        self.encoder.tokenizer()
    }

    /// Tokens that it knows.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.model.vocab_size()
    }

    /// The likelihoods of requests, each with the id of its example.
    ///
    /// - `on_done`: is told how many more are done, of how many
    ///
    /// # Errors
    /// When the model computes what is no number.
    pub fn likelihoods(
        &self,
        requests: &[(&str, &Request)],
        on_done: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<Likelihood>> {
        let asked: Vec<&Request> = requests.iter().map(|(_, request)| *request).collect();
        let found = likelihoods(&self.model, &asked, self.options, &mut |more| on_done(more, asked.len()));
        match found.iter().zip(requests).find(|(found, _)| found.log_likelihood.is_nan()) {
            Some((_, (id, _))) => Err(Error::NotANumber { id: (*id).to_owned() }),
            None => Ok(found),
        }
    }

    /// Checks that so many new tokens leave room for a prompt.
    ///
    /// - `what`: what they are written for, for the error
    ///
    /// # Errors
    /// When they do not.
    pub fn check_room(&self, max_new_tokens: usize, what: impl FnOnce() -> String) -> Result<()> {
        check_room(max_new_tokens, self.encoder.context_length(), what)
    }

    /// The ids of a prompt that is to be continued by so many tokens, and how many at its front there was no room for.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn prompt(&self, text: &str, max_new_tokens: usize) -> Result<(Vec<u32>, usize)> {
        let mut ids = self.tokenizer().prompt(text)?;
        if ids.is_empty() {
            ids.push(self.tokenizer().before_text());
        }
        Ok(self.cut(ids, max_new_tokens))
    }

    /// The same of ids, one at least.
    #[must_use]
    pub fn cut(&self, mut ids: Vec<u32>, max_new_tokens: usize) -> (Vec<u32>, usize) {
        let room = self.encoder.context_length().saturating_sub(max_new_tokens).max(1);
        let cut = ids.len().saturating_sub(room);
        (ids.split_off(cut), cut)
    }

    /// What the model writes behind prompts, by a protocol.
    ///
    /// - `on_done`: is told how many more are done, of how many
    ///
    /// # Errors
    /// When the model computes what is no number, or a prompt cannot be continued.
    pub fn write(
        &self,
        prompts: &[WritingPrompt],
        protocol: &Protocol,
        seed: u64,
        on_done: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<String>> {
        let Protocol { max_new_tokens, temperature, top_k, top_p, stop, calculator, .. } = protocol;
        let tokenizer = self.tokenizer();
        let Some(search) = protocol.beam_search() else {
            let sampling = Sampling { temperature: *temperature, top_k: *top_k, top_p: *top_p, seed };
            let (stop, calculator) = (stop.clone(), *calculator);
            let config = WritingConfig { max_new_tokens: *max_new_tokens, sampling, stop, calculator };
            let writer = Writer { model: Arc::clone(&self.model), tokenizer, limits: self.limits };
            return writer.write(prompts, &config, &mut |more| on_done(more, prompts.len()));
        };
        let longest = stop.iter().map(String::len).max().unwrap_or(0);
        let should_stop = |new: &[u32]| {
            let tail = &new[new.len().saturating_sub(longest + 4)..];
            let text = if longest == 0 { String::new() } else { tokenizer.decode(tail).unwrap_or_default() };
            stop.iter().any(|stop| text.contains(stop.as_str()))
        };
        let suppressed = tokenizer.unused(self.vocab_size());
        let end = BeamEnd {
            max_new_tokens: *max_new_tokens,
            eos: tokenizer.ends(),
            suppressed: &suppressed,
            should_stop: &should_stop,
        };
        let mut texts = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            let new = search.run(&self.model, &prompt.ids, &end);
            let new = new.ok_or_else(|| Error::NotANumber { id: prompt.id.clone() })?;
            let mut text = tokenizer.continuation(&prompt.ids, &new)?;
            let end = stop.iter().filter_map(|stop| text.find(stop.as_str())).min();
            text.truncate(end.unwrap_or(text.len()));
            texts.push(text);
            on_done(1, prompts.len());
        }
        Ok(texts)
    }
}

/// The same of a context of so many tokens.
///
/// # Errors
/// See [`Engine::check_room`].
pub fn check_room(max_new_tokens: usize, context: usize, what: impl FnOnce() -> String) -> Result<()> {
    if max_new_tokens < context {
        return Ok(());
    }
    let message = format!(
        "{max_new_tokens} new tokens leave no room for a prompt in a context of {context}; fewer do (`--tokens`, a prompt's `max_tokens`), \
         another template, or a longer context"
    );
    Err(Error::Evaluation { what: what(), message })
}
