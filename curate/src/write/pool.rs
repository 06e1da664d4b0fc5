//! Documents and examples that rows of a mixture show besides their own: demonstrations, and passages that do not answer.

use std::path::Path;

use datafusion::{
    arrow::{
        array::{AsArray, StringViewArray},
        datatypes::{DataType, Field, Schema},
    },
    error::Result,
    prelude::{DataFrame, JoinType, col, lit},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{
    decide::{Chance, CutText, Tables},
    error::Error,
    files::Version,
};

/// Which examples rows may show.
pub const VERSION: Version = Version::new("write/pool", 2);

/// Examples in a pool, at most.
pub const POOL: usize = 1024;

/// The same where negatives are searched for: the more there are, the more some look like an answer.
pub const SEARCHED_POOL: usize = 16_384;

/// The columns of a pool.
#[must_use]
pub fn pool_schema() -> Schema {
    Schema::new(["id", "group", "title", "text"].map(|name| Field::new(name, DataType::Utf8View, true)).to_vec())
}

/// The pool of a source.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'p> {
    /// The stage of the mixture.
    pub stage: &'p str,
    /// The source.
    pub source: &'p str,
    /// The recipe's seed.
    pub seed: u64,
    /// How many documents or examples it has, at most.
    pub size: usize,
    /// Whether clusters say which documents are alike.
    pub clustered: bool,
    /// Whether texts are cut, as those of documents are; an example's object stays whole.
    pub cut: bool,
}

/// The training documents of `source` that come first in a draw.
///
/// # Errors
/// When the decisions or the documents cannot be read.
pub async fn pool(tables: Tables<'_>, pool: Pool<'_>) -> Result<DataFrame> {
    let Pool { stage, source, seed, size, clustered, cut } = pool;
    let draw = Chance::Bits { seed, purpose: format!("pool/{stage}") }.of(vec![col("id")]);
    let drawn = tables
        .decisions(stage)
        .await?
        .filter(col("verdict").eq(lit("keep")).and(col("split").eq(lit("train"))).and(col("source").eq(lit(source))))?
        .with_column("draw", draw)?
        .sort(vec![col("draw").sort(true, false), col("id").sort(true, false)])?
        .limit(0, Some(size))?
        .select(vec![col("id").alias("drawn")])?;
    let texts = tables.texts_with_titles(&[source.to_owned()]).await?;
    let drawn = drawn.join(texts, JoinType::Inner, &["drawn"], &["id"], None)?;
    // an id that stands in two files comes once
    let mut rows = tables.with_groups(drawn.distinct()?, "id", clustered).await?;
    if cut && tables.after_cuts.is_some() {
        rows = tables.with_cuts(rows).await?;
        rows = rows.with_column("text", CutText::Text.of(vec![col("text"), col("cuts")]))?;
    }
    rows.select_columns(&["id", "group", "title", "text"])?.sort(vec![col("id").sort(true, false)])
}

/// A row of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRow {
    /// The document's or the example's id.
    pub id: String,
    /// The cluster that it is in, or its id.
    pub group: String,
    /// The title, if it has one.
    pub title: Option<String>,
    /// The text, or the example's object.
    pub text: String,
}

/// The rows of a pool, in the order of their ids.
///
/// # Errors
/// When the file cannot be read.
pub fn read_pool(path: &Path) -> crate::error::Result<Vec<PoolRow>> {
    let read = |source| Error::File { action: "read", path: path.to_owned(), source };
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let file = std::fs::File::open(path).map_err(read)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
    let mut pool = Vec::new();
    for batch in reader.map_err(|error| damaged(error.to_string()))? {
        let batch = batch.map_err(|error| damaged(error.to_string()))?;
        let mut columns = Vec::with_capacity(4);
        for field in pool_schema().fields() {
            let column =
                batch.column_by_name(field.name()).ok_or_else(|| damaged(format!("it has no `{}`", field.name())))?;
            let column = datafusion::arrow::compute::cast(column, &DataType::Utf8View);
            columns.push(column.map_err(|error| damaged(error.to_string()))?);
        }
        let columns: Vec<&StringViewArray> = columns.iter().map(AsArray::as_string_view).collect();
        let rows = columns[0].iter().zip(columns[1]).zip(columns[2].iter().zip(columns[3]));
        pool.extend(rows.map(|((id, group), (title, text))| {
            let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
            PoolRow { id: own(id), group: own(group), title: title.map(str::to_owned), text: own(text) }
        }));
    }
    Ok(pool)
}
