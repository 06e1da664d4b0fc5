//! The charts, by plotly: what is drawn here, and how it looks in the page's style.
//!
//! A chart is a box with its data in it, which `page.js` draws. Colours of text and lines come from the style sheet, which follows the
//! reader's light or dark; those of the data are the same in both.

mod benchmarks;
mod clusters;
mod comparison;
mod funnel;
mod population;
mod scores;
mod shares;

use maud::{Markup, PreEscaped, Render, html};
use plotly::{
    Bar, Layout, Plot,
    color::Rgba,
    common::{Anchor, Font, Marker, Orientation, Title},
    layout::{Axis, AxisType, Legend, Margin, TraceOrder},
};

pub use benchmarks::benchmarks;
pub use clusters::cluster_sizes;
pub use comparison::{kept_by_stage, kept_scores};
pub use funnel::{reasons, stages};
pub use population::{before_after, lengths};
pub use scores::{held_out, scores};
pub use shares::shares;

/// Colours that can be told apart by people who see few of them, and from the page, be it light or dark (after Okabe and Ito 2008).
const COLOURS: [&str; 7] = ["#0072b2", "#d98600", "#009e73", "#c6659b", "#3f9fd8", "#d55e00", "#8f7fd6"];

/// The colour of what was kept.
const KEPT: &str = COLOURS[0];

/// The colour of what was dropped.
const DROPPED: &str = "#8d939a";

/// Characters of a name beside an axis, at most.
const NAME: usize = 24;

/// A chart and what it says.
pub struct Chart {
    id: String,
    /// What can be seen in it, for those who cannot.
    label: String,
    height: usize,
    plot: Plot,
}

/// The library that draws the charts in the reader's browser, as one script. The charts have no formulas, so the
/// typesetter that comes with it is left out.
pub fn library() -> String {
    let sources = Plot::offline_js_sources();
    let end = sources.find("</script>\n\n").map_or(sources.len(), |end| end + "</script>".len());
    sources[..end].to_owned()
}

impl Chart {
    fn new(id: impl Into<String>, label: impl Into<String>, height: usize, layout: Layout, mut plot: Plot) -> Self {
        plot.set_layout(layout);
        Self { id: id.into(), label: label.into(), height, plot }
    }
}

impl Render for Chart {
    fn render(&self) -> Markup {
        // within a script, only this sign could end it
        let json = self.plot.to_json().replace('<', "\\u003c");
        html! {
            div.chart id=(self.id) role="img" aria-label=(self.label) style=(format!("height:{}px", self.height)) {
                script type="application/json" { (PreEscaped(json)) }
            }
        }
    }
}

/// Bars from the left, one below the other.
fn bars(names: Vec<String>, values: Vec<f64>, name: &str, colour: &'static str) -> Box<Bar<f64, String>> {
    Bar::new(values, names).orientation(Orientation::Horizontal).name(name).marker(Marker::new().color(colour))
}

/// The height of a chart with so many bars.
fn height(names: usize, for_each: usize) -> usize {
    110 + for_each * names.max(1)
}

/// An axis of so many names, the first on top.
fn names(count: usize) -> Axis {
    Axis::new()
        .type_(AxisType::Category)
        .range(vec![count as f64 - 0.5, -0.5])
        .auto_margin(true)
        .fixed_range(true)
        .show_grid(false)
        .tick_suffix(" ")
}

/// An axis of numbers.
fn numbers(title: &str) -> Axis {
    Axis::new()
        .title(Title::with_text(title))
        .grid_color(LINES)
        .zero_line_color(LINES)
        .fixed_range(true)
        .separate_thousands(true)
        .auto_margin(true)
}

/// The colour of lines, which the style sheet replaces.
const LINES: &str = "rgba(128,128,128,0.3)";

/// An axis of counts on a scale of powers of ten, on which one has a length, too.
fn powers(title: &str, most: f64) -> Axis {
    let begin = -0.3;
    numbers(title)
        .type_(AxisType::Log)
        .dtick(1.0)
        .tick_format("~s")
        .tick_angle(0.0)
        .range(vec![begin, most.max(1.0).log10() + 0.15])
}

/// A layout with a legend above the data.
fn layout(horizontal: Axis, vertical: Axis) -> Layout {
    let clear = Rgba::new(0, 0, 0, 0.0);
    Layout::new()
        .margin(Margin::new().top(34).right(18).bottom(46).left(54))
        .paper_background_color(clear)
        .plot_background_color(clear)
        .font(Font::new().color("#808080").size(12))
        .legend(legend())
        .bar_gap(0.25)
        .x_axis(horizontal)
        .y_axis(vertical)
}

/// Where there is nothing to tell apart.
fn without_legend(layout: Layout) -> Layout {
    layout.show_legend(false).margin(Margin::new().top(8).right(18).bottom(46).left(54))
}

fn legend() -> Legend {
    Legend::new()
        .trace_order(TraceOrder::Normal)
        .orientation(Orientation::Horizontal)
        .y(1.0)
        .y_anchor(Anchor::Bottom)
        .x(0.0)
        .x_anchor(Anchor::Left)
}
