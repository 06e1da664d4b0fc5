//! Prompts with answers as ids: what a model reads that judges an answer, or is asked how likely it is.
//!
//! ```text
//! before every text, prompt | answer, end of the text        the prompt loses its beginning where both are too long, behind what stands there
//! ```
//!
//! A prompt begins as it does where a model writes: with what the tokenizer puts before every text, and never with nothing.

use crate::{error::Result, tokenizer::Tokenizer};

/// Turns prompts and answers into ids.
#[derive(Debug)]
pub struct AnswerEncoder<'t> {
    tokenizer: &'t Tokenizer,
    /// What stands before every text; it is all that there is of an empty one.
    begin: Vec<u32>,
    context_length: usize,
}

/// A prompt with answers that fit behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedAnswers {
    /// The prompt, 1 id or more.
    pub prompt: Vec<u32>,
    /// Ids that it lost at its beginning: as many for all answers as the longest needs, so that all answer the same.
    pub cut: usize,
    /// The answers, each with the end of the text.
    pub answers: Vec<Vec<u32>>,
}

/// Why there is nothing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// An answer has no token.
    Empty,
    /// An answer does not fit into the context behind one token of the prompt.
    TooLong,
}

impl<'t> AnswerEncoder<'t> {
    /// For a model that reads `context_length` tokens.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn new(tokenizer: &'t Tokenizer, context_length: usize) -> Result<Self> {
        Ok(Self { tokenizer, begin: tokenizer.prompt("")?, context_length })
    }

    /// The ids of prompts with their answers, or why there are none, row by row.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode(&self, rows: &[(&str, Vec<&str>)]) -> Result<Vec<Result<EncodedAnswers, NoAnswer>>> {
        let texts: Vec<&str> =
            rows.iter().flat_map(|(prompt, answers)| std::iter::once(prompt).chain(answers)).copied().collect();
        let mut encoded = self.tokenizer.encode_batch(&texts)?.into_iter();
        let mut next = || encoded.next().expect("every text has its ids");
        let row = |(_, answers): &(&str, Vec<&str>)| {
            let prompt = begun(self.tokenizer, &self.begin, next());
            self.fitted(prompt, answers.iter().map(|_| next()).collect())
        };
        Ok(rows.iter().map(row).collect())
    }

    fn fitted(&self, mut prompt: Vec<u32>, mut answers: Vec<Vec<u32>>) -> Result<EncodedAnswers, NoAnswer> {
        if answers.iter().any(Vec::is_empty) {
            return Err(NoAnswer::Empty);
        }
        for answer in &mut answers {
            answer.push(self.tokenizer.end_of_text());
        }
        let longest = answers.iter().map(Vec::len).max().unwrap_or(0);
        if longest >= self.context_length {
            return Err(NoAnswer::TooLong);
        }
        let cut = (prompt.len() + longest).saturating_sub(self.context_length);
        cut_behind(&mut prompt, self.begin.len(), cut);
        Ok(EncodedAnswers { prompt, cut, answers })
    }
}

/// Takes so many ids out of a prompt: those behind what stands before every text, as far as these suffice.
///
/// - `begin`: ids that stand before every text
/// - `cut`: fewer than the prompt has
pub(super) fn cut_behind(prompt: &mut Vec<u32>, begin: usize, cut: usize) {
    let from = begin.min(prompt.len() - cut);
    prompt.drain(from..from + cut);
}

impl EncodedAnswers {
    /// The ids of each answer behind the prompt.
    pub fn sequences(&self) -> impl Iterator<Item = Vec<u32>> {
        self.answers.iter().map(|answer| [&self.prompt[..], answer].concat())
    }
}
/// The ids of a prompt with what stands before every text, as [`Tokenizer::prompt`] puts it there; one at least.
///
/// - `begin`: the ids of an empty prompt
pub(super) fn begun(tokenizer: &Tokenizer, begin: &[u32], ids: Vec<u32>) -> Vec<u32> {
    let mut prompt = if ids.starts_with(begin) { ids } else { [begin, &ids].concat() };
    if prompt.is_empty() {
        prompt.push(tokenizer.before_text());
    }
    prompt
}
