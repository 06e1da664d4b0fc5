//! The text of one file, on its way to the shards.
//!
//! A routed file holds rows of many shards, each row group those of one. A shard is then read by its row groups alone.

use std::path::PathBuf;

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema},
    error::Result,
    functions::core::expr_fn::get_field,
    prelude::{DataFrame, JoinType, col, lit},
};

use super::{Content, RenderFunction, placed_schema};
use crate::decide::{CutText, Tables};

/// The columns of a routed file: the place of each row, then the mixture's own columns.
#[must_use]
pub fn routed_schema(content: &Content) -> Schema {
    let place = ["shard", "order", "template_number", "copy"].map(|name| match name {
        "order" => Field::new(name, DataType::UInt64, true),
        _ => Field::new(name, DataType::UInt32, true),
    });
    let columns =
        content.schema().fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<_>>();
    Schema::new([place.to_vec(), columns].concat())
}

/// The rows that one file of a source gives to a mixture, with their places.
///
/// # Errors
/// When the documents or the places cannot be read.
pub async fn route(
    tables: Tables<'_>,
    places: PathBuf,
    content: &Content,
    source: &str,
    part: u32,
) -> Result<DataFrame> {
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
            col("shard"),
            col("cuts"),
        ])?;
    let documents = tables.documents(source, part).await?.select(vec![col("id"), col("text")])?;
    // the places are held in memory, the documents stream past them
    let rows = placed.join(documents, JoinType::Inner, &["placed_id"], &["id"], None)?;
    let rows = match (content, tables.remains) {
        (Content::Text, None) => rows,
        (Content::Text, Some(_)) => rows.with_column("text", CutText::Text.of(vec![col("text"), col("cuts")]))?,
        (Content::Instructions(task), _) => {
            let rendered = RenderFunction::of(task.clone(), col("template_number"), col("text"));
            let field = |name: &str| get_field(col("rendered"), name).alias(name);
            rows.with_column("rendered", rendered)?.select(vec![
                col("shard"),
                col("order"),
                col("template_number"),
                col("copy"),
                col("id"),
                col("source"),
                field("task"),
                field("template"),
                field("prompt"),
                field("completion"),
            ])?
        }
    };
    rows.select(routed_schema(content).fields().iter().map(|field| col(field.name().as_str())).collect::<Vec<_>>())
}
