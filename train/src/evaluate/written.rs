//! Texts that a model writes behind prompts, many at once.
//!
//! ```text
//! prompt -> batched continuously -> token by token: a stop string? a marked equation? -> the text before the stop string
//! ```
//!
//! A text depends on its prompt, the seed and the number of the sample: not on what is written beside it.
//!
//! Useful for: greedy decoding and sampling. Not useful for: beams; see [`super::beam`].

use std::{collections::BTreeMap, sync::Arc};

use super::calculator;
use crate::{
    error::{Error, Result},
    generate::{
        Sampling,
        continuous::{BatchLimits, ContinuousBatch, FinishReason, GenerationEvent, GenerationRequest},
    },
    inference::InferenceModel,
    tokenizer::Tokenizer,
};

/// How texts are written.
#[derive(Debug, Clone, PartialEq)]
pub struct WritingConfig {
    /// Most new tokens.
    pub max_new_tokens: usize,
    /// How tokens are chosen; the seed is that of all texts, each of which has draws of its own.
    pub sampling: Sampling,
    /// Strings before which a text ends.
    pub stop: Vec<String>,
    /// Whether the results of marked equations are written for the model.
    pub calculator: bool,
}

/// A prompt that is to be continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritingPrompt {
    /// Its ids, one or more.
    pub ids: Vec<u32>,
    /// By which its draws are told from those of others: the example's id.
    pub id: String,
    /// The number of the sample.
    pub sample: u64,
}

/// A model that writes, and its tokenizer.
#[derive(Debug, Clone)]
pub struct Writer<'t> {
    /// The model.
    pub model: Arc<InferenceModel>,
    /// The tokenizer.
    pub tokenizer: &'t Tokenizer,
    /// How much runs at once.
    pub limits: BatchLimits,
}

/// A text on its way.
struct Draft<'p> {
    prompt: &'p WritingPrompt,
    new: Vec<u32>,
    /// How often the calculator wrote in it.
    calculated: u64,
    is_over: bool,
}

impl Writer<'_> {
    /// Goes on with each prompt. Returns the texts in their order, each without its stop string.
    ///
    /// - `on_done`: is told how many more are done
    ///
    /// # Errors
    /// When the model computes what is no number, or the tokenizer's own parts do not fit together.
    pub fn write(
        &self,
        prompts: &[WritingPrompt],
        config: &WritingConfig,
        on_done: &mut dyn FnMut(usize),
    ) -> Result<Vec<String>> {
        let mut batch = ContinuousBatch::new(Arc::clone(&self.model), self.limits);
        let mut drafts: Vec<Draft<'_>> =
            prompts.iter().map(|prompt| Draft { prompt, new: Vec::new(), calculated: 0, is_over: false }).collect();
        let (eos, suppressed): (Arc<[u32]>, Arc<[u32]>) =
            (self.tokenizer.ends().into(), self.tokenizer.unused(self.model.vocab_size()).into());
        for (key, draft) in drafts.iter().enumerate() {
            add(&mut batch, key, draft, config, (&eos, &suppressed))?;
        }
        while !batch.is_idle() {
            let mut fault = None;
            let mut told: BTreeMap<usize, Option<FinishReason>> = BTreeMap::new();
            batch.step(&mut |key, event| {
                let key = usize::try_from(key).expect("it is the number of a prompt");
                match event {
                    GenerationEvent::Token(score) => {
                        drafts[key].new.push(score.id);
                        told.entry(key).or_default();
                    }
                    GenerationEvent::Finished { reason: FinishReason::NotANumber } => fault = Some(key),
                    GenerationEvent::Finished { reason } => drop(told.insert(key, Some(reason))),
                    GenerationEvent::Prompt { .. } => {}
                }
            });
            if let Some(key) = fault {
                return Err(Error::NotANumber { id: drafts[key].prompt.id.clone() });
            }
            let mut done = 0;
            for (key, finished) in told {
                let draft = &mut drafts[key];
                let is_running = finished.is_none();
                if finished != Some(FinishReason::EndOfText) && !self.is_stopped(draft, config)? {
                    if config.calculator && self.calculate(draft, config)? {
                        if is_running {
                            batch.cancel(key as u64);
                        }
                        if draft.new.len() < config.max_new_tokens
                            && draft.prompt.ids.len() + draft.new.len() < self.model.context_length()
                        {
                            add(&mut batch, key, draft, config, (&eos, &suppressed))?;
                            continue;
                        }
                    } else if is_running {
                        continue;
                    }
                } else if is_running {
                    batch.cancel(key as u64);
                }
                draft.is_over = true;
                done += 1;
            }
            if done > 0 {
                on_done(done);
            }
        }
        drafts.iter().map(|draft| self.text(draft, config)).collect()
    }

    /// Whether the newest token completes a stop string.
    fn is_stopped(&self, draft: &Draft<'_>, config: &WritingConfig) -> Result<bool> {
        let Some(longest) = config.stop.iter().map(String::len).max() else { return Ok(false) };
        // a token has a byte at least, and a sign that is cut in two is none
        let text = self.tail(draft, longest + 4)?;
        Ok(config.stop.iter().any(|stop| text.contains(stop.as_str())))
    }

    /// What the last tokens say.
    fn tail(&self, draft: &Draft<'_>, tokens: usize) -> Result<String> {
        self.tokenizer.decode(&draft.new[draft.new.len().saturating_sub(tokens)..])
    }

    /// Writes the result behind a marked equation that has just come to its sign of equality.
    fn calculate(&self, draft: &mut Draft<'_>, config: &WritingConfig) -> Result<bool> {
        let Some(result) = calculator::result(&self.tail(draft, calculator::LONGEST)?) else { return Ok(false) };
        draft.new.extend(self.tokenizer.encode(&result)?);
        draft.new.truncate(config.max_new_tokens);
        draft.calculated += 1;
        Ok(true)
    }

    /// The text as far as a stop string.
    fn text(&self, draft: &Draft<'_>, config: &WritingConfig) -> Result<String> {
        let mut text = self.tokenizer.continuation(&draft.prompt.ids, &draft.new)?;
        let end = config.stop.iter().filter_map(|stop| text.find(stop.as_str())).min();
        text.truncate(end.unwrap_or(text.len()));
        Ok(text)
    }
}

/// Adds a draft to a batch, to be gone on with.
fn add(
    batch: &mut ContinuousBatch,
    key: usize,
    draft: &Draft<'_>,
    config: &WritingConfig,
    (eos, suppressed): (&Arc<[u32]>, &Arc<[u32]>),
) -> Result<()> {
    let Draft { prompt, new, calculated, .. } = draft;
    let drawn = format!("{} {} {calculated}", prompt.id, prompt.sample);
    let seed = super::draw::draw(config.sampling.seed, "write", &drawn);
    let request = GenerationRequest {
        prompt: [&prompt.ids[..], new].concat(),
        max_new_tokens: config.max_new_tokens - new.len(),
        sampling: Sampling { seed, ..config.sampling },
        sample: prompt.sample,
        eos: Arc::clone(eos),
        suppressed: Arc::clone(suppressed),
        logit_bias: Vec::new(),
        logprobs: None,
        echo: false,
    };
    batch.add(key as u64, request).map_err(|fault| Error::Prompt { id: prompt.id.clone(), message: fault.to_string() })
}
