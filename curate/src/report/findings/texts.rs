//! The texts of a few documents out of many.
//!
//! ```text
//! ids -> facts/records: source, part, URL -> documents/SOURCE/part: the rows with these ids alone
//! ```

use std::collections::{BTreeMap, BTreeSet};

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _},
        datatypes::UInt32Type,
    },
    prelude::{col, lit},
};

use super::files::{RunFiles, rows};
use crate::error::{InStage as _, Result};

/// Bytes of a text that are kept, at most.
const MOST_BYTES: usize = 64 << 10;

/// A document, as far as the report shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    pub source: String,
    pub url: Option<String>,
    /// The beginning of the text.
    pub beginning: String,
    /// Bytes of the whole.
    pub bytes: u64,
}

/// The texts of `ids`, as far as there are such documents and their texts were kept.
pub async fn texts(files: &RunFiles, ids: &BTreeSet<String>) -> Result<BTreeMap<String, Text>> {
    let mut found = BTreeMap::new();
    if ids.is_empty() || !files.layout.out().join("documents").is_dir() {
        return Ok(found);
    }
    let context = files.seeking();
    let is_wanted = |ids: &BTreeSet<String>| col("id").in_list(ids.iter().map(lit).collect(), false);
    for source in files.sources() {
        let mut urls = BTreeMap::new();
        let mut parts: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        let records = files.tables(&context).records(&source).await.in_stage("report")?;
        let places = records
            .filter(is_wanted(ids).and(col("reason").is_null()))
            .and_then(|table| table.select_columns(&["id", "part", "url"]));
        rows(places, |batch| {
            let (found, addresses) = (batch.column(0).as_string_view(), batch.column(2).as_string_view());
            let numbers = batch.column(1).as_primitive::<UInt32Type>();
            for row in 0..batch.num_rows() {
                let id = found.value(row).to_owned();
                urls.insert(id.clone(), addresses.is_valid(row).then(|| addresses.value(row).to_owned()));
                parts.entry(numbers.value(row)).or_default().insert(id);
            }
        })
        .await?;
        for (part, ids) in parts {
            let table = files.tables(&context).documents(&source, part).await;
            let table = table
                .and_then(|table| table.filter(is_wanted(&ids)))
                .and_then(|table| table.select_columns(&["id", "text"]));
            rows(table, |batch| {
                let (ids, texts) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
                for (id, whole) in ids.iter().flatten().zip(texts.iter().flatten()) {
                    let beginning = whole[..whole.floor_char_boundary(MOST_BYTES)].to_owned();
                    let url = urls.get(id).cloned().flatten();
                    found.insert(
                        id.to_owned(),
                        Text { source: source.clone(), url, beginning, bytes: whole.len() as u64 },
                    );
                }
            })
            .await?;
        }
    }
    Ok(found)
}
