//! How much of benchmarks stands in documents.

use plotly::{Plot, layout::BarMode};

use super::{COLOURS, Chart, DROPPED, NAME, bars, height, layout, names, numbers};
use crate::{
    decide::{BenchmarkAccount, Contamination},
    report::{
        excerpt::short,
        numbers::{percent_of, share},
    },
};

/// Benchmarks that are shown, at most: those of which the largest shares were found.
const MOST: usize = 30;

/// Shares of benchmarks' examples that were found in documents: as a whole, and in part. A benchmark without examples has none.
pub fn benchmarks(number: usize, found: &Contamination) -> Option<Chart> {
    let mut shown: Vec<_> = found.benchmarks.iter().filter(|account| account.examples > 0).enumerate().collect();
    let of = |account: &BenchmarkAccount| share(account.found, account.examples).unwrap_or_default();
    shown.sort_by(|(_, one), (_, other)| of(other).total_cmp(&of(one)));
    shown.truncate(MOST);
    shown.sort_by_key(|(place, _)| *place);
    let shown: Vec<&BenchmarkAccount> = shown.into_iter().map(|(_, account)| account).collect();
    if shown.is_empty() {
        return None;
    }
    let labels: Vec<String> = shown.iter().map(|account| short(&account.benchmark, NAME)).collect();
    let shares = |pick: fn(&BenchmarkAccount) -> u64| -> Vec<f64> {
        shown.iter().map(|account| 100.0 * share(pick(account), account.examples).unwrap_or_default()).collect()
    };
    let said: Vec<String> = shown
        .iter()
        .map(|account| format!("{} {}", account.benchmark, percent_of(account.found, account.examples)))
        .collect();
    let mut plot = Plot::new();
    plot.add_trace(bars(labels.clone(), shares(|account| account.whole), "as a whole", COLOURS[5]));
    plot.add_trace(bars(
        labels.clone(),
        shares(|account| account.found - account.whole.min(account.found)),
        "in part",
        COLOURS[1],
    ));
    plot.add_trace(bars(labels, shares(|account| account.common), "common n-grams alone", DROPPED));
    let label = format!("Bars: the share of each benchmark's examples that stand in documents. {}.", said.join(", "));
    let axes = layout(numbers("% of examples"), names(shown.len())).bar_mode(BarMode::Stack);
    Some(Chart::new(format!("benchmarks-{number}"), label, height(shown.len(), 30), axes, plot))
}
