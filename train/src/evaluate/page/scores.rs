//! The score of each run by the task's own metric, and all scores.

use maud::{Markup, html};
use pages::{
    Section,
    charts::{Chart, Colour, Dot, DotRow, Dots},
    table::{Cell, Column, Table},
};

use super::{
    data::{PageData, Run, Score},
    names, plots,
};

pub fn section(data: &PageData) -> Option<Section> {
    if data.runs.is_empty() {
        return None;
    }
    let rows = rows(data);
    Some(Section {
        id: "scores",
        title: "Scores",
        says: "Each task by the metric that is its own. A line to both sides of a point is its 95 % interval: 1.96 standard errors. Where the \
               lines of two points overlap far, their difference may be chance; a dotted mark is what guessing comes to.",
        body: html! {
            @if !rows.is_empty() { (chart(data, &rows)) }
            @if let Some(said) = plots::left_out(rows.len()) { p.soft { (said) } }
            (own_table(data))
            details { summary { "All metrics" } (all_table(data)) }
        },
    })
}

/// Runs of one task and template, which share a row.
fn rows(data: &PageData) -> Vec<Vec<&Run>> {
    let mut rows: Vec<Vec<&Run>> = Vec::new();
    let drawn = |run: &&Run| run.own().is_some_and(|score| score.unit.share(score.value).is_some());
    for run in data.runs.iter().filter(drawn) {
        match rows.iter_mut().find(|row| row[0].is_of(run)) {
            Some(row) => row.push(run),
            None => rows.push(vec![run]),
        }
    }
    rows
}

fn chart(data: &PageData, rows: &[Vec<&Run>]) -> Chart {
    let mut shots: Vec<&str> = Vec::new();
    for run in rows.iter().flatten() {
        if !shots.contains(&run.shots.as_str()) {
            shots.push(&run.shots);
        }
    }
    let colour = |run: &Run| Colour::Series(shots.iter().position(|shots| *shots == run.shots).unwrap_or_default());
    let dot = |run: &Run, score: &Score| {
        Some(Dot {
            what: demonstrations(&run.shots),
            value: score.unit.share(score.value)?,
            interval: score.interval(),
            shown: score.unit.written(score.value),
            said: score.written(),
            colour: colour(run),
        })
    };
    let row = |runs: &Vec<&Run>| {
        let name = runs[0].name(&data.runs);
        DotRow {
            full: format!("{name}: {}", metric(runs[0].own())),
            name: plots::name(&name),
            dots: runs.iter().filter_map(|run| dot(run, run.own()?)).collect(),
            reference: runs[0].chance,
        }
    };
    let drawn: Vec<DotRow> = rows.iter().take(plots::MOST_ROWS).map(row).collect();
    let said = |row: &DotRow| {
        let dots: Vec<String> = row.dots.iter().map(|dot| format!("{} with {}", dot.said, dot.what)).collect();
        format!("{}, {}", row.full, dots.join(", "))
    };
    let label = format!("Points: the score of each task. {}.", drawn.iter().map(said).collect::<Vec<_>>().join("; "));
    Chart::of_dots("scores-chart", label, &Dots { axis: plots::score(), reference: "guessing".to_owned(), rows: drawn })
}

/// How many demonstrations were shown, in words.
pub fn demonstrations(shots: &str) -> String {
    match shots {
        "1" => "1 demonstration".to_owned(),
        "max" => "as many demonstrations as fit".to_owned(),
        _ => format!("{shots} demonstrations"),
    }
}

/// A metric, and how it was measured.
pub fn metric(score: Option<&Score>) -> String {
    match score {
        Some(score) if score.variant.is_empty() => score.metric.clone(),
        Some(score) => format!("{} {}", score.metric, score.variant),
        None => String::new(),
    }
}

fn own_table(data: &PageData) -> Markup {
    let rows = data.runs.iter().filter_map(|run| {
        let mut row = row(data, run, run.own()?);
        row[2] = Cell::words(metric(run.own()));
        row.push(run.chance.map_or(Cell::Empty, Cell::share));
        Some(row)
    });
    let columns = [
        Column::Words("task"),
        Column::Numbers("demonstrations"),
        Column::Words("metric"),
        Column::Numbers("score"),
        Column::Numbers("standard error"),
        Column::Numbers("examples"),
        Column::Numbers("guessing"),
    ];
    let caption = html! { "The scores that tasks are judged by." };
    let table = Table { id: "scores-table", caption, columns: &columns, rows: rows.collect() };
    html! { (table) }
}

fn all_table(data: &PageData) -> Markup {
    let rows = data.runs.iter().flat_map(|run| run.scores.iter().map(move |score| row(data, run, score)));
    let columns = [
        Column::Words("task"),
        Column::Numbers("demonstrations"),
        Column::Words("metric"),
        Column::Numbers("score"),
        Column::Numbers("standard error"),
        Column::Numbers("examples"),
    ];
    let caption = html! { "All scores of all runs; those that tasks are judged by in bold." };
    let table = Table { id: "all-scores-table", caption, columns: &columns, rows: rows.collect() };
    html! { (table) }
}

fn row(data: &PageData, run: &Run, score: &Score) -> Vec<Cell> {
    let name = metric(Some(score));
    vec![
        names::cell(&run.name(&data.runs)),
        shots(&run.shots, run.mean_shown),
        Cell::Words(html! { @if score.own { b { (name) } } @else { (name) } }),
        Cell::Number(score.unit.written(score.value), score.value),
        score.standard_error.map_or(Cell::Empty, |error| Cell::Number(score.unit.written(error), error)),
        Cell::count(score.count),
    ]
}

/// Demonstrations that were asked for, and how many were shown where these are others.
fn shots(shots: &str, mean_shown: f64) -> Cell {
    match shots.parse::<f64>() {
        Ok(asked) if (asked - mean_shown).abs() < 0.05 => Cell::Number(shots.to_owned(), asked),
        _ => Cell::Number(format!("{shots}, {mean_shown:.1} shown"), mean_shown),
    }
}
