//! Prompts that come ready, and texts: no task, no template.
//!
//! A line of JSON is one of
//!
//! ```text
//! {"context": "...", "choices": [" yes", " no"], "gold": 0}      the likelihood of each choice behind the context
//! {"context": "...", "continuation": " word"}                     that of one continuation
//! {"text": "..."}                                                 that of a whole text, in windows
//! {"context": "...", "references": ["..."]}                       what the model writes; also with "stop", a list, and "max_tokens"
//! ```
//!
//! and may have an `id`. `contexts`, a list, stands for one context for each choice; a context may be a list of ids. Choices and continuations
//! are put behind the context as they are, with the blank that they begin with.
//!
//! Useful for: exact comparison with what others have rendered. Not useful for: anything that a task can say.

use std::path::Path;

use rayon::prelude::*;
use schemas::task::{Metric, TaskKind};
use serde::Deserialize;

use super::{
    answer::{Extraction, majority},
    choice::{ScoredAnswer, Scoring, best},
    engine::Engine,
    figures::{Judging, Method},
    leaks::Leaked,
    prepared::{AnswerRequests, Prepared, asked_places, neutral, take_likelihoods, unscored, written_texts},
    protocol::Protocol,
    request::Request,
    rolling::windows,
    sample::{Sample, SampleAnswer},
    skip::Skip,
    task_run::{AskConfig, RunOutcome},
};
use crate::error::{Error, Result};

/// A prompt that comes ready.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadyPrompt {
    /// What it is known by; else the number of its line.
    #[serde(default)]
    pub id: Option<serde_json::Value>,
    /// What the model is given.
    #[serde(default)]
    pub context: Option<Context>,
    /// The same for each choice.
    #[serde(default)]
    pub contexts: Option<Vec<Context>>,
    /// The choices.
    #[serde(default)]
    pub choices: Option<Vec<String>>,
    /// The number of the right one.
    #[serde(default)]
    pub gold: Option<i64>,
    /// What should follow.
    #[serde(default)]
    pub continuation: Option<String>,
    /// A text.
    #[serde(default)]
    pub text: Option<String>,
    /// Answers that are right.
    #[serde(default)]
    pub references: Option<Vec<String>>,
    /// Strings before which an answer ends.
    #[serde(default)]
    pub stop: Option<Vec<String>>,
    /// Most new tokens.
    #[serde(default)]
    pub max_tokens: Option<usize>,
}

/// A context: a text, or its ids.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Context {
    /// A text.
    Text(String),
    /// Ids.
    Ids(Vec<u32>),
}

impl Context {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Ids(ids) => serde_json::to_string(ids).expect("numbers are JSON"),
        }
    }
}

impl ReadyPrompt {
    /// A text alone.
    #[must_use]
    pub fn of_text(text: String) -> Self {
        Self { text: Some(text), ..Self::default() }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_line(line: &str) -> std::result::Result<Self, String> {
        let found: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        found.method()?;
        if found.contexts().any(|context| matches!(context, Context::Ids(ids) if ids.is_empty())) {
            return Err("a context of ids has one at least".to_owned());
        }
        if let (Some(contexts), Some(choices)) = (&found.contexts, &found.choices)
            && contexts.len() != choices.len()
        {
            return Err(format!("{} contexts for {} choices", contexts.len(), choices.len()));
        }
        Ok(found)
    }

    /// Checks its ids against the model that is to read them.
    ///
    /// # Errors
    /// An id that the model does not know.
    pub fn check_ids(&self, vocab_size: usize) -> std::result::Result<(), String> {
        let ids = self.contexts().flat_map(|context| match context {
            Context::Text(_) => &[][..],
            Context::Ids(ids) => &ids[..],
        });
        match ids.copied().find(|id| *id as usize >= vocab_size) {
            Some(id) => Err(format!("the id {id} is outside the vocabulary of {vocab_size} tokens")),
            None => Ok(()),
        }
    }

    /// What it is known by.
    ///
    /// - `line`: the number of its line
    #[must_use]
    pub fn known_by(&self, line: u64) -> String {
        match &self.id {
            Some(serde_json::Value::String(id)) => id.clone(),
            Some(id) => id.to_string(),
            None => line.to_string(),
        }
    }

    fn contexts(&self) -> impl Iterator<Item = &Context> {
        self.context.iter().chain(self.contexts.iter().flatten())
    }

    /// What it is judged from.
    ///
    /// # Errors
    /// When it has keys that do not go together.
    pub fn method(&self) -> std::result::Result<Method, String> {
        let Self { context, contexts, choices, gold, continuation, text, references, .. } = self;
        let context = context.is_some();
        match (text, choices, continuation, references) {
            (Some(_), None, None, None) if !context && contexts.is_none() => Ok(Method::Text),
            (None, Some(choices), None, None) if context != contexts.is_some() && gold.is_some() => {
                if choices.is_empty() { Err("`choices` is empty".to_owned()) } else { Ok(Method::Choices) }
            }
            (None, None, Some(_), None) if context && contexts.is_none() => Ok(Method::Answer),
            (None, None, None, Some(_)) if context && contexts.is_none() => Ok(Method::Generation),
            _ => Err("it has `context`, `choices` and `gold`; or `context` and `continuation`; or `text`; or `context` and `references`".to_owned()),
        }
    }
}

/// Prompts of one kind that come ready.
#[derive(Debug)]
pub struct ReadyRun<'r> {
    /// The model.
    pub engine: &'r Engine<'r>,
    /// The prompts, with the number of each one's line, from 1.
    pub prompts: &'r [(u64, ReadyPrompt)],
    /// Their file.
    pub file: &'r Path,
    /// What all are judged from.
    pub method: Method,
    /// Those that leaked.
    pub leaked: &'r Leaked,
    /// How they are asked about.
    pub config: &'r AskConfig,
    /// Tokens that a window of a text scores, but for the first; as many as the context has, where there is no number.
    pub stride: Option<usize>,
}

impl ReadyRun<'_> {
    /// Checks that every prompt can be asked about, before any is.
    ///
    /// # Errors
    /// An id that the model does not know, so many new tokens that there is no room for a prompt, or a likelihood behind a neutral context of
    /// what has no text: the line is named.
    pub fn check(&self) -> Result<()> {
        let (engine, file) = (self.engine, self.file);
        for (line, prompt) in self.prompts {
            let damaged =
                |message: String| Error::Damaged { path: file.to_owned(), message: format!("line {line}: {message}") };
            prompt.check_ids(engine.vocab_size()).map_err(damaged)?;
            let what = || format!("{}, line {line}", file.display());
            if self.method == Method::Generation {
                engine.check_room(self.protocol(prompt).max_new_tokens, what)?;
            }
            let has_ids = || prompt.contexts().any(|context| matches!(context, Context::Ids(_)));
            if self.method == Method::Choices && self.scoring() == Scoring::Normalized && has_ids() {
                let message = "a context of ids has no neutral one, which the scoring `normalized` takes".to_owned();
                return Err(Error::Evaluation { what: what(), message });
            }
        }
        Ok(())
    }

    /// Asks the model about every prompt.
    ///
    /// - `on_done`: is told how many more requests are done, of how many
    ///
    /// # Errors
    /// When a prompt cannot be asked about, or the model computes what is no number.
    pub fn run(&self, on_done: &mut dyn FnMut(usize, usize)) -> Result<RunOutcome> {
        self.check()?;
        let method = self.method;
        let judging = Judging {
            kind: TaskKind::Generation,
            metric: Some(if method == Method::Generation { Metric::ExactMatch } else { Metric::Accuracy }),
            scoring: self.scoring(),
            has_classes: false,
            is_preference: false,
            method,
            standard_errors: self.config.standard_errors,
            seed: self.config.seed,
        };
        let prepared = self.prompts.par_iter().map(|(line, prompt)| self.prepared(*line, prompt));
        let mut prepared = prepared.collect::<Result<Vec<_>>>()?;
        let mut protocol = None;
        if method == Method::Generation {
            protocol = self.written(&mut prepared, on_done)?;
        } else {
            take_likelihoods(self.engine, &mut prepared, on_done)?;
        }
        let mut samples: Vec<Sample> = prepared.into_iter().map(|prepared| prepared.sample).collect();
        for sample in samples.iter_mut().filter(|sample| sample.skip.is_none()) {
            if method == Method::Choices {
                sample.predicted = best(&sample.scored(), judging.scoring);
            }
            sample.score = judging.score(sample);
        }
        Ok(RunOutcome { samples, judging, protocol })
    }

    fn scoring(&self) -> Scoring {
        self.config.scoring.unwrap_or(Scoring::Sum)
    }

    fn protocol(&self, prompt: &ReadyPrompt) -> Protocol {
        let usual = Protocol {
            max_new_tokens: 256,
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            beams: None,
            samples: 1,
            stop: Vec::new(),
            sentences: None,
            calculator: false,
            second_pass: None,
        };
        let changed = usual.changed(&self.config.protocol);
        Protocol {
            max_new_tokens: prompt.max_tokens.unwrap_or(changed.max_new_tokens),
            stop: prompt.stop.clone().unwrap_or(changed.stop),
            ..changed
        }
    }

    fn prepared(&self, line: u64, prompt: &ReadyPrompt) -> Result<Prepared> {
        let id = prompt.known_by(line);
        let mut sample = Sample {
            leaked: self.leaked.has(&id, self.file, line),
            id,
            has_id: prompt.id.is_some(),
            file: self.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            number: line,
            references: prompt.references.clone().unwrap_or_default(),
            ..Sample::default()
        };
        let (mut requests, mut ids) = (Vec::new(), Vec::new());
        match self.method {
            Method::Text => self.windows(prompt, &mut sample, &mut requests)?,
            Method::Generation => {
                let context = prompt.context.as_ref().expect("it was checked");
                sample.prompt = context.shown();
                // there is nothing to hold an answer against
                sample.skip = sample.references.is_empty().then_some(Skip::NoAnswer);
                let room = self.protocol(prompt).max_new_tokens;
                (ids, sample.cut) = match context {
                    Context::Text(text) => self.engine.prompt(text, room)?,
                    Context::Ids(ids) => self.engine.cut(ids.clone(), room),
                };
            }
            Method::Choices | Method::Answer => self.answers(prompt, &mut sample, &mut requests)?,
        }
        Ok(Prepared::new(sample, requests, ids, self.config.long_prompts))
    }

    fn windows(&self, prompt: &ReadyPrompt, sample: &mut Sample, requests: &mut Vec<AnswerRequests>) -> Result<()> {
        let encoder = self.engine.encoder();
        sample.prompt = prompt.text.clone().expect("it was checked");
        let tokens = encoder.tokenizer().prompt(&sample.prompt)?;
        if tokens.is_empty() {
            sample.skip = Some(Skip::EmptyText);
            return Ok(());
        }
        let context = encoder.context_length();
        let stride = self.stride.unwrap_or(context).clamp(1, context);
        requests.push(AnswerRequests { own: windows(&tokens, encoder.prefix(), context, stride), neutral: None });
        let scored =
            ScoredAnswer { bytes: sample.prompt.len(), characters: sample.prompt.chars().count(), ..unscored("") };
        sample.answers.push(SampleAnswer { name: String::new(), prompt: None, text: String::new(), scored });
        Ok(())
    }

    fn answers(&self, prompt: &ReadyPrompt, sample: &mut Sample, requests: &mut Vec<AnswerRequests>) -> Result<()> {
        let encoder = self.engine.encoder();
        let continuation = prompt.continuation.as_slice();
        let texts = prompt.choices.as_deref().unwrap_or(continuation);
        let by_choice = prompt.choices.is_some();
        let one = prompt.context.as_slice();
        let contexts = prompt.contexts.as_deref().unwrap_or(one);
        sample.prompt = contexts[0].shown();
        sample.gold = prompt.gold.and_then(|gold| usize::try_from(gold).ok()).filter(|gold| *gold < texts.len());
        if by_choice && sample.gold.is_none() {
            sample.skip = Some(Skip::NoAnswer);
            return Ok(());
        }
        for (number, text) in texts.iter().enumerate() {
            let context = contexts.get(number).unwrap_or(&contexts[0]);
            let own = match context {
                _ if text.trim().is_empty() => Err(Skip::EmptyAnswer),
                Context::Text(context) => encoder.request(context, text)?,
                Context::Ids(ids) => {
                    let continuation = encoder.tokenizer().encode_with_special(text)?;
                    Request::new(ids, &continuation, encoder.context_length())
                }
            };
            let own = match own {
                Ok(own) => own,
                Err(skip) => {
                    sample.skip = Some(skip);
                    return Ok(());
                }
            };
            sample.cut = sample.cut.max(own.cut);
            let asked = match context {
                Context::Text(context) if by_choice && self.config.has_neutral(self.scoring()) => {
                    let neutral = encoder.request(&neutral(&self.config.neutral_context, context), text)?;
                    AnswerRequests::with_neutral(own, neutral, self.scoring() == Scoring::Normalized)
                }
                _ => Ok(AnswerRequests { own: vec![own], neutral: None }),
            };
            match asked {
                Ok(asked) => requests.push(asked),
                Err(skip) => {
                    sample.skip = Some(skip);
                    return Ok(());
                }
            }
            let prompt = (contexts.len() > 1).then(|| context.shown());
            sample.answers.push(SampleAnswer {
                name: text.trim().to_owned(),
                prompt,
                text: text.clone(),
                scored: unscored(text),
            });
        }
        Ok(())
    }

    /// Has answers written, those that end alike together. Returns how, where all end alike.
    fn written(&self, prepared: &mut [Prepared], on_done: &mut dyn FnMut(usize, usize)) -> Result<Option<Protocol>> {
        let protocols: Vec<Protocol> = self.prompts.iter().map(|(_, prompt)| self.protocol(prompt)).collect();
        let mut left = asked_places(prepared);
        while let Some(first) = left.first().copied() {
            let protocol = &protocols[first];
            let (own, others): (Vec<usize>, Vec<usize>) =
                left.iter().partition(|place| protocols[**place] == *protocol);
            left = others;
            let texts = written_texts(self.engine, prepared, &own, protocol, self.config.seed, on_done)?;
            let extraction = Extraction { pattern: None, sentences: protocol.sentences };
            for (place, texts) in own.into_iter().zip(texts) {
                let answers: Vec<Option<String>> = texts.iter().map(|text| extraction.answer(text)).collect();
                let sample = &mut prepared[place].sample;
                sample.answer = majority(&answers, false);
                sample.generated = texts;
            }
        }
        let is_one = protocols.iter().all(|protocol| *protocol == protocols[0]);
        Ok(protocols.into_iter().next().filter(|_| is_one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_it_is() {
        let method = |line: &str| {
            let prompt = ReadyPrompt::of_line(line)?;
            prompt.check_ids(10)?;
            prompt.method()
        };
        assert_eq!(method(r#"{"context": "a", "choices": [" b"], "gold": 0, "id": 3}"#), Ok(Method::Choices));
        assert_eq!(method(r#"{"contexts": ["a"], "choices": [" b"], "gold": 0}"#), Ok(Method::Choices));
        assert_eq!(method(r#"{"context": [1, 2], "continuation": " b"}"#), Ok(Method::Answer));
        assert_eq!(method(r#"{"text": "a"}"#), Ok(Method::Text));
        assert_eq!(method(r#"{"context": "a", "references": [], "stop": ["\n"]}"#), Ok(Method::Generation));
        for (line, message) in [
            (r#"{"context": "a"}"#, "it has `context`, `choices` and `gold`"),
            (r#"{"context": "a", "choices": [], "gold": 0}"#, "`choices` is empty"),
            (r#"{"context": "a", "choices": ["b"]}"#, "it has `context`, `choices` and `gold`"),
            (r#"{"context": [10], "continuation": "b"}"#, "the id 10 is outside the vocabulary of 10 tokens"),
            (r#"{"context": [], "continuation": "b"}"#, "a context of ids has one at least"),
            (r#"{"contexts": ["a"], "choices": ["b", "c"], "gold": 0}"#, "1 contexts for 2 choices"),
            (r#"{"context": "a", "chices": ["b"], "gold": 0}"#, "unknown field `chices`"),
            ("{", "EOF"),
        ] {
            let error = method(line).expect_err("it is none");
            assert!(error.contains(message), "{line}: {error}");
        }
    }
}
