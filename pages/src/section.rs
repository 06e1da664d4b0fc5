//! A section of a page: a heading, how it is to be read, and what it shows.

use maud::{Markup, Render, html};

/// A section of a page.
pub struct Section {
    /// What nothing else on the page is called.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// How it is to be read.
    pub says: &'static str,
    /// What it shows.
    pub body: Markup,
}

impl Render for Section {
    fn render(&self) -> Markup {
        let title = format!("{}-title", self.id);
        html! {
            section id=(self.id) aria-labelledby=(title) {
                h2 id=(title) { (self.title) }
                p.says { (self.says) }
                (self.body)
            }
        }
    }
}
