//! The report: what a run took in, what became of it, and what it wrote, as one HTML file without a network; and what two runs differ in.
//!
//! ```text
//! ledger, manifest, decisions, facts, cards, marks -> Findings -> sections (plots, tables, samples) -> report.html
//!                                            two of them -> figures, recipes -> comparison.html
//! ```
//!
//! Everything in it is bounded: bins, names up to a number, documents drawn by hash and cut to a length. So a report on any number of
//! documents stays below [`LARGEST`].
//!
//! Useful for: seeing whether a run did what was meant. Not useful for: one document; see [`crate::run::why`].

mod comparison;
mod differences;
mod findings;
mod lead;
mod plots;
mod sections;
mod warnings;

use std::path::Path;

use pages::Page;

pub use comparison::{Comparison, compare};
pub use findings::Means;
pub use pages::numbers::decimal;
pub use warnings::Warning;

use crate::{
    error::Result,
    files::{Layout, write_whole},
};
use findings::{Findings, RunFiles};

/// Bytes of a report, at most.
pub const LARGEST: usize = 1 << 20;

/// Writes the report of the finished run in `out` to `report.html` there. Returns what whoever gave the run would want to know first.
///
/// # Errors
/// When the run's files cannot be read, another run holds the folder, or the report cannot be written.
pub async fn write(out: &Path, means: Means) -> Result<Vec<Warning>> {
    let files = RunFiles::open(out, means)?;
    let _lock = files.layout.lock()?;
    let mut findings = Findings::gather(&files).await.map_err(|error| files.named(error))?;
    let mut html = page(&findings);
    // what is shown is bounded so that this is never so, but for recipes of hundreds of sources or steps
    while html.len() > LARGEST && findings.forget_half() {
        html = page(&findings);
    }
    write_whole(&Layout::new(out).report(), html.as_bytes())?;
    files.close()?;
    Ok(warnings::warnings(&findings))
}

/// The page of a run.
fn page(findings: &Findings) -> String {
    let page = Page {
        title: &findings.manifest.name,
        kind: "curation report",
        lead: lead::lead(findings),
        sections: sections::sections(findings),
    };
    page.html()
}
