//! Names of tasks, which may be long.

use maud::{Markup, html};
use pages::table::Cell;

/// A name that can be broken behind its underscores and slashes.
pub fn breakable(name: &str) -> Markup {
    html! { @for piece in name.split_inclusive(['_', '/']) { (piece) wbr; } }
}

/// The same in a table.
pub fn cell(name: &str) -> Cell {
    Cell::Words(breakable(name))
}
