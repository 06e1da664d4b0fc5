//! Which documents go into a mixture, and how often.

use std::collections::BTreeMap;

use datafusion::{
    arrow::{array::AsArray as _, datatypes::UInt64Type},
    functions_aggregate::expr_fn::sum,
    prelude::{DataFrame, SessionContext, col, lit},
};

use super::stage::MixtureStage;
use crate::{
    decide::{self, Budget, MixtureAccount, MixtureRule, SizeFacts, Totals, Unit, versions},
    error::{Error, InStage as _, Result},
    files::{Inputs, write_json},
    recipe::MixturePlan,
    run::{clusters::clustered_by, made::Files},
};

/// The verdicts of a mixture.
///
/// - reads: the verdicts of the last stage, facts that sizes are read from
/// - writes: `decisions/mixture-NAME.parquet`, the account of the mixture
pub struct MixtureVerdicts<'r> {
    pub stage: &'r MixtureStage<'r>,
}

impl MixtureVerdicts<'_> {
    /// Decides, unless the verdicts are found done.
    pub async fn decide(&self) -> Result<()> {
        let MixtureStage { run, name: stage, .. } = self.stage;
        let before = run.last_stage();
        let rule = self.rule();
        let inputs = Inputs::of(stage);
        let context = run.session.relational();
        let tables = run.tables(&context, &inputs);
        let totals = decide::totals(tables, &before, self.size_facts(), &rule).await.in_stage(stage)?;
        let origin = run.units.origin(versions::MIXTURE, &[versions::VERDICT], &(stage, &rule), &inputs)?;
        let work = self.publish(&before, &rule, &inputs, &context, totals);
        run.units.run("decisions", stage, &origin, work).await?;
        Ok(())
    }

    /// Divides the budget by what there is of each source, decides by that, and keeps account of it.
    async fn publish(
        &self,
        before: &str,
        rule: &MixtureRule,
        inputs: &Inputs,
        context: &SessionContext,
        totals: DataFrame,
    ) -> Result<Files> {
        let MixtureStage { run, name: stage, .. } = self.stage;
        let totals = run.collect(stage, context, totals).await?;
        let budget = budget(&Totals::collect(&totals).in_stage(stage)?, rule)?;
        let tables = run.tables(context, inputs);
        let verdicts = decide::mixture(tables, before, self.size_facts(), rule, &budget).await.in_stage(stage)?;
        let mut files = run.publish_verdicts(stage, context, verdicts).await?;
        let account = MixtureAccount::new(rule, &budget, &self.given().await?);
        let path = run.layout.mixture_account(&rule.name);
        let written = write_json(&path, &account)?;
        files.push((path, None, written));
        Ok(files)
    }

    fn rule(&self) -> MixtureRule {
        let MixtureStage { run, mixture, .. } = self.stage;
        let MixturePlan { name, weights, unit, budget, max_epochs, max_examples, .. } = (*mixture).clone();
        let requirement = mixture.content.requirement();
        MixtureRule {
            name,
            weights,
            unit,
            budget,
            max_epochs,
            max_examples,
            splits: run.plan.splits.clone(),
            requirement,
        }
    }

    /// The facts that the sizes of documents are read from.
    fn size_facts(&self) -> SizeFacts<'_> {
        let MixtureStage { run, mixture, .. } = self.stage;
        let words = run.plan.family("words").unwrap_or_else(|| unreachable!("every run measures words"));
        let tokens = run.plan.family("tokens").filter(|_| mixture.unit == Unit::Tokens);
        SizeFacts { words, tokens, clustered: clustered_by(&run.plan).is_some() }
    }

    /// What each source gives to the training split, repeats counted, in the unit of the budget, by the verdicts that were just published.
    async fn given(&self) -> Result<BTreeMap<String, u64>> {
        let MixtureStage { run, name: stage, .. } = self.stage;
        let context = run.session.relational();
        let inputs = Inputs::of(stage);
        let given = run
            .tables(&context, &inputs)
            .decisions(stage)
            .await
            .and_then(|table| table.filter(col("verdict").eq(lit("keep")).and(col("split").eq(lit("train")))))
            .and_then(|table| {
                table.aggregate(vec![col("source")], vec![sum(col("size") * col("copies")).alias("given")])
            })
            .in_stage(stage)?;
        let mut sizes = BTreeMap::new();
        for batch in run.collect(stage, &context, given).await? {
            let sources = batch.column(0).as_string_view().iter().flatten().map(str::to_owned);
            sizes.extend(sources.zip(batch.column(1).as_primitive::<UInt64Type>().values().iter().copied()));
        }
        Ok(sizes)
    }
}

/// What each source gives to a mixture.
fn budget(totals: &BTreeMap<(String, String), Totals>, rule: &MixtureRule) -> Result<Budget> {
    let training = |source: &String| totals.get(&("train".to_owned(), source.clone())).map_or(0, |totals| totals.size);
    let sizes: BTreeMap<String, u64> =
        rule.weights.sources().into_iter().map(|source| (source.clone(), training(&source))).collect();
    // where shares follow sizes, what has nothing has no share
    let may_be_missing = rule.weights.follow_sizes() && sizes.values().any(|size| *size > 0);
    if let Some((source, _)) = sizes.iter().find(|(_, size)| **size == 0 && !may_be_missing) {
        let message = format!("source `{source}` has no document left to train on");
        return Err(Error::Mixture { name: rule.name.clone(), message });
    }
    Ok(Budget::divide(&rule.weights, rule.budget, &sizes, &rule.max_epochs))
}
