//! Scores on all examples beside those on the examples that did not stand in training data, as GPT-3 gave them.
//!
//! Source: Brown et al. 2020 (GPT-3), section 4 and table C.1.

use maud::{Markup, html};
use pages::{
    Section,
    charts::{Chart, Colour, Dot, DotRow, Dots},
    table::{Cell, Column, Table},
};

use super::{
    data::{Clean, PageData, Run, Score},
    names, plots,
};

pub fn section(data: &PageData) -> Option<Section> {
    let runs: Vec<(&Run, &Clean)> = data.runs.iter().filter_map(|run| Some((run, run.clean.as_ref()?))).collect();
    if runs.is_empty() {
        return None;
    }
    let both: Vec<(&Run, &Score, &Score)> = runs.iter().filter_map(|(run, clean)| both(run, clean)).collect();
    let drawn: Vec<_> = both.iter().filter(|(_, all, _)| all.unit.share(all.value).is_some()).copied().collect();
    Some(Section {
        id: "leaks",
        title: "Examples seen in training",
        says: "Some examples stood in the training data. A score that falls without them was in part remembered; one that stays, was not. Where few \
               examples are left, the intervals are wide.",
        body: html! {
            @if !drawn.is_empty() { (chart(data, &drawn)) }
            @if let Some(said) = plots::left_out(drawn.len()) { p.soft { (said) } }
            (table(data, &runs))
        },
    })
}

/// The own score of a run on all examples and on the clean ones.
fn both<'r>(run: &'r Run, clean: &'r Clean) -> Option<(&'r Run, &'r Score, &'r Score)> {
    Some((run, run.own()?, clean.scores.iter().find(|score| score.own)?))
}

fn chart(data: &PageData, runs: &[(&Run, &Score, &Score)]) -> Chart {
    let dot = |what: &str, score: &Score, colour| Dot {
        what: what.to_owned(),
        value: score.unit.share(score.value).unwrap_or_default(),
        interval: score.interval(),
        shown: score.unit.written(score.value),
        said: score.written(),
        colour,
    };
    let row = |(run, all, clean): &(&Run, &Score, &Score)| {
        let name = run.name(&data.runs);
        DotRow {
            name: plots::name(&format!("{name} · {}", run.shots)),
            full: format!("{name}, demonstrations: {}", run.shots),
            dots: vec![dot("all examples", all, Colour::Dropped), dot("not seen in training", clean, Colour::Kept)],
            reference: run.chance,
        }
    };
    let rows: Vec<DotRow> = runs.iter().take(plots::MOST_ROWS).map(row).collect();
    let said = |row: &DotRow| format!("{} {} and {}", row.full, row.dots[0].shown, row.dots[1].shown);
    let label = format!(
        "Points: scores on all examples, and on those that were not seen in training. {}.",
        rows.iter().map(said).collect::<Vec<_>>().join("; ")
    );
    Chart::of_dots("leaks-chart", label, &Dots { axis: plots::score(), reference: "guessing".to_owned(), rows })
}

fn table(data: &PageData, runs: &[(&Run, &Clean)]) -> Markup {
    let score = |score: Option<&Score>| score.map_or(Cell::Empty, |score| Cell::Number(score.written(), score.value));
    let rows = runs.iter().map(|(run, clean)| {
        let own = clean.scores.iter().find(|score| score.own);
        vec![
            names::cell(&run.name(&data.runs)),
            Cell::Number(run.shots.clone(), run.shots.parse().unwrap_or(f64::MAX)),
            Cell::count(clean.leaked),
            own.map_or(Cell::count(0), |score| Cell::count(score.count)),
            score(run.own()),
            score(own),
        ]
    });
    let columns = [
        Column::Words("task"),
        Column::Numbers("demonstrations"),
        Column::Numbers("seen"),
        Column::Numbers("not seen"),
        Column::Numbers("score on all"),
        Column::Numbers("score without them"),
    ];
    let caption = html! { "Examples that stood in training data, as far as was looked for them, and scores with and without them." };
    let table = Table { id: "leaks-table", caption, columns: &columns, rows: rows.collect() };
    html! { (table) }
}
