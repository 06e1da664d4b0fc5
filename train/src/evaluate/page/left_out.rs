//! What has no score, and what of prompts there was no room for.

use maud::html;
use pages::{
    Section,
    table::{Cell, Column, Table},
};

use super::{data::PageData, names};

pub fn section(data: &PageData) -> Option<Section> {
    let mut rows = Vec::new();
    for run in &data.runs {
        let row = |what: String, examples: u64, tokens: Cell| {
            let shots = Cell::Number(run.shots.clone(), run.shots.parse().unwrap_or(f64::MAX));
            vec![names::cell(&run.name(&data.runs)), shots, Cell::words(what), Cell::count(examples), tokens]
        };
        rows.extend(run.skipped.iter().map(|(reason, count)| row(format!("no score: {reason}"), *count, Cell::Empty)));
        let [prompts, tokens] = run.cut;
        if prompts > 0 {
            rows.push(row("prompt cut".to_owned(), prompts, Cell::count(tokens)));
        }
    }
    if rows.is_empty() {
        return None;
    }
    let columns = [
        Column::Words("task"),
        Column::Numbers("demonstrations"),
        Column::Words("what"),
        Column::Numbers("examples"),
        Column::Numbers("tokens left out"),
    ];
    let caption = html! { "Examples without a score by reason, and prompts that lost their beginning." };
    let table = Table { id: "left-out-table", caption, columns: &columns, rows };
    Some(Section {
        id: "left-out",
        title: "Left out",
        says: "Nothing is dropped silently: each of these is counted, and has its reason in samples.parquet.",
        body: html! { (table) },
    })
}
