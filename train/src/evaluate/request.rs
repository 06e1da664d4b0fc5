//! What a likelihood is asked of: a context, and the continuation that is scored behind it.
//!
//! ```text
//! context + continuation -> white space at the context's end goes to the continuation
//!                        -> both as one text: ids; those behind as many as the context alone has are the continuation's
//! no context             -> the token that is called the beginning of a text, else the one that ends it; unless the continuation begins so
//! too long               -> ids at the front of the context are left out, and counted
//! ```
//!
//! These are the rules of lm-evaluation-harness 0.4.13, so that the same prompt has the same ids there and here. Special tokens that are
//! written out are those tokens, and what a tokenizer puts in front of every text stands in front of the context.
//!
//! Useful for: any score by likelihood. Not useful for: texts that a model goes on with; these are [`Tokenizer::prompt`]s.

use super::skip::Skip;
use crate::{error::Result, tokenizer::Tokenizer};

/// Token ids of which the last ones are scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The ids: at most one more than the model reads, since the last is scored and not read.
    pub tokens: Vec<u32>,
    /// How many at the end are scored: one at least, and not the first of all.
    pub scored: usize,
    /// Ids at the front that were left out, since the model does not read as many.
    pub cut: usize,
}

impl Request {
    /// A context and a continuation in ids. Of what is too long the front is left out.
    ///
    /// # Errors
    /// Why it has no score: a continuation without ids, or with more than the model reads.
    pub fn new(context: &[u32], continuation: &[u32], context_length: usize) -> Result<Self, Skip> {
        let (scored, whole) = (continuation.len(), context.len() + continuation.len());
        if scored == 0 {
            return Err(Skip::EmptyAnswer);
        }
        if scored > context_length {
            return Err(Skip::LongAnswer);
        }
        let cut = whole.saturating_sub(context_length + 1);
        // the last token of a context is read for the first that is scored
        let mut tokens = Vec::with_capacity(whole - cut);
        tokens.extend_from_slice(&context[cut..]);
        tokens.extend_from_slice(continuation);
        Ok(Self { tokens, scored, cut })
    }

    /// What the model reads.
    #[must_use]
    pub fn input(&self) -> &[u32] {
        &self.tokens[..self.tokens.len() - 1]
    }

    /// The place in the input after which the first scored token is expected.
    #[must_use]
    pub fn first(&self) -> usize {
        self.tokens.len() - 1 - self.scored
    }
}

/// Turns texts into requests, for one model.
#[derive(Debug, Clone, Copy)]
pub struct RequestEncoder<'t> {
    tokenizer: &'t Tokenizer,
    /// Most ids that the model reads.
    context_length: usize,
}

impl<'t> RequestEncoder<'t> {
    /// - `context_length`: most ids that the model reads
    #[must_use]
    pub fn new(tokenizer: &'t Tokenizer, context_length: usize) -> Self {
        Self { tokenizer, context_length }
    }

    /// The tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &'t Tokenizer {
        self.tokenizer
    }

    /// Most ids that the model reads.
    #[must_use]
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// The id that stands before a text without a context: the one that is called the beginning of a text, else the one that ends it.
    #[must_use]
    pub fn prefix(&self) -> u32 {
        self.tokenizer.bos().unwrap_or(self.tokenizer.end_of_text())
    }

    /// The request for a continuation behind a context.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn request(&self, context: &str, continuation: &str) -> Result<Result<Request, Skip>> {
        let (context, continuation) = self.pair(context, continuation)?;
        Ok(Request::new(&context, &continuation, self.context_length))
    }

    /// The ids of a context, one at least, and those of what follows on it.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn pair(&self, context: &str, continuation: &str) -> Result<(Vec<u32>, Vec<u32>)> {
        let kept = context.trim_end_matches(is_space);
        let whole = format!("{context}{continuation}");
        let before = if kept.is_empty() { Vec::new() } else { self.tokenizer.prompt(kept)? };
        if !before.is_empty() {
            let mut ids = self.tokenizer.prompt(&whole)?;
            // where both grow together into fewer tokens than the context has alone, nothing is left to score
            let rest = ids.split_off(before.len().min(ids.len()));
            return Ok((before, rest));
        }
        let prefix = self.prefix();
        let mut ids = self.tokenizer.encode_with_special(&whole)?;
        if ids.first() == Some(&prefix) {
            ids.remove(0);
        }
        Ok((vec![prefix], ids))
    }
}

/// White space as Python's `str.rstrip` has it: that of Unicode, and the four separators of ASCII.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::tests::tokenizer;

    fn ids(encoder: &RequestEncoder<'_>, context: &str, continuation: &str) -> (Vec<u32>, Vec<u32>) {
        encoder.pair(context, continuation).expect("texts have ids")
    }

    /// White space at the end of a context is part of the word behind it, as in the text as a whole.
    #[test]
    fn white_space_goes_to_the_continuation() {
        let (_folder, tokenizer) = tokenizer();
        let encoder = RequestEncoder::new(&tokenizer, 64);
        let whole = tokenizer.encode("the cat sat").expect("a text");
        for (context, continuation) in [("the cat", " sat"), ("the cat ", "sat"), ("the", " cat sat")] {
            let (before, after) = ids(&encoder, context, continuation);
            assert_eq!([before.clone(), after].concat(), whole);
            assert_eq!(before, tokenizer.encode(context.trim_end()).expect("a text"));
        }
        let (before, after) = ids(&encoder, "the cat \u{1f}\n", "sat");
        assert_eq!(tokenizer.decode(&after).expect("a text"), " \u{1f}\nsat");
        assert_eq!(tokenizer.decode(&before).expect("a text"), "the cat");
    }

    /// Where there is no context, the beginning stands in its place, once.
    #[test]
    fn a_text_without_a_context_has_the_beginning_before_it() {
        let (_folder, tokenizer) = tokenizer();
        let encoder = RequestEncoder::new(&tokenizer, 64);
        let end = tokenizer.end_of_text();
        let cat = tokenizer.encode("cat").expect("a text");
        assert_eq!(ids(&encoder, "", "cat"), (vec![end], cat.clone()));
        assert_eq!(ids(&encoder, "", "<|endoftext|>cat"), (vec![end], cat));
        assert_eq!(ids(&encoder, " ", "cat"), (vec![end], tokenizer.encode(" cat").expect("a text")));
    }

    #[test]
    fn what_is_too_long_loses_its_front() {
        let asked = Request::new(&[1, 2, 3, 4], &[5, 6], 4);
        let expected = Request { tokens: vec![2, 3, 4, 5, 6], scored: 2, cut: 1 };
        assert_eq!(asked, Ok(expected.clone()));
        assert_eq!((expected.input(), expected.first()), (&[2, 3, 4, 5][..], 2));
        let shortest = Request::new(&[1, 2], &[3, 4, 5], 3).expect("there is room for the last of the context");
        assert_eq!((shortest.tokens, shortest.cut, shortest.scored), (vec![2, 3, 4, 5], 1, 3));
        assert_eq!(Request::new(&[1], &[2, 3, 4, 5], 3), Err(Skip::LongAnswer));
        assert_eq!(Request::new(&[1], &[], 3), Err(Skip::EmptyAnswer));
    }
}
