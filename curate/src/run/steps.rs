//! The recipe's steps, each with what it searches for before its verdicts.
//!
//! ```text
//! what the stage before kept + facts (+ what a search found) -> verdicts
//! ```

use std::time::Instant;

use super::context::Run;
use crate::{
    decide::{ContaminationCuts, Facts, Found, Search, Stage},
    error::{Error, Result},
    files::Inputs,
    measure::Family,
    recipe::StepPlan,
};

impl Run<'_> {
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

    async fn decide_step(&self, before: &str, step: &StepPlan) -> Result<()> {
        let families = self.families_of(step)?;
        let search = step.kind.search();
        let found = match search {
            None => Found::Nothing,
            Some(Search::Substrings(wanted)) => {
                self.find_substrings(before, step, wanted).await?;
                Found::Nothing
            }
            Some(Search::Alpha) => Found::Alpha(self.fit_alpha(before, step).await?),
            Some(Search::CommonNgrams(rule)) => Found::CommonNgrams(self.common_ngrams(before, step, rule).await?),
        };
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let stage = Stage {
            tables: self.tables(&context, &inputs),
            name: &step.name,
            before,
            sources: &step.sources,
            seed: self.plan.seed,
            families: &families,
            found: &found,
        };
        let table = step.kind.verdicts(&stage).await.map_err(|error| Error::from_plan(&step.name, error))?;
        // clusters reach into what earlier runs have kept
        let is_clustered = step.kind.facts().contains(&Facts::Named("bands"));
        let indexes = if is_clustered { &self.plan.indexes[..] } else { &[] };
        let settings = (step, self.plan.seed, &found, indexes);
        self.decide(step.kind.version(), &settings, &inputs, &context, table).await?;
        match (search, found) {
            (Some(Search::CommonNgrams(rule)), Found::CommonNgrams(common)) => {
                let cuts = ContaminationCuts { common, min_piece: rule.min_piece };
                self.account_contamination(before, step, &cuts).await
            }
            _ => Ok(()),
        }
    }

    /// The families of facts that a step reads, as far as the run makes them.
    fn families_of(&self, step: &StepPlan) -> Result<Vec<Family>> {
        let family = |facts: Facts<'_>| match facts {
            Facts::Named(name) => Ok(self.plan.family(name).cloned()),
            Facts::Shaped { family, .. } => Ok(self.plan.family(&family.name).cloned()),
            Facts::Score(classifier) => self.score_family(classifier).map(Some),
        };
        step.kind.facts().into_iter().filter_map(|facts| family(facts).transpose()).collect()
    }

    /// The last stage before mixtures.
    pub fn last_stage(&self) -> String {
        self.plan.steps.last().map_or_else(|| "read".to_owned(), |step| step.name.clone())
    }
}
