//! One text of an answer, as it grows.

use std::sync::Arc;

use super::{
    text_stream::{Piece, TextStream},
    token_names,
};
use crate::{
    generate::continuous::{FinishReason, GenerationEvent, TokenScore},
    tokenizer::Tokenizer,
};

/// A token that is told of.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The token.
    pub id: u32,
    /// What it was judged to be; none for the first of a prompt.
    pub score: Option<TokenScore>,
    /// The place of its first character in the text.
    pub offset: usize,
}

/// What an event adds to a text.
#[derive(Debug, Default)]
pub struct Added {
    /// Whole characters.
    pub text: String,
    /// The tokens of these.
    pub tokens: Vec<Told>,
    /// Why the text is complete, where it is.
    pub finish: Option<Finish>,
}

/// Why a text is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It came to its own end, or to a stop string.
    Stop,
    /// It has as many tokens as it may have.
    Length,
    /// The model computed no number.
    Failed,
}

/// A prompt that is given back.
#[derive(Debug, Clone)]
pub struct Echo {
    /// Its text.
    pub text: String,
    /// Its ids.
    pub ids: Vec<u32>,
}

/// One text of an answer.
#[derive(Debug)]
pub struct Choice {
    /// The prompt, until it is given back.
    echo: Option<Echo>,
    /// Whether what is told of the prompt's tokens comes first.
    is_judged: bool,
    stream: TextStream<TokenScore>,
    /// Tokens that end it, and say nothing.
    eos: Arc<[u32]>,
    is_over: bool,
    /// Tokens that were generated.
    pub tokens: usize,
    /// The sum of their log-probabilities.
    pub logprob: f64,
}

impl Finish {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Stop | Self::Failed => "stop",
        }
    }
}

impl Choice {
    /// - `stops`: strings before which it ends
    /// - `eos`: tokens that end it
    /// - `echo`: the prompt, where that is given back
    /// - `is_judged`: whether the prompt's tokens are judged before
    pub fn new(stops: &[String], eos: Arc<[u32]>, echo: Option<Echo>, is_judged: bool) -> Self {
        let before = echo.as_ref().map_or(0, |echo| echo.text.chars().count());
        let stream = TextStream::new(stops, before);
        Self { echo, is_judged, stream, eos, is_over: false, tokens: 0, logprob: 0.0 }
    }

    /// Whether it is complete, and nothing that comes changes it.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes what became of it.
    pub fn take(&mut self, event: GenerationEvent, tokenizer: &Tokenizer) -> Added {
        let mut added = Added::default();
        if self.is_over {
            return added;
        }
        if let GenerationEvent::Prompt { scores } = event {
            if let Some(Echo { text, ids }) = self.echo.take() {
                let offsets = offsets(&text, &ids, tokenizer);
                let told = ids.into_iter().zip(scores).zip(offsets);
                added.tokens = told.map(|((id, score), offset)| Told { id, score, offset }).collect();
                added.text = text;
            }
            return added;
        }
        if let Some(Echo { text, .. }) = self.echo.take_if(|_| !self.is_judged) {
            added.text = text;
        }
        let (piece, finish) = match event {
            GenerationEvent::Prompt { .. } => return added,
            GenerationEvent::Token(score) => {
                self.tokens += 1;
                self.logprob += f64::from(score.logprob);
                let is_end = self.eos.contains(&score.id);
                let bytes = if is_end { Vec::new() } else { tokenizer.token_bytes(score.id) };
                let piece = self.stream.push(score, &bytes);
                (piece, self.stream.is_over().then_some(Finish::Stop))
            }
            GenerationEvent::Finished { reason } => {
                let finish = match reason {
                    FinishReason::EndOfText => Finish::Stop,
                    FinishReason::Length => Finish::Length,
                    FinishReason::NotANumber => Finish::Failed,
                };
                (self.stream.finish(), Some(finish))
            }
        };
        self.is_over = finish.is_some();
        let Piece { text, tokens } = piece;
        added.text.push_str(&text);
        added.tokens.extend(tokens.into_iter().map(|(score, offset)| Told {
            id: score.id,
            score: Some(score),
            offset,
        }));
        added.finish = finish;
        added
    }
}

/// The place of the first character of each token in a prompt's text.
fn offsets(text: &str, ids: &[u32], tokenizer: &Tokenizer) -> Vec<usize> {
    let characters = text.chars().count();
    let mut stream = TextStream::new(&[], 0);
    let mut places = Vec::with_capacity(ids.len());
    for (number, id) in ids.iter().enumerate() {
        let bytes = token_names::bytes(tokenizer, *id);
        // what stands before every text of the model is not in the text
        let is_put_before = number == 0 && tokenizer.is_special(*id) && !text.as_bytes().starts_with(&bytes);
        let piece = stream.push((), if is_put_before { &[] } else { &bytes });
        places.extend(piece.tokens);
    }
    places.extend(stream.finish().tokens);
    places.into_iter().map(|((), place)| place.min(characters)).collect()
}

/// The text of some ids, in which special tokens say their names.
pub fn text_of(ids: &[u32], tokenizer: &Tokenizer) -> String {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| token_names::bytes(tokenizer, *id)).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
