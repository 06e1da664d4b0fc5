//! Which documents a classifier is trained on: a bounded sample by hash, drawn before any verdict.

use datafusion::{
    arrow::datatypes::DataType,
    error::Result,
    logical_expr::{Expr, cast},
    prelude::{DataFrame, JoinType, col, lit},
    scalar::ScalarValue,
};

use super::{Tables, functions::Chance};
use crate::{files::Version, measure::Family};

/// Which documents a classifier is trained on.
pub const VERSION: Version = Version::new("decide/sample", 1);

/// Which documents are wanted.
pub struct Sampled<'a> {
    /// Those in a language, which a family of facts tells.
    pub language: Option<(&'a Family, &'a str)>,
    /// The facts that tell languages, where there are any.
    pub languages: Option<&'a Family>,
    /// Those whose facts about links hold to a condition.
    pub linked: Option<(&'a Family, Expr)>,
    /// How many, at most.
    pub count: usize,
}

/// The texts of the documents of `sources` that are `wanted`, in the order in which they are stored: `id`, `source`,
/// `text` and `language`. A document that stands in two files comes twice.
///
/// They are those with the smallest hash of (seed, "train", id), so that no threshold changes what the classifier sees.
///
/// # Errors
/// When the documents or the facts about them cannot be read.
pub async fn sample(tables: Tables<'_>, sources: &[String], wanted: Sampled<'_>, seed: u64) -> Result<DataFrame> {
    let Sampled { language, languages, linked, count } = wanted;
    let mut documents = tables.kept("read").await?.filter(super::verdict::is_of(sources))?;
    if let Some((family, language)) = language {
        let facts = tables.family(family, sources).await?.filter(col("language").eq(lit(language)))?;
        documents = documents.join(facts, JoinType::LeftSemi, &["id"], &["fact_id"], None)?;
    }
    if let Some((family, condition)) = linked {
        let facts = tables.family(family, sources).await?.filter(condition)?;
        documents = documents.join(facts, JoinType::LeftSemi, &["id"], &["fact_id"], None)?;
    }
    let draw = Chance::Bits { seed, purpose: "train".into() }.of(vec![col("id")]);
    let drawn = documents
        .with_column("draw", draw)?
        .sort(vec![col("draw").sort(true, false), col("id").sort(true, false)])?
        .limit(0, Some(count))?
        .select(vec![col("id").alias("sampled"), cast(col("source"), DataType::Utf8View).alias("source")])?;
    let drawn = match languages {
        Some(family) => {
            let found =
                tables.family(family, sources).await?.select(vec![col("fact_id").alias("named"), col("language")])?;
            drawn.join(found, JoinType::Left, &["sampled"], &["named"], None)?
        }
        None => drawn.with_column("language", lit(ScalarValue::Utf8View(None)))?,
    };
    drawn.join(tables.texts(sources).await?, JoinType::Inner, &["sampled"], &["id"], None)?.select(vec![
        col("id"),
        col("source"),
        col("text"),
        cast(col("language"), DataType::Utf8View).alias("language"),
    ])
}
