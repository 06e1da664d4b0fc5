//! What was done to texts before they were documents.

use maud::html;
use pages::{
    Section,
    table::{Cell, Column, Table},
};

use crate::report::findings::Findings;

pub fn section(findings: &Findings) -> Option<Section> {
    let rows: Vec<_> = findings
        .ledger
        .cleaning
        .iter()
        .map(|entry| {
            vec![
                Cell::words(&entry.source),
                Cell::words(&entry.cleaning),
                Cell::count(entry.documents),
                Cell::count(entry.characters),
            ]
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let table = Table {
        id: "cleanings",
        caption: html! { "What each cleaning took from the texts of a source, or hid in them." },
        columns: &[
            Column::Words("source"),
            Column::Words("cleaning"),
            Column::Numbers("texts"),
            Column::Numbers("characters"),
        ],
        rows,
    };
    Some(Section {
        id: "cleaning",
        title: "Cleaning",
        says: "What was taken out of texts as they were read, before they were measured. A cleaning that found nothing is one to leave out.",
        body: html! { (table) },
    })
}
