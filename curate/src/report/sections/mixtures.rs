//! What was written.

use maud::{Markup, html};

use super::Section;
use crate::report::{
    charts,
    findings::{Findings, Mixture},
    numbers::share,
    table::{Cell, Column, Table},
};

/// Mixtures that have a chart.
const MOST_CHARTS: usize = 12;

pub fn section(findings: &Findings) -> Option<Section> {
    if findings.mixtures.is_empty() {
        return None;
    }
    Some(Section {
        id: "mixtures",
        title: "Mixtures",
        says: "Shares are of bytes in training. A source that does not reach its share had too little, even repeated as often as allowed.",
        body: html! { @for (number, mixture) in findings.mixtures.iter().enumerate() { (of_mixture(findings, number, mixture)) } },
    })
}

fn of_mixture(findings: &Findings, number: usize, mixture: &Mixture) -> Markup {
    let chart = (number < MOST_CHARTS).then(|| charts::shares(number, mixture)).flatten();
    html! {
        h3 { (mixture.name) }
        @if let Some(chart) = chart { (chart) (shares(number, mixture)) }
        (rows(findings, number, mixture))
    }
}

fn shares(number: usize, mixture: &Mixture) -> Markup {
    let whole = mixture.shares.iter().map(|share| share.bytes).sum();
    let rows = mixture.shares.iter().map(|of| {
        vec![
            Cell::words(&of.source),
            of.asked.map_or(Cell::Empty, Cell::share),
            Cell::share(share(of.bytes, whole)),
            Cell::bytes(of.bytes),
        ]
    });
    let id = format!("shares-table-{number}");
    let table = Table {
        id: &id,
        caption: html! { "Shares asked for and reached." },
        columns: &[
            Column::Words("source"),
            Column::Numbers("asked for"),
            Column::Numbers("reached"),
            Column::Numbers("text in training"),
        ],
        rows: rows.collect(),
    };
    html! { (table) }
}

fn rows(findings: &Findings, number: usize, mixture: &Mixture) -> Markup {
    let entries = findings.ledger.mixtures.iter().filter(|entry| entry.mixture == mixture.name);
    let rows = entries.map(|entry| {
        let mut row = vec![Cell::words(&entry.source), Cell::words(&entry.split)];
        row.extend([entry.documents, entry.copies, entry.templates, entry.rows].map(Cell::count));
        row
    });
    let id = format!("rows-{number}");
    let table = Table {
        id: &id,
        caption: html! { "Rows written: rows = copies × templates." },
        columns: &[
            Column::Words("source"),
            Column::Words("split"),
            Column::Numbers("documents"),
            Column::Numbers("copies"),
            Column::Numbers("templates"),
            Column::Numbers("rows"),
        ],
        rows: rows.collect(),
    };
    html! { (table) }
}
