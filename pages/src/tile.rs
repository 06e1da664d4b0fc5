//! Tiles: few numbers that are told first, in a list of the class `tiles`.

use maud::{Markup, html};

/// A number with what it counts.
#[must_use]
pub fn tile(number: &str, what: &str) -> Markup {
    html! { li { b { (number) } " " (what) } }
}
