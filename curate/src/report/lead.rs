//! The run in a sentence and a few numbers.

use maud::{Markup, html};
use pages::{
    numbers::{decimal, duration, grouped, percent_of},
    tile,
};

use super::{
    findings::Findings,
    warnings::{list, warnings},
};

/// What is told of a run first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Headline {
    pub records: u64,
    pub documents: u64,
    pub broken: u64,
    /// Bytes of the sources' files that were lost, and in how many files.
    pub lost: (u64, u64),
    /// Documents that the last step kept.
    pub kept: u64,
    pub rows: u64,
    /// Seconds of work, over all units.
    pub seconds: f64,
    /// The most memory that the process held.
    pub peak: Option<u64>,
}

impl Headline {
    pub fn of(findings: &Findings) -> Self {
        let read = || findings.ledger.stages.iter().filter(|entry| entry.stage == "read");
        Self {
            records: read().map(|entry| entry.r#in).sum(),
            documents: read().map(|entry| entry.kept).sum(),
            broken: read().flat_map(|entry| entry.quarantined.values()).sum(),
            lost: findings
                .ledger
                .lost
                .iter()
                .fold((0, 0), |(bytes, files), entry| (bytes + entry.bytes, files + entry.files)),
            kept: findings.population.whole().after.documents,
            rows: findings.ledger.mixtures.iter().map(|entry| entry.rows).sum(),
            seconds: findings.work.iter().map(|work| work.seconds).sum(),
            peak: findings.work.iter().filter_map(|work| work.peak).max(),
        }
    }
}

/// What stands above the sections.
pub fn lead(findings: &Findings) -> Markup {
    let manifest = &findings.manifest;
    let Headline { records, documents, broken, lost: (lost, files), kept, rows, seconds, peak } =
        Headline::of(findings);
    html! {
        p.verdict {
            "Of " b { (grouped(records)) } " records, " b { (grouped(documents)) } " were documents; "
            b { (grouped(kept)) } " of them, " b { (percent_of(kept, documents)) } ", passed every step, and "
            b { (grouped(rows)) } " rows were written. "
            @if broken > 0 { (grouped(broken)) " records could not be read. " }
            @else if files == 0 { "Every record could be read. " }
            @if files > 0 { b { (decimal(lost)) } " of the input were lost, in " (grouped(files)) " files. " }
            "All sums of the ledger close."
        }
        (list(&warnings(findings)))
        ul.tiles {
            (tile(&grouped(records), "records read"))
            (tile(&grouped(documents), "documents"))
            (tile(&grouped(kept), "kept by all steps"))
            (tile(&grouped(rows), "rows written"))
            (tile(&duration(seconds), "of work"))
            @if let Some(peak) = peak { (tile(&decimal(peak), "memory at most")) }
        }
        p.soft {
            "Seed " (manifest.seed) ", curate " (manifest.versions.get("curate").map_or("", String::as_str))
            @if manifest.reproducible { "; the same recipe, inputs and seed give the same bytes again." }
            @else { "; another run may give other bytes, since a page took too long by the clock, or several threads trained a fastText." }
        }
    }
}
