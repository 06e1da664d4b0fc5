//! Shares of a mixture.

use plotly::{Plot, layout::BarMode};

use super::{COLOURS, Chart, DROPPED, NAME, bars, height, layout, names, numbers};
use crate::report::{
    excerpt::short,
    findings::Mixture,
    numbers::{percent, share},
};

/// Sources that are shown.
const MOST: usize = 24;

/// Shares of a mixture's bytes, asked for and reached; none where nothing was asked.
pub fn shares(number: usize, mixture: &Mixture) -> Option<Chart> {
    let whole: u64 = mixture.shares.iter().map(|share| share.bytes).sum();
    let asked: Vec<_> = mixture.shares.iter().filter(|share| share.asked.is_some()).take(MOST).collect();
    if asked.is_empty() {
        return None;
    }
    let labels: Vec<String> = asked.iter().map(|share| short(&share.source, NAME)).collect();
    let wanted: Vec<f64> = asked.iter().filter_map(|share| share.asked).map(|share| 100.0 * share).collect();
    let reached: Vec<f64> = asked.iter().map(|of| 100.0 * share(of.bytes, whole)).collect();
    let said: Vec<String> = asked
        .iter()
        .map(|of| {
            format!("{} {} of {}", of.source, percent(share(of.bytes, whole)), percent(of.asked.unwrap_or_default()))
        })
        .collect();
    let mut plot = Plot::new();
    plot.add_trace(bars(labels.clone(), wanted, "asked for", DROPPED));
    plot.add_trace(bars(labels, reached, "reached", COLOURS[2]));
    let label = format!("Bars: shares of the mixture {}, reached and asked for. {}.", mixture.name, said.join(", "));
    let axes = layout(numbers("% of bytes in training"), names(asked.len())).bar_mode(BarMode::Group);
    Some(Chart::new(format!("shares-{number}"), label, height(asked.len(), 40), axes, plot))
}
