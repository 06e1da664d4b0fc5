//! Records that could not be read.

use maud::html;
use pages::{
    Section,
    excerpt::short,
    table::{Cell, Column, Table},
};

use crate::report::findings::Findings;

/// Characters of what was found that are shown.
const LONGEST_DETAIL: usize = 160;

pub fn section(findings: &Findings) -> Option<Section> {
    if findings.faults.is_empty() {
        return None;
    }
    let rows = findings.faults.iter().map(|(source, fault)| {
        let file = std::path::Path::new(&fault.file).file_name().unwrap_or_default().to_string_lossy().into_owned();
        vec![
            Cell::words(source),
            Cell::words(short(&file, LONGEST_DETAIL)),
            Cell::count(fault.offset),
            Cell::code(&fault.fault),
            fault.lost.map_or(Cell::Empty, Cell::bytes),
            Cell::words(short(fault.detail.as_deref().unwrap_or_default(), LONGEST_DETAIL)),
        ]
    });
    let table = Table {
        id: "faults",
        caption: html! { "What could not be read, of each source at most twenty, drawn by hash; the whole list is in " code { "quarantine/" } "." },
        columns: &[
            Column::Words("source"),
            Column::Words("file"),
            Column::Numbers("byte"),
            Column::Words("fault"),
            Column::Numbers("lost"),
            Column::Words("what was found"),
        ],
        rows: rows.collect(),
    };
    Some(Section {
        id: "quarantine",
        title: "Quarantine",
        says: "Broken records are named by file and byte, and reading went on at the next one. What has a number of lost bytes is no record, but a stretch of a file of whose records nothing is known.",
        body: html! { (table) },
    })
}
