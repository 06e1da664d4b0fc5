//! What was cut out of documents that stayed.

use maud::html;
use pages::{
    Section,
    table::{Cell, Column, Table},
};

use crate::report::findings::Findings;

pub fn section(findings: &Findings) -> Option<Section> {
    let rows: Vec<_> = findings
        .ledger
        .cuts
        .iter()
        .map(|entry| {
            vec![
                Cell::words(&entry.stage),
                Cell::words(&entry.source),
                Cell::count(entry.documents),
                Cell::bytes(entry.bytes),
            ]
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let table = Table {
        id: "cuts-table",
        caption: html! { "What each step cut out of documents that it kept. Where two cut the same, both count it." },
        columns: &[
            Column::Words("stage"),
            Column::Words("source"),
            Column::Numbers("documents"),
            Column::Numbers("cut"),
        ],
        rows,
    };
    Some(Section {
        id: "cuts",
        title: "Cuts",
        says: "What was cut out of documents that stayed. The documents themselves, with what was cut, are shown with their step above.",
        body: html! { (table) },
    })
}
