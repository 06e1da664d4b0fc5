//! Shares of a mixture.

use plotly::{Plot, layout::BarMode};

use super::{COLOURS, Chart, DROPPED, NAME, bars, height, layout, names, numbers};
use crate::report::{excerpt::short, findings::Mixture, numbers::percent};

/// Sources that are shown.
const MOST: usize = 24;

/// Shares of a mixture, asked for and reached; none where there is one source, which has all.
pub fn shares(number: usize, mixture: &Mixture) -> Option<Chart> {
    let asked: Vec<_> = mixture.shares.iter().take(MOST).collect();
    if asked.len() < 2 {
        return None;
    }
    let labels: Vec<String> = asked.iter().map(|share| short(&share.source, NAME)).collect();
    let wanted: Vec<f64> = asked.iter().map(|of| 100.0 * of.asked).collect();
    let reached: Vec<f64> = asked.iter().map(|of| 100.0 * of.reached).collect();
    let said: Vec<String> =
        asked.iter().map(|of| format!("{} {} of {}", of.source, percent(of.reached), percent(of.asked))).collect();
    let mut plot = Plot::new();
    plot.add_trace(bars(labels.clone(), wanted, "asked for", DROPPED));
    plot.add_trace(bars(labels, reached, "reached", COLOURS[2]));
    let label = format!("Bars: shares of the mixture {}, reached and asked for. {}.", mixture.name, said.join(", "));
    let axes = layout(numbers(&format!("% of {} in training", mixture.unit.name())), names(asked.len()))
        .bar_mode(BarMode::Group);
    Some(Chart::new(format!("shares-{number}"), label, height(asked.len(), 40), axes, plot))
}
