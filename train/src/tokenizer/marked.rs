//! Texts with marks, such as the start and the end of a sequence that a head reads: each mark is one token, and everything else is text like
//! any other, whatever special tokens it quotes.

use super::{
    Tokenizer,
    specials::{Segment, Specials},
};
use crate::error::{Error, Result};

/// Marks that are looked for in texts.
#[derive(Debug, Clone)]
pub struct Marks(Specials);

/// A part of a text with marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A mark.
    Mark(u32),
    /// The ids of what stands between two.
    Text(Vec<u32>),
}

impl Tokenizer {
    /// The tokens of some contents, to be looked for in texts.
    ///
    /// # Errors
    /// When there is no such token.
    pub fn marks(&self, contents: &[&str]) -> Result<Marks> {
        let id = |content: &str| {
            let id = self.inner.token_to_id(content);
            id.ok_or_else(|| Error::Tokenizer(format!("it has no token `{content}`")))
        };
        let tokens = contents.iter().map(|content| Ok(((*content).to_owned(), id(content)?)));
        Ok(Marks(Specials::new(tokens.collect::<Result<_>>()?)))
    }

    /// The pieces of each of many texts, on all cores. What stands before every text of the model stands before them, as a mark.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode_marked(&self, marks: &Marks, texts: &[&str]) -> Result<Vec<Vec<Piece>>> {
        let segments: Vec<Vec<Segment<'_>>> = texts.iter().map(|text| marks.0.segments(text)).collect();
        let between = segments.iter().flatten().filter_map(|segment| match segment {
            Segment::Text(text) => Some(*text),
            Segment::Special(_) => None,
        });
        let mut ids = self.encode_batch(&between.collect::<Vec<_>>())?.into_iter();
        let mut piece = |segment: Segment<'_>| match segment {
            Segment::Special(id) => Piece::Mark(id),
            Segment::Text(_) => Piece::Text(ids.next().expect("each text between marks was encoded")),
        };
        let begin = self.ends.begin;
        let mut pieces = |segments: Vec<Segment<'_>>| {
            let before = begin.filter(|begin| segments.first() != Some(&Segment::Special(*begin)));
            before.map(Piece::Mark).into_iter().chain(segments.into_iter().map(&mut piece)).collect()
        };
        Ok(segments.into_iter().map(&mut pieces).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::tests::trained;

    /// A mark is one token, and another special token that a text quotes is text.
    #[test]
    fn marks_are_tokens_and_all_else_is_text() -> Result<()> {
        let (_folder, trained) = trained();
        let (tokenizer, _) = trained.with_special_tokens(&["<|start|>", "<|extract|>"], 0)?;
        let marks = tokenizer.marks(&["<|start|>", "<|extract|>"])?;
        let added = u32::try_from(trained.vocab_size()).expect("few");
        let texts = ["<|start|>the cat <|endoftext|><|extract|>", "", "the hat"];
        let text = |text: &str| Ok::<_, Error>(Piece::Text(trained.encode(text)?));
        let expected = [
            vec![Piece::Mark(added), text("the cat <|endoftext|>")?, Piece::Mark(added + 1)],
            Vec::new(),
            vec![text("the hat")?],
        ];
        assert_eq!(tokenizer.encode_marked(&marks, &texts)?, expected);
        let error = trained.marks(&["<|start|>"]).expect_err("it has none").to_string();
        assert!(error.contains("no token `<|start|>`"), "{error}");
        Ok(())
    }
}
