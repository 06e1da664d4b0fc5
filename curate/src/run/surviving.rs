//! Documents that stay, copied from their files as they stand there, but for what was cut out of them, and clusters by the ids that documents came with.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Instant,
};

use datafusion::{
    arrow::{
        array::{AsArray as _, RecordBatch},
        datatypes::{DataType, Field, Schema, UInt64Type},
    },
    functions_aggregate::expr_fn::min,
    prelude::{DataFrame, JoinType, SessionContext, coalesce, col, lit, when},
    scalar::ScalarValue,
};
use futures::{StreamExt as _, TryStreamExt as _};

use super::context::{Origin, Run};
use crate::{
    decide::{Tables, cuts_of, cuts_type},
    error::{Error, Result},
    files::{Inputs, Publication},
    source::{COPY_VERSION, Kept, Source, copy_records},
};

impl Run<'_> {
    /// Copies what the last stage kept of a source, and names the clusters.
    pub async fn write_survivors(&self, name: &str) -> Result<()> {
        let start = Instant::now();
        let source = self.plan.sources.iter().find(|source| source.name == name).expect("the plan has the source");
        self.progress.begin("survivors", source.files.len() as u64);
        let stage = self.last_stage();
        let clustered = self.clustered_by().is_some();
        let failed = |error| Error::from_plan("survivors", error);
        let places = self.layout.work().join("survivors.parquet");
        let inputs = Inputs::of("survivors");
        let context = self.session.relational();
        let placed = kept_places(self.tables(&context, &inputs), &stage, name).await.map_err(failed)?;
        let mut named = None;
        if clustered {
            let table = named_clusters(self.tables(&context, &inputs), &stage, &self.source_names()).await;
            named = Some(table.map_err(failed)?);
        }
        source.files.iter().try_for_each(|file| inputs.open(file))?;
        let origin = self.origin(COPY_VERSION, &source.format.versions(), source, &inputs)?;
        self.unit("survivors", "places", &origin, async {
            self.publish("survivors", &context, placed, vec![Publication::new(&places, &places_schema())]).await
        })
        .await?;
        let files = source.files.iter().zip(names(&source.files)).enumerate().map(|(part, (from, to))| {
            let part = u32::try_from(part).expect("files can be numbered");
            self.copy_survivors(source, part, from, self.layout.survivors().join(to), &places, &origin)
        });
        let copying = async {
            let mut kept = futures::stream::iter(files).buffered(self.threads);
            let mut documents = 0;
            while let Some(count) = kept.try_next().await? {
                documents += count;
                self.progress.advance();
            }
            Ok::<u64, Error>(documents)
        };
        let naming = async {
            let Some(table) = named else { return Ok(()) };
            self.unit("survivors", "clusters", &origin, async {
                let publication = Publication::new(self.layout.named_clusters(), &named_schema());
                self.publish("survivors", &context, table, vec![publication]).await
            })
            .await
            .map(|_| ())
        };
        let (documents, ()) = futures::try_join!(copying, naming)?;
        self.progress.end("survivors", start.elapsed().as_secs_f64(), &format!("{documents} documents"));
        Ok(())
    }

    /// Copies what is kept of one file. Returns how many documents those are.
    async fn copy_survivors(
        &self,
        source: &Source,
        part: u32,
        from: &Path,
        to: PathBuf,
        places: &Path,
        origin: &Origin,
    ) -> Result<u64> {
        let unit = format!("part-{part:05}");
        let mark = self
            .unit("survivors", &unit, origin, async {
                let failed = |error| Error::from_plan("survivors", error);
                let context: SessionContext = self.session.streaming();
                // what the unit before this one has published
                let inputs = Inputs::of("survivors");
                let table = self.tables(&context, &inputs).parquet(vec![places.to_owned()], &places_schema()).await;
                self.verify(&inputs.close())?;
                let table = table
                    .and_then(|table| table.filter(col("part").eq(lit(part))))
                    .and_then(|table| table.select_columns(&["offset", "cuts"]))
                    .map_err(failed)?;
                let mut batches = table.execute_stream().await.map_err(failed)?;
                let (sender, mut receiver) = tokio::sync::mpsc::channel::<Result<Vec<Kept>>>(4);
                let (format, from, target) = (source.format.clone(), from.to_owned(), to.clone());
                let copying = tokio::task::spawn_blocking(move || {
                    let kept = std::iter::from_fn(|| receiver.blocking_recv());
                    let each = |some: Result<Vec<Kept>>| match some {
                        Ok(some) => some.into_iter().map(Ok).collect(),
                        Err(error) => vec![Err(error)],
                    };
                    copy_records(&format, &from, kept.flat_map(each), &target)
                });
                while let Some(batch) = batches.next().await {
                    let kept = |batch: RecordBatch| {
                        let offsets = batch.column(0).as_primitive::<UInt64Type>().values();
                        let kept = offsets.iter().enumerate();
                        kept.map(|(row, offset)| Kept { offset: *offset, cuts: cuts_of(batch.column(1), row) })
                            .collect()
                    };
                    if sender.send(batch.map(kept).map_err(failed)).await.is_err() {
                        // the copy has failed, and says why
                        break;
                    }
                }
                drop(sender);
                let (copied, written) = copying.await.expect("copying does not panic")?;
                Ok(vec![(to, Some(copied), written)])
            })
            .await?;
        Ok(mark.outputs.first().and_then(|file| file.rows).unwrap_or_default())
    }
}

fn places_schema() -> Schema {
    Schema::new(vec![
        Field::new("part", DataType::UInt32, true),
        Field::new("offset", DataType::UInt64, true),
        Field::new("cuts", cuts_type(), true),
    ])
}

/// Where the documents stand that a stage kept of a source, and what it cut out of them: `part`, `offset` and `cuts`, sorted.
async fn kept_places(tables: Tables<'_>, stage: &str, source: &str) -> datafusion::error::Result<DataFrame> {
    let kept = tables.decisions(stage).await?.filter(col("verdict").not_eq(lit("drop")))?;
    let is_cut = kept.schema().has_column_with_unqualified_name("cuts");
    let cuts = if is_cut { col("cuts") } else { lit(ScalarValue::try_from(cuts_type())?).alias("cuts") };
    let kept = kept.filter(col("source").eq(lit(source)))?.select(vec![col("id"), cuts])?;
    let homes = tables.homes(&[source.to_owned()]).await?;
    kept.join(homes, JoinType::Inner, &["id"], &["home_id"], None)?
        .select_columns(&["part", "offset", "cuts"])?
        .sort(vec![col("part").sort(true, false), col("offset").sort(true, false)])
}

fn named_schema() -> Schema {
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
async fn named_clusters(tables: Tables<'_>, stage: &str, sources: &[String]) -> datafusion::error::Result<DataFrame> {
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
    let given = given.ok_or_else(|| datafusion::common::internal_datafusion_err!("there is no source"))?;
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

/// A name for the copy of each file: its path below the folder that all of them share.
fn names(files: &[PathBuf]) -> Vec<PathBuf> {
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let shared = folders.into_iter().map(Path::to_owned).reduce(|one, other| {
        let both = one.components().zip(other.components());
        both.take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    });
    let shared = shared.unwrap_or_default();
    files.iter().map(|file| file.strip_prefix(&shared).unwrap_or(file).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_named_below_what_files_share() {
        let named = |files: &[&str]| names(&files.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(named(&["/a/b/one.jsonl"]), [PathBuf::from("one.jsonl")]);
        assert_eq!(named(&["/a/b/x", "/a/c/x"]), [PathBuf::from("b/x"), PathBuf::from("c/x")]);
        assert_eq!(named(&["/a/x", "/a/c/x"]), [PathBuf::from("x"), PathBuf::from("c/x")]);
        assert_eq!(named(&["a/x", "b/x"]), [PathBuf::from("a/x"), PathBuf::from("b/x")]);
    }
}
