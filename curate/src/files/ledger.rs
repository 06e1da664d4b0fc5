//! The ledger on disk. Its types and equations are the contract's: [`schemas::ledger`].

use std::path::Path;

use schemas::ledger::Ledger;

use super::write_whole;
use crate::error::{Error, Result};

/// Checks that every sum closes, and publishes the ledger at `path`.
///
/// # Errors
/// When a sum does not close, or the file cannot be written.
pub fn write(ledger: &Ledger, path: &Path) -> Result<()> {
    ledger.check()?;
    let mut json = serde_json::to_vec_pretty(ledger).expect("the ledger's types are JSON");
    json.push(b'\n');
    write_whole(path, &json)?;
    Ok(())
}

/// Reads a ledger.
///
/// # Errors
/// When there is none, or it is damaged.
pub fn read(path: &Path) -> Result<Ledger> {
    let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Damaged { path: path.to_owned(), message: error.to_string() })
}
