//! The stages that decide before any step: read, and clusters; and how verdicts are published.

use std::{sync::Arc, time::Instant};

use datafusion::{
    arrow::{array::AsArray as _, datatypes::Int64Type},
    functions_aggregate::expr_fn::count,
    physical_plan::{coalesce_partitions::CoalescePartitionsExec, union::UnionExec},
    prelude::{DataFrame, SessionContext, col, lit},
};
use serde::Serialize;

use super::context::{Files, Run};
use crate::{
    decide::{self, BandsCard, ClusterAccount, ClusterConfig, ClusterExec, versions},
    error::{Error, Result},
    files::{Inputs, Publication, Version, hash_file, write_json},
    measure::Family,
};

impl Run<'_> {
    /// Decides which records are documents.
    pub async fn decide_read(&self) -> Result<()> {
        let failed = |error| Error::from_plan("read", error);
        let inputs = Inputs::of("read");
        let context = self.session.relational();
        let table = decide::read(self.tables(&context, &inputs)).await.map_err(failed)?;
        self.decide(versions::READ, &(), &inputs, &context, table).await?;
        // whether facts have to be made unique by id before they are joined
        let inputs = Inputs::of("read");
        let repeats = self.tables(&context, &inputs).decisions("read").await.map_err(failed)?;
        self.verify(&inputs.close())?;
        let repeats = repeats
            .filter(col("reason").eq(lit("same_record")))
            .and_then(|table| table.aggregate(vec![], vec![count(lit(1)).alias("repeats")]))
            .map_err(failed)?;
        let batches = self.collect("read", &context, repeats).await?;
        let any = batches.iter().any(|batch| batch.column(0).as_primitive::<Int64Type>().value(0) > 0);
        self.made().repeats = any;
        Ok(())
    }

    /// The hashes by which documents are joined into clusters, if the run makes any.
    pub fn clustered_by(&self) -> Option<&Family> {
        // those that join the most
        ["bands", "normalized_fingerprints", "fingerprints"].iter().find_map(|name| self.plan.family(name))
    }

    /// Joins near-duplicates, over all sources and before any removal.
    pub async fn find_clusters(&self) -> Result<()> {
        let Some(family) = self.clustered_by() else { return Ok(()) };
        let start = Instant::now();
        self.progress.begin("clusters", 1);
        let sources = self.source_names();
        let verification = self.plan.verification;
        let failed = |error| Error::from_plan("clusters", error);
        let inputs = Inputs::of("clusters");
        let (context, relational) = (self.session.streaming(), self.session.relational());
        let hashes = self.tables(&context, &inputs).hashes(family, &sources).await.map_err(failed)?;
        let mut known = Vec::new();
        for index in &self.plan.indexes {
            known.push(decide::known_hashes(self.tables(&relational, &inputs), index).await.map_err(failed)?);
        }
        let texts = match verification {
            Some(_) => Some(self.texts(&context, &sources, &inputs).await?),
            None => None,
        };
        let settings = (family, verification, &self.plan.indexes);
        let origin = self.origin(versions::CLUSTERS, &[], &settings, &inputs)?;
        let account = self.layout.cluster_account();
        let mark = self
            .unit("clusters", "clusters", &origin, async {
                let plan = |table: DataFrame| async move { table.create_physical_plan().await.map_err(failed) };
                let mut hashes = vec![plan(hashes).await?];
                for known in known {
                    // in no order, and so in one partition: others would wait while one is read
                    hashes.push(Arc::new(CoalescePartitionsExec::new(plan(known).await?)));
                }
                let hashes = UnionExec::try_new(hashes).map_err(failed)?;
                let texts = match texts {
                    Some(texts) => Some(plan(texts).await?),
                    None => None,
                };
                let config = ClusterConfig { verification, budget: self.session.budget(), account: account.clone() };
                let clusters = Arc::new(ClusterExec::new(hashes, texts, config));
                let publication = Publication::new(self.layout.clusters(), &decide::clusters_schema());
                let mut files = self.publish_plan("clusters", &context, clusters, vec![publication]).await?;
                files.push((account.clone(), None, hash_file(&account)?));
                if let Some(bands) = family.bands() {
                    let card = self.layout.bands_card();
                    let written = write_json(&card, &BandsCard::new(bands))?;
                    files.push((card, None, written));
                }
                Ok(files)
            })
            .await?;
        let members = mark.outputs.first().and_then(|file| file.rows).unwrap_or_default();
        let left = match self.cluster_account()? {
            ClusterAccount { buckets_over_limit, pairs_left, .. } if pairs_left > 0 => {
                format!("; {buckets_over_limit} bands over the limit, {pairs_left} pairs not compared")
            }
            _ => String::new(),
        };
        let note = format!("{members} documents have near-duplicates{left}");
        self.progress.end("clusters", start.elapsed().as_secs_f64(), &note);
        Ok(())
    }

    /// What was counted when clusters were found.
    pub fn cluster_account(&self) -> Result<ClusterAccount> {
        self.read_made(&self.layout.cluster_account())
    }

    /// Publishes the verdicts of a stage, unless they are found done. They follow from the code that decides, its settings, and what their plan
    /// has opened.
    pub async fn decide(
        &self,
        code: Version,
        settings: &impl Serialize,
        inputs: &Inputs,
        context: &SessionContext,
        verdicts: DataFrame,
    ) -> Result<()> {
        let stage = inputs.stage();
        let origin = self.origin(code, &[versions::VERDICT], &(stage, settings), inputs)?;
        self.unit("decisions", stage, &origin, async { self.publish_verdicts(stage, context, verdicts).await }).await?;
        Ok(())
    }

    /// Publishes the verdicts of a stage.
    pub async fn publish_verdicts(&self, stage: &str, context: &SessionContext, verdicts: DataFrame) -> Result<Files> {
        let schema = verdicts.schema().as_arrow().clone();
        let publication = Publication::new(self.layout.decisions(stage), &schema);
        self.publish(stage, context, verdicts, vec![publication]).await
    }
}
