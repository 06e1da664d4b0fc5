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

use rayon::prelude::*;
use schemas::task::{Metric, TaskKind};
use serde::Deserialize;

use super::{
    answer::Extraction,
    choice::{ScoredAnswer, Scoring, best},
    engine::Engine,
    figures::{Judging, Method},
    likelihood::Likelihood,
    protocol::Protocol,
    request::Request,
    rolling::windows,
    sample::{Sample, SampleAnswer},
    skip::Skip,
    task_run::{AskConfig, Leaked, LongPrompts, RunOutcome, neutral, unscored},
    written::WritingPrompt,
};
use crate::error::Result;

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
    /// - `vocab_size`: ids that the model knows
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_line(line: &str, vocab_size: usize) -> std::result::Result<Self, String> {
        let found: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        found.method()?;
        let contexts = found.context.iter().chain(found.contexts.iter().flatten());
        for context in contexts {
            if let Context::Ids(ids) = context {
                if let Some(id) = ids.iter().find(|id| **id as usize >= vocab_size) {
                    return Err(format!("the id {id} is outside the vocabulary of {vocab_size} tokens"));
                }
                if ids.is_empty() {
                    return Err("a context of ids has one at least".to_owned());
                }
            }
        }
        if let (Some(contexts), Some(choices)) = (&found.contexts, &found.choices)
            && contexts.len() != choices.len()
        {
            return Err(format!("{} contexts for {} choices", contexts.len(), choices.len()));
        }
        Ok(found)
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
    /// The name of their file.
    pub file: &'r str,
    /// What all are judged from.
    pub method: Method,
    /// Those that leaked.
    pub leaked: &'r Leaked,
    /// How they are asked about.
    pub config: &'r AskConfig,
    /// Tokens that a window of a text scores, but for the first; as many as the context has, where there is no number.
    pub stride: Option<usize>,
}

/// A prompt with what is asked of the model.
struct Prepared {
    sample: Sample,
    /// For each answer: requests whose likelihoods are added up.
    requests: Vec<Vec<Request>>,
    /// For each answer: the request behind a neutral context.
    neutral: Vec<Request>,
    prompt: Vec<u32>,
}

impl ReadyRun<'_> {
    /// Asks the model about every prompt.
    ///
    /// - `on_done`: is told how many more requests are done, of how many
    ///
    /// # Errors
    /// When the model computes what is no number.
    pub fn run(&self, on_done: &mut dyn FnMut(usize, usize)) -> Result<RunOutcome> {
        let method = self.method;
        let judging = Judging {
            kind: TaskKind::Generation,
            metric: Some(if method == Method::Generation { Metric::ExactMatch } else { Metric::Accuracy }),
            scoring: self.config.scoring.unwrap_or(Scoring::Sum),
            has_classes: false,
            method,
            seed: self.config.seed,
        };
        let prepared = self.prompts.par_iter().map(|(line, prompt)| self.prepared(*line, prompt));
        let mut prepared = prepared.collect::<Result<Vec<_>>>()?;
        let mut protocol = None;
        if method == Method::Generation {
            protocol = Some(self.written(&mut prepared, on_done)?);
        } else {
            self.scored(&mut prepared, on_done)?;
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
        let id = match &prompt.id {
            Some(serde_json::Value::String(id)) => id.clone(),
            Some(id) => id.to_string(),
            None => line.to_string(),
        };
        let mut sample = Sample {
            leaked: self.leaked.has(&id, self.file, line),
            id,
            file: self.file.to_owned(),
            number: line,
            references: prompt.references.clone().unwrap_or_default(),
            ..Sample::default()
        };
        let (mut requests, mut neutral_requests, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        match self.method {
            Method::Text => self.windows(prompt, &mut sample, &mut requests)?,
            Method::Generation => {
                let context = prompt.context.as_ref().expect("it was checked");
                sample.prompt = context.shown();
                let room = self.protocol(prompt).max_new_tokens;
                (ids, sample.cut) = match context {
                    Context::Text(text) => self.engine.prompt(text, room)?,
                    Context::Ids(ids) => {
                        let cut = ids
                            .len()
                            .saturating_sub(self.engine.encoder().context_length().saturating_sub(room).max(1));
                        (ids[cut..].to_vec(), cut)
                    }
                };
            }
            Method::Choices | Method::Answer => {
                self.answers(prompt, &mut sample, &mut requests, &mut neutral_requests)?;
            }
        }
        if sample.skip.is_none() && sample.cut > 0 && self.config.long_prompts == LongPrompts::Skip {
            sample.skip = Some(Skip::LongPrompt);
        }
        if sample.skip.is_some() {
            sample.answers.clear();
            requests.clear();
            neutral_requests.clear();
        }
        Ok(Prepared { sample, requests, neutral: neutral_requests, prompt: ids })
    }

    fn windows(&self, prompt: &ReadyPrompt, sample: &mut Sample, requests: &mut Vec<Vec<Request>>) -> Result<()> {
        let encoder = self.engine.encoder();
        sample.prompt = prompt.text.clone().expect("it was checked");
        let tokens = encoder.tokenizer().prompt(&sample.prompt)?;
        if tokens.is_empty() {
            sample.skip = Some(Skip::EmptyText);
            return Ok(());
        }
        let context = encoder.context_length();
        let stride = self.stride.unwrap_or(context).clamp(1, context);
        requests.push(windows(&tokens, encoder.prefix(), context, stride));
        let scored =
            ScoredAnswer { bytes: sample.prompt.len(), characters: sample.prompt.chars().count(), ..unscored("") };
        sample.answers.push(SampleAnswer { name: String::new(), prompt: None, text: String::new(), scored });
        Ok(())
    }

    fn answers(
        &self,
        prompt: &ReadyPrompt,
        sample: &mut Sample,
        requests: &mut Vec<Vec<Request>>,
        neutral_requests: &mut Vec<Request>,
    ) -> Result<()> {
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
            requests.push(vec![own]);
            if let (true, Context::Text(context)) = (by_choice, context) {
                match encoder.request(&neutral(&self.config.neutral_context, context), text)? {
                    Ok(neutral) => neutral_requests.push(neutral),
                    Err(skip) => {
                        sample.skip = Some(skip);
                        return Ok(());
                    }
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

    fn scored(&self, prepared: &mut [Prepared], on_done: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let asked: Vec<(&str, &Request)> = prepared
            .iter()
            .flat_map(|Prepared { sample, requests, neutral, .. }| {
                requests.iter().flatten().chain(neutral).map(|request| (sample.id.as_str(), request))
            })
            .collect();
        let mut found = self.engine.likelihoods(&asked, on_done)?.into_iter();
        let mut next = || found.next().expect("each request has a likelihood");
        for Prepared { sample, requests, neutral, .. } in prepared {
            for (answer, requests) in sample.answers.iter_mut().zip(requests) {
                let zero = Likelihood { log_likelihood: 0.0, tokens: 0, is_greedy: true };
                let Likelihood { log_likelihood, tokens, is_greedy } =
                    requests.iter().map(|_| next()).fold(zero, |sum, one| Likelihood {
                        log_likelihood: sum.log_likelihood + one.log_likelihood,
                        tokens: sum.tokens + one.tokens,
                        is_greedy: sum.is_greedy && one.is_greedy,
                    });
                answer.scored = ScoredAnswer { log_likelihood, tokens, is_greedy, ..answer.scored };
            }
            let likelihoods: Vec<f64> = neutral.iter().map(|_| next().log_likelihood).collect();
            for (answer, neutral) in sample.answers.iter_mut().zip(likelihoods) {
                answer.scored.neutral = Some(neutral);
            }
        }
        Ok(())
    }

    /// Has answers written: those that end alike together.
    fn written(&self, prepared: &mut [Prepared], on_done: &mut dyn FnMut(usize, usize)) -> Result<Protocol> {
        let protocols: Vec<Protocol> = self.prompts.iter().map(|(_, prompt)| self.protocol(prompt)).collect();
        let mut left: Vec<usize> = (0..prepared.len()).filter(|place| prepared[*place].sample.skip.is_none()).collect();
        while let Some(first) = left.first().copied() {
            let protocol = &protocols[first];
            let (own, others): (Vec<usize>, Vec<usize>) =
                left.iter().partition(|place| protocols[**place] == *protocol);
            left = others;
            let prompts: Vec<WritingPrompt> = own
                .iter()
                .map(|place| {
                    let Prepared { sample, prompt, .. } = &prepared[*place];
                    WritingPrompt { ids: prompt.clone(), id: sample.id.clone(), sample: 0 }
                })
                .collect();
            let texts = self.engine.write(&prompts, protocol, self.config.seed, on_done)?;
            let extraction = Extraction { pattern: None, sentences: protocol.sentences };
            for (place, text) in own.into_iter().zip(texts) {
                let sample = &mut prepared[place].sample;
                sample.answer = extraction.answer(&text);
                sample.generated.push(text);
            }
        }
        Ok(self.protocol(&ReadyPrompt::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_it_is() {
        let method = |line: &str| ReadyPrompt::of_line(line, 10).and_then(|prompt| prompt.method());
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
