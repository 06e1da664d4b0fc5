//! Fitting the shape of a Pareto draw, before a step draws by it.

use datafusion::{
    arrow::{
        array::AsArray as _,
        datatypes::{Float64Type, Int64Type},
    },
    prelude::{DataFrame, SessionContext},
};

use super::context::Run;
use crate::{
    decide::{self, FittedAlpha, versions},
    error::{Error, Result},
    files::{Inputs, write_json},
    measure::Family,
    recipe::StepPlan,
};

impl Run<'_> {
    /// Chooses the shape of a Pareto draw by the scores of the reference.
    pub async fn fit_alpha(&self, before: &str, step: &StepPlan) -> Result<f64> {
        let classifier = step.classifier().unwrap_or_default();
        let score = self.score_family(classifier)?;
        let reference = self.plan.reference_of(step);
        let language = self.plan.language_of(step);
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let scores = self.scores(&context, &inputs, before, &score, &step.sources, None).await?;
        let of_reference = self.scores(&context, &inputs, "read", &score, reference, language).await?;
        let origin = self.origin(versions::ALPHA, &[], step, &inputs)?;
        let path = self.layout.fitted_alpha(&step.name);
        self.unit("alpha", &step.name, &origin, async {
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
        let fitted: FittedAlpha = self.read_made(&path)?;
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
        let language = language.and_then(|language| Some((self.plan.family("language")?, language)));
        let counts = decide::score_counts(self.tables(context, inputs), stage, score, sources, language).await;
        counts.map_err(|error| Error::from_plan(stage, error))
    }

    /// The rows of [`Run::scores`].
    async fn counted(&self, stage: &str, context: &SessionContext, counts: DataFrame) -> Result<Vec<(f64, u64)>> {
        let mut scores = Vec::new();
        for batch in self.collect(stage, context, counts).await? {
            let values = batch.column(0).as_primitive::<Float64Type>().values();
            let counts = batch.column(1).as_primitive::<Int64Type>().values();
            scores.extend(values.iter().zip(counts).map(|(score, count)| (*score, count.cast_unsigned())));
        }
        Ok(scores)
    }
}
