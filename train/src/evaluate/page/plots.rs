//! What the charts of the page have in common.

use pages::{
    charts::{Axis, Scale, Stroke, Unit},
    excerpt::short,
};

/// Rows of a chart, at most; the table has all.
pub const MOST_ROWS: usize = 40;

/// Characters of a name beside an axis, at most.
const NAME: usize = 24;

/// How lines of a chart are broken, one after the other.
pub const STROKES: [Stroke; 4] = [Stroke::Solid, Stroke::Dashed, Stroke::Dotted, Stroke::DashDot];

/// The name of a row as it stands beside its axis.
pub fn name(name: &str) -> String {
    short(name, NAME)
}

/// An axis of scores, from nothing to all.
pub fn score() -> Axis {
    Axis::new("score", Scale::linear(1.0), Unit::Share)
}

/// What is said of a chart of which some rows are left out.
pub fn left_out(rows: usize) -> Option<String> {
    (rows > MOST_ROWS).then(|| format!("The first {MOST_ROWS} of {rows} are drawn; the table has all."))
}
