//! What each stage left, by stage and reason.

use maud::html;
use pages::{
    Section,
    numbers::{decimal, grouped, share},
    table::{Cell, Column, Table},
};

use crate::report::{findings::Findings, plots};

pub fn section(findings: &Findings) -> Section {
    let ledger = &findings.ledger;
    let entries = ledger.stages.iter().filter(|entry| entry.r#in > entry.kept || entry.stage == "read");
    let rows = entries.map(|entry| {
        let left = entry.r#in - entry.kept;
        vec![
            Cell::words(&entry.stage),
            Cell::words(&entry.source),
            Cell::count(entry.r#in),
            Cell::count(entry.kept),
            Cell::count(left),
            Cell::share(share(left, entry.r#in)),
            Cell::words(entry.reasons()),
        ]
    });
    let lost: Vec<_> = ledger.lost.iter().filter(|entry| entry.files > 0).collect();
    let table = Table {
        id: "ledger",
        caption: html! { "The ledger: in = kept + dropped + quarantined, at each stage. Sources that a stage left as they were are not shown." },
        columns: &[
            Column::Words("stage"),
            Column::Words("source"),
            Column::Numbers("in"),
            Column::Numbers("kept"),
            Column::Numbers("dropped"),
            Column::Numbers("share"),
            Column::Words("for which reasons"),
        ],
        rows: rows.collect(),
    };
    Section {
        id: "funnel",
        title: "Funnel",
        says: "Read it from the top: each bar is what was left after a stage, so a step that takes much is a step to look at.",
        body: html! {
            (plots::stages(ledger))
            @if let Some(chart) = plots::reasons(ledger) { h3 { "Reasons" } (chart) }
            (table)
            @if !lost.is_empty() {
                p { "Lost of the files, in bytes as they lie on disk, and no records of any stage:" }
                ul { @for entry in &lost {
                    li { (entry.source) ": " (decimal(entry.bytes)) " of " (decimal(entry.of)) ", in " (grouped(entry.files)) " files" }
                } }
            }
        },
    }
}
