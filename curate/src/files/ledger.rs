//! The ledger on disk. Its types and equations are the contract's: [`schemas::ledger`].

use std::path::Path;

use schemas::ledger::Ledger;

use super::{read_json, write_json};
use crate::error::Result;

/// Checks that every sum closes, and publishes the ledger at `path`.
///
/// # Errors
/// When a sum does not close, or the file cannot be written.
pub fn write(ledger: &Ledger, path: &Path) -> Result<()> {
    ledger.check()?;
    write_json(path, ledger)?;
    Ok(())
}

/// Reads a ledger.
///
/// # Errors
/// When there is none, or it is damaged.
pub fn read(path: &Path) -> Result<Ledger> {
    read_json(path)
}
