//! Lengths, languages and hosts, before the first step and behind the last.

use plotly::{
    Plot, Scatter,
    common::{Fill, Line, LineShape, Mode},
    layout::{AxisType, BarMode},
};

use super::{Chart, DROPPED, KEPT, NAME, bars, height, layout, names, numbers, powers};
use crate::report::{
    excerpt::short,
    findings::{BeforeAfter, Population},
    numbers::grouped,
};

/// Documents by length in words, on a scale of powers.
pub fn lengths(population: &Population) -> Option<Chart> {
    let (first, last) = (*population.lengths.keys().next()?, *population.lengths.keys().next_back()?);
    let counts = |pick: fn(&BeforeAfter<u64>) -> u64| -> Vec<f64> {
        // one more, for the step back down to nothing
        (first..=last + 1).map(|bin| population.lengths.get(&bin).map_or(0.0, |count| pick(count) as f64)).collect()
    };
    let begins: Vec<f64> = (first..=last + 1).map(|bin| 2f64.powf(f64::from(bin) / 2.0)).collect();
    let steps = |values: Vec<f64>, name: &str, colour: &'static str| {
        Scatter::new(begins.clone(), values)
            .mode(Mode::Lines)
            .name(name)
            .fill(Fill::ToZeroY)
            .line(Line::new().shape(LineShape::Hv).color(colour).width(1.5))
    };
    let mut plot = Plot::new();
    plot.add_trace(steps(counts(|count| count.before), "documents read", DROPPED));
    plot.add_trace(steps(counts(|count| count.after), "kept by all steps", KEPT));
    let axis = numbers("words in a document").type_(AxisType::Log).dtick(1.0);
    let most = population.lengths.iter().max_by_key(|(bin, count)| (count.before, u32::MAX - **bin))?;
    let label = format!(
        "Areas: documents by number of words, read and kept. Most have about {} words.",
        grouped(1 << (*most.0 / 2))
    );
    Some(Chart::new("lengths-chart", label, 320, layout(axis, numbers("documents")), plot))
}

/// Documents by something that has names, such as a language.
pub fn before_after(id: &str, what: &str, counts: &[(String, BeforeAfter<u64>)]) -> Option<Chart> {
    let (most, count) = counts.first()?;
    let label = format!(
        "Bars: documents by {what}, read and kept, on a scale of powers of ten. Most: {most}, {}.",
        grouped(count.before)
    );
    let labels: Vec<String> = counts.iter().map(|(name, _)| short(name, NAME)).collect();
    let values = |pick: fn(&BeforeAfter<u64>) -> u64| counts.iter().map(|(_, count)| pick(count) as f64).collect();
    let mut plot = Plot::new();
    plot.add_trace(bars(labels.clone(), values(|count| count.before), "read", DROPPED));
    plot.add_trace(bars(labels, values(|count| count.after), "kept", KEPT));
    let axes = layout(powers("documents", count.before as f64), names(counts.len())).bar_mode(BarMode::Group);
    Some(Chart::new(id, label, height(counts.len(), 26), axes, plot))
}
