//! Examples with what is asked of the model about them: requests of tasks and of prompts that come ready are alike from here on.
//!
//! ```text
//! requests   of all examples together -> for each answer the sum of its own likelihoods, and the one behind a neutral context
//! prompts    that end alike, together -> for each as many texts as samples are drawn
//! ```

use serde::Serialize;

use super::{
    choice::ScoredAnswer, engine::Engine, likelihood::Likelihood, protocol::Protocol, request::Request, sample::Sample,
    skip::Skip, written::WritingPrompt,
};
use crate::error::Result;

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

/// What is asked about an answer.
#[derive(Debug)]
pub struct AnswerRequests {
    /// Requests whose likelihoods are added up: one, or of a text one for each window.
    pub own: Vec<Request>,
    /// The same answer behind a neutral context.
    pub neutral: Option<Request>,
}

impl AnswerRequests {
    /// Those of an answer behind its prompt and behind a neutral context.
    ///
    /// - `is_needed`: whether the answer has no score without the latter
    ///
    /// # Errors
    /// Why it has no score.
    pub fn with_neutral(own: Request, neutral: Result<Request, Skip>, is_needed: bool) -> Result<Self, Skip> {
        let neutral = match neutral {
            Err(skip) if is_needed => return Err(skip),
            neutral => neutral.ok(),
        };
        Ok(Self { own: vec![own], neutral })
    }
}

/// An example with what is asked of the model.
#[derive(Debug)]
pub struct Prepared {
    /// The example, as far as it is known.
    pub sample: Sample,
    /// Of each of its answers.
    pub requests: Vec<AnswerRequests>,
    /// The ids of a prompt that is to be continued.
    pub prompt: Vec<u32>,
}

impl Prepared {
    /// Of one that is skipped nothing is asked.
    #[must_use]
    pub fn new(
        mut sample: Sample,
        mut requests: Vec<AnswerRequests>,
        prompt: Vec<u32>,
        long_prompts: LongPrompts,
    ) -> Self {
        if sample.skip.is_none() && sample.cut > 0 && long_prompts == LongPrompts::Skip {
            sample.skip = Some(Skip::LongPrompt);
        }
        if sample.skip.is_some() {
            sample.answers.clear();
            requests.clear();
        }
        Self { sample, requests, prompt }
    }

    /// One about which nothing can be asked.
    #[must_use]
    pub fn skipped(sample: Sample, skip: Skip) -> Self {
        Self { sample: Sample { skip: Some(skip), ..sample }, requests: Vec::new(), prompt: Vec::new() }
    }
}

/// The places of those that something is asked about.
#[must_use]
pub fn asked_places(prepared: &[Prepared]) -> Vec<usize> {
    (0..prepared.len()).filter(|place| prepared[*place].sample.skip.is_none()).collect()
}

/// Takes the likelihoods of all answers.
///
/// - `on_done`: is told how many more requests are done, of how many
///
/// # Errors
/// When the model computes what is no number.
pub fn take_likelihoods(
    engine: &Engine<'_>,
    prepared: &mut [Prepared],
    on_done: &mut dyn FnMut(usize, usize),
) -> Result<()> {
    let asked: Vec<(&str, &Request)> = prepared
        .iter()
        .flat_map(|Prepared { sample, requests, .. }| {
            let each = requests.iter().flat_map(|answer| answer.own.iter().chain(&answer.neutral));
            each.map(|request| (sample.id.as_str(), request))
        })
        .collect();
    let mut found = engine.likelihoods(&asked, on_done)?.into_iter();
    let mut next = || found.next().expect("each request has a likelihood");
    for Prepared { sample, requests, .. } in prepared {
        for (answer, AnswerRequests { own, neutral }) in sample.answers.iter_mut().zip(requests) {
            let (mut log_likelihood, mut tokens, mut is_greedy) = (0.0, 0, true);
            for _ in own {
                let one: Likelihood = next();
                log_likelihood += one.log_likelihood;
                tokens += one.tokens;
                is_greedy &= one.is_greedy;
            }
            let neutral = neutral.as_ref().map(|_| next().log_likelihood);
            answer.scored = ScoredAnswer { log_likelihood, neutral, tokens, is_greedy, ..answer.scored };
        }
    }
    Ok(())
}

/// Has texts written behind the prompts at some places. Returns those of each, one for each sample that is drawn.
///
/// - `on_done`: is told how many more texts are done, of how many
///
/// # Errors
/// When the model computes what is no number, or a prompt cannot be continued.
pub fn written_texts(
    engine: &Engine<'_>,
    prepared: &[Prepared],
    places: &[usize],
    protocol: &Protocol,
    seed: u64,
    on_done: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Vec<String>>> {
    let mut prompts = Vec::new();
    for place in places {
        let Prepared { sample, prompt, .. } = &prepared[*place];
        let one = |number| WritingPrompt { ids: prompt.clone(), id: sample.id.clone(), sample: number };
        prompts.extend((0..protocol.samples).map(one));
    }
    let mut texts = engine.write(&prompts, protocol, seed, on_done)?.into_iter();
    let samples = usize::try_from(protocol.samples).expect("a few");
    Ok(places.iter().map(|_| texts.by_ref().take(samples).collect()).collect())
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
