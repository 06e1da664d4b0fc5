//! What a checkpoint says of the training that it is of.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::{
    checkpoint::Identity,
    error::{Error, Result},
    model::{Architecture, Family, ModelConfig},
};

/// A table of a training's configuration.
///
/// - `path`: of the checkpoint
///
/// # Errors
/// When it is of another version.
pub(super) fn configured<T: DeserializeOwned>(identity: &Identity, table: &str, path: &Path) -> Result<T> {
    serde_json::from_value(identity.config[table].clone())
        .map_err(|error| Error::OtherVersion { path: path.to_owned(), message: error.to_string() })
}

/// The family and the architecture of its model.
///
/// # Errors
/// When it is of another version.
pub(super) fn model_of(identity: &Identity, path: &Path) -> Result<(Family, Architecture)> {
    let config: ModelConfig = configured(identity, "model", path)?;
    let damaged = |message| Error::Damaged { path: path.to_owned(), message };
    Ok((config.family().map_err(damaged)?, config.architecture().map_err(damaged)?))
}
