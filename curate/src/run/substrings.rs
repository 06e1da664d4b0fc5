//! Searching for substrings that stand in more than one place, before a step cuts them.

use std::sync::Arc;

use datafusion::prelude::DataFrame;

use super::context::Run;
use crate::{
    decide::{self, SubstringDedup, SubstringsConfig, SubstringsExec, versions},
    error::{Error, Result},
    files::{Inputs, Publication},
    recipe::StepPlan,
};

impl Run<'_> {
    /// Publishes the substrings of what `before` kept that stand in more than one place.
    pub async fn find_substrings(&self, before: &str, step: &StepPlan, wanted: SubstringDedup) -> Result<()> {
        let SubstringDedup { unit, sameness, keep_first } = wanted;
        let sources = &step.sources;
        let failed = |error| Error::from_plan(&step.name, error);
        let found = self.layout.substrings(&step.name);
        let context = self.session.streaming();
        let inputs = Inputs::of(&step.name);
        let kept = self.tables(&context, &inputs).kept(before).await.map_err(failed)?;
        let wanted =
            kept.filter(decide::is_of(sources)).and_then(|kept| kept.select_columns(&["id"])).map_err(failed)?;
        let ids = self.texts(&context, sources, &inputs).await?.select_columns(&["id"]).map_err(failed)?;
        let texts = self.texts(&context, sources, &inputs).await?;
        let origin = self.origin(versions::SUBSTRINGS, &[], step, &inputs)?;
        self.unit("repeats", &step.name, &origin, async {
            let plan = |table: DataFrame| async move { table.create_physical_plan().await.map_err(failed) };
            let config = SubstringsConfig { unit, sameness, keep_first, budget: self.session.budget() };
            let substrings = SubstringsExec::new(plan(wanted).await?, plan(ids).await?, plan(texts).await?, config);
            let publication = Publication::new(&found, &decide::substrings_schema());
            self.publish_plan(&step.name, &context, Arc::new(substrings), vec![publication]).await
        })
        .await?;
        Ok(())
    }
}
