//! What is drawn of a run, or of two: which figures become which chart, and in which words.
//!
//! Useful for: charts of the report's sections. Not useful for: how a chart looks; see [`pages::charts`].

use pages::{
    charts::{Axis, Bar, Colour, Row, Scale, Unit},
    excerpt::short,
    numbers::grouped,
};

mod benchmarks;
mod clusters;
mod comparison;
mod funnel;
mod population;
mod scores;
mod shares;
mod sources;

pub use benchmarks::benchmarks;
pub use clusters::cluster_sizes;
pub use comparison::{kept_by_stage, kept_scores};
pub use funnel::{reasons, stages};
pub use population::{before_after, lengths};
pub use scores::{held_out, scores};
pub use shares::shares;

/// Characters of a name beside an axis, at most.
const NAME: usize = 24;

/// A bar of a count.
fn counted(what: impl Into<String>, count: u64, colour: Colour) -> Bar {
    Bar { what: what.into(), value: count as f64, shown: grouped(count), colour }
}

/// The bars of a name, one below the other.
fn row(name: &str, bars: Vec<Bar>) -> Row {
    Row { name: short(name, NAME), full: name.to_owned(), bars, whole: String::new() }
}

/// An axis of counts from 0.
fn counts(title: &str, most: u64) -> Axis {
    Axis::new(title, Scale::linear(most as f64), Unit::Count)
}

/// An axis of counts by powers of ten.
fn powers(title: &str, most: u64) -> Axis {
    Axis::new(format!("{title}, log scale"), Scale::powers(most as f64), Unit::Count)
}

/// An axis of scores.
fn score() -> Axis {
    Axis::new("score", Scale::linear(1.0), Unit::Number)
}

/// An axis of shares of 1, with room above a whole.
fn share_of(title: &str) -> Axis {
    Axis::new(title, Scale::linear(1.05), Unit::Share)
}

/// The bounds of a bin of scores.
fn score_bin(bin: usize, bins: usize) -> String {
    let bound = |bin: usize| (bin as f64 / bins as f64).to_string();
    format!("score {} to {}", bound(bin), bound(bin + 1))
}
