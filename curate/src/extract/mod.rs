//! HTML to text.
//!
//! Useful for: pages with a main text. Not useful for: what a text is worth; see [`crate::measure`].

mod contained;
mod lines;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use trafilatura::{HtmlDateMode, Options};

pub use contained::{Panicked, contained};
pub use lines::lines;

/// Which extractor turns a page into text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extractor {
    /// The crate `trafilatura`, without its fallbacks.
    #[default]
    Trafilatura,
}

/// A page's text and what it says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// The main text, a paragraph a line. Never blank.
    pub text: String,
    /// The page's title, where it has one.
    pub title: Option<String>,
    /// The language that the page says it is in, as it says it.
    pub language: Option<String>,
}

impl Extractor {
    /// The main text of a page; none where there is none.
    ///
    /// # Errors
    /// When the extractor panicked, with what it said.
    pub fn extract(self, html: &str) -> Result<Option<Extracted>, Panicked> {
        match self {
            Self::Trafilatura => contained(|| with_trafilatura(html)),
        }
    }
}

fn with_trafilatura(html: &str) -> Option<Extracted> {
    let options = Options::default().with_exclude_comments(true).with_html_date_mode(HtmlDateMode::Disabled);
    let extracted = trafilatura::extract(html, &options).ok()?;
    // the crate's own text has lost its lines
    let text = lines(&extracted.content_html);
    let present = |text: String| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    (!text.trim().is_empty()).then(|| Extracted {
        text,
        title: present(extracted.metadata.title),
        language: present(extracted.metadata.language),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_and_footers_are_left_out() {
        let prose =
            "The keeper of the lighthouse wrote down the weather every morning, and in the evening he read it out. ";
        let html = format!(
            "<html lang=\"en\"><head><title>Weather</title></head><body><nav><a href=\"/\">Home</a></nav><article>\
             <p>{0}</p><p>{0}</p><p>{0}</p></article><footer>Terms of use</footer></body></html>",
            prose.repeat(3)
        );
        let page = Extractor::Trafilatura.extract(&html).expect("no panic").expect("there is text");
        assert!(page.text.contains("keeper of the lighthouse"), "{}", page.text);
        assert!(!page.text.contains("Home") && !page.text.contains("Terms"), "{}", page.text);
    }

    #[test]
    fn a_page_without_text_gives_none() {
        assert_eq!(Extractor::Trafilatura.extract("<html><body></body></html>"), Ok(None));
    }
}
