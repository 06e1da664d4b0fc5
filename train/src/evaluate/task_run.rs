//! A task by one template with so many demonstrations: from examples to samples.
//!
//! ```text
//! example -> words, behind demonstrations -> requests for each choice, behind the prompt and behind a neutral context  -> likelihoods
//!                                         -> a prompt                                                                  -> texts -> answers
//! ```

use std::collections::HashSet;

use rayon::prelude::*;
use regex::Regex;
use schemas::task::{Parts, Template};
use serde::{Serialize, Serializer};

use super::{
    answer::{Extraction, first_of, majority},
    choice::{ScoredAnswer, Scoring, best},
    engine::Engine,
    figures::{Judging, Method},
    likelihood::Likelihood,
    prompts::{Question, RenderedExample, TaskPrompts},
    protocol::{Protocol, ProtocolChanges},
    request::Request,
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

/// What becomes of a prompt that the model has no room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LongPrompts {
    /// Its front is left out, and counted.
    #[default]
    Cut,
    /// The example has no score.
    Skip,
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
    /// The context behind which answers have a likelihood of their own.
    pub neutral_context: String,
    /// What becomes of a prompt that the model has no room for.
    pub long_prompts: LongPrompts,
    /// What stands between demonstrations.
    pub separator: String,
    /// How answers are written, where that is not as usual.
    pub protocol: ProtocolChanges,
}

/// Where examples that leaked into training data stand: a file's name, and the number of the example in it; or an id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaked {
    /// Files by their names, and numbers of examples, from 1.
    pub places: HashSet<(String, u64)>,
    /// Ids.
    pub ids: HashSet<String>,
}

impl Leaked {
    /// Whether an example is among them.
    #[must_use]
    pub fn has(&self, id: &str, file: &str, number: u64) -> bool {
        self.ids.contains(id) || self.places.contains(&(file.to_owned(), number))
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

/// An example with what is asked of the model.
struct Prepared {
    sample: Sample,
    /// For each answer: the request behind its prompt, and that behind a neutral context.
    requests: Vec<(Request, Option<Request>)>,
    /// The ids of a prompt that is to be continued.
    prompt: Vec<u32>,
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

/// What answers by a template are judged from: with choices from their likelihoods, unless a pattern says that the answer stands in what the
/// model writes.
#[must_use]
pub fn usual_method(template: &Template, has_choices: bool) -> Method {
    match (&template.pattern, &template.parts) {
        (_, Parts::Preference { .. }) => Method::Choices,
        (None, _) if has_choices => Method::Choices,
        _ => Method::Generation,
    }
}

impl TaskRun<'_> {
    /// Asks the model about every example.
    ///
    /// - `on_done`: is told how many more requests are done, of how many
    ///
    /// # Errors
    /// When a template cannot render an example, or the model computes what is no number.
    pub fn run(&self, on_done: &mut dyn FnMut(usize, usize)) -> Result<RunOutcome> {
        let task = self.prompts.task();
        let template = &task.templates[self.template];
        let rendered = self.examples.par_iter().map(|example| self.prompts.asked(self.template, example));
        let rendered = rendered.collect::<Result<Vec<_>>>()?;
        let has_choices = rendered.iter().any(|example| !example.choices.is_empty());
        let method = match self.config.method {
            // there are no choices to choose from
            Some(Method::Choices | Method::Answer) if has_choices => Method::Choices,
            Some(Method::Choices | Method::Answer) => Method::Answer,
            Some(method) => method,
            None => usual_method(template, has_choices),
        };
        let judging = Judging {
            kind: task.kind,
            metric: task.metric,
            scoring: self.config.scoring.or(task.scoring).unwrap_or_default(),
            has_classes: matches!(task.rules.choices, Some(schemas::examples::Choices::Fixed(_))),
            method,
            seed: self.config.seed,
        };
        let protocol = (method == Method::Generation).then(|| self.protocol(template, &rendered));
        let prepared = self.examples.par_iter().zip(&rendered);
        let prepared = prepared.map(|(example, rendered)| self.prepared(example, rendered, method, protocol.as_ref()));
        let mut prepared = prepared.collect::<Result<Vec<_>>>()?;
        match &protocol {
            Some(protocol) => self.written(&mut prepared, &rendered, template, protocol, on_done)?,
            None => self.scored(&mut prepared, on_done)?,
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

    fn protocol(&self, template: &Template, rendered: &[RenderedExample]) -> Protocol {
        let shows = self.shots != Shots::Fixed(0);
        let has_lines = rendered.iter().any(|example| match &example.right {
            Parts::Completion { completion, .. } => completion.trim().contains('\n'),
            _ => false,
        });
        let separator = shows.then_some(self.config.separator.as_str());
        let usual = Protocol::of(self.prompts.task().kind, template.prompt_style, separator, has_lines);
        usual.changed(&self.config.protocol)
    }

    fn prepared(
        &self,
        example: &TaskExample,
        rendered: &RenderedExample,
        method: Method,
        protocol: Option<&Protocol>,
    ) -> Result<Prepared> {
        let file = example.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut sample = Sample {
            id: example.id.clone(),
            leaked: self.leaked.has(&example.id, &file, example.number),
            file,
            number: example.number,
            gold: rendered.gold,
            references: rendered.references.clone(),
            ..Sample::default()
        };
        let by_choice = method == Method::Choices;
        let room = protocol.map(|protocol| protocol.max_new_tokens);
        let (question, shown) = self.question(example, rendered, by_choice, room)?;
        sample.shown = shown;
        sample.prompt.clone_from(&question.prompts[0]);
        if let Some(protocol) = protocol {
            let (prompt, cut) = self.engine.prompt(&question.prompts[0], protocol.max_new_tokens)?;
            sample.cut = cut;
            let is_too_long = cut > 0 && self.config.long_prompts == LongPrompts::Skip;
            sample.skip = is_too_long.then_some(Skip::LongPrompt);
            return Ok(Prepared { sample, requests: Vec::new(), prompt });
        }
        let mut requests = Vec::new();
        for (number, text) in question.answers.iter().enumerate() {
            let prompt = question.prompts.get(number).unwrap_or(&question.prompts[0]);
            let name = if by_choice { &rendered.names[number] } else { &rendered.answer };
            match self.request(prompt, text, by_choice)? {
                Ok(asked) => {
                    sample.cut = sample.cut.max(asked.0.cut);
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
        if sample.skip.is_none() && sample.cut > 0 && self.config.long_prompts == LongPrompts::Skip {
            sample.skip = Some(Skip::LongPrompt);
        }
        if sample.skip.is_some() {
            requests.clear();
            sample.answers.clear();
        }
        Ok(Prepared { sample, requests, prompt: Vec::new() })
    }

    /// The requests of an answer.
    fn request(
        &self,
        prompt: &str,
        text: &str,
        with_neutral: bool,
    ) -> Result<std::result::Result<(Request, Option<Request>), Skip>> {
        if text.trim().is_empty() {
            return Ok(Err(Skip::EmptyAnswer));
        }
        let encoder = self.engine.encoder();
        let own = match encoder.request(prompt, text)? {
            Ok(own) => own,
            Err(skip) => return Ok(Err(skip)),
        };
        if !with_neutral {
            return Ok(Ok((own, None)));
        }
        Ok(encoder.request(&neutral(&self.config.neutral_context, prompt), text)?.map(|neutral| (own, Some(neutral))))
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

    /// Takes the likelihoods.
    fn scored(&self, prepared: &mut [Prepared], on_done: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let asked: Vec<(&str, &Request)> = prepared
            .iter()
            .flat_map(|Prepared { sample, requests, .. }| {
                let each = requests.iter().flat_map(|(own, neutral)| [Some(own), neutral.as_ref()]);
                each.flatten().map(|request| (sample.id.as_str(), request))
            })
            .collect();
        let mut found = self.engine.likelihoods(&asked, on_done)?.into_iter();
        let mut next = || found.next().expect("each request has a likelihood");
        for Prepared { sample, requests, .. } in prepared {
            for (answer, (_, neutral)) in sample.answers.iter_mut().zip(requests) {
                let Likelihood { log_likelihood, tokens, is_greedy } = next();
                let neutral = neutral.is_some().then(|| next().log_likelihood);
                answer.scored = ScoredAnswer { log_likelihood, neutral, tokens, is_greedy, ..answer.scored };
            }
        }
        Ok(())
    }

    /// Has answers written, and finds them in what was written.
    fn written(
        &self,
        prepared: &mut [Prepared],
        rendered: &[RenderedExample],
        template: &Template,
        protocol: &Protocol,
        on_done: &mut dyn FnMut(usize, usize),
    ) -> Result<()> {
        let pattern = template.pattern.as_deref().map(|pattern| Regex::new(pattern).expect("it was checked"));
        let is_asked = |prepared: &&mut Prepared| prepared.sample.skip.is_none();
        let each = prepared.iter().filter(|prepared| prepared.sample.skip.is_none());
        let prompts: Vec<WritingPrompt> = each
            .flat_map(|Prepared { sample, prompt, .. }| {
                (0..protocol.samples).map(|number| WritingPrompt {
                    ids: prompt.clone(),
                    id: sample.id.clone(),
                    sample: number,
                })
            })
            .collect();
        let extraction = Extraction { pattern: pattern.clone(), sentences: protocol.sentences };
        let mut texts = self.engine.write(&prompts, protocol, self.config.seed, on_done)?.into_iter();
        let mut unanswered: Vec<(usize, usize)> = Vec::new();
        let mut answers: Vec<Vec<Option<String>>> = vec![Vec::new(); prepared.len()];
        for (place, own) in prepared.iter_mut().enumerate().filter(|(_, prepared)| is_asked(prepared)) {
            for (number, text) in texts.by_ref().take(usize::try_from(protocol.samples).expect("a few")).enumerate() {
                let answer = extraction.answer(&text);
                if answer.is_none() && pattern.is_some() {
                    unanswered.push((place, number));
                }
                answers[place].push(answer);
                own.sample.generated.push(text);
            }
        }
        if let Some(words) = protocol.second_pass.as_deref().filter(|_| !unanswered.is_empty()) {
            self.ask_again(prepared, rendered, &unanswered, words, protocol, &mut answers)?;
        }
        for (own, answers) in prepared.iter_mut().zip(answers) {
            own.sample.answer = majority(&answers);
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
        let short = Protocol {
            max_new_tokens: SHORT,
            temperature: 0.0,
            samples: 1,
            stop: vec!["\n".to_owned()],
            second_pass: None,
            ..protocol.clone()
        };
        let mut prompts = Vec::with_capacity(unanswered.len());
        for (place, number) in unanswered {
            let sample = &prepared[*place].sample;
            let text = format!("{}{}\n{words}", sample.prompt, sample.generated[*number].trim_end());
            let (ids, _) = self.engine.prompt(&text, SHORT)?;
            prompts.push(WritingPrompt { ids, id: sample.id.clone(), sample: *number as u64 });
        }
        let texts = self.engine.write(&prompts, &short, self.config.seed, &mut |_, _| {})?;
        let is_number = self.prompts.task().kind == schemas::task::TaskKind::Arithmetic;
        for ((place, number), text) in unanswered.iter().zip(texts) {
            answers[*place][*number] = first_of(&text, &rendered[*place].names, is_number);
            let written = &mut prepared[*place].sample.generated[*number];
            *written = format!("{}\n{words}{text}", written.trim_end());
        }
        Ok(())
    }
}

/// The context behind which an answer has a likelihood of its own: it ends with the white space that the prompt ends with.
#[must_use]
pub fn neutral(context: &str, prompt: &str) -> String {
    let kept = prompt.trim_end().len();
    format!("{context}{}", &prompt[kept..])
}

/// An answer before its likelihood is known.
#[must_use]
pub fn unscored(text: &str) -> ScoredAnswer {
    let text = text.trim();
    ScoredAnswer {
        log_likelihood: f64::NAN,
        neutral: None,
        tokens: 0,
        characters: text.chars().count(),
        bytes: text.len(),
        is_greedy: false,
    }
}
