//! Pages that came cut.

use maud::html;
use pages::{
    Section,
    table::{Cell, Column, Table},
};

use crate::report::findings::Findings;

pub fn section(findings: &Findings) -> Option<Section> {
    let entries = &findings.ledger.truncated;
    if entries.is_empty() {
        return None;
    }
    let row = |entry: &schemas::ledger::TruncatedEntry| {
        vec![Cell::words(&entry.source), Cell::code(&entry.truncated), Cell::count(entry.documents)]
    };
    let table = Table {
        id: "truncated-pages",
        caption: html! { "Documents of pages that were cut, as they were read. The column " code { "truncated" } " of " code { "documents/" } " has the same words." },
        columns: &[Column::Words("source"), Column::Words("how it shows"), Column::Numbers("documents")],
        rows: entries.iter().map(row).collect(),
    };
    Some(Section {
        id: "truncated",
        title: "Cut pages",
        says: "The crawler's limits of length and time, connections that broke, bodies without their end: what there was of a page is a document.",
        body: html! { (table) },
    })
}
