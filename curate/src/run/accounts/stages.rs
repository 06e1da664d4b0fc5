//! What went into each stage, by source, and what became of it.

use std::collections::BTreeMap;

use datafusion::prelude::col;
use schemas::ledger::StageEntry;

use super::drawn::Drawn;
use crate::{error::Result, run::mixtures::MixtureStage};

/// Counts by source, then by reason or fault; what has neither counts under the empty name.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// The entries of all stages, in their order.
pub async fn entries(drawn: &Drawn<'_>) -> Result<Vec<StageEntry>> {
    let run = drawn.run;
    let mut entries = Vec::new();
    let mut came: BTreeMap<String, u64> = BTreeMap::new();
    let (read, faults) = read_counts(drawn).await?;
    let decided = reasons(drawn, "read").await?;
    for source in run.source_names() {
        let read = read.get(&source).copied().unwrap_or_default();
        let entry = entry("read", &source, read, &decided, faults.get(&source));
        came.insert(source, entry.kept);
        entries.push(entry);
    }
    for step in &run.plan.steps {
        let decided = reasons(drawn, &step.name).await?;
        for (source, kept) in &mut came {
            let entry = entry(&step.name, source, *kept, &decided, None);
            *kept = entry.kept;
            entries.push(entry);
        }
    }
    for mixture in &run.plan.mixtures {
        let stage = MixtureStage::of(run, mixture).name;
        let decided = reasons(drawn, &stage).await?;
        for source in &mixture.weights.sources() {
            let kept = came.get(source).copied().unwrap_or_default();
            entries.push(entry(&stage, source, kept, &decided, None));
        }
    }
    Ok(entries)
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

/// Records that were read, by source, and those that are broken, by source and fault.
async fn read_counts(drawn: &Drawn<'_>) -> Result<(BTreeMap<String, u64>, Counts)> {
    let (mut read, mut faults) = (BTreeMap::new(), Counts::new());
    for source in drawn.run.source_names() {
        // a stretch that is lost is no record
        let records = drawn.records(&source).await?.filter(col("lost").is_null());
        let counts = drawn.counts(records, &["fault"]).await?;
        read.insert(source.clone(), counts.iter().map(|(_, count)| count).sum());
        let broken = counts.into_iter().filter_map(|(mut keys, count)| Some((keys.pop()??, count)));
        faults.insert(source, broken.collect());
    }
    Ok((read, faults))
}

/// Documents of a stage by source and reason.
async fn reasons(drawn: &Drawn<'_>, stage: &str) -> Result<Counts> {
    let decisions = drawn.decisions(stage).await?;
    let mut counts = Counts::new();
    for (mut keys, count) in drawn.counts(Ok(decisions), &["source", "reason"]).await? {
        let (reason, source) = (keys.pop().flatten().unwrap_or_default(), keys.pop().flatten().unwrap_or_default());
        counts.entry(source).or_default().insert(reason, count);
    }
    Ok(counts)
}
