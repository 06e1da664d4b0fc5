//! The frame of a page: head, contents, sections. One file, and nothing of it from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{charts, section::Section};

/// How the page looks.
const STYLE: &str = include_str!("style.css");

/// What the page does: it sorts tables and turns pages. All that it shows is there without it.
const SCRIPT: &str = include_str!("page.js");

/// What the browser may load for the page: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A page.
pub struct Page<'a> {
    /// Its first heading.
    pub title: &'a str,
    /// What it is, in two words.
    pub kind: &'a str,
    /// What stands above the sections.
    pub lead: Markup,
    /// Its sections, in their order.
    pub sections: Vec<Section>,
}

impl Page<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · " (self.kind) }
                    style { (PreEscaped(STYLE)) (PreEscaped(charts::STYLE)) }
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    header.top {
                        p.kind { (self.kind) }
                        h1 { (self.title) }
                    }
                    div.columns {
                        nav.contents aria-label="Contents" { details open {
                            summary { "Contents" }
                            ol { @for section in &self.sections {
                                li { a href=(format!("#{}", section.id)) { (section.title) } }
                            } }
                        } }
                        main id="content" tabindex="-1" {
                            (self.lead)
                            @for section in &self.sections { (section) }
                        }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }
}
