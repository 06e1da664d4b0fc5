//! What is taken from a page.

/// A page's text and what it says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extracted {
    /// The main text, a paragraph a line. Never blank.
    pub text: String,
    /// The page's title, where it has one.
    pub title: Option<String>,
    /// The day on which the page says it was published, as `YYYY-MM-DD`. Our own extractor reads it.
    pub published: Option<String>,
    /// The language that the page says it is in, as it says it.
    pub language: Option<String>,
    /// Where links of the main text lead, as they are written, each once. Our own extractor reads them.
    pub links: Vec<String>,
}
