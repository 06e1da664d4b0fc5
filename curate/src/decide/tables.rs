//! What verdicts are made of, as tables of one session.

use std::collections::BTreeMap;

use datafusion::{
    arrow::datatypes::Schema,
    common::{Column, internal_datafusion_err},
    error::Result,
    functions_aggregate::expr_fn::{first_value, min},
    logical_expr::Expr,
    prelude::{DataFrame, JoinType, ParquetReadOptions, SessionContext, btrim, coalesce, col, lit},
    scalar::ScalarValue,
};

use super::{clusters::clusters_schema, cuts_type, index::DuplicateIndex};
use crate::{
    files::{Inputs, Layout},
    measure::{Family, FamilyConfig},
    source::records,
};

/// Unicode's white space.
const WHITE_SPACE: &str = "\t\n\u{b}\u{c}\r \u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\
    \u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}";

/// The files of a run as tables.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    /// The session that plans.
    pub context: &'a SessionContext,
    /// Where the files lie.
    pub layout: &'a Layout,
    /// How many files each source has.
    pub parts: &'a BTreeMap<String, u32>,
    /// Whether some document was read from more than one file. Then facts about it stand in each of them.
    pub repeats: bool,
    /// The stage that tells what is left of documents after all cuts, where some are cut.
    pub after_cuts: Option<&'a str>,
    /// What earlier runs have kept.
    pub indexes: &'a [DuplicateIndex],
    /// Where the files that are opened are noted.
    pub inputs: &'a Inputs,
}

impl Tables<'_> {
    /// The facts of a family about all documents of `sources`: `fact_id`, then the family's columns. An id stands in one row.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn family(&self, family: &Family, sources: &[String]) -> Result<DataFrame> {
        let paths = self.part_paths(sources, |source, part| self.layout.facts(&family.name, source, part));
        let table = self.parquet(paths, &family.schema()).await?;
        let facts: Vec<Expr> = family.fields().iter().map(|field| column(field.name())).collect();
        if self.repeats {
            // rows of one id are equal, whichever file they stand in
            let firsts =
                facts.iter().map(|fact| first_value(fact.clone(), vec![]).alias(fact.schema_name().to_string()));
            let table = table.aggregate(vec![col("id").alias("fact_id")], firsts.collect())?;
            return Ok(table);
        }
        table.select(std::iter::once(col("id").alias("fact_id")).chain(facts).collect::<Vec<_>>())
    }

    /// What is known of the records of one source, documents or not.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn records(&self, source: &str) -> Result<DataFrame> {
        let paths = self.part_paths(&[source.to_owned()], |source, part| self.layout.facts("records", source, part));
        self.parquet(paths, &records()).await
    }

    /// Where the documents of `sources` stand: `home_id`, and the `part` and `offset` of the first record with that id.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn homes(&self, sources: &[String]) -> Result<DataFrame> {
        let paths = self.part_paths(sources, |source, part| self.layout.facts("records", source, part));
        let documents = col("id").is_not_null().and(col("reason").is_null());
        let table = self.parquet(paths, &records()).await?.filter(documents)?;
        if self.repeats {
            let first = first_value(col("offset"), vec![col("part").sort(true, false)]).alias("offset");
            return table.aggregate(vec![col("id").alias("home_id")], vec![min(col("part")).alias("part"), first]);
        }
        table.select(vec![col("id").alias("home_id"), col("part"), col("offset")])
    }

    /// Where and when the documents of `sources` were captured: `fact_id`, `url` and `date`. An id stands in one row.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn captures(&self, sources: &[String]) -> Result<DataFrame> {
        let paths = self.part_paths(sources, |source, part| self.layout.facts("records", source, part));
        let documents = col("id").is_not_null().and(col("reason").is_null());
        let table = self.parquet(paths, &records()).await?.filter(documents)?;
        if self.repeats {
            let first = |name: &str| min(col(name)).alias(name);
            return table.aggregate(vec![col("id").alias("fact_id")], vec![first("url"), first("date")]);
        }
        table.select(vec![col("id").alias("fact_id"), col("url"), col("date")])
    }

    /// The verdicts of a stage.
    ///
    /// # Errors
    /// When the stage has not been decided.
    pub async fn decisions(&self, stage: &str) -> Result<DataFrame> {
        self.files(vec![self.layout.decisions(stage)]).await
    }

    /// Parquet files of the schema that they have themselves.
    ///
    /// # Errors
    /// When one is not there, or cannot be read.
    pub async fn files(&self, paths: Vec<std::path::PathBuf>) -> Result<DataFrame> {
        self.context.read_parquet(self.urls(&paths)?, ParquetReadOptions::default()).await
    }

    /// The documents that a stage kept, whole or cut: `id` and `source`.
    ///
    /// # Errors
    /// When the stage has not been decided.
    pub async fn kept(&self, stage: &str) -> Result<DataFrame> {
        self.decisions(stage).await?.filter(col("verdict").not_eq(lit("drop")))?.select(vec![col("id"), col("source")])
    }

    /// The hashes of all documents of `sources` that a family holds, in stored order: `id` and `hashes`, one or a list.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn hashes(&self, family: &Family, sources: &[String]) -> Result<DataFrame> {
        let hashes = match family.config {
            FamilyConfig::Bands(_) => "bands",
            _ => "short_hash",
        };
        let paths = self.part_paths(sources, |source, part| self.layout.facts(&family.name, source, part));
        self.parquet(paths, &family.schema()).await?.select(vec![col("id"), col(hashes).alias("hashes")])
    }

    /// The documents with near-duplicates: `member`, the `cluster` that it belongs to, which is the smallest id in it, and how
    /// many `members` that has.
    ///
    /// # Errors
    /// When clusters have not been found.
    pub async fn clusters(&self) -> Result<DataFrame> {
        self.parquet(vec![self.layout.clusters()], &clusters_schema()).await
    }

    /// Documents with their `group`: the cluster that the column `id` is in, or that itself where it is in none.
    ///
    /// - `clustered`: whether clusters have been found
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn with_groups(&self, documents: DataFrame, id: &str, clustered: bool) -> Result<DataFrame> {
        if !clustered {
            return documents.with_column("group", col(id));
        }
        documents
            .join(self.clusters().await?, JoinType::Left, &[id], &["member"], None)?
            .with_column("group", coalesce(vec![col("cluster"), col(id)]))?
            .drop_columns(&["member", "cluster", "members"])
    }

    /// Documents, known by `id`, with the `cuts` that the stage after all cuts takes out of them; null where it takes none.
    ///
    /// # Errors
    /// When that stage has not been decided.
    pub async fn with_cuts(&self, documents: DataFrame) -> Result<DataFrame> {
        let Some(stage) = self.after_cuts else {
            return documents.with_column("cuts", lit(ScalarValue::try_new_null(&cuts_type())?));
        };
        let cuts = self.decisions(stage).await?.filter(col("cuts").is_not_null())?;
        let cuts = cuts.select(vec![col("id").alias("cut_id"), col("cuts")])?;
        documents.join(cuts, JoinType::Left, &["id"], &["cut_id"], None)?.drop_columns(&["cut_id"])
    }

    /// The documents of `sources` that have a title: `titled`, each once.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn titled(&self, sources: &[String]) -> Result<DataFrame> {
        let has_title = btrim(vec![col("title"), lit(WHITE_SPACE)]).not_eq(lit(""));
        self.all_documents(sources).await?.filter(has_title)?.select(vec![col("id").alias("titled")])?.distinct()
    }

    /// The texts of `sources`: `id` and `text`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn texts(&self, sources: &[String]) -> Result<DataFrame> {
        self.all_documents(sources).await?.select_columns(&["id", "text"])
    }

    /// The texts of `sources` with their titles: `id`, `title` and `text`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn texts_with_titles(&self, sources: &[String]) -> Result<DataFrame> {
        self.all_documents(sources).await?.select_columns(&["id", "title", "text"])
    }

    async fn all_documents(&self, sources: &[String]) -> Result<DataFrame> {
        let paths = self.part_paths(sources, |source, part| self.layout.documents(source, part));
        self.parquet(paths, &schemas::columns::documents()).await
    }

    /// The documents of one file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn documents(&self, source: &str, part: u32) -> Result<DataFrame> {
        self.parquet(vec![self.layout.documents(source, part)], &schemas::columns::documents()).await
    }

    /// Parquet files of one schema, as a table.
    ///
    /// # Errors
    /// When there is none, or one cannot be read.
    pub async fn parquet(&self, paths: Vec<std::path::PathBuf>, schema: &Schema) -> Result<DataFrame> {
        self.context.read_parquet(self.urls(&paths)?, ParquetReadOptions::default().schema(schema)).await
    }

    /// Paths of files that are there, as URLs; each is noted as an input. The engine takes a file that is not there for one without rows.
    fn urls(&self, paths: &[std::path::PathBuf]) -> Result<Vec<String>> {
        let open = |path: &std::path::PathBuf| {
            self.inputs.open(path)?;
            url(path)
        };
        paths.iter().map(open).collect()
    }

    fn part_paths<T>(&self, sources: &[String], path: impl Fn(&str, u32) -> T) -> Vec<T> {
        let parts = sources.iter().flat_map(|source| {
            (0..self.parts.get(source).copied().unwrap_or_default()).map(move |part| (source, part))
        });
        parts.map(|(source, part)| path(source, part)).collect()
    }
}

/// A column by its exact name, with no meaning in dots or capitals.
fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

/// A path as a URL, in which no character is a pattern.
fn url(path: &std::path::Path) -> Result<String> {
    let absolute = std::path::absolute(path)?;
    url::Url::from_file_path(&absolute)
        .map(Into::into)
        .map_err(|()| internal_datafusion_err!("{} is no absolute path", absolute.display()))
}
