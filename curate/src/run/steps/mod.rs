//! The recipe's steps, each with what it searches for before its verdicts.
//!
//! ```text
//! what the stage before kept + facts (+ what a search found) -> verdicts
//! ```

mod alpha;
mod contamination;
mod found_examples;
mod substrings;

pub use self::contamination::contamination;
use self::{alpha::AlphaFit, contamination::ContaminationSearch, substrings::SubstringSearch};
use super::context::Run;
use crate::{
    decide::{ContaminationCuts, Facts, Found, Search, Stage},
    error::{InStage as _, Result},
    files::Inputs,
    measure::Family,
    recipe::StepPlan,
};

/// The recipe's steps.
///
/// - reads: the decisions of the stage before, facts, scores; texts, where substrings are searched for
/// - writes: the decisions of each step, and what it has searched for
pub struct Steps<'r> {
    pub run: &'r Run<'r>,
}

impl Steps<'_> {
    /// Takes the steps in their order.
    pub async fn decide(&self) -> Result<()> {
        let steps = &self.run.plan.steps;
        let work = async {
            let mut before = "read";
            for step in steps {
                self.decide_step(before, step).await?;
                self.run.progress.advance();
                before = &step.name;
            }
            let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
            Ok(((), names.join(", ")))
        };
        self.run.told("steps", steps.len() as u64, work).await
    }

    async fn decide_step(&self, before: &str, step: &StepPlan) -> Result<()> {
        let run = self.run;
        let families = self.families_of(step)?;
        let search = step.kind.search();
        let found = match search {
            None => Found::Nothing,
            Some(Search::Substrings(wanted)) => {
                SubstringSearch { run, before, step }.find(wanted).await?;
                Found::Nothing
            }
            Some(Search::Alpha) => Found::Alpha(AlphaFit { run, before, step }.fit().await?),
            Some(Search::CommonNgrams(rule)) => {
                Found::CommonNgrams(ContaminationSearch::of(run, before, step).common_ngrams(rule).await?)
            }
        };
        let context = run.session.relational();
        let inputs = Inputs::of(&step.name);
        let stage = Stage {
            tables: run.tables(&context, &inputs),
            name: &step.name,
            before,
            sources: &step.sources,
            seed: run.plan.seed,
            families: &families,
            found: &found,
        };
        let table = step.kind.verdicts(&stage).await.in_stage(&step.name)?;
        let settings = (step, run.plan.seed, &found);
        run.decide(step.kind.version(), &settings, &inputs, &context, table).await?;
        match (search, found) {
            (Some(Search::CommonNgrams(rule)), Found::CommonNgrams(common)) => {
                let cuts = ContaminationCuts { common, min_piece: rule.min_piece };
                ContaminationSearch::of(run, before, step).account(&cuts).await
            }
            _ => Ok(()),
        }
    }

    /// The families of facts that a step reads, as far as the run makes them.
    fn families_of(&self, step: &StepPlan) -> Result<Vec<Family>> {
        let family = |facts: Facts<'_>| match facts {
            Facts::Named(name) => Ok(self.run.plan.family(name).cloned()),
            Facts::Shaped { family, .. } => Ok(self.run.plan.family(&family.name).cloned()),
            Facts::Score(classifier) => self.run.score_family(classifier).map(Some),
        };
        step.kind.facts().into_iter().filter_map(|facts| family(facts).transpose()).collect()
    }
}
