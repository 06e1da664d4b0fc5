//! The report, from what a run left on disk.

use std::path::Path;

use crate::{error::Result, files::Layout};

/// Writes the report.
///
/// # Errors
/// none yet
pub fn write(out: &Path) -> Result<()> {
    let _ = Layout::new(out);
    Ok(())
}
