//! Small files of JSON: cards, accounts, manifests.

use std::{fs, path::Path};

use serde::{Serialize, de::DeserializeOwned};

use super::{Written, write_whole};
use crate::error::{Error, Result};

/// Publishes a value, for people to read, too.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<Written> {
    let mut json = serde_json::to_vec_pretty(value).expect("what is kept in files is JSON");
    json.push(b'\n');
    Ok(write_whole(path, &json)?)
}

/// Reads a value.
///
/// # Errors
/// When the file is not there, or holds another thing.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(Error::file("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Damaged { path: path.to_owned(), message: error.to_string() })
}
