//! What each stage left, and what it dropped.

use std::collections::BTreeMap;

use plotly::{Plot, layout::BarMode};
use schemas::ledger::Ledger;

use super::{COLOURS, Chart, DROPPED, NAME, bars, height, layout, names, numbers, powers, without_legend};
use crate::report::{excerpt::short, numbers::grouped};

/// Sources that have a colour of their own.
const MOST_SOURCES: usize = COLOURS.len() - 1;

/// Reasons that are shown.
const MOST_REASONS: usize = 16;

/// Documents that each stage left, a colour for each source.
pub fn stages(ledger: &Ledger) -> Chart {
    let entries = || ledger.stages.iter().filter(|entry| !entry.stage.starts_with("mixture-"));
    let mut stages: Vec<&str> = vec!["records"];
    let mut kept: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for entry in entries() {
        if stages.last() != Some(&entry.stage.as_str()) {
            stages.push(&entry.stage);
        }
        let counts = kept.entry(&entry.source).or_insert_with(|| vec![entry.r#in as f64]);
        counts.push(entry.kept as f64);
    }
    // the largest first; the smallest share a colour
    let mut sources: Vec<(&str, Vec<f64>)> = kept.into_iter().collect();
    sources.sort_by(|(one, first), (other, second)| second[0].total_cmp(&first[0]).then(one.cmp(other)));
    let rest = sources.split_off(sources.len().min(if sources.len() > MOST_SOURCES + 1 {
        MOST_SOURCES
    } else {
        MOST_SOURCES + 1
    }));
    let sums = |place: usize| rest.iter().map(|(_, counts)| counts[place]).sum::<f64>();
    let others = format!("{} others", rest.len());
    if !rest.is_empty() {
        sources.push((&others, (0..stages.len()).map(sums).collect()));
    }
    let labels: Vec<String> = stages.iter().map(|stage| short(stage, NAME)).collect();
    let mut plot = Plot::new();
    for ((source, counts), colour) in sources.iter().zip(COLOURS.iter().cycle()) {
        let colour = if *source == others { DROPPED } else { *colour };
        plot.add_trace(bars(labels.clone(), counts.clone(), &short(source, NAME), colour));
    }
    let whole = |stage: &str| entries().filter(|entry| entry.stage == stage).map(|entry| entry.kept).sum::<u64>();
    let said: Vec<String> = stages[1..].iter().map(|stage| format!("{stage} {}", grouped(whole(stage)))).collect();
    Chart::new(
        "funnel-chart",
        format!("Bars: documents left after each stage, by source. {}.", said.join(", ")),
        height(stages.len(), 32),
        layout(numbers("documents"), names(stages.len())).bar_mode(BarMode::Stack),
        plot,
    )
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
    let name = |stage: &str, reason: &str| {
        let name = if is_twice(reason) { format!("{reason}, {stage}") } else { reason.to_owned() };
        short(&name, NAME + 4)
    };
    let labels: Vec<String> = counts.iter().map(|((stage, reason), _)| name(stage, reason)).collect();
    let values: Vec<f64> = counts.iter().map(|(_, count)| *count as f64).collect();
    let mut plot = Plot::new();
    plot.add_trace(bars(labels, values, "dropped", DROPPED));
    let axes = layout(powers("documents dropped", *most as f64), names(counts.len()));
    Some(Chart::new("reasons-chart", label, height(counts.len(), 24), without_legend(axes), plot))
}
