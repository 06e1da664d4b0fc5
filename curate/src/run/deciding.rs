//! The stages that decide: read, clusters, and the recipe's steps.

use std::{future::Future, sync::Arc, time::Instant};

use datafusion::{
    arrow::{array::AsArray as _, datatypes::Int64Type},
    functions_aggregate::expr_fn::count,
    prelude::{DataFrame, SessionContext, col, lit},
};
use serde::Serialize;

use super::context::Run;
use crate::{
    decide::{self, ClusterExec, ParetoRule, Rule},
    error::{Error, Result},
    files::{Publication, units::Fingerprint},
    measure::Family,
    recipe::{Step, StepKind},
};

impl Run<'_> {
    /// Decides which records are documents.
    pub async fn decide_read(&self) -> Result<()> {
        let sources = self.source_names();
        let inputs = self.hashes(self.facts_of("records", &sources));
        let context = self.session.relational();
        self.decide("read", &inputs, &context, decide::read(self.tables(&context))).await?;
        // whether facts have to be made unique by id before they are joined
        let failed = |error| Error::from_plan("read", error);
        let repeats = self.tables(&context).decisions("read").await.map_err(failed)?;
        let repeats = repeats
            .filter(col("reason").eq(lit("same_record")))
            .and_then(|table| table.aggregate(vec![], vec![count(lit(1)).alias("repeats")]))
            .map_err(failed)?;
        let batches = self.collect("read", &context, repeats).await?;
        let any = batches.iter().any(|batch| batch.column(0).as_primitive::<Int64Type>().value(0) > 0);
        self.made().repeats = any;
        Ok(())
    }

    /// Whether documents that are alike are joined into clusters.
    pub fn is_clustered(&self) -> bool {
        self.plan.family("fingerprints").is_some() || self.plan.family("bands").is_some()
    }

    /// Joins documents that are alike, over all sources and before any removal.
    pub async fn find_clusters(&self) -> Result<()> {
        if !self.is_clustered() {
            return Ok(());
        }
        let start = Instant::now();
        self.progress.begin("clusters", 1);
        let sources = self.source_names();
        let (fingerprints, bands) = (self.plan.family("fingerprints"), self.plan.family("bands"));
        let families: Vec<&Family> = fingerprints.into_iter().chain(bands).collect();
        let inputs = self.hashes(families.iter().flat_map(|family| self.facts_of(&family.name, &sources)));
        let fingerprint = Fingerprint::of("clusters", &(&families, inputs));
        let mark = self
            .unit("clusters", "clusters", fingerprint, async {
                let failed = |error| Error::from_plan("clusters", error);
                let context = self.session.relational();
                let hashes = decide::hashes(self.tables(&context), fingerprints, bands, &sources).await;
                let hashes = hashes.map_err(failed)?.create_physical_plan().await.map_err(failed)?;
                let clusters = Arc::new(ClusterExec::new(hashes));
                let publication = Publication::new(self.layout.clusters(), &clusters_schema());
                self.publish_plan("clusters", &context, clusters, vec![publication]).await
            })
            .await?;
        let members = mark.outputs.first().and_then(|file| file.rows).unwrap_or_default();
        self.progress.end("clusters", start.elapsed().as_secs_f64(), &format!("{members} documents are like others"));
        Ok(())
    }

    /// Takes the steps in their order.
    pub async fn decide_steps(&self) -> Result<()> {
        let start = Instant::now();
        self.progress.begin("steps", self.plan.steps.len() as u64);
        let mut before = "read".to_owned();
        for step in &self.plan.steps {
            self.decide_step(&before, step).await?;
            self.progress.advance();
            before.clone_from(&step.name);
        }
        let names: Vec<&str> = self.plan.steps.iter().map(|step| step.name.as_str()).collect();
        self.progress.end("steps", start.elapsed().as_secs_f64(), &names.join(", "));
        Ok(())
    }

    async fn decide_step(&self, before: &str, step: &Step) -> Result<()> {
        let context = self.session.relational();
        let tables = self.tables(&context);
        let sources = &step.sources;
        let mut inputs = self.hashes([self.layout.decisions(before)]);
        let family = |name: &str| {
            let family = self.plan.family(name).cloned();
            family.unwrap_or_else(|| unreachable!("the check of the recipe saw to the facts `{name}`"))
        };
        let rule: Option<(Family, Box<dyn Rule + Sync + Send>)> = match &step.kind {
            StepKind::Language(rule) => Some((family("language"), Box::new(rule.clone()))),
            StepKind::GopherQuality(rule) => Some((family("words"), Box::new(rule.clone()))),
            StepKind::GopherRepetition(rule) => Some((family("words"), Box::new(rule.clone()))),
            StepKind::FinewebQuality(rule) => Some((family("words"), Box::new(rule.clone()))),
            StepKind::C4Quality(rule) => Some((family("c4_lines"), Box::new(rule.clone()))),
            StepKind::Urls(rule) => Some((family("urls"), Box::new(rule.clone()))),
            StepKind::Pareto { classifier, alpha } => {
                let rule = ParetoRule { alpha: *alpha, seed: self.plan.seed, stage: step.name.clone() };
                Some((self.score_family(classifier)?, Box::new(rule)))
            }
            StepKind::ExactDuplicates | StepKind::NearDuplicates => None,
        };
        match (&step.kind, rule) {
            (StepKind::NearDuplicates, _) => {
                inputs.extend(self.hashes([self.layout.clusters()]));
                let table = decide::near_duplicates(tables, before, sources);
                self.decide(&step.name, &(step, self.plan.seed, inputs), &context, table).await
            }
            (_, Some((family, rule))) => {
                inputs.extend(self.hashes(self.facts_of(&family.name, sources)));
                let table = decide::apply(tables, before, &family, sources, rule.as_ref());
                self.decide(&step.name, &(step, self.plan.seed, inputs), &context, table).await
            }
            (_, None) => {
                let family = family("fingerprints");
                inputs.extend(self.hashes(self.facts_of(&family.name, sources)));
                let table = decide::exact_duplicates(tables, before, &family, sources);
                self.decide(&step.name, &(step, self.plan.seed, inputs), &context, table).await
            }
        }
    }

    /// Publishes the verdicts of a stage, unless they are found done.
    pub async fn decide(
        &self,
        stage: &str,
        follows_from: &impl Serialize,
        context: &SessionContext,
        verdicts: impl Future<Output = datafusion::error::Result<DataFrame>>,
    ) -> Result<()> {
        self.unit("decisions", stage, Fingerprint::of("decisions", &(stage, follows_from)), async {
            let verdicts = verdicts.await.map_err(|error| Error::from_plan(stage, error))?;
            let schema = verdicts.schema().as_arrow().clone();
            let publication = Publication::new(self.layout.decisions(stage), &schema);
            self.publish(stage, context, verdicts, vec![publication]).await
        })
        .await?;
        Ok(())
    }

    /// The last stage before mixtures.
    pub fn last_stage(&self) -> String {
        self.plan.steps.last().map_or_else(|| "read".to_owned(), |step| step.name.clone())
    }
}

fn clusters_schema() -> datafusion::arrow::datatypes::Schema {
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    Schema::new(vec![Field::new("member", DataType::Utf8View, false), Field::new("cluster", DataType::Utf8View, false)])
}
