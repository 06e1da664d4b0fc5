//! Fitting the shape of a Pareto draw, before a step draws by it.

use datafusion::{
    arrow::{
        array::AsArray as _,
        datatypes::{Float64Type, Int64Type},
    },
    prelude::{DataFrame, SessionContext},
};

use super::super::context::Run;
use crate::{
    decide::{self, FittedAlpha, versions},
    error::{Error, InStage as _, Result},
    files::{Inputs, write_json},
    measure::Family,
    recipe::StepPlan,
};

/// The fit of a draw's shape.
///
/// - reads: the decisions of the stage before, and scores
/// - writes: the shape, with what it was fitted to
pub struct AlphaFit<'r> {
    pub run: &'r Run<'r>,
    /// The stage before.
    pub before: &'r str,
    pub step: &'r StepPlan,
}

impl AlphaFit<'_> {
    /// Chooses the shape by the scores of the reference.
    pub async fn fit(&self) -> Result<f64> {
        let Self { run, before, step } = *self;
        let classifier = step.classifier().unwrap_or_default();
        let score = run.score_family(classifier)?;
        let reference = run.plan.reference_of(step);
        let language = run.plan.language_of(step);
        let context = run.session.relational();
        let inputs = Inputs::of(&step.name);
        let scores = self.scores(&context, &inputs, before, &score, &step.sources, None).await?;
        let of_reference = self.scores(&context, &inputs, "read", &score, reference, language).await?;
        let origin = run.units.origin(versions::ALPHA, &[], step, &inputs)?;
        let path = run.layout.fitted_alpha(&step.name);
        run.units
            .run("alpha", &step.name, &origin, async {
                let scores = self.counted(&step.name, &context, scores).await?;
                let fitted = FittedAlpha::fit(&scores, &self.counted(&step.name, &context, of_reference).await?);
                let fitted = fitted.ok_or_else(|| Error::Classifier {
                    name: classifier.to_owned(),
                    message: format!("step `{}` has no documents, or no reference, to fit `alpha` to", step.name),
                })?;
                let written = write_json(&path, &fitted)?;
                Ok(vec![(path.clone(), None, written)])
            })
            .await?;
        let fitted: FittedAlpha = run.read_made(&path)?;
        Ok(fitted.alpha)
    }

    /// The scores of the documents of some sources that a stage kept, the lowest first, each with how many have it.
    async fn scores(
        &self,
        context: &SessionContext,
        inputs: &Inputs,
        stage: &str,
        score: &Family,
        sources: &[String],
        language: Option<&str>,
    ) -> Result<DataFrame> {
        let language = language.and_then(|language| Some((self.run.plan.family("language")?, language)));
        let counts = decide::score_counts(self.run.tables(context, inputs), stage, score, sources, language).await;
        counts.in_stage(stage)
    }

    /// The rows of [`Self::scores`].
    async fn counted(&self, stage: &str, context: &SessionContext, counts: DataFrame) -> Result<Vec<(f64, u64)>> {
        let mut scores = Vec::new();
        for batch in self.run.collect(stage, context, counts).await? {
            let values = batch.column(0).as_primitive::<Float64Type>().values();
            let counts = batch.column(1).as_primitive::<Int64Type>().values();
            scores.extend(values.iter().zip(counts).map(|(score, count)| (*score, count.cast_unsigned())));
        }
        Ok(scores)
    }
}
