//! What was written.

use maud::{Markup, html};
use pages::{
    Section,
    table::{Cell, Column, Table},
};

use crate::{
    decide::MixtureAccount,
    learn::shown,
    report::{findings::Findings, plots},
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
        says: "Shares are of the training split, in the unit of its budget. A source that does not reach its share had too little, even repeated as often as allowed.",
        body: html! { @for (number, mixture) in findings.mixtures.iter().enumerate() { (of_mixture(findings, number, mixture)) } },
    })
}

fn of_mixture(findings: &Findings, number: usize, mixture: &MixtureAccount) -> Markup {
    let chart = (number < MOST_CHARTS).then(|| plots::shares(number, mixture, &findings.ledger)).flatten();
    html! {
        h3 { (mixture.mixture) }
        @if let Some(chart) = chart { (chart) (shares(number, mixture)) }
        (rows(findings, number, mixture))
    }
}

fn shares(number: usize, mixture: &MixtureAccount) -> Markup {
    let rows = mixture.sources.iter().map(|(source, of)| {
        vec![
            Cell::words(source),
            Cell::share(of.weight),
            Cell::share(mixture.reached(source)),
            Cell::count(of.given),
            Cell::count(of.available),
            Cell::words(format!("{} of {}", shown(of.epochs(), 2), of.max_epochs)),
        ]
    });
    let id = format!("shares-table-{number}");
    let unit = mixture.unit.name();
    let (given, available) = (format!("{unit} in training"), format!("{unit} it has"));
    let table = Table {
        id: &id,
        caption: html! { "Shares asked for and reached, in " (unit) ", and how often a source was repeated, of how often it may be." },
        columns: &[
            Column::Words("source"),
            Column::Numbers("asked for"),
            Column::Numbers("reached"),
            Column::Numbers(&given),
            Column::Numbers(&available),
            Column::Words("epochs"),
        ],
        rows: rows.collect(),
    };
    html! { (table) }
}

fn rows(findings: &Findings, number: usize, mixture: &MixtureAccount) -> Markup {
    let entries = findings.ledger.mixtures.iter().filter(|entry| entry.mixture == mixture.mixture);
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
