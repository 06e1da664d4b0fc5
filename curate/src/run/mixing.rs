//! Mixtures: verdicts, places, routed text, shards, and the folder that appears with all of them.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use datafusion::{
    arrow::{
        array::AsArray as _,
        datatypes::{Int64Type, UInt64Type},
    },
    functions_aggregate::expr_fn::{count, sum},
    prelude::{col, lit},
};
use futures::{StreamExt as _, TryStreamExt as _};
use schemas::ledger::MixtureEntry;

use super::context::{Files, Run};
use crate::{
    decide::{self, Budget, MixtureRule, SplitShards, Totals},
    error::{Error, Result},
    files::{Publication, exchange, hash_file, remove_folder, units::Fingerprint, write_whole},
    recipe::MixturePlan,
    write::{self, dataset_card, placed_schema, routed_schema, shard_files},
};

/// The splits in the order in which their files are numbered.
const SPLITS: [&str; 3] = ["train", "validation", "test"];

impl Run<'_> {
    /// Writes every mixture.
    pub async fn write_mixtures(&self) -> Result<()> {
        for mixture in &self.plan.mixtures {
            let start = Instant::now();
            let stage = format!("mixture-{}", mixture.name);
            self.progress.begin(&stage, 1);
            self.decide_mixture(&stage, mixture).await?;
            let rows = self.write_mixture(&stage, mixture).await?;
            self.progress.end(&stage, start.elapsed().as_secs_f64(), &format!("{rows} rows"));
        }
        Ok(())
    }

    fn rule(&self, mixture: &MixturePlan) -> MixtureRule {
        MixtureRule {
            name: mixture.name.clone(),
            seed: self.plan.seed,
            weights: mixture.weights.clone(),
            unit: mixture.unit,
            budget: mixture.budget,
            max_epochs: mixture.max_epochs,
            validation: self.plan.validation,
            test: self.plan.test,
        }
    }

    /// Decides which documents go into a mixture, and how often.
    async fn decide_mixture(&self, stage: &str, mixture: &MixturePlan) -> Result<()> {
        let before = self.last_stage();
        let rule = self.rule(mixture);
        let sources: Vec<String> = mixture.weights.keys().cloned().collect();
        let words = self.plan.family("words").unwrap_or_else(|| unreachable!("every run measures words"));
        let mut inputs = self.hashes([self.layout.decisions(&before)]);
        inputs.extend(self.hashes(self.facts_of("words", &sources)));
        if self.is_clustered() {
            inputs.extend(self.hashes([self.layout.clusters()]));
        }
        let context = self.session.relational();
        let tables = self.tables(&context);
        let verdicts = async {
            let totals = decide::totals(tables, &before, words, self.is_clustered(), &rule).await?;
            let batches = self.collect(stage, &context, totals).await?;
            let totals = Totals::collect(&batches)?;
            let training =
                |source: &String| totals.get(&("train".to_owned(), source.clone())).map_or(0, |totals| totals.size);
            let sizes: BTreeMap<String, u64> =
                sources.iter().map(|source| (source.clone(), training(source))).collect();
            if let Some((source, _)) = sizes.iter().find(|(_, size)| **size == 0) {
                let message = format!("source `{source}` has no document left to train on");
                return Err(Error::Mixture { name: mixture.name.clone(), message }.into());
            }
            let budget = Budget::divide(&rule, &sizes);
            decide::mixture(tables, &before, words, self.is_clustered(), &rule, &budget).await
        };
        self.decide(stage, &(&rule, inputs), &context, verdicts).await
    }

    /// Writes the files of a mixture, unless they are found done. Returns how many rows they hold.
    async fn write_mixture(&self, stage: &str, mixture: &MixturePlan) -> Result<u64> {
        let sources: Vec<String> = mixture.weights.keys().cloned().collect();
        let documents = self.parts_of(&sources).map(|(source, part)| self.layout.documents(source, part));
        let mut inputs = self.hashes(documents.collect::<Vec<_>>());
        inputs.extend(self.hashes([self.layout.decisions(stage)]));
        let fingerprint =
            Fingerprint::of("mixture", &(&mixture.name, &mixture.content, mixture.shard_bytes, self.plan.seed, inputs));
        // half-made files of another fingerprint are of no use
        let staging = self.layout.work().join(format!("staging-{}", mixture.name));
        let work = async {
            let shards = self.shards(stage, mixture).await?;
            let routed = self.route_mixture(stage, mixture, &fingerprint, &shards).await?;
            let names = shard_files(&shards);
            let units = (0u32..).zip(&names).map(|(number, name)| {
                let path = staging.join("files").join(name);
                self.write_shard(stage, mixture, &fingerprint, &routed, number, path)
            });
            let rows: Vec<Option<u64>> = futures::stream::iter(units).buffered(self.threads).try_collect().await?;
            let entries = self.mixture_entries(stage, mixture).await?;
            let card = dataset_card(&mixture.name, &mixture.content, &shards, &entries);
            write_whole(&staging.join("files/README.md"), card.as_bytes())?;
            let folder = self.layout.mixture(&mixture.name);
            exchange(&staging.join("files"), &folder)?;
            let mut files: Files = Vec::new();
            for (name, rows) in names.iter().zip(rows).chain([(&"README.md".to_owned(), None)]) {
                let path = folder.join(name);
                let written = hash_file(&path)?;
                files.push((path, rows, written));
            }
            Ok(files)
        };
        let mark = self.unit("mixtures", &mixture.name, fingerprint.clone(), work).await?;
        remove_folder(&staging)?;
        Ok(mark.outputs.iter().filter_map(|file| file.rows).sum())
    }

    /// How many shards each split has, by the bytes that it will hold.
    async fn shards(&self, stage: &str, mixture: &MixturePlan) -> Result<Vec<SplitShards>> {
        let failed = |error| Error::from_plan(stage, error);
        let context = self.session.relational();
        let sizes = self.tables(&context).decisions(stage).await.map_err(failed)?;
        let sizes = sizes
            .filter(col("verdict").eq(lit("keep")))
            .and_then(|table| {
                table.aggregate(vec![col("split")], vec![sum(col("bytes") * col("copies")).alias("bytes")])
            })
            .map_err(failed)?;
        let batches = self.collect(stage, &context, sizes).await?;
        let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
        for batch in &batches {
            let (splits, sizes) = (batch.column(0).as_string_view(), batch.column(1).as_primitive::<UInt64Type>());
            bytes.extend(splits.iter().flatten().map(str::to_owned).zip(sizes.values().iter().copied()));
        }
        let templates = mixture.content.templates().len() as u64;
        let mut shards = Vec::new();
        let mut first = 0;
        for split in SPLITS {
            let Some(bytes) = bytes.get(split) else { continue };
            let count = (bytes * templates).div_ceil(mixture.shard_bytes).max(1);
            let count = u32::try_from(count).expect("shards can be numbered");
            shards.push(SplitShards { split: split.to_owned(), first, count });
            first += count;
        }
        Ok(shards)
    }

    /// Gives every row its place, then takes the text of every file to its shard.
    async fn route_mixture(
        &self,
        stage: &str,
        mixture: &MixturePlan,
        fingerprint: &Fingerprint,
        shards: &[SplitShards],
    ) -> Result<Vec<PathBuf>> {
        let staging = self.layout.work().join(format!("staging-{}", mixture.name));
        let places = staging.join("places.parquet");
        self.unit("staging", &format!("{}/places", mixture.name), fingerprint.clone(), async {
            let context = self.session.relational();
            let tables = self.tables(&context);
            let table = write::places(tables, &mixture.name, stage, &mixture.content, self.plan.seed, shards).await;
            let table = table.map_err(|error| Error::from_plan(stage, error))?;
            let publication = Publication::new(&places, &placed_schema());
            self.publish(stage, &context, table, vec![publication]).await
        })
        .await?;
        let sources: Vec<String> = mixture.weights.keys().cloned().collect();
        let units = self.parts_of(&sources).map(|(source, part)| {
            let path = staging.join("routed").join(source).join(format!("part-{part:05}.parquet"));
            let (places, publication) = (places.clone(), Publication::new(&path, &routed_schema(&mixture.content)));
            async move {
                let unit = format!("{}/routed/{source}/part-{part:05}", mixture.name);
                self.unit("staging", &unit, fingerprint.clone(), async {
                    let context = self.session.streaming();
                    let table = write::route(self.tables(&context), places, &mixture.content, source, part).await;
                    let table = table.map_err(|error| Error::from_plan(stage, error))?;
                    self.publish(stage, &context, table, vec![publication.grouped_by("shard")]).await
                })
                .await?;
                Ok::<_, Error>(path)
            }
        });
        futures::stream::iter(units.collect::<Vec<_>>()).buffered(self.threads).try_collect().await
    }

    async fn write_shard(
        &self,
        stage: &str,
        mixture: &MixturePlan,
        fingerprint: &Fingerprint,
        routed: &[PathBuf],
        number: u32,
        path: PathBuf,
    ) -> Result<Option<u64>> {
        let unit = format!("{}/shard-{number:05}", mixture.name);
        let mark = self
            .unit("staging", &unit, fingerprint.clone(), async {
                let context = self.session.streaming();
                let table = write::shard(self.tables(&context), routed.to_vec(), &mixture.content, number).await;
                let table = table.map_err(|error| Error::from_plan(stage, error))?;
                let publication = Publication::new(&path, &mixture.content.schema());
                self.publish(stage, &context, table, vec![publication]).await
            })
            .await?;
        Ok(mark.outputs.first().and_then(|file| file.rows))
    }

    /// What a mixture should hold, by split and source, from its verdicts.
    pub async fn mixture_entries(&self, stage: &str, mixture: &MixturePlan) -> Result<Vec<MixtureEntry>> {
        let failed = |error| Error::from_plan(stage, error);
        let context = self.session.relational();
        let table = self.tables(&context).decisions(stage).await.map_err(failed)?;
        let table = table
            .filter(col("verdict").eq(lit("keep")))
            .and_then(|table| {
                let counts = vec![count(lit(1)).alias("documents"), sum(col("copies")).alias("copies")];
                table.aggregate(vec![col("split"), col("source")], counts)
            })
            .and_then(|table| table.sort(vec![col("split").sort(true, false), col("source").sort(true, false)]))
            .map_err(failed)?;
        let templates = mixture.content.templates().len() as u64;
        let mut entries = Vec::new();
        for batch in self.collect(stage, &context, table).await? {
            let (splits, sources) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
            let documents = batch.column(2).as_primitive::<Int64Type>();
            let copies = batch.column(3).as_primitive::<UInt64Type>();
            for row in 0..batch.num_rows() {
                entries.push(MixtureEntry {
                    mixture: mixture.name.clone(),
                    split: splits.value(row).to_owned(),
                    source: sources.value(row).to_owned(),
                    documents: u64::try_from(documents.value(row)).expect("a count is not negative"),
                    copies: copies.value(row),
                    templates,
                    rows: copies.value(row) * templates,
                });
            }
        }
        Ok(entries)
    }
}
