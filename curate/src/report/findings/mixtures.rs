//! What each source gives to a mixture, as it was asked for and as it came.

use super::files::RunFiles;
use crate::{
    decide::{MixtureAccount, Unit},
    error::Result,
    files::read_json,
};

/// What each source gives to the training split of a mixture.
#[derive(Debug)]
pub struct Mixture {
    pub name: String,
    /// What sizes are counted in.
    pub unit: Unit,
    pub shares: Vec<Share>,
}

/// What one source gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub source: String,
    /// The share that was asked for.
    pub asked: f64,
    /// The share of what all sources give.
    pub reached: f64,
    /// What it gives, repeats counted.
    pub given: u64,
    /// What it has.
    pub available: u64,
    /// How often it may be repeated.
    pub max_epochs: f64,
}

impl Mixture {
    /// The mixtures that the ledger has rows of.
    pub fn gather(files: &RunFiles) -> Result<Vec<Self>> {
        let mut names: Vec<&str> = files.ledger.mixtures.iter().map(|entry| entry.mixture.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| mixture(files, name)).collect()
    }
}

fn mixture(files: &RunFiles, name: &str) -> Result<Mixture> {
    let account: MixtureAccount = read_json(&files.layout.mixture_account(name))?;
    let shares = account.sources.iter().map(|(source, found)| Share {
        source: source.clone(),
        asked: found.weight,
        reached: account.reached(source),
        given: found.given,
        available: found.available,
        max_epochs: found.max_epochs,
    });
    Ok(Mixture { name: name.to_owned(), unit: account.unit, shares: shares.collect() })
}
