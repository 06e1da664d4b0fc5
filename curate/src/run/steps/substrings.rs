//! Searching for substrings that stand in more than one place, before a step cuts them.

use std::sync::Arc;

use super::super::{context::Run, publishing::planned};
use crate::{
    decide::{self, SubstringDedup, SubstringsConfig, SubstringsExec, versions},
    error::{InStage as _, Result},
    files::{Inputs, Publication},
    recipe::StepPlan,
};

/// The search for substrings.
///
/// - reads: the decisions of the stage before, and all texts
/// - writes: the substrings that stand in more than one place
pub struct SubstringSearch<'r> {
    pub run: &'r Run<'r>,
    /// The stage before.
    pub before: &'r str,
    pub step: &'r StepPlan,
}

impl SubstringSearch<'_> {
    /// Publishes the substrings of what the stage before kept that stand in more than one place.
    pub async fn find(&self, wanted: SubstringDedup) -> Result<()> {
        let Self { run, before, step } = *self;
        let stage = step.name.as_str();
        let SubstringDedup { unit, sameness, keep_first } = wanted;
        let sources = &step.sources;
        let found = run.layout.substrings(stage);
        let context = run.session.streaming();
        let inputs = Inputs::of(stage);
        let kept = run.tables(&context, &inputs).kept(before).await.in_stage(stage)?;
        let wanted =
            kept.filter(decide::is_of(sources)).and_then(|kept| kept.select_columns(&["id"])).in_stage(stage)?;
        let texts = run.texts(&context, sources, &inputs).await?;
        let ids = texts.clone().select_columns(&["id"]).in_stage(stage)?;
        let origin = run.units.origin(versions::SUBSTRINGS, &[], step, &inputs)?;
        run.units
            .run("repeats", stage, &origin, async {
                let plan = |table| planned(stage, table);
                let config = SubstringsConfig { unit, sameness, keep_first, budget: run.session.budget() };
                let substrings = SubstringsExec::new(plan(wanted).await?, plan(ids).await?, plan(texts).await?, config);
                let publication = Publication::new(&found, &decide::substrings_schema());
                run.publish_plan(stage, &context, Arc::new(substrings), vec![publication]).await
            })
            .await?;
        Ok(())
    }
}
