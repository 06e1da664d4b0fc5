//! Charts as SVG within the page: numbers and words in, markup out. Nothing here knows what a run is.
//!
//! ```text
//! rows of bars, on one axis         -> Bars   -+
//! layers of values, bin by bin      -> Bins   -+-> Chart: its legend, its drawing, and what can be seen in it, in words
//! rows of points with intervals     -> Dots   -+
//! lines from one name to the next   -> Curves -+
//! one measure over another          -> Lines  -+
//! ```
//!
//! A drawing is as wide as its box. What lies along it is placed in percent, while text, bars and margins have pixels of their own: so
//! words on a phone are as large as on a desk, which they would not be in a `viewBox` that is scaled as a whole. Colours are variables
//! of the page's style sheet, which follows the reader's light or dark; [`STYLE`] has the rest. Each mark has a `<title>`, which browsers
//! show with the exact value; no script is needed, and the page prints as it is seen.
//!
//! Useful for: counts and shares by name, by stage, by score, by length. Not useful for: what needs zooming, or thousands of points.
//!
//! No library draws them. plotly would bring 4.6 MB of script into each page, nine tenths of it. plotters draws in fixed pixels and
//! fixed colours, and has no titles to its marks.

mod axis;
mod bars;
mod bins;
mod colour;
mod curves;
mod dots;
mod layer;
mod legend;
mod lines;
mod scale;
mod stroke;
mod ticks;
mod words;

use maud::{Markup, Render, html};

pub use axis::{Axis, Unit};
pub use bars::{Arrangement, Bar, Bars, Row};
pub use bins::Bins;
pub use colour::{Colour, SERIES};
pub use curves::{Curve, CurvePoint, Curves};
pub use dots::{Dot, DotRow, Dots};
pub use layer::{Layer, Shape, Side};
pub use lines::{Line, LinePoint, Lines};
pub use scale::Scale;
pub use stroke::Stroke;

use legend::Legend;

/// The style of all charts. The page gives the variables `--ink`, `--soft`, `--edge`, `--line` and those of [`Colour`].
pub const STYLE: &str = include_str!("style.css");

/// A chart and what it says.
pub struct Chart {
    id: String,
    /// What can be seen in it, for those who cannot.
    label: String,
    legend: Legend,
    drawing: Markup,
}

impl Chart {
    /// A chart of bars.
    ///
    /// - `id`: what nothing else on the page is called
    /// - `label`: what can be seen in it, in words
    pub fn of_bars(id: impl Into<String>, label: impl Into<String>, bars: &Bars) -> Self {
        Self { id: id.into(), label: label.into(), legend: bars.legend(), drawing: bars.drawing() }
    }

    /// A chart of values by bin; as in [`Chart::of_bars`].
    pub fn of_bins(id: impl Into<String>, label: impl Into<String>, bins: &Bins) -> Self {
        Self { id: id.into(), label: label.into(), legend: bins.legend(), drawing: bins.drawing() }
    }

    /// A chart of points with intervals; as in [`Chart::of_bars`].
    pub fn of_dots(id: impl Into<String>, label: impl Into<String>, dots: &Dots) -> Self {
        Self { id: id.into(), label: label.into(), legend: dots.legend(), drawing: dots.drawing() }
    }

    /// A chart of lines from one name to the next; as in [`Chart::of_bars`].
    pub fn of_curves(id: impl Into<String>, label: impl Into<String>, curves: &Curves) -> Self {
        Self { id: id.into(), label: label.into(), legend: curves.legend(), drawing: curves.drawing() }
    }

    /// A chart of one measure over another; as in [`Chart::of_bars`].
    pub fn of_lines(id: impl Into<String>, label: impl Into<String>, lines: &Lines) -> Self {
        Self { id: id.into(), label: label.into(), legend: lines.legend(), drawing: lines.drawing() }
    }
}

impl Render for Chart {
    fn render(&self) -> Markup {
        html! {
            div.chart id=(self.id) role="img" aria-label=(self.label) {
                (self.legend)
                (self.drawing)
            }
        }
    }
}
