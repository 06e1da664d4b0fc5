//! All that quality rules ask of one text; what is of words, counted on one list of tokens.

use super::{
    characters::{CharacterFacts, character_facts},
    lines::{LineFacts, Lines},
    repetition::{NgramCounter, NgramFacts},
    tokens::Tokens,
    words::{WordFacts, word_facts},
};

/// What is counted in one text.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextFacts {
    /// Characters by what they are.
    pub characters: CharacterFacts,
    /// Words and signs.
    pub words: WordFacts,
    /// Lines and paragraphs.
    pub lines: LineFacts,
    /// N-grams that are repeated.
    pub ngrams: NgramFacts,
}

/// What counting needs from text to text.
#[derive(Default)]
pub struct FactCounter {
    tokens: Tokens,
    lines: Lines,
    ngrams: NgramCounter,
}

impl FactCounter {
    /// Counts what stands in `text`.
    pub fn count(&mut self, text: &str) -> TextFacts {
        self.tokens.take(text);
        TextFacts {
            characters: character_facts(text),
            words: word_facts(text, &self.tokens),
            lines: self.lines.count(text),
            ngrams: self.ngrams.count(text, &self.tokens),
        }
    }
}
