//! Scores: of what a step drew from, and of what a classifier was tried on.

use std::collections::BTreeMap;

use plotly::{
    Bar, Plot, Scatter,
    common::{AxisSide, DashType, Line, Marker, Mode},
    layout::{Axis, BarMode},
};

use super::{COLOURS, Chart, DROPPED, KEPT, LINES, NAME, layout, numbers};
use crate::{
    learn::{BINS, Card},
    report::{
        excerpt::short,
        findings::{SCORE_BINS, Scores},
        numbers::{grouped, percent, share},
    },
    text::draw::pareto_keeps,
};

/// Fewest documents of a score from which it is said which share of them was kept.
const TELLING: u64 = 5;

/// Scores of kept and dropped documents, with the share that the draw should keep at each, and the share that it did.
pub fn scores(number: usize, stage: &str, scores: &Scores) -> Chart {
    let middles = middles(SCORE_BINS);
    let counts = |counts: &[u64; SCORE_BINS]| counts.iter().map(|count| *count as f64).collect::<Vec<_>>();
    let bars = |counts: Vec<f64>, name: &str, colour: &'static str| {
        Bar::new(middles.clone(), counts).name(name).marker(Marker::new().color(colour))
    };
    let mut plot = Plot::new();
    plot.add_trace(bars(counts(&scores.kept), "kept", KEPT));
    plot.add_trace(bars(counts(&scores.dropped), "dropped", DROPPED));
    let horizontal = numbers("score").range(vec![0.0, 1.0]);
    let mut axes = layout(horizontal, numbers("documents")).bar_mode(BarMode::Stack).bar_gap(0.05);
    let (kept, dropped): (u64, u64) = (scores.kept.iter().sum(), scores.dropped.iter().sum());
    let mut label =
        format!("Bars: documents of step {stage} by score; {} kept, {} dropped.", grouped(kept), grouped(dropped));
    if let Some(alpha) = scores.alpha {
        let keeps: Vec<f64> = middles.iter().map(|score| pareto_keeps(*score, alpha)).collect();
        let curve = Scatter::new(middles.clone(), keeps)
            .mode(Mode::Lines)
            .name(format!("share to keep, Pareto({alpha})"))
            .line(Line::new().color(COLOURS[5]).width(2.5))
            .y_axis("y2");
        plot.add_trace(curve);
        let (places, shares): (Vec<f64>, Vec<f64>) = middles
            .iter()
            .zip(scores.kept.iter().zip(&scores.dropped))
            .filter(|(_, (kept, dropped))| *kept + *dropped >= TELLING)
            .filter_map(|(middle, (kept, dropped))| Some((*middle, share(*kept, kept + dropped)?)))
            .unzip();
        let points = Scatter::new(places, shares)
            .mode(Mode::Markers)
            .name("share kept")
            .marker(Marker::new().color(COLOURS[1]).size(7))
            .y_axis("y2");
        plot.add_trace(points);
        let right = Axis::new()
            .overlaying("y")
            .side(AxisSide::Right)
            .range(vec![0.0, 1.05])
            .tick_format(".0%")
            .show_grid(false)
            .zero_line(false)
            .auto_margin(true)
            .fixed_range(true);
        axes = axes.y_axis2(right);
        label = format!(
            "{label} Line: the share that a Pareto draw of shape {alpha} keeps, from {} at score 0 to {} at score 1; points: the share that was kept.",
            percent(pareto_keeps(0.0, alpha)),
            percent(pareto_keeps(1.0, alpha))
        );
    }
    Chart::new(format!("scores-{number}"), label, 380, axes, plot)
}

/// Which share of a source's held-out documents has which score.
pub fn held_out(number: usize, card: &Card) -> Option<Chart> {
    let mut sources: BTreeMap<&str, [u64; BINS]> = BTreeMap::new();
    for scores in &card.scores {
        let sums = sources.entry(&scores.source).or_default();
        sums.iter_mut().zip(scores.documents).for_each(|(sum, count)| *sum += count);
    }
    let mut sources: Vec<_> = sources.into_iter().collect();
    sources.sort_by_key(|(source, counts)| (u64::MAX - counts.iter().sum::<u64>(), *source));
    sources.retain(|(_, counts)| counts.iter().any(|count| *count > 0));
    sources.truncate(COLOURS.len());
    if sources.is_empty() {
        return None;
    }
    let middles = middles(BINS);
    let dashes = [DashType::Solid, DashType::Dash, DashType::Dot, DashType::DashDot];
    let mut plot = Plot::new();
    let mut said = Vec::new();
    for (place, (source, counts)) in sources.iter().enumerate() {
        let whole: u64 = counts.iter().sum();
        let shares: Vec<f64> = counts.iter().filter_map(|count| share(*count, whole)).collect();
        said.push(format!("{source} {} above one half", percent(shares.iter().skip(BINS / 2).sum())));
        let line = Line::new().color(COLOURS[place]).width(2.5).dash(dashes[place % dashes.len()].clone());
        let trace = Scatter::new(middles.clone(), shares).mode(Mode::LinesMarkers).name(short(source, NAME)).line(line);
        plot.add_trace(trace);
    }
    let vertical = numbers("share of the source").tick_format(".0%").range(vec![-0.02, 1.02]).grid_color(LINES);
    let label = format!("Lines: the share of each source's held-out documents by score, {}.", said.join(", "));
    let axes = layout(numbers("score").range(vec![0.0, 1.0]), vertical);
    Some(Chart::new(format!("held-out-{number}"), label, 300, axes, plot))
}

/// The middles of so many bins between 0 and 1.
fn middles(bins: usize) -> Vec<f64> {
    (0..bins).map(|bin| (bin as f64 + 0.5) / bins as f64).collect()
}
