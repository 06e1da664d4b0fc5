//! HTML to text.
//!
//! Useful for: pages with a main text. Not useful for: what a text is worth; see [`crate::measure`].

mod extracted;
mod lines;
mod page;
mod watchdog;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use system::contained::{Panicked, contained};
use trafilatura::{HtmlDateMode, Options};

use crate::files::Version;

pub use extracted::Extracted;
pub use lines::lines;
pub use page::TooMuch;

/// How our own extractor finds the main text.
const TAMIS: Version = Version::new("extract/tamis", 1);

/// How the crate `trafilatura` does, and how its text is divided into lines.
const TRAFILATURA: Version = Version::new("extract/trafilatura", 1);

/// What our own extractor leaves out.
const BOILERPLATE: Version = Version::new("extract/boilerplate", 1);

/// Which extractor turns a page into text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extractor {
    /// Our own.
    #[default]
    Tamis,
    /// The crate `trafilatura`, without its fallbacks.
    Trafilatura,
    /// What our own leaves out of pages: menus, teasers, forms and footers. A classifier learns from it what is no text.
    Boilerplate,
}

/// How much work a page may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PageLimits {
    /// Its size after unpacking, in bytes.
    pub bytes: usize,
    /// Nodes of its tree, elements and texts. Our own extractor counts them.
    pub nodes: u32,
    /// Elements within each other. Our own extractor counts them.
    pub depth: u16,
    /// Seconds of an extractor that counts no work; what this limit stops may not be stopped again on another machine.
    pub seconds: u32,
}

impl Default for PageLimits {
    fn default() -> Self {
        let page::Limits { nodes, depth } = page::Limits::default();
        Self { bytes: 10 << 20, nodes, depth, seconds: 20 }
    }
}

/// Why a page was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenUp {
    /// It is more work than the limits allow.
    TooMuch(TooMuch),
    /// The extractor did not come to an end in time.
    TooSlow(Duration),
    /// The extractor panicked, and said this.
    Panicked(String),
}

impl Extractor {
    /// The version of the code that extracts.
    #[must_use]
    pub fn version(self) -> Version {
        match self {
            Self::Tamis => TAMIS,
            Self::Trafilatura => TRAFILATURA,
            Self::Boilerplate => BOILERPLATE,
        }
    }

    /// The main text of a page; none where there is none. The limit of bytes is for the caller to hold.
    ///
    /// # Errors
    /// When the page is over a limit, or the extractor panicked.
    pub fn extract(self, html: &str, limits: &PageLimits) -> Result<Option<Extracted>, GivenUp> {
        let panicked = |Panicked(message)| GivenUp::Panicked(message);
        match self {
            Self::Tamis | Self::Boilerplate => {
                let limits = page::Limits { nodes: limits.nodes, depth: limits.depth };
                let extract = if self == Self::Tamis { page::extract } else { page::boilerplate };
                contained(|| extract(html, limits)).map_err(panicked)?.map_err(GivenUp::TooMuch)
            }
            Self::Trafilatura => {
                let html = html.to_owned();
                let limit = Duration::from_secs(limits.seconds.into());
                let found = watchdog::within(limit, move || contained(|| with_trafilatura(&html)));
                found.ok_or(GivenUp::TooSlow(limit))?.map_err(panicked)
            }
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
        ..Extracted::default()
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
        for extractor in [Extractor::Tamis, Extractor::Trafilatura] {
            let page = extractor.extract(&html, &PageLimits::default()).expect("it ends").expect("there is text");
            assert!(page.text.contains("keeper of the lighthouse"), "{}", page.text);
            assert!(!page.text.contains("Home") && !page.text.contains("Terms"), "{}", page.text);
            assert_eq!((page.title.as_deref(), page.language.as_deref()), (Some("Weather"), Some("en")));
        }
        let rest =
            Extractor::Boilerplate.extract(&html, &PageLimits::default()).expect("it ends").expect("there is a menu");
        assert_eq!(rest.text, "Home\nTerms of use", "what one leaves out the other gives");
    }

    #[test]
    fn a_page_without_text_gives_none() {
        for extractor in [Extractor::Tamis, Extractor::Trafilatura] {
            assert_eq!(extractor.extract("<html><body></body></html>", &PageLimits::default()), Ok(None));
        }
    }
}
