//! What documents share with benchmarks.

use maud::{Markup, html};
use pages::{
    Section,
    numbers::grouped,
    table::{Cell, Column, Table},
};

use crate::{
    decide::Contamination,
    report::{findings::Findings, plots},
};

pub fn section(findings: &Findings) -> Option<Section> {
    if findings.contaminations.is_empty() {
        return None;
    }
    Some(Section {
        id: "benchmarks",
        title: "Benchmarks",
        says: "Examples of benchmarks that stood in documents. What is found as a whole is contamination; what is found in part may be a common phrase.",
        body: html! { @for (number, found) in findings.contaminations.iter().enumerate() { (of_step(number, found)) } },
    })
}

fn of_step(number: usize, found: &Contamination) -> Markup {
    let rows = found.benchmarks.iter().map(|account| {
        let counts = [account.examples, account.short, account.found, account.whole, account.common, account.documents];
        let mut row = vec![Cell::words(&account.benchmark)];
        row.extend(counts.map(Cell::count));
        row.push(Cell::bytes(account.bytes));
        row
    });
    let id = format!("contamination-{number}");
    let table = Table {
        id: &id,
        caption: html! {
            "What was cut out or dropped with them; which examples those are is listed in "
            code { "facts/contamination/" (found.stage) ".jsonl" } ". "
            @if found.common_ngrams > 0 {
                (grouped(found.common_ngrams)) " word n-grams stood in too many documents to be contamination, and were left alone."
            }
        },
        columns: &[
            Column::Words("benchmark"),
            Column::Numbers("examples"),
            Column::Numbers("too short"),
            Column::Numbers("found"),
            Column::Numbers("as a whole"),
            Column::Numbers("common alone"),
            Column::Numbers("documents"),
            Column::Numbers("cut"),
        ],
        rows: rows.collect(),
    };
    html! {
        h3 { (found.stage) }
        @if let Some(chart) = plots::benchmarks(number, found) { (chart) }
        (table)
    }
}
