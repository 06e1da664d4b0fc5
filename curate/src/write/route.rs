//! The text of one file, on its way to the shards.
//!
//! A routed file holds rows of many buckets, each row group those of one. A bucket is then read by its row groups alone.

use std::path::PathBuf;

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema},
    error::Result,
    functions::core::expr_fn::get_field,
    prelude::{DataFrame, JoinType, col, lit},
};

use super::{Content, Pairing, Rendering, placed_schema};
use crate::{
    decide::{CutText, Tables},
    files::Version,
    plan::call,
};

/// How text becomes rows, and examples are put into words.
pub const VERSION: Version = Version::new("write/route", 2);

/// The columns of a routed file: the place of each row, then the mixture's own columns.
#[must_use]
pub fn routed_schema(content: &Content) -> Schema {
    let place = ["bucket", "order", "template_number", "copy"].map(|name| match name {
        "order" => Field::new(name, DataType::UInt64, true),
        _ => Field::new(name, DataType::UInt32, true),
    });
    let columns =
        content.schema().fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<_>>();
    Schema::new([place.to_vec(), columns].concat())
}

/// How a source's documents become rows.
#[derive(Debug, Clone)]
pub enum Rows {
    /// As they are.
    Documents,
    /// As examples of a task, put into words.
    Examples(Box<Rendering>),
    /// As questions with their passages.
    Pairs(Pairing),
}

/// One file of a source, on its way into a mixture.
pub struct Route<'r> {
    /// The places of the mixture's rows.
    pub places: PathBuf,
    /// What the rows are.
    pub content: &'r Content,
    /// How they are made.
    pub rows: Rows,
    /// Whether clusters say which documents are alike.
    pub clustered: bool,
    /// The source.
    pub source: &'r str,
    /// The file's place in the source.
    pub part: u32,
}

/// The rows that one file of a source gives to a mixture, with their places.
///
/// # Errors
/// When the documents or the places cannot be read.
pub async fn route(tables: Tables<'_>, route: Route<'_>) -> Result<DataFrame> {
    let Route { places, content, rows: made, clustered, source, part } = route;
    let placed = tables
        .parquet(vec![places], &placed_schema())
        .await?
        .filter(col("source").eq(lit(source)).and(col("part").eq(lit(part))))?
        .select(vec![
            col("id").alias("placed_id"),
            col("source"),
            col("template").alias("template_number"),
            col("copy"),
            col("order"),
            col("bucket"),
            col("cuts"),
        ])?;
    let placed = tables.with_groups(placed, "placed_id", clustered).await?;
    let documents = tables.documents(source, part).await?.select_columns(&["id", "title", "text"])?;
    // the places are held in memory, the documents stream past them
    let mut rows = placed.join(documents, JoinType::Inner, &["placed_id"], &["id"], None)?;
    if tables.after_cuts.is_some() && !matches!(made, Rows::Examples(_)) {
        rows = rows.with_column("text", CutText::Text.of(vec![col("text"), col("cuts")]))?;
    }
    let arguments = |names: [&str; 5]| names.map(col).to_vec();
    let made = match made {
        Rows::Documents => None,
        Rows::Examples(rendering) => {
            Some(call(*rendering, arguments(["id", "template_number", "copy", "group", "text"])))
        }
        Rows::Pairs(pairing) => Some(call(pairing, arguments(["id", "copy", "group", "title", "text"]))),
    };
    let schema = routed_schema(content);
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let Some(made) = made else { return rows.select(names.map(col).collect::<Vec<_>>()) };
    let rows = rows.with_column("made", made)?;
    let own = ["bucket", "order", "template_number", "copy", "id", "source"];
    let column = |name: &str| if own.contains(&name) { col(name) } else { get_field(col("made"), name).alias(name) };
    rows.select(names.map(column).collect::<Vec<_>>())
}
