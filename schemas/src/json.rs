//! The JSON Schema of every file format that this crate fixes, for editors and for readers in other languages.

use schemars::{Schema, schema_for};

use crate::{ledger::Ledger, manifest::Manifest, task::TaskDefinition};

/// Each format's name and its schema, in the order of the names.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("ledger", schema_for!(Ledger)), ("manifest", schema_for!(Manifest)), ("task", schema_for!(TaskDefinition))]
}
