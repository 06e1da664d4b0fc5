//! The scores as a table of text.

use std::fmt::Write as _;

use super::{
    figures::Figure,
    results::{Against, OverTemplates, Results, RunResults},
};

/// The scores of an evaluation, a line each: what a task is judged by for every run, then what several templates found together, then another
/// model beside this one.
#[must_use]
pub fn table(results: &Results) -> String {
    let mut rows =
        vec![["task", "template", "shots", "metric", "score", "stderr", "examples", "skipped"].map(str::to_owned)];
    for task in &results.tasks {
        for run in &task.runs {
            let figures = shown(run);
            // a run without a score is one nevertheless
            if figures.is_empty() {
                rows.push(row(&task.task, run, None));
            }
            rows.extend(figures.into_iter().map(|figure| row(&task.task, run, Some(figure))));
            if let Some(clean) = &run.clean {
                rows.extend(clean.scores.iter().filter(|figure| figure.own).map(|figure| {
                    let mut row = row(&task.task, run, Some(figure));
                    row[3].push_str(" (clean)");
                    row
                }));
            }
        }
    }
    let mut text = lines(&rows);
    let over: Vec<(&str, &OverTemplates)> = results
        .tasks
        .iter()
        .flat_map(|task| task.over_templates.iter().map(|over| (task.task.as_str(), over)))
        .collect();
    if !over.is_empty() {
        let mut rows =
            vec![["task", "templates", "shots", "metric", "mean", "deviation", "best", "of"].map(str::to_owned)];
        for (task, over) in over {
            rows.push([
                task.to_owned(),
                over.templates.to_string(),
                over.shots.to_string(),
                metric(&over.metric, over.scoring.map(super::Scoring::name)),
                format!("{:.4}", over.mean),
                format!("{:.4}", over.deviation),
                format!("{:.4}", over.best),
                over.best_template.clone(),
            ]);
        }
        let _ = write!(text, "\n\n{}", lines(&rows));
    }
    if let Some(against) = &results.against {
        let _ = write!(text, "\n\n{}", beside(against));
    }
    text
}

/// The scores of a run that are worth a line: its own, and for texts all.
fn shown(run: &RunResults) -> Vec<&Figure> {
    match run.method {
        super::Method::Text | super::Method::Answer => run.scores.iter().collect(),
        _ => run.scores.iter().filter(|figure| figure.own).collect(),
    }
}

fn row(task: &str, run: &RunResults, figure: Option<&Figure>) -> [String; 8] {
    let of_figure = |text: &dyn Fn(&Figure) -> String| figure.map_or_else(String::new, text);
    [
        task.to_owned(),
        run.template.clone(),
        run.shots.to_string(),
        of_figure(&|figure| metric(&figure.metric, figure.scoring.map(super::Scoring::name))),
        of_figure(&|figure| format!("{:.4}", figure.value)),
        of_figure(&|figure| figure.stderr.map_or_else(String::new, |stderr| format!("{stderr:.4}"))),
        figure.map_or(0, |figure| figure.count).to_string(),
        run.skips().to_string(),
    ]
}

fn metric(metric: &str, scoring: Option<&str>) -> String {
    scoring.map_or_else(|| metric.to_owned(), |scoring| format!("{metric}, {scoring}"))
}

fn beside(against: &Against) -> String {
    let heads = [
        "task",
        "template",
        "shots",
        &format!("score of {}", against.folder),
        "this",
        "difference",
        "p-value",
        "examples",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    for run in &against.runs {
        rows.push([
            run.task.clone(),
            run.template.clone(),
            run.shots.clone(),
            format!("{:.4}", run.other),
            format!("{:.4}", run.own),
            format!("{:+.4}", run.test.difference),
            format!("{:.4}", run.test.p_value),
            run.test.count.to_string(),
        ]);
    }
    let mut text = lines(&rows);
    for run in against.runs.iter().filter(|run| !run.differs.is_empty()) {
        let _ = write!(text, "\n{}, {}, shots {}: {}", run.task, run.template, run.shots, run.differs.join("; "));
    }
    text
}

/// Rows below each other, numbers to the right.
fn lines(rows: &[[String; 8]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..8).map(width).collect();
    let is_number = |column: usize| {
        rows.iter().skip(1).all(|row| row[column].chars().all(|sign| sign.is_ascii_digit() || ".+-".contains(sign)))
    };
    let numbers: Vec<bool> = (0..8).map(is_number).collect();
    let line = |row: &[String; 8]| {
        let cell = |(column, text): (usize, &String)| {
            let width = widths[column];
            if numbers[column] { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
