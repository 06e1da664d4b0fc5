//! Plans that run: their rows collected, or published in files.

use std::sync::Arc;

use datafusion::{
    arrow::array::RecordBatch,
    physical_plan::ExecutionPlan,
    prelude::{DataFrame, SessionContext},
};
use serde::Serialize;

use super::{context::Run, made::Files};
use crate::{
    decide::versions,
    error::{InStage as _, Result},
    files::{Inputs, Publication, PublishExec, Version, published},
};

/// A table as the plan that gives it.
pub async fn planned(stage: &str, table: DataFrame) -> Result<Arc<dyn ExecutionPlan>> {
    table.create_physical_plan().await.in_stage(stage)
}

impl Run<'_> {
    /// Plans a table and collects its rows, which are few.
    pub async fn collect(&self, stage: &str, context: &SessionContext, table: DataFrame) -> Result<Vec<RecordBatch>> {
        let plan = planned(stage, table).await?;
        self.run_plan(stage, context, plan).await
    }

    /// Plans a table, ends it in files and runs it.
    pub async fn publish(
        &self,
        stage: &str,
        context: &SessionContext,
        table: DataFrame,
        publications: Vec<Publication>,
    ) -> Result<Files> {
        let plan = planned(stage, table).await?;
        self.publish_plan(stage, context, plan, publications).await
    }

    /// Ends a plan in files and runs it.
    pub async fn publish_plan(
        &self,
        stage: &str,
        context: &SessionContext,
        plan: Arc<dyn ExecutionPlan>,
        publications: Vec<Publication>,
    ) -> Result<Files> {
        let plan = PublishExec::new(plan, publications).in_stage(stage)?;
        let batches = self.run_plan(stage, context, Arc::new(plan)).await?;
        let files = published(&batches).in_stage(stage)?;
        Ok(files.into_iter().map(|(path, rows, written)| (path, Some(rows), written)).collect())
    }

    /// Publishes the verdicts of a stage.
    pub async fn publish_verdicts(&self, stage: &str, context: &SessionContext, verdicts: DataFrame) -> Result<Files> {
        let schema = verdicts.schema().as_arrow().clone();
        let publication = Publication::new(self.layout.decisions(stage), &schema);
        self.publish(stage, context, verdicts, vec![publication]).await
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
        let origin = self.units.origin(code, &[versions::VERDICT], &(stage, settings), inputs)?;
        self.units
            .run("decisions", stage, &origin, async { self.publish_verdicts(stage, context, verdicts).await })
            .await?;
        Ok(())
    }

    /// Runs a plan, and notes how it ran.
    async fn run_plan(
        &self,
        stage: &str,
        context: &SessionContext,
        plan: Arc<dyn ExecutionPlan>,
    ) -> Result<Vec<RecordBatch>> {
        let batches = self.session.collect(stage, context, Arc::clone(&plan)).await?;
        self.plans.note(stage, plan.as_ref())?;
        Ok(batches)
    }
}
