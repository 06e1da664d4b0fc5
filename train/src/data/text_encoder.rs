//! Texts as ids, for an encoder that gives each a vector.
//!
//! ```text
//! before every text, text, end of text        the text loses its end where it is too long
//! ```
//!
//! A decoder sees a text as a whole at its last token alone, so that this is the same token for all.

use super::answer_encoder::begun;
use crate::{error::Result, tokenizer::Tokenizer};

/// The fewest tokens of a context that has room for something of a text.
pub const LEAST_CONTEXT: usize = 4;

/// Turns texts into ids.
#[derive(Debug)]
pub struct TextEncoder<'t> {
    tokenizer: &'t Tokenizer,
    /// What stands before every text.
    begin: Vec<u32>,
    context_length: usize,
}

/// A text that fits into the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedText {
    /// Its ids, 2 or more.
    pub ids: Vec<u32>,
    /// Ids that it lost at its end.
    pub cut: usize,
}

impl<'t> TextEncoder<'t> {
    /// For a model that reads `context_length` tokens, [`LEAST_CONTEXT`] or more.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn new(tokenizer: &'t Tokenizer, context_length: usize) -> Result<Self> {
        Ok(Self { tokenizer, begin: tokenizer.prompt("")?, context_length })
    }

    /// The ids of texts, whatever white space is around them.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<EncodedText>> {
        let texts: Vec<&str> = texts.iter().map(|text| text.trim()).collect();
        let fitted = |ids: Vec<u32>| {
            let mut ids = begun(self.tokenizer, &self.begin, ids);
            let cut = (ids.len() + 1).saturating_sub(self.context_length);
            ids.truncate(ids.len() - cut);
            ids.push(self.tokenizer.end_of_text());
            EncodedText { ids, cut }
        };
        Ok(self.tokenizer.encode_batch(&texts)?.into_iter().map(fitted).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_where_it_is_read() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let tokenizer =
            Tokenizer::train(["a b"; 4].into_iter(), 260, 0, &folder.path().join("tokenizer.json")).expect("it can");
        let ids = tokenizer.encode("01234567")?;
        assert_eq!(ids.len(), 8, "each byte is a token");
        for (context_length, kept) in [(16, 8), (9, 8), (8, 7), (4, 3)] {
            let encoder = TextEncoder::new(&tokenizer, context_length)?;
            let expected = EncodedText { ids: [&ids[..kept], &[tokenizer.end_of_text()]].concat(), cut: 8 - kept };
            assert_eq!(encoder.encode(&[" 01234567\n"])?, [expected]);
        }
        Ok(())
    }
}
