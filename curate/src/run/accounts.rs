//! The end of a run: the ledger must close, then it is published with the manifest.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _, RecordBatch},
        datatypes::{DataType, Int64Type, UInt64Type},
    },
    functions_aggregate::expr_fn::{count, sum},
    functions_nested::expr_fn::array_element,
    logical_expr::cast,
    prelude::{DataFrame, SessionContext, coalesce, col, lit},
};
use schemas::{
    ledger::{CleaningEntry, CutEntry, Ledger, LostEntry, MixtureEntry, StageEntry, TruncatedEntry},
    manifest::{FileEntry, Manifest},
};

use super::{Outcome, context::Run, mixing::Mixed};
use crate::{
    archive::Fault,
    decide::CutText,
    error::{Error, Result},
    files::{ledger, remove_others, write_json},
    recipe::ClassifierPlan,
};

/// Counts by source, then by reason or fault; what has neither counts under the empty name.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

impl Run<'_> {
    /// Draws up the ledger, which must close before a mixture takes the place of its predecessor.
    pub async fn draw_ledger(&self, mixed: &[Mixed]) -> Result<Ledger> {
        let counted = |path: &&String| path.starts_with("decisions/") || path.starts_with("facts/records/");
        let files: Vec<PathBuf> =
            self.made().outputs.keys().filter(counted).map(|path| self.layout.out().join(path)).collect();
        self.verify(&files)?;
        let ledger = Ledger {
            stages: self.stage_entries().await?,
            lost: self.lost_entries().await?,
            cleaning: self.cleaning_entries().await?,
            truncated: self.truncated_entries().await?,
            cuts: self.cut_entries().await?,
            mixtures: self.written_entries(mixed).await?,
        };
        ledger.check()?;
        Ok(ledger)
    }

    /// Publishes the ledger and the manifest, and removes files that no stage of this run has made.
    pub fn close_accounts(&self, ledger: Ledger) -> Result<Outcome> {
        ledger::write(&ledger, &self.layout.ledger())?;
        self.write_manifest(&ledger)?;
        self.remove_superseded()?;
        let made = self.made();
        Ok(Outcome { ledger, found: made.found, ran: made.ran })
    }

    async fn stage_entries(&self) -> Result<Vec<StageEntry>> {
        let mut entries = Vec::new();
        let mut came: BTreeMap<String, u64> = BTreeMap::new();
        let (read, faults) = self.read_counts().await?;
        let decided = self.reasons("read").await?;
        for source in self.source_names() {
            let entry =
                entry("read", &source, read.get(&source).copied().unwrap_or_default(), &decided, faults.get(&source));
            came.insert(source, entry.kept);
            entries.push(entry);
        }
        for step in &self.plan.steps {
            let decided = self.reasons(&step.name).await?;
            for (source, kept) in &mut came {
                let entry = entry(&step.name, source, *kept, &decided, None);
                *kept = entry.kept;
                entries.push(entry);
            }
        }
        for mixture in &self.plan.mixtures {
            let stage = format!("mixture-{}", mixture.name);
            let decided = self.reasons(&stage).await?;
            for source in &mixture.weights.sources() {
                let kept = came.get(source).copied().unwrap_or_default();
                entries.push(entry(&stage, source, kept, &decided, None));
            }
        }
        Ok(entries)
    }

    /// What is lost of the files of each source.
    async fn lost_entries(&self) -> Result<Vec<LostEntry>> {
        let failed = |error| Error::from_plan("ledger", error);
        let context = self.session.relational();
        let mut entries = Vec::new();
        for source in &self.plan.sources {
            let table = self.tables(&context, &self.accounted).records(&source.name).await.map_err(failed)?;
            let table = table
                .filter(col("lost").is_not_null())
                .and_then(|table| {
                    let sums = vec![count(lit(1)).alias("stretches"), sum(col("lost")).alias("bytes")];
                    table.aggregate(vec![col("part")], sums)
                })
                .map_err(failed)?;
            let of = {
                let made = self.made();
                let stamp = |path| made.inputs.get(path).map_or(0, |(stamp, _)| stamp.bytes);
                source.files.iter().map(stamp).sum()
            };
            let mut entry = LostEntry { source: source.name.clone(), of, ..LostEntry::default() };
            for batch in self.collect("ledger", &context, table).await? {
                entry.files += batch.num_rows() as u64;
                let stretches = batch.column(1).as_primitive::<Int64Type>().iter().flatten();
                entry.stretches += stretches.map(i64::unsigned_abs).sum::<u64>();
                entry.bytes += batch.column(2).as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// What each cleaning of each source took.
    async fn cleaning_entries(&self) -> Result<Vec<CleaningEntry>> {
        let failed = |error| Error::from_plan("ledger", error);
        let context = self.session.relational();
        let mut entries = Vec::new();
        for source in self.plan.sources.iter().filter(|source| !source.clean.is_empty()) {
            // elements of lists are counted from 1
            let places = (1i64..).zip(&source.clean).map(|(place, _)| place);
            let sums = places.flat_map(|place| {
                let taken = coalesce(vec![array_element(col("taken"), lit(place)), lit(0u64)]);
                let any = cast(taken.clone().gt(lit(0u64)), DataType::UInt64);
                [sum(any).alias(format!("documents_{place}")), sum(taken).alias(format!("characters_{place}"))]
            });
            let table = self.tables(&context, &self.accounted).records(&source.name).await.map_err(failed)?;
            let table = table.aggregate(vec![], sums.collect()).map_err(failed)?;
            let batches = self.collect("ledger", &context, table).await?;
            let number = |column: usize| -> u64 {
                let of_batch = |batch: &RecordBatch| {
                    batch.column(column).as_primitive::<UInt64Type>().iter().flatten().sum::<u64>()
                };
                batches.iter().map(of_batch).sum()
            };
            entries.extend(source.clean.iter().enumerate().map(|(place, cleaning)| CleaningEntry {
                source: source.name.clone(),
                cleaning: cleaning.name().to_owned(),
                documents: number(2 * place),
                characters: number(2 * place + 1),
            }));
        }
        Ok(entries)
    }

    /// How many documents came cut.
    async fn truncated_entries(&self) -> Result<Vec<TruncatedEntry>> {
        let failed = |error| Error::from_plan("ledger", error);
        let context = self.session.relational();
        let table = self.tables(&context, &self.accounted).decisions("read").await.map_err(failed)?;
        let table = table.filter(col("verdict").eq(lit("keep")).and(col("truncated").is_not_null())).map_err(failed)?;
        let counts = self.counts(&context, table, &["source", "truncated"]).await?;
        let mut entries: Vec<_> = counts
            .into_iter()
            .map(|(mut keys, documents)| {
                let (truncated, source) = (keys.pop().flatten(), keys.pop().flatten());
                let [source, truncated] = [source, truncated].map(Option::unwrap_or_default);
                TruncatedEntry { source, truncated, documents }
            })
            .collect();
        entries.sort_by(|one, other| (&one.source, &one.truncated).cmp(&(&other.source, &other.truncated)));
        Ok(entries)
    }

    /// What each step has cut.
    async fn cut_entries(&self) -> Result<Vec<CutEntry>> {
        let context = self.session.relational();
        let mut entries = Vec::new();
        for step in self.plan.steps.iter().filter(|step| step.cuts()) {
            let failed = |error| Error::from_plan("ledger", error);
            let table = self.tables(&context, &self.accounted).decisions(&step.name).await.map_err(failed)?;
            let bytes = sum(CutText::Bytes.of(vec![col("cuts")])).alias("bytes");
            let table = table
                .filter(col("cuts").is_not_null())
                .and_then(|table| table.aggregate(vec![col("source")], vec![count(lit(1)).alias("documents"), bytes]))
                .and_then(|table| table.sort(vec![col("source").sort(true, false)]))
                .map_err(failed)?;
            for batch in self.collect("ledger", &context, table).await? {
                let documents = batch.column(1).as_primitive::<Int64Type>();
                let bytes = batch.column(2).as_primitive::<UInt64Type>();
                entries.extend((0..batch.num_rows()).map(|row| CutEntry {
                    stage: step.name.clone(),
                    source: batch.column(0).as_string_view().value(row).to_owned(),
                    documents: u64::try_from(documents.value(row)).expect("a count is not negative"),
                    bytes: bytes.value(row),
                }));
            }
        }
        Ok(entries)
    }

    /// Records that were read, by source, and those that are broken, by source and fault.
    async fn read_counts(&self) -> Result<(BTreeMap<String, u64>, Counts)> {
        let context = self.session.relational();
        let (mut read, mut faults) = (BTreeMap::new(), Counts::new());
        for source in self.source_names() {
            let table = self
                .tables(&context, &self.accounted)
                .records(&source)
                .await
                .map_err(|error| Error::from_plan("ledger", error))?;
            // a stretch that is lost is no record
            let table = table.filter(col("lost").is_null()).map_err(|error| Error::from_plan("ledger", error))?;
            let counts = self.counts(&context, table, &["fault"]).await?;
            read.insert(source.clone(), counts.iter().map(|(_, count)| count).sum());
            let broken = counts.into_iter().filter_map(|(mut keys, count)| Some((keys.pop()??, count)));
            faults.insert(source, broken.collect());
        }
        Ok((read, faults))
    }

    /// Documents of a stage by source and reason.
    async fn reasons(&self, stage: &str) -> Result<Counts> {
        let context = self.session.relational();
        let table = self
            .tables(&context, &self.accounted)
            .decisions(stage)
            .await
            .map_err(|error| Error::from_plan("ledger", error))?;
        let mut counts = Counts::new();
        for (mut keys, count) in self.counts(&context, table, &["source", "reason"]).await? {
            let (reason, source) = (keys.pop().flatten().unwrap_or_default(), keys.pop().flatten().unwrap_or_default());
            counts.entry(source).or_default().insert(reason, count);
        }
        Ok(counts)
    }

    /// How many rows agree in some columns of text.
    async fn counts(
        &self,
        context: &SessionContext,
        table: DataFrame,
        columns: &[&str],
    ) -> Result<Vec<(Vec<Option<String>>, u64)>> {
        let groups = columns.iter().map(|name| col(*name)).collect();
        let counted = table.aggregate(groups, vec![count(lit(1)).alias("count")]);
        let batches =
            self.collect("ledger", context, counted.map_err(|error| Error::from_plan("ledger", error))?).await?;
        let mut counts = Vec::new();
        for batch in batches {
            let numbers = batch.column(columns.len()).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let key = |column: usize| {
                    let texts = batch.column(column).as_string_view();
                    texts.is_valid(row).then(|| texts.value(row).to_owned())
                };
                let count = u64::try_from(numbers.value(row)).expect("a count is not negative");
                counts.push(((0..columns.len()).map(key).collect(), count));
            }
        }
        Ok(counts)
    }

    /// What the mixtures should hold, with the rows that their files do hold.
    async fn written_entries(&self, mixed: &[Mixed]) -> Result<Vec<MixtureEntry>> {
        let mut entries = Vec::new();
        for (mixture, mixed) in self.plan.mixtures.iter().zip(mixed) {
            let mut of_mixture =
                self.mixture_entries(&format!("mixture-{}", mixture.name), mixture, &self.accounted).await?;
            let mut rows: BTreeMap<(String, String), u64> = BTreeMap::new();
            let files = self.files_of(mixed);
            // those that were found done: nobody else would see that one has other bytes by now
            self.verify(&files)?;
            for split in ["train", "validation", "test"] {
                let is_of_split = |path: &&PathBuf| {
                    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{split}-")))
                };
                let paths: Vec<PathBuf> = files.iter().filter(is_of_split).cloned().collect();
                if paths.is_empty() {
                    continue;
                }
                let context = self.session.relational();
                let schema = mixture.content.schema();
                let table = self.tables(&context, &self.accounted).parquet(paths, &schema).await;
                let table = table.map_err(|error| Error::from_plan("ledger", error))?;
                for (mut keys, count) in self.counts(&context, table, &["source"]).await? {
                    rows.insert((split.to_owned(), keys.pop().flatten().unwrap_or_default()), count);
                }
            }
            for entry in &mut of_mixture {
                entry.rows = rows.remove(&(entry.split.clone(), entry.source.clone())).unwrap_or_default();
            }
            // rows of which no verdict knows
            for ((split, source), rows) in rows {
                let mixture = mixture.name.clone();
                of_mixture.push(MixtureEntry { mixture, split, source, rows, ..Default::default() });
            }
            entries.extend(of_mixture);
        }
        Ok(entries)
    }

    /// The files of a mixture, where they stand at present.
    fn files_of(&self, mixed: &Mixed) -> Vec<PathBuf> {
        match &mixed.staged {
            Some(staged) => staged.files.iter().map(|(name, ..)| staged.folder.join(name)).collect(),
            None => {
                let folder = format!("{}/", self.layout.relative(&self.layout.mixture(&mixed.name)));
                let made = self.made();
                let own = made.outputs.keys().filter(|path| path.starts_with(&folder));
                own.map(|path| self.layout.out().join(path)).collect()
            }
        }
    }

    fn write_manifest(&self, ledger: &Ledger) -> Result<()> {
        let made = self.made();
        let input = |(stamp, rows): &(crate::files::units::Stamp, Option<u64>)| FileEntry {
            path: stamp.path.display().to_string(),
            rows: *rows,
            bytes: stamp.bytes,
            sha256: stamp.sha256.clone(),
        };
        let by_the_clock = Fault::ExtractorTimeout.name();
        let is_kept = |path: &&String| !path.starts_with("work/");
        let manifest = Manifest {
            name: self.plan.name.clone(),
            seed: self.plan.seed,
            reproducible: self.plan.classifiers.iter().all(ClassifierPlan::is_reproducible)
                && !ledger.stages.iter().any(|entry| entry.quarantined.contains_key(by_the_clock)),
            recipe: self.plan.recipe.clone(),
            versions: std::iter::once(("curate".to_owned(), env!("CARGO_PKG_VERSION").to_owned()))
                .chain(made.versions.iter().map(|(name, number)| ((*name).to_owned(), number.to_string())))
                .collect(),
            inputs: made.inputs.values().map(input).collect(),
            outputs: made.outputs.iter().filter(|(path, _)| is_kept(path)).map(|(_, file)| file.clone()).collect(),
        };
        write_json(&self.layout.manifest(), &manifest)?;
        Ok(())
    }

    /// Removes what other runs in this folder have left: their successors are all published by now.
    fn remove_superseded(&self) -> Result<()> {
        let keep: BTreeSet<PathBuf> = self.made().outputs.keys().map(|path| self.layout.out().join(path)).collect();
        for folder in ["documents", "facts", "decisions", "models", "mixtures", "quarantine", "survivors"] {
            remove_others(&self.layout.out().join(folder), &keep)?;
        }
        Ok(())
    }
}

fn entry(
    stage: &str,
    source: &str,
    went_in: u64,
    decided: &Counts,
    faults: Option<&BTreeMap<String, u64>>,
) -> StageEntry {
    let mut dropped = decided.get(source).cloned().unwrap_or_default();
    let kept = dropped.remove("").unwrap_or_default();
    StageEntry {
        stage: stage.to_owned(),
        source: source.to_owned(),
        r#in: went_in,
        kept,
        dropped,
        quarantined: faults.cloned().unwrap_or_default(),
    }
}
