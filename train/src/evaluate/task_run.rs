//! A task by one template with so many demonstrations: from examples to samples.
//!
//! ```text
//! example -> words, behind demonstrations -> requests for each choice, behind the prompt and behind a neutral context  -> likelihoods
//!                                         -> a prompt                                                                  -> texts -> answers
//! ```

use rayon::prelude::*;
use regex::Regex;
use schemas::{
    examples::Choices,
    task::{Parts, TaskKind, Template},
};
use serde::{Serialize, Serializer};

use super::{
    answer::{Extraction, first_of, majority},
    choice::{Scoring, best},
    engine::Engine,
    figures::{Judging, Method},
    leaks::Leaked,
    prepared::{
        AnswerRequests, LongPrompts, Prepared, asked_places, neutral, take_likelihoods, unscored, written_texts,
    },
    prompts::{Question, RenderedExample, TaskPrompts},
    protocol::{Protocol, ProtocolChanges},
    sample::{Sample, SampleAnswer},
    skip::Skip,
    written::WritingPrompt,
};
use crate::{data::TaskExample, error::Result};

/// How many demonstrations an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shots {
    /// So many; where there are fewer, all of them.
    Fixed(u32),
    /// As many as the model's context has room for.
    Max,
}

impl std::fmt::Display for Shots {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(shots) => write!(formatter, "{shots}"),
            Self::Max => formatter.write_str("max"),
        }
    }
}

impl Serialize for Shots {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(shots) => serializer.serialize_u32(*shots),
            Self::Max => serializer.serialize_str("max"),
        }
    }
}

/// How examples are asked about, beside the template.
#[derive(Debug, Clone, PartialEq)]
pub struct AskConfig {
    /// The seed of whatever is drawn.
    pub seed: u64,
    /// What answers are judged from, where a template allows for both; by default what fits it.
    pub method: Option<Method>,
    /// What likelihoods of choices are divided by, in the place of what the task says.
    pub scoring: Option<Scoring>,
    /// The context behind which answers have a likelihood of their own; they have none where it is empty, unless they are judged by it.
    pub neutral_context: String,
    /// What becomes of a prompt that the model has no room for.
    pub long_prompts: LongPrompts,
    /// What stands between demonstrations.
    pub separator: String,
    /// How answers are written, where that is not as usual.
    pub protocol: ProtocolChanges,
    /// Whether scores that are no means have a standard error, for which they are taken a thousand times.
    pub standard_errors: bool,
}

impl AskConfig {
    /// Whether answers have a likelihood behind a neutral context, where choices are made by a scoring.
    #[must_use]
    pub fn has_neutral(&self, scoring: Scoring) -> bool {
        !self.neutral_context.is_empty() || scoring == Scoring::Normalized
    }
}

/// A task by one template with so many demonstrations.
#[derive(Debug)]
pub struct TaskRun<'r> {
    /// The model.
    pub engine: &'r Engine<'r>,
    /// The task.
    pub prompts: &'r TaskPrompts,
    /// The examples.
    pub examples: &'r [TaskExample],
    /// Those that leaked.
    pub leaked: &'r Leaked,
    /// How they are asked about.
    pub config: &'r AskConfig,
    /// The number of the template.
    pub template: usize,
    /// Demonstrations.
    pub shots: Shots,
}

/// What a run has made.
#[derive(Debug)]
pub struct RunOutcome {
    /// A sample for each example, in their order.
    pub samples: Vec<Sample>,
    /// How they are judged.
    pub judging: Judging,
    /// How answers were written, where they were.
    pub protocol: Option<Protocol>,
}

/// How a task's answers are written by a template behind so many demonstrations; none where they are not.
///
/// # Errors
/// When an example cannot be put into words.
pub fn protocol_of(
    prompts: &TaskPrompts,
    template: usize,
    shots: Shots,
    config: &AskConfig,
) -> Result<Option<Protocol>> {
    let (task, own) = (prompts.task(), &prompts.task().templates[template]);
    if Method::of(task, own, config.method) != Method::Generation {
        return Ok(None);
    }
    let shows = shots != Shots::Fixed(0);
    let separator = shows.then_some(config.separator.as_str());
    let has_lines = prompts.has_lines(template, shows)?;
    let usual = Protocol::of(task.kind, own.prompt_style, separator, has_lines, own.pattern.is_some());
    Ok(Some(usual.changed(&config.protocol)))
}

impl TaskRun<'_> {
    /// Checks that there is room for prompts, before any example is asked about.
    ///
    /// # Errors
    /// When there is none beside what is written, or the template cannot render what is shown.
    pub fn check(&self) -> Result<()> {
        self.protocol().map(drop)
    }

    /// Asks the model about every example.
    ///
    /// - `on_done`: is told how many more requests are done, of how many
    ///
    /// # Errors
    /// When the template cannot render an example or has the same words for two choices, there is no room for prompts, or the model computes
    /// what is no number.
    pub fn run(&self, on_done: &mut dyn FnMut(usize, usize)) -> Result<RunOutcome> {
        let task = self.prompts.task();
        let judging = Judging {
            kind: task.kind,
            metric: task.metric,
            scoring: self.scoring(),
            has_classes: matches!(task.rules.choices, Some(Choices::Fixed(_))),
            is_preference: matches!(self.template().parts, Parts::Preference { .. }),
            method: self.method(),
            standard_errors: self.config.standard_errors,
            seed: self.config.seed,
        };
        let protocol = self.protocol()?;
        let rendered = self.examples.par_iter().map(|example| self.rendered(example));
        let rendered = rendered.collect::<Result<Vec<_>>>()?;
        let prepared = self.examples.par_iter().zip(&rendered);
        let prepared = prepared.map(|(example, rendered)| self.prepared(example, rendered, protocol.as_ref()));
        let mut prepared = prepared.collect::<Result<Vec<_>>>()?;
        match &protocol {
            Some(protocol) => self.written(&mut prepared, &rendered, protocol, on_done)?,
            None => take_likelihoods(self.engine, &mut prepared, on_done)?,
        }
        let mut samples: Vec<Sample> = prepared.into_iter().map(|prepared| prepared.sample).collect();
        for sample in samples.iter_mut().filter(|sample| sample.skip.is_none()) {
            if judging.method == Method::Choices {
                sample.predicted = best(&sample.scored(), judging.scoring);
            }
            sample.score = judging.score(sample);
        }
        Ok(RunOutcome { samples, judging, protocol })
    }

    fn template(&self) -> &Template {
        &self.prompts.task().templates[self.template]
    }

    fn method(&self) -> Method {
        Method::of(self.prompts.task(), self.template(), self.config.method)
    }

    fn scoring(&self) -> Scoring {
        self.config.scoring.or(self.prompts.task().scoring).unwrap_or_default()
    }

    /// Whether answers are numbers.
    fn is_number(&self) -> bool {
        self.prompts.task().kind == TaskKind::Arithmetic
    }

    /// How answers are written, where they are.
    fn protocol(&self) -> Result<Option<Protocol>> {
        let protocol = protocol_of(self.prompts, self.template, self.shots, self.config)?;
        if let Some(protocol) = &protocol {
            let what = || format!("task `{}`, template `{}`", self.prompts.task().name, self.template().name);
            self.engine.check_room(protocol.max_new_tokens, what)?;
        }
        Ok(protocol)
    }

    /// An example in words by which its choices, where there are any, are told apart.
    fn rendered(&self, example: &TaskExample) -> Result<RenderedExample> {
        let rendered = self.prompts.asked(self.template, example)?;
        if self.method() == Method::Choices {
            self.prompts.check_choices(self.template, &example.id, &rendered)?;
        }
        Ok(rendered)
    }

    fn prepared(
        &self,
        example: &TaskExample,
        rendered: &RenderedExample,
        protocol: Option<&Protocol>,
    ) -> Result<Prepared> {
        let mut sample = Sample {
            id: example.id.clone(),
            has_id: true,
            leaked: self.leaked.has(&example.id, &example.file, example.number),
            file: example.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            number: example.number,
            gold: rendered.gold,
            references: rendered.references.clone(),
            ..Sample::default()
        };
        let method = self.method();
        let is_known = match method {
            Method::Choices => rendered.gold.is_some(),
            Method::Generation => !rendered.references.is_empty(),
            Method::Answer | Method::Text => true,
        };
        if !is_known {
            return Ok(Prepared::skipped(sample, Skip::NoAnswer));
        }
        let by_choice = method == Method::Choices;
        let room = protocol.map(|protocol| protocol.max_new_tokens);
        let (question, shown) = self.question(example, rendered, by_choice, room)?;
        sample.shown = shown;
        sample.prompt.clone_from(&question.prompts[0]);
        let long_prompts = self.config.long_prompts;
        if let Some(room) = room {
            let (prompt, cut) = self.engine.prompt(&question.prompts[0], room)?;
            sample.cut = cut;
            return Ok(Prepared::new(sample, Vec::new(), prompt, long_prompts));
        }
        let mut requests = Vec::new();
        for (number, text) in question.answers.iter().enumerate() {
            let prompt = question.prompts.get(number).unwrap_or(&question.prompts[0]);
            let name = if by_choice { &rendered.names[number] } else { &rendered.answer };
            match self.requests(prompt, text, by_choice)? {
                Ok(asked) => {
                    sample.cut = asked.own.iter().map(|request| request.cut).fold(sample.cut, usize::max);
                    let own = (question.prompts.len() > 1).then(|| prompt.clone());
                    sample.answers.push(SampleAnswer {
                        name: name.clone(),
                        prompt: own,
                        text: text.clone(),
                        scored: unscored(text),
                    });
                    requests.push(asked);
                }
                Err(skip) => {
                    sample.skip = Some(skip);
                    break;
                }
            }
        }
        Ok(Prepared::new(sample, requests, Vec::new(), long_prompts))
    }

    /// The requests of an answer.
    fn requests(&self, prompt: &str, text: &str, by_choice: bool) -> Result<std::result::Result<AnswerRequests, Skip>> {
        if text.trim().is_empty() {
            return Ok(Err(Skip::EmptyAnswer));
        }
        let encoder = self.engine.encoder();
        let own = match encoder.request(prompt, text)? {
            Ok(own) => own,
            Err(skip) => return Ok(Err(skip)),
        };
        if !by_choice || !self.config.has_neutral(self.scoring()) {
            return Ok(Ok(AnswerRequests { own: vec![own], neutral: None }));
        }
        let neutral = encoder.request(&neutral(&self.config.neutral_context, prompt), text)?;
        Ok(AnswerRequests::with_neutral(own, neutral, self.scoring() == Scoring::Normalized))
    }

    /// The question of an example, and how many demonstrations stand before it.
    ///
    /// - `room`: tokens that the model is to write behind it
    fn question(
        &self,
        example: &TaskExample,
        rendered: &RenderedExample,
        by_choice: bool,
        room: Option<usize>,
    ) -> Result<(Question, u32)> {
        let ask = |shown: &[&Parts]| self.prompts.question(self.template, rendered, shown, by_choice);
        let order = self.prompts.shown(self.template, &example.id);
        let most = match self.shots {
            Shots::Fixed(shots) => {
                let shown = order.take(shots as usize).collect::<Result<Vec<_>>>()?;
                return Ok((ask(&shown), u32::try_from(shown.len()).unwrap_or(u32::MAX)));
            }
            Shots::Max => self.engine.encoder().context_length(),
        };
        let mut shown: Vec<&Parts> = Vec::new();
        let mut tokens = self.tokens(&ask(&[]), room)?;
        for parts in order {
            let parts = parts?;
            tokens += self.tokens_of(parts)?;
            if tokens > most {
                break;
            }
            shown.push(parts);
        }
        let mut question = ask(&shown);
        // what stands together may have more tokens than its parts
        while !shown.is_empty() && self.tokens(&question, room)? > most {
            shown.pop();
            question = ask(&shown);
        }
        Ok((question, u32::try_from(shown.len()).unwrap_or(u32::MAX)))
    }

    /// Tokens that the model reads for the longest answer to a question.
    fn tokens(&self, question: &Question, room: Option<usize>) -> Result<usize> {
        let tokenizer = self.engine.tokenizer();
        if let Some(room) = room {
            return Ok(tokenizer.prompt(&question.prompts[0])?.len() + room);
        }
        let mut longest = 0;
        for (number, answer) in question.answers.iter().enumerate() {
            let prompt = question.prompts.get(number).unwrap_or(&question.prompts[0]);
            // the last token of an answer is not read
            longest = longest.max(tokenizer.prompt(&format!("{prompt}{answer}"))?.len().saturating_sub(1));
        }
        Ok(longest)
    }

    /// Tokens of a demonstration.
    fn tokens_of(&self, parts: &Parts) -> Result<usize> {
        let Parts::Completion { prompt, completion } = parts else { return Ok(0) };
        let text = format!("{prompt}{}{}", completion.trim_end(), self.config.separator);
        Ok(self.engine.tokenizer().encode_with_special(&text)?.len())
    }

    /// Has answers written, and finds them in what was written.
    fn written(
        &self,
        prepared: &mut [Prepared],
        rendered: &[RenderedExample],
        protocol: &Protocol,
        on_done: &mut dyn FnMut(usize, usize),
    ) -> Result<()> {
        let pattern = self.template().pattern.as_deref();
        let pattern = pattern.map(|pattern| Regex::new(pattern).expect("it was checked"));
        let has_pattern = pattern.is_some();
        let extraction = Extraction { pattern, sentences: protocol.sentences };
        let places = asked_places(prepared);
        let texts = written_texts(self.engine, prepared, &places, protocol, self.config.seed, on_done)?;
        let mut unanswered: Vec<(usize, usize)> = Vec::new();
        let mut answers: Vec<Vec<Option<String>>> = vec![Vec::new(); prepared.len()];
        for (place, texts) in places.into_iter().zip(texts) {
            for (number, text) in texts.iter().enumerate() {
                let answer = extraction.answer(text);
                if answer.is_none() && has_pattern {
                    unanswered.push((place, number));
                }
                answers[place].push(answer);
            }
            prepared[place].sample.generated = texts;
        }
        if let Some(words) = protocol.second_pass.as_deref().filter(|_| !unanswered.is_empty()) {
            self.ask_again(prepared, rendered, &unanswered, words, protocol, &mut answers)?;
        }
        for (own, answers) in prepared.iter_mut().zip(answers) {
            own.sample.answer = majority(&answers, self.is_number());
        }
        Ok(())
    }

    /// Asks once more for answers that were not found in reasoning.
    fn ask_again(
        &self,
        prepared: &mut [Prepared],
        rendered: &[RenderedExample],
        unanswered: &[(usize, usize)],
        words: &str,
        protocol: &Protocol,
        answers: &mut [Vec<Option<String>>],
    ) -> Result<()> {
        /// Tokens of an answer alone.
        const SHORT: usize = 32;
        let room = SHORT.min(protocol.max_new_tokens);
        let short = Protocol {
            max_new_tokens: room,
            temperature: 0.0,
            samples: 1,
            stop: vec!["\n".to_owned()],
            second_pass: None,
            ..protocol.clone()
        };
        let mut prompts = Vec::with_capacity(unanswered.len());
        for (place, number) in unanswered {
            let sample = &mut prepared[*place].sample;
            let text = format!("{}{}\n{words}", sample.prompt, sample.generated[*number].trim_end());
            let (ids, cut) = self.engine.prompt(&text, room)?;
            sample.cut = sample.cut.max(cut);
            prompts.push(WritingPrompt { ids, id: sample.id.clone(), sample: *number as u64 });
        }
        let texts = self.engine.write(&prompts, &short, self.config.seed, &mut |_, _| {})?;
        for ((place, number), text) in unanswered.iter().zip(texts) {
            answers[*place][*number] = first_of(&text, &rendered[*place].names, self.is_number());
            let written = &mut prepared[*place].sample.generated[*number];
            *written = format!("{}\n{words}{text}", written.trim_end());
        }
        Ok(())
    }
}
