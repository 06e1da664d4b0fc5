//! One text of an answer, as it grows.

use std::sync::Arc;

use super::{
    text_stream::{Piece, TextStream},
    token_names::TokenTable,
};
use crate::generate::continuous::{FinishReason, GenerationEvent, TokenScore};

/// A token of a text, with its log-probability.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// The token.
    pub id: u32,
    /// What the model makes of it; none for the first of a prompt.
    pub score: Option<TokenScore>,
    /// The place of its first character in the text.
    pub offset: usize,
}

/// What an event adds to a text.
#[derive(Debug, Default)]
pub struct Delta {
    /// Whole characters.
    pub text: String,
    /// The tokens of these.
    pub tokens: Vec<TokenLogprob>,
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
    /// Whether the log-probabilities of the prompt's tokens come first.
    prompt_logprobs: bool,
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
    /// - `prompt_logprobs`: whether the log-probabilities of the prompt's tokens come before
    pub fn new(stops: &[String], eos: Arc<[u32]>, echo: Option<Echo>, prompt_logprobs: bool) -> Self {
        let before = echo.as_ref().map_or(0, |echo| echo.text.chars().count());
        let stream = TextStream::new(stops, before);
        Self { echo, prompt_logprobs, stream, eos, is_over: false, tokens: 0, logprob: 0.0 }
    }

    /// Whether it is complete, and nothing that comes changes it.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes what became of it.
    pub fn take(&mut self, event: GenerationEvent, table: &TokenTable) -> Delta {
        let mut delta = Delta::default();
        if self.is_over {
            return delta;
        }
        let (piece, finish) = match event {
            GenerationEvent::Prompt { scores } => {
                if let Some(Echo { text, ids }) = self.echo.take() {
                    let offsets = offsets(&text, &ids, table);
                    let tokens = ids.into_iter().zip(scores).zip(offsets);
                    delta.tokens = tokens.map(|((id, score), offset)| TokenLogprob { id, score, offset }).collect();
                    delta.text = text;
                }
                return delta;
            }
            GenerationEvent::Token(score) => {
                self.tokens += 1;
                self.logprob += f64::from(score.logprob);
                let is_end = self.eos.contains(&score.id);
                let bytes: &[u8] = if is_end { &[] } else { table.bytes(score.id) };
                let piece = self.stream.push(score, bytes);
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
        // whose prompt has no log-probabilities is given it with what comes first
        if let Some(Echo { text, .. }) = self.echo.take_if(|_| !self.prompt_logprobs) {
            delta.text = text;
        }
        self.is_over = finish.is_some();
        let Piece { text, tokens } = piece;
        delta.text.push_str(&text);
        delta.tokens.extend(tokens.into_iter().map(|(score, offset)| TokenLogprob {
            id: score.id,
            score: Some(score),
            offset,
        }));
        delta.finish = finish;
        delta
    }
}

/// The place of the first character of each token in a prompt's text.
fn offsets(text: &str, ids: &[u32], table: &TokenTable) -> Vec<usize> {
    let characters = text.chars().count();
    let mut stream = TextStream::new(&[], 0);
    let mut places = Vec::with_capacity(ids.len());
    for (number, id) in ids.iter().enumerate() {
        let bytes = table.bytes_with_special(*id);
        // what stands before every text of the model is not in the text
        let is_put_before = number == 0 && table.is_special(*id) && !text.as_bytes().starts_with(bytes);
        let piece = stream.push((), if is_put_before { &[] } else { bytes });
        places.extend(piece.tokens);
    }
    places.extend(stream.finish().tokens);
    places.into_iter().map(|((), place)| place.min(characters)).collect()
}
