//! How much there is of each source, before and after.

use maud::html;
use pages::{
    Section,
    numbers::share,
    table::{Cell, Column, Table},
};

use crate::report::findings::{BeforeAfter, Findings, Sizes};

pub fn section(findings: &Findings) -> Section {
    let population = &findings.population;
    let whole = population.whole();
    let has_tokens = whole.before.tokens.is_some();
    let row = |name: &str, sizes: &BeforeAfter<Sizes>| {
        let BeforeAfter { before, after } = sizes;
        let mut row = vec![
            Cell::words(name),
            Cell::count(before.documents),
            Cell::count(after.documents),
            Cell::share(share(after.documents, before.documents)),
            Cell::bytes(before.bytes),
            Cell::bytes(after.bytes),
            Cell::count(before.words),
            Cell::count(after.words),
        ];
        if has_tokens {
            row.extend([before, after].map(|sizes| sizes.tokens.map_or(Cell::Empty, Cell::count)));
        }
        row
    };
    let mut rows: Vec<_> = population.sources.iter().map(|(name, sizes)| row(name, sizes)).collect();
    if population.sources.len() > 1 {
        rows.push(row("all", &whole));
    }
    let mut columns = vec![
        Column::Words("source"),
        Column::Numbers("documents"),
        Column::Numbers("kept"),
        Column::Numbers("share"),
        Column::Numbers("text"),
        Column::Numbers("kept"),
        Column::Numbers("words"),
        Column::Numbers("kept"),
    ];
    if has_tokens {
        columns.extend([Column::Numbers("tokens"), Column::Numbers("kept")]);
    }
    let table = Table {
        id: "sizes",
        caption: html! { "Documents, bytes of text and words" @if has_tokens { " and tokens" } ", as they were read and as the last step left them."
        @if !findings.ledger.cuts.is_empty() { " What was cut out of documents is not counted as kept." } },
        columns: &columns,
        rows,
    };
    Section {
        id: "sources",
        title: "Sources",
        says: "Compare the shares: a source that loses far more than its neighbours was either poor, or met a rule that is not made for it.",
        body: html! { (table) },
    }
}
