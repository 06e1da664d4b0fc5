//! How a model writes answers, by what is asked for and in whose style.
//!
//! | template | text | source |
//! |---|---|---|
//! | `gpt2`, a summary | 100 tokens of the two likeliest each, of which three sentences count | Radford et al. 2019, section 3.6 |
//! | `gpt2`, a translation | greedy, to the end of the line; one sentence counts | the same, section 3.7 |
//! | `gpt2`, others | greedy, to the end of the line | the same, section 3.5 |
//! | `chain_of_thought` | greedy, 256 tokens, to the next demonstration where there is one; where the pattern finds no answer, it is asked for once more | Wei et al. 2022; Kojima et al. 2022 |
//! | others with a pattern | the same, to the next demonstration or an empty line | |
//! | others | greedy, to the end of the line, or to the next demonstration where answers have several lines | Brown et al. 2020, section 2.4 |
//!
//! Where demonstrations stand below each other without an empty line, and answers have several lines, nothing tells where one ends: a text then
//! goes on to an empty line.

use schemas::task::{PromptStyle, TaskKind};
use serde::Serialize;

use super::beam::BeamSearch;

/// The words that ask for the answer once more, behind reasoning in which none was found.
///
/// Source: Kojima et al. 2022, section 3.
pub const SECOND_PASS: &str = "Therefore, the answer is";

/// What ends an answer of several lines, where no demonstration could follow.
const EMPTY_LINE: &str = "\n\n";

/// How answers are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Protocol {
    /// Most new tokens.
    pub max_new_tokens: usize,
    /// Divides the logits; 0 is greedy decoding.
    pub temperature: f64,
    /// How many of the likeliest tokens are sampled from; 0 for all.
    pub top_k: usize,
    /// The share of the probability that is sampled from.
    pub top_p: f64,
    /// Beams in the place of samples: how many, and the power of the length penalty.
    pub beams: Option<(usize, f64)>,
    /// How many samples are drawn for each example; the answer is the one that most have.
    pub samples: u64,
    /// Strings before which a text ends.
    pub stop: Vec<String>,
    /// Sentences that count.
    pub sentences: Option<usize>,
    /// Whether the results of marked equations are written for the model.
    pub calculator: bool,
    /// Words that ask for the answer once more, where a pattern finds none.
    pub second_pass: Option<String>,
}

/// What somebody asks for, in the place of what is usual.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProtocolChanges {
    /// See [`Protocol::max_new_tokens`].
    pub max_new_tokens: Option<usize>,
    /// See [`Protocol::temperature`].
    pub temperature: Option<f64>,
    /// See [`Protocol::top_k`].
    pub top_k: Option<usize>,
    /// See [`Protocol::top_p`].
    pub top_p: Option<f64>,
    /// See [`Protocol::beams`].
    pub beams: Option<(usize, f64)>,
    /// See [`Protocol::samples`].
    pub samples: Option<u64>,
    /// See [`Protocol::stop`].
    pub stop: Option<Vec<String>>,
    /// See [`Protocol::sentences`].
    pub sentences: Option<usize>,
    /// See [`Protocol::calculator`].
    pub calculator: bool,
    /// See [`Protocol::second_pass`].
    pub second_pass: Option<String>,
}

impl Protocol {
    /// What is usual for a kind of task and a style.
    ///
    /// - `separator`: what stands between demonstrations, where there are any
    /// - `has_lines`: whether right answers have several lines
    /// - `has_pattern`: whether a pattern finds the answer in what is written
    #[must_use]
    pub fn of(kind: TaskKind, style: PromptStyle, separator: Option<&str>, has_lines: bool, has_pattern: bool) -> Self {
        let line = || vec!["\n".to_owned()];
        // a line break is no end of what has several lines
        let lines = || vec![separator.filter(|separator| *separator != "\n").unwrap_or(EMPTY_LINE).to_owned()];
        let greedy = Self {
            max_new_tokens: 64,
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            beams: None,
            samples: 1,
            stop: if has_lines { lines() } else { line() },
            sentences: None,
            calculator: false,
            second_pass: None,
        };
        match (style, kind) {
            (PromptStyle::Gpt2, TaskKind::Summarisation) => {
                Self { max_new_tokens: 100, temperature: 1.0, top_k: 2, stop: Vec::new(), sentences: Some(3), ..greedy }
            }
            (PromptStyle::Gpt2, TaskKind::Translation) => Self { stop: line(), sentences: Some(1), ..greedy },
            (PromptStyle::ChainOfThought, _) => Self {
                max_new_tokens: 256,
                stop: match separator {
                    Some(_) if has_lines => lines(),
                    separator => separator.map(str::to_owned).into_iter().collect(),
                },
                second_pass: Some(SECOND_PASS.to_owned()),
                ..greedy
            },
            _ if has_pattern => {
                Self { max_new_tokens: 256, stop: lines(), second_pass: Some(SECOND_PASS.to_owned()), ..greedy }
            }
            (PromptStyle::Gpt2, _) => Self { stop: line(), ..greedy },
            (_, TaskKind::Summarisation | TaskKind::Generation) => Self { max_new_tokens: 256, ..greedy },
            _ if has_lines => Self { max_new_tokens: 256, ..greedy },
            _ => greedy,
        }
    }

    /// The same with what somebody asks for.
    #[must_use]
    pub fn changed(self, changes: &ProtocolChanges) -> Self {
        let beams = changes.beams.or(self.beams);
        let samples = changes.samples.unwrap_or(self.samples);
        // several greedy texts are one text
        let usual = if samples > 1 && self.temperature <= 0.0 { SAMPLED } else { self.temperature };
        // what beams find is not sampled
        let (usual, top_k) = if beams.is_some() { (0.0, 0) } else { (usual, self.top_k) };
        Self {
            max_new_tokens: changes.max_new_tokens.unwrap_or(self.max_new_tokens),
            temperature: changes.temperature.unwrap_or(usual),
            top_k: changes.top_k.unwrap_or(top_k),
            top_p: changes.top_p.unwrap_or(self.top_p),
            beams,
            samples,
            stop: changes.stop.clone().unwrap_or(self.stop),
            sentences: changes.sentences.or(self.sentences),
            calculator: changes.calculator || self.calculator,
            second_pass: match &changes.second_pass {
                Some(words) if words.is_empty() => None,
                Some(words) => Some(words.clone()),
                None => self.second_pass,
            },
        }
    }

    /// Its beam search, if it is one.
    #[must_use]
    pub fn beam_search(&self) -> Option<BeamSearch> {
        self.beams.map(|(num_beams, alpha)| BeamSearch { num_beams, alpha })
    }
}

/// The temperature of samples whose answers are voted on.
///
/// Source: Wang et al. 2022 (self-consistency), section 3.1.
const SAMPLED: f64 = 0.7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_those_of_gpt2() {
        let found = Protocol::of(TaskKind::Summarisation, PromptStyle::Gpt2, None, false, false);
        assert_eq!((found.max_new_tokens, found.top_k, found.sentences), (100, 2, Some(3)));
        assert!(found.stop.is_empty());
        let beams = ProtocolChanges { beams: Some((4, 0.6)), ..ProtocolChanges::default() };
        let searched = found.clone().changed(&beams);
        assert_eq!(
            (searched.temperature, searched.top_k, searched.sentences),
            (0.0, 0, Some(3)),
            "beams are not sampled"
        );
        let found = Protocol::of(TaskKind::Translation, PromptStyle::Gpt2, None, false, false);
        assert_eq!((found.temperature, found.sentences, &found.stop[..]), (0.0, Some(1), &["\n".to_owned()][..]));
    }

    #[test]
    fn texts_end_before_the_next_demonstration() {
        let stop =
            |style, separator, lines| Protocol::of(TaskKind::QuestionAnswering, style, separator, lines, false).stop;
        assert_eq!(stop(PromptStyle::Gpt3, Some("\n\n"), false), ["\n"]);
        assert_eq!(stop(PromptStyle::Gpt3, Some("\n\n"), true), ["\n\n"]);
        assert_eq!(stop(PromptStyle::Gpt3, Some("\n"), true), ["\n\n"], "a line is not all of an answer");
        assert_eq!(stop(PromptStyle::Gpt3, None, true), ["\n\n"]);
        assert_eq!(stop(PromptStyle::ChainOfThought, Some("\n\n"), false), ["\n\n"]);
        assert_eq!(stop(PromptStyle::ChainOfThought, Some("\n"), false), ["\n"]);
        assert_eq!(stop(PromptStyle::ChainOfThought, Some("\n"), true), ["\n\n"]);
        assert!(stop(PromptStyle::ChainOfThought, None, false).is_empty());
    }

    /// Reasoning has room whatever the style of the template.
    #[test]
    fn a_pattern_has_a_text_to_be_found_in() {
        for style in [PromptStyle::Flan, PromptStyle::Gpt3, PromptStyle::Gpt2] {
            let found = Protocol::of(TaskKind::Arithmetic, style, Some("\n"), false, true);
            assert_eq!((found.max_new_tokens, &found.stop[..]), (256, &["\n\n".to_owned()][..]));
            assert_eq!(found.second_pass.as_deref(), Some(SECOND_PASS));
        }
    }

    #[test]
    fn what_is_asked_for_goes_before_what_is_usual() {
        let usual = Protocol::of(TaskKind::Arithmetic, PromptStyle::ChainOfThought, None, false, true);
        let changes =
            ProtocolChanges { samples: Some(5), second_pass: Some(String::new()), ..ProtocolChanges::default() };
        let changed = usual.clone().changed(&changes);
        assert_eq!((changed.temperature, changed.samples, changed.second_pass), (0.7, 5, None));
        assert_eq!(usual.clone().changed(&ProtocolChanges::default()), usual);
    }
}
