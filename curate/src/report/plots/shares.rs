//! Shares of a mixture.

use pages::{
    charts::{Arrangement, Axis, Bar, Bars, Chart, Colour, Row, Scale, Unit},
    numbers::percent,
};
use schemas::ledger::Ledger;

use super::{row, sources::Sources};
use crate::decide::MixtureAccount;

/// Sources that are shown, at most: those of the largest weights.
const MOST: usize = 24;

/// Shares of a mixture, asked for and reached; none where there is one source, which has all.
pub fn shares(number: usize, mixture: &MixtureAccount, ledger: &Ledger) -> Option<Chart> {
    let mut shown: Vec<_> = mixture.sources.iter().collect();
    shown.sort_by(|(_, one), (_, other)| other.weight.total_cmp(&one.weight));
    shown.truncate(MOST);
    shown.sort_by_key(|(source, _)| *source);
    if shown.len() < 2 {
        return None;
    }
    let reached = |source: &str| mixture.reached(source).map_or_else(|| "nothing".to_owned(), percent);
    let said: Vec<String> =
        shown.iter().map(|(source, of)| format!("{source} {} of {}", reached(source), percent(of.weight))).collect();
    let label = format!("Bars: shares of the mixture {}, reached and asked for. {}.", mixture.mixture, said.join(", "));
    let colours = Sources::of(ledger);
    let bar = |what: &str, value: f64, shown: String, colour| Bar { what: what.to_owned(), value, shown, colour };
    let rows = shown.iter().map(|(source, of)| {
        let share = mixture.reached(source).unwrap_or_default();
        let bars = vec![
            bar("asked for", of.weight, percent(of.weight), Colour::Asked),
            bar("reached", share, reached(source), colours.colour(source)),
        ];
        row(source, bars)
    });
    let rows: Vec<Row> = rows.collect();
    let most = rows.iter().flat_map(|row| &row.bars).map(|bar| bar.value).fold(0.0, f64::max);
    let title = format!("share of {} in training", mixture.unit.name());
    let axis = Axis::new(title, Scale::linear(most), Unit::Share);
    let bars = Bars { axis, arrangement: Arrangement::Grouped, rows };
    Some(Chart::of_bars(format!("shares-{number}"), label, &bars))
}
