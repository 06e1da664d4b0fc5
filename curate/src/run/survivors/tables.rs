//! What stays of a source by its places, and clusters by the ids that documents came with, as relational plans.

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema},
    common::internal_datafusion_err,
    error::Result,
    functions_aggregate::expr_fn::min,
    prelude::{DataFrame, JoinType, coalesce, col, lit, when},
    scalar::ScalarValue,
};

use crate::decide::{Tables, cuts_type};

/// Of [`kept_places`].
pub fn places_schema() -> Schema {
    Schema::new(vec![
        Field::new("part", DataType::UInt32, true),
        Field::new("offset", DataType::UInt64, true),
        Field::new("cuts", cuts_type(), true),
    ])
}

/// Where the documents stand that a stage kept of a source, and what it cut out of them: `part`, `offset` and `cuts`, sorted.
pub async fn kept_places(tables: Tables<'_>, stage: &str, source: &str) -> Result<DataFrame> {
    let kept = tables.decisions(stage).await?.filter(col("verdict").not_eq(lit("drop")))?;
    let is_cut = kept.schema().has_column_with_unqualified_name("cuts");
    let cuts = if is_cut { col("cuts") } else { lit(ScalarValue::try_from(cuts_type())?).alias("cuts") };
    let kept = kept.filter(col("source").eq(lit(source)))?.select(vec![col("id"), cuts])?;
    let homes = tables.homes(&[source.to_owned()]).await?;
    kept.join(homes, JoinType::Inner, &["id"], &["home_id"], None)?
        .select_columns(&["part", "offset", "cuts"])?
        .sort(vec![col("part").sort(true, false), col("offset").sort(true, false)])
}

/// Of [`named_clusters`].
pub fn named_schema() -> Schema {
    let text = |name| Field::new(name, DataType::Utf8View, true);
    Schema::new(vec![
        text("id"),
        text("root"),
        Field::new("size", DataType::UInt32, true),
        Field::new("kept", DataType::Boolean, true),
    ])
}

/// Documents that are like others, by the ids that they came with, else by ours: `id`, the `root` of their cluster, its `size`, and
/// whether a stage `kept` the document. Sorted by cluster, then by our id.
pub async fn named_clusters(tables: Tables<'_>, stage: &str, sources: &[String]) -> Result<DataFrame> {
    let mut given: Option<DataFrame> = None;
    for source in sources {
        let names = tables
            .records(source)
            .await?
            .filter(col("id").is_not_null().and(col("reason").is_null()))?
            .select(vec![col("id").alias("own_id"), coalesce(vec![col("record"), col("id")]).alias("given")])?;
        given = Some(match given {
            Some(given) => given.union(names)?,
            None => names,
        });
    }
    let given = given.ok_or_else(|| internal_datafusion_err!("there is no source"))?;
    let given = given.aggregate(vec![col("own_id")], vec![min(col("given")).alias("given")])?;
    let root = given.clone().select(vec![col("own_id").alias("root_id"), col("given").alias("root")])?;
    let kept = tables.kept(stage).await?.select(vec![col("id").alias("kept_id")])?;
    tables
        .clusters()
        .await?
        .join(given, JoinType::Inner, &["member"], &["own_id"], None)?
        // the root may be a document of an index, of which our id alone is known
        .join(root, JoinType::Left, &["cluster"], &["root_id"], None)?
        .join(kept, JoinType::Left, &["member"], &["kept_id"], None)?
        .select(vec![
            col("given").alias("id"),
            coalesce(vec![col("root"), col("cluster")]).alias("root"),
            col("members").alias("size"),
            when(col("kept_id").is_not_null(), lit(true)).otherwise(lit(false))?.alias("kept"),
            col("cluster"),
            col("member"),
        ])?
        .sort(vec![col("cluster").sort(true, false), col("member").sort(true, false)])
}
