//! The report's charts, by plotly.

use std::collections::BTreeMap;

use plotly::{
    Bar, Configuration, Layout, Plot, Scatter,
    color::Rgba,
    common::{AxisSide, Font, Line, Marker, Mode, Orientation, Title},
    configuration::DisplayModeBar,
    layout::{Axis, BarMode, Legend, Margin},
};

use super::findings::{Mixture, SCORE_BINS, Scores};
use crate::text::draw::pareto_keeps;

/// Colours that can be told apart by people who see few of them (Okabe and Ito 2008).
const COLOURS: [&str; 7] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];

/// The colour of what was dropped.
const DROPPED: &str = "#9a9a9a";

/// The library that draws the charts in the reader's browser, as one script. The charts have no formulas, so the
/// typesetter that comes with it is left out.
pub fn library() -> String {
    let sources = Plot::offline_js_sources();
    let end = sources.find("</script>\n\n").map_or(sources.len(), |end| end + "</script>".len());
    sources[..end].to_owned()
}

/// Documents that each stage left, a colour for each source.
pub fn funnel(ledger: &schemas::ledger::Ledger) -> String {
    let mut stages: Vec<&str> = vec!["in"];
    let mut kept: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for entry in ledger.stages.iter().filter(|entry| !entry.stage.starts_with("mixture-")) {
        if stages.last() != Some(&entry.stage.as_str()) {
            stages.push(&entry.stage);
        }
        let counts = kept.entry(&entry.source).or_insert_with(|| vec![entry.r#in]);
        counts.push(entry.kept);
    }
    let mut plot = Plot::new();
    for ((source, counts), colour) in kept.into_iter().zip(COLOURS.iter().cycle()) {
        let names: Vec<String> = stages.iter().map(|stage| (*stage).to_owned()).collect();
        let bar = Bar::new(counts, names)
            .orientation(Orientation::Horizontal)
            .name(source)
            .marker(Marker::new().color(*colour));
        plot.add_trace(bar);
    }
    let height = 120 + 34 * stages.len();
    finish(plot, "funnel", layout("documents", height).y_axis(downwards(stages.len())).bar_mode(BarMode::Stack))
}

/// Scores of kept and dropped documents, with the share that the draw keeps at each.
pub fn scores(number: usize, scores: &Scores) -> String {
    let middles: Vec<f64> = (0..SCORE_BINS).map(|bin| (bin as f64 + 0.5) / SCORE_BINS as f64).collect();
    let bars = |counts: &[u64; SCORE_BINS], name: &str, colour: &'static str| {
        Bar::new(middles.clone(), counts.to_vec()).name(name).marker(Marker::new().color(colour))
    };
    let mut plot = Plot::new();
    plot.add_trace(bars(&scores.kept, "kept", COLOURS[0]));
    plot.add_trace(bars(&scores.dropped, "dropped", DROPPED));
    let mut axes = layout("score", 360).bar_mode(BarMode::Stack);
    if let Some(alpha) = scores.alpha {
        let keeps = middles.iter().map(|score| pareto_keeps(*score, alpha)).collect();
        let name = format!("share kept by Pareto({alpha})");
        let curve =
            Scatter::new(middles, keeps).mode(Mode::Lines).name(name).line(Line::new().color(COLOURS[5])).y_axis("y2");
        plot.add_trace(curve);
        let right = Axis::new().overlaying("y").side(AxisSide::Right).range(vec![0.0, 1.0]).show_grid(false);
        axes = axes.y_axis2(right);
    }
    finish(plot, &format!("scores-{number}"), axes)
}

/// Shares of a mixture's bytes, asked for and reached.
pub fn shares(number: usize, mixture: &Mixture) -> String {
    let whole: u64 = mixture.shares.iter().map(|(.., bytes)| bytes).sum();
    let sources: Vec<String> = mixture.shares.iter().map(|(source, ..)| source.clone()).collect();
    let asked: Vec<f64> = mixture.shares.iter().map(|(_, asked, _)| 100.0 * asked).collect();
    let reached: Vec<f64> =
        mixture.shares.iter().map(|(.., bytes)| 100.0 * *bytes as f64 / whole.max(1) as f64).collect();
    let mut plot = Plot::new();
    let bars = |values: Vec<f64>, name: &str, colour: &'static str| {
        Bar::new(values, sources.clone())
            .orientation(Orientation::Horizontal)
            .name(name)
            .marker(Marker::new().color(colour))
    };
    plot.add_trace(bars(asked, "asked for", DROPPED));
    plot.add_trace(bars(reached, "reached", COLOURS[2]));
    let height = 120 + 44 * mixture.shares.len();
    finish(
        plot,
        &format!("shares-{number}"),
        layout("% of bytes in training", height).y_axis(downwards(mixture.shares.len())).bar_mode(BarMode::Group),
    )
}

/// An axis of so many names, the first on top.
fn downwards(names: usize) -> Axis {
    Axis::new().range(vec![names as f64 - 0.5, -0.5]).auto_margin(true)
}

fn layout(axis: &str, height: usize) -> Layout {
    let clear = Rgba::new(0, 0, 0, 0.0);
    Layout::new()
        .height(height)
        .margin(Margin::new().top(10).right(40).bottom(50).left(60))
        .paper_background_color(clear)
        .plot_background_color(clear)
        .font(Font::new().color("#808080"))
        .legend(Legend::new().orientation(Orientation::Horizontal).y(-0.25))
        .x_axis(Axis::new().title(Title::with_text(axis)).grid_color("rgba(128,128,128,0.3)"))
}

fn finish(mut plot: Plot, id: &str, layout: Layout) -> String {
    plot.set_layout(layout);
    plot.set_configuration(Configuration::new().responsive(true).display_mode_bar(DisplayModeBar::False));
    plot.to_inline_html(Some(id))
}
