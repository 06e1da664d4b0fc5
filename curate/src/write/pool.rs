//! Examples that rows of a mixture show besides their own: demonstrations, and passages that do not answer.

use std::path::Path;

use datafusion::{
    arrow::{
        array::AsArray as _,
        datatypes::{DataType, Field, Schema},
    },
    error::Result,
    prelude::{DataFrame, JoinType, col, lit},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{
    decide::{Chance, Tables},
    error::Error,
    files::Version,
};

/// Which examples rows may show.
pub const VERSION: Version = Version::new("write/pool", 1);

/// Examples in a pool, at most.
pub const POOL: usize = 1024;

/// The columns of a pool.
#[must_use]
pub fn pool_schema() -> Schema {
    Schema::new(["id", "text"].map(|name| Field::new(name, DataType::Utf8View, true)).to_vec())
}

/// The examples of a source that a mixture trains on and may show: those whose draws come first, sorted by id.
///
/// # Errors
/// When the documents or the decisions cannot be read.
pub async fn pool(tables: Tables<'_>, stage: &str, source: &str, seed: u64) -> Result<DataFrame> {
    let draw = Chance::Bits { seed, purpose: format!("pool/{stage}") }.of(vec![col("id")]);
    let drawn = tables
        .decisions(stage)
        .await?
        .filter(col("verdict").eq(lit("keep")).and(col("split").eq(lit("train"))).and(col("source").eq(lit(source))))?
        .with_column("draw", draw)?
        .sort(vec![col("draw").sort(true, false), col("id").sort(true, false)])?
        .limit(0, Some(POOL))?
        .select(vec![col("id").alias("drawn")])?;
    let texts = tables.texts(&[source.to_owned()]).await?;
    // an id that stands in two files comes once
    drawn
        .join(texts, JoinType::Inner, &["drawn"], &["id"], None)?
        .select_columns(&["id", "text"])?
        .distinct()?
        .sort(vec![col("id").sort(true, false)])
}

/// The ids and objects of a pool.
///
/// # Errors
/// When the file cannot be read.
pub fn read_pool(path: &Path) -> crate::error::Result<Vec<(String, String)>> {
    let read = |source| Error::File { action: "read", path: path.to_owned(), source };
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let file = std::fs::File::open(path).map_err(read)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
    let mut pool = Vec::new();
    for batch in reader.map_err(|error| damaged(error.to_string()))? {
        let batch = batch.map_err(|error| damaged(error.to_string()))?;
        let texts = |column: usize| datafusion::arrow::compute::cast(batch.column(column), &DataType::Utf8View);
        let columns = texts(0).and_then(|ids| Ok((ids, texts(1)?)));
        let (ids, texts) = columns.map_err(|error| damaged(error.to_string()))?;
        let rows = ids
            .as_string_view()
            .iter()
            .zip(texts.as_string_view())
            .map(|(id, text)| (id.unwrap_or_default().to_owned(), text.unwrap_or_default().to_owned()));
        pool.extend(rows);
    }
    Ok(pool)
}
