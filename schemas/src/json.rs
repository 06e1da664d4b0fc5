//! The JSON Schema of every file format that this crate fixes, for editors and for readers in other languages.

use schemars::{Schema, schema_for};

use crate::{ledger::Ledger, manifest::Manifest, task::TaskDefinition};

/// The schema of a format as it is committed.
#[must_use]
pub fn text(schema: &Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// Each format's name and its schema, in the order of the names.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("ledger", schema_for!(Ledger)), ("manifest", schema_for!(Manifest)), ("task", schema_for!(TaskDefinition))]
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The committed schemas are those of the types. To write them anew, run the test with `TAMIS_WRITE_SCHEMAS` set.
    #[test]
    fn committed_schemas_are_those_of_the_types() {
        for (name, schema) in schemas() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("json/{name}.json"));
            if std::env::var_os("TAMIS_WRITE_SCHEMAS").is_some() {
                fs::write(&path, text(&schema)).expect("the repository can be written");
            }
            let committed = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(committed, text(&schema), "schemas/json/{name}.json is not what the types give");
        }
    }
}
