//! What was asked of the sources of mixtures, and what they gave.

use super::files::RunFiles;
use crate::{decide::MixtureAccount, error::Result, files::read_json};

/// The accounts of the mixtures that the ledger has rows of.
pub fn mixtures(files: &RunFiles) -> Result<Vec<MixtureAccount>> {
    let mut names: Vec<&str> = files.ledger.mixtures.iter().map(|entry| entry.mixture.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| read_json(&files.layout.mixture_account(name))).collect()
}
