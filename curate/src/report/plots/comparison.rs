//! Two runs in one chart.

use pages::{
    charts::{Arrangement, Bars, Bins, Chart, Colour, Layer, Shape, Side, Stroke},
    numbers::grouped,
};
use schemas::ledger::{Ledger, is_mixture_stage};

use super::{counted, counts, row, score, score_bin};
use crate::report::findings::{SCORE_BINS, Scores};

/// Documents that each stage left, in both runs.
pub fn kept_by_stage(first: &Ledger, second: &Ledger) -> Chart {
    let mut stages: Vec<&str> = Vec::new();
    for entry in first.stages.iter().chain(&second.stages).filter(|entry| !is_mixture_stage(&entry.stage)) {
        if !stages.contains(&entry.stage.as_str()) {
            stages.push(&entry.stage);
        }
    }
    let kept = |ledger: &Ledger, stage: &str| -> u64 {
        ledger.stages.iter().filter(|entry| entry.stage == stage).map(|entry| entry.kept).sum()
    };
    let both: Vec<(&str, u64, u64)> =
        stages.into_iter().map(|stage| (stage, kept(first, stage), kept(second, stage))).collect();
    let said: Vec<String> = both
        .iter()
        .map(|(stage, first, second)| format!("{stage} {} and {}", grouped(*first), grouped(*second)))
        .collect();
    let label = format!("Bars: documents left after each stage, in A and in B. {}.", said.join(", "));
    let most = both.iter().map(|(_, first, second)| *first.max(second)).max().unwrap_or_default();
    let rows = both.into_iter().map(|(stage, first, second)| {
        row(stage, vec![counted("A", first, Colour::Kept), counted("B", second, Colour::Series(1))])
    });
    let bars = Bars { axis: counts("documents", most), arrangement: Arrangement::Grouped, rows: rows.collect() };
    Chart::of_bars("kept-chart", label, &bars)
}

/// The scores of what a step kept, in both runs.
pub fn kept_scores(number: usize, stage: &str, first: &Scores, second: &Scores) -> Chart {
    let layer = |scores: &Scores, what: &str, colour, stroke| Layer {
        what: what.to_owned(),
        colour,
        shape: Shape::Steps(stroke),
        side: Side::Left,
        values: scores.kept.iter().map(|count| Some(*count as f64)).collect(),
    };
    let sum = |scores: &Scores| grouped(scores.kept.iter().sum());
    let label =
        format!("Lines: documents kept by step {stage}, by score: {} in A and {} in B.", sum(first), sum(second));
    let title = |bin: usize| {
        let (first, second) = (grouped(first.kept[bin]), grouped(second.kept[bin]));
        format!("{}\nA: {first}\nB: {second}", score_bin(bin, SCORE_BINS))
    };
    let most = first.kept.iter().chain(&second.kept).copied().max().unwrap_or_default();
    let bins = Bins {
        along: score(),
        left: counts("documents kept", most),
        right: None,
        titles: (0..SCORE_BINS).map(title).collect(),
        layers: vec![
            layer(first, "A", Colour::Kept, Stroke::Solid),
            layer(second, "B", Colour::Series(1), Stroke::Dashed),
        ],
    };
    Chart::of_bins(format!("kept-scores-{number}"), label, &bins)
}
