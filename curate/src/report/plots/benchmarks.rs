//! How much of benchmarks stands in documents.

use pages::{
    charts::{Arrangement, Axis, Bar, Bars, Chart, Colour, Row, Scale, Unit},
    numbers::{grouped, percent_of, share},
};

use super::row;
use crate::decide::{BenchmarkAccount, Contamination};

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
    let said: Vec<String> = shown
        .iter()
        .map(|account| format!("{} {}", account.benchmark, percent_of(account.found, account.examples)))
        .collect();
    let label = format!("Bars: the share of each benchmark's examples that stand in documents. {}.", said.join(", "));
    let rows: Vec<Row> = shown.into_iter().map(of_benchmark).collect();
    let longest = |row: &Row| row.bars.iter().map(|bar| bar.value).sum::<f64>();
    let most = rows.iter().map(longest).fold(0.0, f64::max);
    let axis = Axis::new("share of examples", Scale::linear(most), Unit::Share);
    let bars = Bars { axis, arrangement: Arrangement::Stacked, rows };
    Some(Chart::of_bars(format!("benchmarks-{number}"), label, &bars))
}

fn of_benchmark(account: &BenchmarkAccount) -> Row {
    let all = account.examples;
    let bar = |what: &str, count: u64, colour| Bar {
        what: what.to_owned(),
        value: share(count, all).unwrap_or_default(),
        shown: format!("{} of {}, {}", grouped(count), grouped(all), percent_of(count, all)),
        colour,
    };
    let bars = vec![
        bar("as a whole", account.whole, Colour::Series(5)),
        bar("in part", account.found.saturating_sub(account.whole), Colour::Series(1)),
        bar("common n-grams alone", account.common, Colour::Dropped),
    ];
    let whole = percent_of(account.whole.max(account.found) + account.common, all);
    Row { whole, ..row(&account.benchmark, bars) }
}
