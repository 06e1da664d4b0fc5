//! Cleaning: what is done to a text before it is a document.
//!
//! A source lists its cleanings, and a text goes through them in their order. What is measured is the text that comes out, so a
//! change of the list reads the source again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick, is_nfkc_quick};

use super::Reason;
use crate::{
    files::Version,
    text::{
        c4::LineRules, lines::count_characters, markup, personal, refinedweb::RefinedwebLines, tokens::Tokens,
        white_space,
    },
};

/// One cleaning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cleaning {
    /// Unicode's composed normal form: one way to write each character.
    NormalForm(UnicodeForm),
    /// One space between words, none at the end of a line, at most one blank line; signs that are not seen go.
    WhiteSpace,
    /// C4's rules on lines.
    C4Lines(LineRules),
    /// RefinedWeb's rules on lines; a text of which they take too much is dropped as `cut_too_much`.
    RefinedwebLines(RefinedwebLines),
    /// `WikiText`'s markup: headings and `<unk>` go, words and signs are joined again.
    PlainWikitext,
    /// Markdown's markup: headings, rules, quotes and emphasis go.
    PlainMarkdown,
    /// Addresses of mail and of machines are masked, as in FineWeb.
    MaskAddresses,
}

/// A normal form of Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnicodeForm {
    /// Canonical composition: nothing that a reader sees is changed.
    Nfc,
    /// Compatibility composition: ligatures, wide letters and raised digits become plain ones.
    Nfkc,
}

impl Cleaning {
    /// The version of the code that cleans.
    #[must_use]
    pub fn version(&self) -> Version {
        match self {
            Self::NormalForm(_) => Version::new("clean/normal_form", 1),
            Self::WhiteSpace => Version::new("clean/white_space", 1),
            Self::C4Lines(_) => Version::new("clean/c4_lines", 1),
            Self::RefinedwebLines(_) => Version::new("clean/refinedweb_lines", 1),
            Self::PlainWikitext => Version::new("clean/plain_wikitext", 1),
            Self::PlainMarkdown => Version::new("clean/plain_markdown", 1),
            Self::MaskAddresses => Version::new("clean/mask_addresses", 1),
        }
    }

    /// The cleaning's name in the ledger.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NormalForm(_) => "normal_form",
            Self::WhiteSpace => "white_space",
            Self::C4Lines(_) => "c4_lines",
            Self::RefinedwebLines(_) => "refinedweb_lines",
            Self::PlainWikitext => "plain_wikitext",
            Self::PlainMarkdown => "plain_markdown",
            Self::MaskAddresses => "mask_addresses",
        }
    }
}

/// Cleans text after text with the same buffers.
#[derive(Debug, Default)]
pub struct Cleaner {
    tokens: Tokens,
    cleaned: String,
}

impl Cleaner {
    /// Puts `text` through `cleanings`, and adds the characters that each took to `taken`.
    ///
    /// # Errors
    /// The reason for which nothing is left, or too little.
    pub fn clean(&mut self, cleanings: &[Cleaning], text: &mut String, taken: &mut Vec<u64>) -> Result<(), Reason> {
        for cleaning in cleanings {
            let hidden = self.apply(cleaning, text)?;
            taken.push(match hidden {
                Some(hidden) => hidden,
                // what another cleaning left stands in the buffer
                None => count_characters(text).saturating_sub(count_characters(&self.cleaned)),
            });
            std::mem::swap(text, &mut self.cleaned);
            if text.trim().is_empty() {
                return Err(Reason::NothingLeft);
            }
        }
        Ok(())
    }

    /// Writes the cleaned text to the buffer. Returns how many characters were hidden, for what takes none away.
    fn apply(&mut self, cleaning: &Cleaning, text: &str) -> Result<Option<u64>, Reason> {
        let cleaned = &mut self.cleaned;
        cleaned.clear();
        match cleaning {
            Cleaning::NormalForm(form) => match form {
                UnicodeForm::Nfc if is_nfc_quick(text.chars()) == IsNormalized::Yes => cleaned.push_str(text),
                UnicodeForm::Nfc => cleaned.extend(text.nfc()),
                UnicodeForm::Nfkc if is_nfkc_quick(text.chars()) == IsNormalized::Yes => cleaned.push_str(text),
                UnicodeForm::Nfkc => cleaned.extend(text.nfkc()),
            },
            Cleaning::WhiteSpace => {
                white_space::even(text, cleaned);
            }
            Cleaning::C4Lines(rules) => {
                self.tokens.take(text);
                let mut from = 0;
                for cut in rules.apply(text, &self.tokens).cuts {
                    cleaned.push_str(&text[from..cut.start as usize]);
                    from = cut.end as usize;
                }
                cleaned.push_str(&text[from..]);
                cleaned.truncate(cleaned.trim_end().len());
            }
            Cleaning::RefinedwebLines(rules) => {
                let (words, cut) = rules.apply(text, cleaned);
                if rules.loses_too_much(words, cut) {
                    return Err(Reason::CutTooMuch);
                }
            }
            Cleaning::PlainWikitext => markup::plain_wikitext(text, cleaned),
            Cleaning::PlainMarkdown => markup::plain_markdown(text, cleaned),
            Cleaning::MaskAddresses => return Ok(Some(personal::mask(text, cleaned))),
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(cleanings: &[Cleaning], text: &str) -> (Result<(), Reason>, String, Vec<u64>) {
        let (mut text, mut taken) = (text.to_owned(), Vec::new());
        let result = Cleaner::default().clean(cleanings, &mut text, &mut taken);
        (result, text, taken)
    }

    #[test]
    fn each_cleaning_counts_what_it_took() {
        let all = [
            Cleaning::NormalForm(UnicodeForm::Nfc),
            Cleaning::WhiteSpace,
            Cleaning::C4Lines(LineRules::default()),
            Cleaning::MaskAddresses,
        ];
        let (result, text, taken) = clean(&all, "Home\nThe cafe\u{301} is  open.\nWrite to a@example.net today.");
        assert_eq!(result, Ok(()));
        assert!(text.starts_with("The café is open.\nWrite to ") && text.ends_with(" today."), "{text}");
        assert_eq!(taken, [1, 1, 5, 13]);
    }

    #[test]
    fn a_text_of_which_nothing_is_left_is_dropped() {
        let lines = [Cleaning::C4Lines(LineRules::default())];
        assert_eq!(clean(&lines, "Home\nAbout us").0, Err(Reason::NothingLeft));
        let lines = [Cleaning::RefinedwebLines(RefinedwebLines::default())];
        assert_eq!(clean(&lines, "HOME NEWS\nIt rained all day.").0, Err(Reason::CutTooMuch));
    }
}
