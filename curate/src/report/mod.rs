//! The report: what a run took in, what became of it, and what it wrote, as one HTML file without a network.
//!
//! ```text
//! ledger, manifest, decisions, cards, marks -> Findings -> charts, tables -> report.html
//! ```
//!
//! Useful for: seeing whether a run did what was meant. Not useful for: one document; see [`crate::run::why`].

mod charts;
mod findings;
mod page;

use std::path::Path;

use crate::{
    error::{Error, Result},
    files::{Layout, write_whole},
};
use findings::Findings;

/// Writes the report of the finished run in `out`.
///
/// # Errors
/// When the run's files cannot be read, or the report cannot be written.
pub async fn write(out: &Path) -> Result<()> {
    let layout = Layout::new(std::path::absolute(out).map_err(Error::file("find", out))?);
    let findings = Findings::gather(&layout).await?;
    write_whole(&layout.report(), page::page(&findings).into_string().as_bytes())?;
    Ok(())
}
