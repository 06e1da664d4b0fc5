//! Near-duplicates, joined over all sources and before any removal.

use std::sync::Arc;

use datafusion::{
    physical_plan::{coalesce_partitions::CoalescePartitionsExec, union::UnionExec},
    prelude::{DataFrame, SessionContext},
};

use super::{context::Run, made::Files, publishing::planned};
use crate::{
    decide::{self, BandsCard, ClusterAccount, ClusterConfig, ClusterExec, versions},
    error::{InStage as _, Result},
    files::{Inputs, Publication, hash_file, write_json},
    measure::Family,
    recipe::Plan,
};

/// Clusters of near-duplicates.
///
/// - reads: the facts of the family; texts, where candidates are verified; bands of indexes
/// - writes: the clusters, the account of them, and the card of the bands
pub struct Clusters<'r> {
    pub run: &'r Run<'r>,
    /// The hashes by which documents are joined.
    pub family: &'r Family,
}

/// The hashes by which documents are joined into clusters, if a run makes any.
pub fn clustered_by(plan: &Plan) -> Option<&Family> {
    // those that join the most
    ["bands", "normalized_fingerprints", "fingerprints"].iter().find_map(|name| plan.family(name))
}

/// What was counted when clusters were found.
pub fn cluster_account(run: &Run<'_>) -> Result<ClusterAccount> {
    run.read_made(&run.layout.cluster_account())
}

/// What clusters are made of, as tables.
struct Hashes {
    own: DataFrame,
    /// Those of each index.
    known: Vec<DataFrame>,
    /// The documents' texts, where candidates are verified.
    texts: Option<DataFrame>,
}

impl<'r> Clusters<'r> {
    /// The clusters of a run, if it makes any.
    pub fn of(run: &'r Run<'r>) -> Option<Self> {
        clustered_by(&run.plan).map(|family| Self { run, family })
    }

    /// Joins near-duplicates.
    pub async fn find(&self) -> Result<()> {
        let work = async {
            let members = self.join().await?;
            let left = match cluster_account(self.run)? {
                ClusterAccount { buckets_over_limit, pairs_left, .. } if pairs_left > 0 => {
                    format!("; {buckets_over_limit} bands over the limit, {pairs_left} pairs not compared")
                }
                _ => String::new(),
            };
            Ok(((), format!("{members} documents have near-duplicates{left}")))
        };
        self.run.told("clusters", 1, work).await
    }

    /// The unit. Returns how many documents have near-duplicates.
    async fn join(&self) -> Result<u64> {
        let Self { run, family } = self;
        let inputs = Inputs::of("clusters");
        let (streaming, relational) = (run.session.streaming(), run.session.relational());
        let hashes = self.hashes(&streaming, &relational, &inputs).await?;
        let settings = (family, run.plan.verification, &run.plan.indexes);
        let origin = run.units.origin(versions::CLUSTERS, &[], &settings, &inputs)?;
        let mark = run.units.run("clusters", "clusters", &origin, self.publish(&streaming, hashes)).await?;
        Ok(mark.outputs.first().and_then(|file| file.rows).unwrap_or_default())
    }

    async fn hashes(&self, streaming: &SessionContext, relational: &SessionContext, inputs: &Inputs) -> Result<Hashes> {
        let Self { run, family } = self;
        let sources = run.source_names();
        let own = run.tables(streaming, inputs).hashes(family, &sources).await.in_stage("clusters")?;
        let mut known = Vec::new();
        for index in &run.plan.indexes {
            known.push(decide::known_hashes(run.tables(relational, inputs), index).await.in_stage("clusters")?);
        }
        let texts = match run.plan.verification {
            Some(_) => Some(run.texts(streaming, &sources, inputs).await?),
            None => None,
        };
        Ok(Hashes { own, known, texts })
    }

    async fn publish(&self, context: &SessionContext, hashes: Hashes) -> Result<Files> {
        let Self { run, family } = self;
        let mut inputs = vec![planned("clusters", hashes.own).await?];
        for known in hashes.known {
            // in no order, and so in one partition: others would wait while one is read
            inputs.push(Arc::new(CoalescePartitionsExec::new(planned("clusters", known).await?)));
        }
        let inputs = UnionExec::try_new(inputs).in_stage("clusters")?;
        let texts = match hashes.texts {
            Some(texts) => Some(planned("clusters", texts).await?),
            None => None,
        };
        let account = run.layout.cluster_account();
        let config = ClusterConfig {
            verification: run.plan.verification,
            budget: run.session.budget(),
            account: account.clone(),
        };
        let clusters = Arc::new(ClusterExec::new(inputs, texts, config));
        let publication = Publication::new(run.layout.clusters(), &decide::clusters_schema());
        let mut files = run.publish_plan("clusters", context, clusters, vec![publication]).await?;
        let written = hash_file(&account)?;
        files.push((account, None, written));
        if let Some(bands) = family.bands() {
            let card = run.layout.bands_card();
            let written = write_json(&card, &BandsCard::new(bands))?;
            files.push((card, None, written));
        }
        Ok(files)
    }
}
