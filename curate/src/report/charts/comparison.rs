//! Two runs in one chart.

use plotly::{
    Plot, Scatter,
    common::{DashType, Line, LineShape, Mode},
    layout::BarMode,
};
use schemas::ledger::Ledger;

use super::{COLOURS, Chart, KEPT, NAME, bars, height, layout, names, numbers};
use crate::report::{
    excerpt::short,
    findings::{SCORE_BINS, Scores},
    numbers::grouped,
};

/// Documents that each stage left, in both runs.
pub fn kept_by_stage(first: &Ledger, second: &Ledger) -> Chart {
    let mut stages: Vec<&str> = Vec::new();
    for entry in first.stages.iter().chain(&second.stages).filter(|entry| !entry.stage.starts_with("mixture-")) {
        if !stages.contains(&entry.stage.as_str()) {
            stages.push(&entry.stage);
        }
    }
    let kept = |ledger: &Ledger, stage: &str| -> u64 {
        ledger.stages.iter().filter(|entry| entry.stage == stage).map(|entry| entry.kept).sum()
    };
    let labels: Vec<String> = stages.iter().map(|stage| short(stage, NAME)).collect();
    let counts = |ledger: &Ledger| stages.iter().map(|stage| kept(ledger, stage) as f64).collect();
    let said: Vec<String> = stages
        .iter()
        .map(|stage| format!("{stage} {} and {}", grouped(kept(first, stage)), grouped(kept(second, stage))))
        .collect();
    let mut plot = Plot::new();
    plot.add_trace(bars(labels.clone(), counts(first), "A", KEPT));
    plot.add_trace(bars(labels, counts(second), "B", COLOURS[1]));
    let label = format!("Bars: documents left after each stage, in A and in B. {}.", said.join(", "));
    let axes = layout(numbers("documents"), names(stages.len())).bar_mode(BarMode::Group);
    Chart::new("kept-chart", label, height(stages.len(), 40), axes, plot)
}

/// The scores of what a step kept, in both runs.
pub fn kept_scores(number: usize, stage: &str, first: &Scores, second: &Scores) -> Chart {
    let begins: Vec<f64> = (0..=SCORE_BINS).map(|bin| bin as f64 / SCORE_BINS as f64).collect();
    let line = |scores: &Scores, name: &str, colour: &'static str, dash: DashType| {
        let counts = scores.kept.iter().map(|count| *count as f64).chain([0.0]).collect();
        Scatter::new(begins.clone(), counts)
            .mode(Mode::Lines)
            .name(name)
            .line(Line::new().shape(LineShape::Hv).color(colour).width(2.0).dash(dash))
    };
    let mut plot = Plot::new();
    plot.add_trace(line(first, "A", KEPT, DashType::Solid));
    plot.add_trace(line(second, "B", COLOURS[1], DashType::Dash));
    let sum = |scores: &Scores| grouped(scores.kept.iter().sum());
    let label =
        format!("Lines: documents kept by step {stage}, by score: {} in A and {} in B.", sum(first), sum(second));
    let axes = layout(numbers("score").range(vec![0.0, 1.0]), numbers("documents kept"));
    Chart::new(format!("kept-scores-{number}"), label, 300, axes, plot)
}
