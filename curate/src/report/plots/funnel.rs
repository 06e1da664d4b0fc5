//! What each stage left, and what it dropped.

use std::collections::BTreeMap;

use pages::{
    charts::{Arrangement, Bars, Chart, Colour, Row, SERIES},
    excerpt::short,
    numbers::grouped,
};
use schemas::ledger::{Ledger, is_mixture_stage};

use super::{NAME, counted, counts, powers, row, sources::Sources};

/// Sources that have a colour of their own where not all have one.
const MOST_SOURCES: usize = SERIES - 1;

/// Reasons that are shown.
const MOST_REASONS: usize = 16;

/// Documents that each stage left, a colour for each source.
pub fn stages(ledger: &Ledger) -> Chart {
    let entries = || ledger.stages.iter().filter(|entry| !is_mixture_stage(&entry.stage));
    let mut stages: Vec<&str> = vec!["records"];
    let mut kept: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for entry in entries() {
        if stages.last() != Some(&entry.stage.as_str()) {
            stages.push(&entry.stage);
        }
        let counts = kept.entry(&entry.source).or_insert_with(|| vec![entry.r#in]);
        counts.push(entry.kept);
    }
    // the largest first; the smallest share a colour
    let mut sources: Vec<(&str, Vec<u64>)> = kept.into_iter().collect();
    sources.sort_by(|(one, first), (other, second)| second[0].cmp(&first[0]).then(one.cmp(other)));
    let shown = if sources.len() > SERIES { MOST_SOURCES } else { sources.len() };
    let rest = sources.split_off(shown);
    let colours = Sources::of(ledger);
    let of_stage = |(place, stage): (usize, &&str)| {
        let mut bars: Vec<_> = sources
            .iter()
            .map(|(source, counts)| counted(short(source, NAME), counts[place], colours.colour(source)))
            .collect();
        if !rest.is_empty() {
            let others = rest.iter().map(|(_, counts)| counts[place]).sum();
            bars.push(counted(format!("{} others", rest.len()), others, Colour::Dropped));
        }
        let whole = sources.iter().chain(&rest).map(|(_, counts)| counts[place]).sum();
        Row { whole: grouped(whole), ..row(stage, bars) }
    };
    let rows: Vec<Row> = stages.iter().enumerate().map(of_stage).collect();
    let most = sources.iter().chain(&rest).map(|(_, counts)| counts[0]).sum();
    let bars = Bars { axis: counts("documents", most), arrangement: Arrangement::Stacked, rows };
    let left = |stage: &str| entries().filter(|entry| entry.stage == stage).map(|entry| entry.kept).sum::<u64>();
    let said: Vec<String> = stages[1..].iter().map(|stage| format!("{stage} {}", grouped(left(stage)))).collect();
    let label = format!("Bars: documents left after each stage, by source. {}.", said.join(", "));
    Chart::of_bars("funnel-chart", label, &bars)
}

/// Documents by the reason for which they were dropped, most first.
pub fn reasons(ledger: &Ledger) -> Option<Chart> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for entry in &ledger.stages {
        for (reason, count) in entry.dropped.iter().chain(&entry.quarantined) {
            *counts.entry((&entry.stage, reason)).or_default() += count;
        }
    }
    let mut counts: Vec<((&str, &str), u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(reason, count)| (u64::MAX - count, *reason));
    counts.truncate(MOST_REASONS);
    let ((stage, reason), most) = counts.first()?;
    let label = format!(
        "Bars: documents dropped, by reason, on a scale of powers of ten. Most by {reason} in {stage}: {}.",
        grouped(*most)
    );
    // a reason of two stages is one name: it has its stage with it
    let is_twice = |reason: &str| counts.iter().filter(|((_, other), _)| *other == reason).count() > 1;
    let of_reason = |((stage, reason), count): &((&str, &str), u64)| {
        let name = if is_twice(reason) { format!("{reason}, {stage}") } else { (*reason).to_owned() };
        let bars = vec![counted("dropped", *count, Colour::Dropped)];
        Row { name: short(&name, NAME + 4), full: format!("{reason}, {stage}"), ..row(reason, bars) }
    };
    let axis = powers("documents dropped", *most);
    let rows = counts.iter().map(of_reason).collect();
    Some(Chart::of_bars("reasons-chart", label, &Bars { axis, arrangement: Arrangement::Grouped, rows }))
}
