//! How long everything took.

use maud::html;
use pages::{
    Section,
    numbers::{decimal, duration},
    table::{Cell, Column, Table},
};

use crate::report::findings::{Findings, Work};

/// Seconds from which a speed says something.
const TELLING: f64 = 0.05;

pub fn section(findings: &Findings) -> Section {
    // families that were made while their documents were read have no time of their own
    let rows = findings.work.iter().filter(|work| work.seconds > 0.0).map(row);
    let table = Table {
        id: "work-table",
        caption: html! { "Work by stage, over all its units, which run side by side. A speed is of the bytes that were read from outside, or \
        else of those that were written. Peak: the most memory that the process had held by the end of the stage." },
        columns: &[
            Column::Words("stage"),
            Column::Words("of what"),
            Column::Numbers("units"),
            Column::Numbers("seconds"),
            Column::Numbers("read"),
            Column::Numbers("written"),
            Column::Numbers("bytes/s"),
            Column::Numbers("peak"),
        ],
        rows: rows.collect(),
    };
    Section {
        id: "work",
        title: "Time and memory",
        says: "What a run with other thresholds would take again are the decisions and the mixtures; documents and facts stay.",
        body: html! { (table) },
    }
}

fn row(work: &Work) -> Vec<Cell> {
    let bytes = if work.read > 0 { work.read } else { work.written };
    let some = |bytes: u64| if bytes > 0 { Cell::bytes(bytes) } else { Cell::Empty };
    let speed = bytes as f64 / work.seconds;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a speed is neither negative nor large"
    )]
    let shown = format!("{}/s", decimal(speed as u64));
    vec![
        Cell::words(&work.stage),
        Cell::words(work.unit.as_deref().unwrap_or_default()),
        Cell::count(work.units),
        Cell::Number(duration(work.seconds), work.seconds),
        some(work.read),
        some(work.written),
        if work.seconds >= TELLING && bytes > 0 { Cell::Number(shown, speed) } else { Cell::Empty },
        work.peak.map_or(Cell::Empty, Cell::bytes),
    ]
}
