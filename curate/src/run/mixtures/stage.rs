//! The stage of one mixture: its name, and what its files follow from.

use schemas::ledger::mixture_stage;

use crate::{
    error::Result,
    files::Inputs,
    recipe::MixturePlan,
    run::{clusters::clustered_by, context::Run, units::Origin},
    write::versions,
};

/// The stage of a mixture.
pub struct MixtureStage<'r> {
    pub run: &'r Run<'r>,
    pub mixture: &'r MixturePlan,
    /// The stage's name, which is that of its verdicts.
    pub name: String,
}

impl<'r> MixtureStage<'r> {
    /// The stage that makes a mixture.
    pub fn of(run: &'r Run<'r>, mixture: &'r MixturePlan) -> Self {
        Self { run, mixture, name: mixture_stage(&mixture.name) }
    }

    /// Whether clusters say which documents are alike, so that none is a negative of another.
    pub fn reads_clusters(&self) -> bool {
        self.mixture.content.negatives().count() > 0 && clustered_by(&self.run.plan).is_some()
    }

    /// What the files of the mixture follow from. What is opened here is all that its making may read.
    pub fn origin(&self, inputs: &Inputs) -> Result<Origin> {
        let Self { run, mixture, name: stage } = self;
        let (sources, all) = (mixture.weights.sources(), run.source_names());
        let documents = run.parts_of(&sources).map(|(source, part)| run.layout.documents(source, part));
        let records = run.parts_of(&all).map(|(source, part)| run.layout.facts("records", source, part));
        let after_cuts = run.plan.after_cuts().map(|step| run.layout.decisions(&step.name));
        let decided = [run.layout.decisions(stage), run.layout.mixture_account(&mixture.name)];
        let clusters = self.reads_clusters().then(|| run.layout.clusters());
        for path in documents.chain(records).chain(after_cuts).chain(decided).chain(clusters) {
            inputs.open(&path)?;
        }
        let MixturePlan { name, content, shard_bytes, .. } = mixture;
        let code = [versions::POOL, versions::ROUTE, versions::SHARD, versions::CARD];
        let settings = (name, content, shard_bytes, run.plan.seed, &run.plan.licences);
        run.units.origin(versions::PLACES, &code, &settings, inputs)
    }
}
