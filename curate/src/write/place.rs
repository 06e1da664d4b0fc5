//! Where every row of a mixture goes.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema, SchemaRef},
    error::Result,
    functions::core::expr_fn::get_field,
    prelude::{DataFrame, JoinType, col, lit},
};

use super::Content;
use crate::{
    decide::{Chance, SplitShards, Tables, cuts_type},
    files::Version,
};

/// Where every row of a mixture goes.
pub const VERSION: Version = Version::new("write/places", 1);

/// One row for each row of the mixture.
///
/// `part` is the file of `source` that holds the document; `cuts`, what is taken out of it; `template` and `copy` count from 0; rows stand in the mixture by
/// `order`, then id, template and copy.
#[must_use]
pub fn placed_schema() -> SchemaRef {
    let field = |name, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("id", DataType::Utf8View),
        field("source", DataType::Utf8View),
        field("part", DataType::UInt32),
        field("template", DataType::UInt32),
        field("copy", DataType::UInt32),
        field("order", DataType::UInt64),
        field("bucket", DataType::UInt32),
        field("cuts", cuts_type()),
    ]))
}

/// The places of a mixture's rows, sorted by the file that holds the text.
///
/// # Errors
/// When the decisions or the facts about records cannot be read.
pub async fn places(
    tables: Tables<'_>,
    mixture: &str,
    stage: &str,
    content: &Content,
    seed: u64,
    buckets: &[SplitShards],
) -> Result<DataFrame> {
    let sources: Vec<String> = tables.parts.keys().cloned().collect();
    let templates = sources.iter().map(|source| (source.clone(), content.templates(source))).collect();
    let sample_template = matches!(content, Content::Examples(examples) if examples.sample_template);
    let place = Chance::Places { seed, mixture: mixture.into(), templates, sample_template, shards: buckets.to_vec() };
    let placed = tables
        .decisions(stage)
        .await?
        .filter(col("verdict").eq(lit("keep")))?
        .select(vec![
            col("id"),
            col("source"),
            place.of(vec![col("id"), col("split"), col("copies"), col("source")]).alias("place"),
        ])?
        .unnest_columns(&["place"])?;
    let placed = tables.with_cuts(placed).await?;
    let homes = tables.homes(&sources).await?.drop_columns(&["offset"])?;
    let field = |name: &str| get_field(col("place"), name).alias(name);
    let columns = ["id", "source", "part", "template", "copy", "order"];
    placed
        .join(homes, JoinType::Inner, &["id"], &["home_id"], None)?
        .select(vec![
            col("id"),
            col("source"),
            col("part"),
            field("template"),
            field("copy"),
            field("order"),
            field("bucket"),
            col("cuts"),
        ])?
        .sort(columns[1..].iter().chain(&columns[..1]).map(|name| col(*name).sort(true, false)).collect())
}
