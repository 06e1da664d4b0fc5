//! What became of a document.

use std::path::Path;

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _, RecordBatch},
        util::display::array_value_to_string,
    },
    prelude::{DataFrame, col, lit},
};
use schemas::ledger::Ledger;

use crate::{
    engine::browsing,
    error::{Error, InStage as _, Result},
    files::{Layout, ledger},
};

/// What one stage did with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The document's id.
    pub id: String,
    /// The stage.
    pub stage: String,
    /// `keep`, `cut` or `drop`.
    pub verdict: String,
    /// Why it was dropped.
    pub reason: Option<String>,
    /// What else the stage wrote down, such as a score or the document that this one repeats.
    pub details: Vec<(String, String)>,
}

/// Looks up what every stage of the run in `out` did with a document, which is named by its id or its URL.
///
/// # Errors
/// When there is no run, or no such document in it.
pub async fn why(out: &Path, id_or_url: &str) -> Result<Vec<Fate>> {
    let layout = Layout::new(std::path::absolute(out).map_err(Error::file("find", out))?);
    let ledger = ledger::read(&layout.ledger())?;
    let ids = ids(&layout, &ledger, id_or_url).await?;
    let mut fates = Vec::new();
    for stage in stages(&ledger) {
        let table = browsing(&layout.decisions(stage)).await?;
        let table = table
            .filter(col("id").in_list(ids.iter().map(lit).collect(), false))
            .and_then(|table| table.sort(vec![col("id").sort(true, false), col("verdict").sort(false, false)]));
        for batch in collect(stage, table).await? {
            fates.extend((0..batch.num_rows()).map(|row| fate(stage, &batch, row)));
        }
    }
    if fates.is_empty() {
        return Err(Error::NoDocument { folder: out.to_owned(), id: id_or_url.to_owned() });
    }
    Ok(fates)
}

/// The stages of a run, in their order.
fn stages(ledger: &Ledger) -> Vec<&str> {
    let mut stages: Vec<&str> = ledger.stages.iter().map(|entry| entry.stage.as_str()).collect();
    stages.dedup();
    stages
}

/// The id itself, or those of the records that were fetched from the URL.
async fn ids(layout: &Layout, ledger: &Ledger, id_or_url: &str) -> Result<Vec<String>> {
    if id_or_url.len() == 32 && id_or_url.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(vec![id_or_url.to_ascii_lowercase()]);
    }
    let mut ids = Vec::new();
    for source in ledger.stages.iter().filter(|entry| entry.stage == "read").map(|entry| &entry.source) {
        let table = browsing(&layout.out().join("facts/records").join(source)).await?;
        let found = table
            .filter(col("url").eq(lit(id_or_url)).or(col("record").eq(lit(id_or_url))))
            .and_then(|table| table.filter(col("id").is_not_null()))
            .and_then(|table| table.select_columns(&["id"]));
        for batch in collect("read", found).await? {
            ids.extend(batch.column(0).as_string_view().iter().flatten().map(str::to_owned));
        }
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

async fn collect(stage: &str, table: datafusion::error::Result<DataFrame>) -> Result<Vec<RecordBatch>> {
    table.in_stage(stage)?.collect().await.in_stage(stage)
}

fn fate(stage: &str, batch: &RecordBatch, row: usize) -> Fate {
    let schema = batch.schema();
    let value = |name: &str| {
        let column = batch.column_by_name(name)?;
        column.is_valid(row).then(|| array_value_to_string(column, row).unwrap_or_default())
    };
    let known = ["id", "source", "verdict", "reason"];
    let others =
        schema.fields().iter().map(|field| field.name().clone()).filter(|name| !known.contains(&name.as_str()));
    Fate {
        id: value("id").unwrap_or_default(),
        stage: stage.to_owned(),
        verdict: value("verdict").unwrap_or_default(),
        reason: value("reason"),
        details: others.filter_map(|name| value(&name).map(|value| (name, value))).collect(),
    }
}
