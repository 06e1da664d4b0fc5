//! HTML pages of one file, as both programs write their reports: no network, no script that is needed, light and dark, narrow and wide.
//!
//! ```text
//! a title, what stands first, sections of charts, tables and texts -> Page -> HTML
//! ```
//!
//! Useful for: a page about numbers that are there. Not useful for: which numbers; that is what the programs know.

pub mod charts;
pub mod excerpt;
pub mod numbers;
mod page;
mod section;
pub mod table;
mod tile;

pub use page::Page;
pub use section::Section;
pub use tile::tile;
