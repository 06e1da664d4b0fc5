//! Shares of a mixture.

use plotly::{Plot, layout::BarMode};

use super::{COLOURS, Chart, DROPPED, NAME, bars, height, layout, names, numbers};
use crate::{
    decide::MixtureAccount,
    report::{excerpt::short, numbers::percent},
};

/// Sources that are shown, at most: those of the largest weights.
const MOST: usize = 24;

/// Shares of a mixture, asked for and reached; none where there is one source, which has all.
pub fn shares(number: usize, mixture: &MixtureAccount) -> Option<Chart> {
    let mut shown: Vec<_> = mixture.sources.iter().collect();
    shown.sort_by(|(_, one), (_, other)| other.weight.total_cmp(&one.weight));
    shown.truncate(MOST);
    shown.sort_by_key(|(source, _)| *source);
    if shown.len() < 2 {
        return None;
    }
    let labels: Vec<String> = shown.iter().map(|(source, _)| short(source, NAME)).collect();
    let wanted: Vec<f64> = shown.iter().map(|(_, of)| 100.0 * of.weight).collect();
    let reached: Vec<f64> =
        shown.iter().map(|(source, _)| 100.0 * mixture.reached(source).unwrap_or_default()).collect();
    let said: Vec<String> = shown
        .iter()
        .map(|(source, of)| {
            let reached = mixture.reached(source).map_or_else(|| "nothing".to_owned(), percent);
            format!("{source} {reached} of {}", percent(of.weight))
        })
        .collect();
    let mut plot = Plot::new();
    plot.add_trace(bars(labels.clone(), wanted, "asked for", DROPPED));
    plot.add_trace(bars(labels, reached, "reached", COLOURS[2]));
    let label = format!("Bars: shares of the mixture {}, reached and asked for. {}.", mixture.mixture, said.join(", "));
    let axes = layout(numbers(&format!("% of {} in training", mixture.unit.name())), names(shown.len()))
        .bar_mode(BarMode::Group);
    Some(Chart::new(format!("shares-{number}"), label, height(shown.len(), 40), axes, plot))
}
