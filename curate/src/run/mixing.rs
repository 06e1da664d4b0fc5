//! Mixtures: what goes into them, and the moment in which they appear, all or none.

use std::{collections::BTreeMap, time::Instant};

use datafusion::{
    arrow::{
        array::AsArray as _,
        datatypes::{Int64Type, UInt64Type},
    },
    functions_aggregate::expr_fn::{count, sum},
    prelude::{col, lit},
};
use schemas::{ledger::MixtureEntry, task::Task};

use super::{
    context::{Origin, Run},
    staging::Staged,
};
use crate::{
    decide::{self, Budget, MixtureAccount, MixtureRule, SizeFacts, Totals, Unit, versions},
    error::{Error, Result},
    files::{Inputs, exchange, remove_folder, units::Mark, write_json},
    recipe::MixturePlan,
    write::versions as written,
};

/// A mixture that is made: staged, or found in its place.
pub struct Mixed {
    /// Its name.
    pub name: String,
    /// Its files, if they do not stand in their place yet.
    pub staged: Option<Staged>,
}

/// What each source gives to a mixture.
fn budget(totals: &BTreeMap<(String, String), Totals>, rule: &MixtureRule) -> Result<Budget> {
    let training = |source: &String| totals.get(&("train".to_owned(), source.clone())).map_or(0, |totals| totals.size);
    let sizes: BTreeMap<String, u64> =
        rule.weights.sources().into_iter().map(|source| (source.clone(), training(&source))).collect();
    // where shares follow sizes, what has nothing has no share
    let may_be_missing = rule.weights.follow_sizes() && sizes.values().any(|size| *size > 0);
    let missing = sizes.iter().find(|(_, size)| **size == 0);
    if let Some((source, _)) = missing.filter(|_| !may_be_missing) {
        let message = format!("source `{source}` has no document left to train on");
        return Err(Error::Mixture { name: rule.name.clone(), message });
    }
    Ok(Budget::divide(&rule.weights, rule.budget, &sizes, &rule.max_epochs))
}

impl Run<'_> {
    /// Makes every mixture that is not found done. None takes the place of its predecessor before all of them can.
    pub async fn write_mixtures(&self) -> Result<Vec<Mixed>> {
        let mut mixed = Vec::new();
        for mixture in &self.plan.mixtures {
            let start = Instant::now();
            let stage = format!("mixture-{}", mixture.name);
            self.progress.begin(&stage, 1);
            self.decide_mixture(&stage, mixture).await?;
            let inputs = Inputs::of(&stage);
            let origin = self.mixture_origin(&stage, mixture, &inputs)?;
            let (staged, rows) = match self.find("mixtures", &mixture.name, &origin.fingerprint) {
                Some(mark) => (None, mark.outputs.iter().filter_map(|file| file.rows).sum::<u64>()),
                None => {
                    let staged = self.stage_mixture(&stage, mixture, origin, &inputs).await;
                    let staged = staged.map_err(|error| self.located(error))?;
                    let rows = staged.files.iter().filter_map(|(_, rows, _)| *rows).sum();
                    (Some(staged), rows)
                }
            };
            mixed.push(Mixed { name: mixture.name.clone(), staged });
            self.progress.end(&stage, start.elapsed().as_secs_f64(), &format!("{rows} rows"));
        }
        Ok(mixed)
    }

    /// The fault of a template with its place in the task's file; any other error as it is.
    fn located(&self, error: Error) -> Error {
        match error {
            Error::Render(error) => match self.plan.task_files.get(error.task()) {
                Some(file) => Task::locate(file, error),
                None => error.into(),
            },
            other => other,
        }
    }

    fn rule(&self, mixture: &MixturePlan) -> MixtureRule {
        let MixturePlan { name, weights, unit, budget, max_epochs, max_examples, .. } = mixture.clone();
        MixtureRule { name, weights, unit, budget, max_epochs, max_examples, splits: self.plan.splits.clone() }
    }

    /// The facts that the sizes of a mixture's documents are read from.
    fn size_facts(&self, mixture: &MixturePlan) -> SizeFacts<'_> {
        let words = self.plan.family("words").unwrap_or_else(|| unreachable!("every run measures words"));
        let tokens = self.plan.family("tokens").filter(|_| mixture.unit == Unit::Tokens);
        SizeFacts { words, tokens, clustered: self.clustered_by().is_some() }
    }

    /// Decides which documents go into a mixture, and how often.
    async fn decide_mixture(&self, stage: &str, mixture: &MixturePlan) -> Result<()> {
        let before = self.last_stage();
        let rule = self.rule(mixture);
        let facts = self.size_facts(mixture);
        let failed = |error| Error::from_plan(stage, error);
        let inputs = Inputs::of(stage);
        let context = self.session.relational();
        let totals = decide::totals(self.tables(&context, &inputs), &before, facts, &rule).await.map_err(failed)?;
        let origin = self.origin(versions::MIXTURE, &[versions::VERDICT], &(stage, &rule), &inputs)?;
        self.unit("decisions", stage, &origin, async {
            let totals = self.collect(stage, &context, totals).await?;
            let budget = budget(&Totals::collect(&totals).map_err(failed)?, &rule)?;
            let context = self.session.relational();
            let tables = self.tables(&context, &inputs);
            let verdicts = decide::mixture(tables, &before, facts, &rule, &budget).await;
            let mut files = self.publish_verdicts(stage, &context, verdicts.map_err(failed)?).await?;
            let account = MixtureAccount::new(&rule, &budget, &self.given(stage).await?);
            let path = self.layout.mixture_account(&rule.name);
            let written = write_json(&path, &account)?;
            files.push((path, None, written));
            Ok(files)
        })
        .await?;
        Ok(())
    }

    /// What each source gives to the training split, repeats counted, in the unit of the budget.
    async fn given(&self, stage: &str) -> Result<BTreeMap<String, u64>> {
        let failed = |error| Error::from_plan(stage, error);
        let context = self.session.relational();
        // the verdicts that were just published
        let inputs = Inputs::of(stage);
        let given = self.tables(&context, &inputs).decisions(stage).await.map_err(failed)?;
        let given = given
            .filter(col("verdict").eq(lit("keep")).and(col("split").eq(lit("train"))))
            .and_then(|table| {
                table.aggregate(vec![col("source")], vec![sum(col("size") * col("copies")).alias("given")])
            })
            .map_err(failed)?;
        let mut sizes = BTreeMap::new();
        for batch in self.collect(stage, &context, given).await? {
            let sources = batch.column(0).as_string_view().iter().flatten().map(str::to_owned);
            sizes.extend(sources.zip(batch.column(1).as_primitive::<UInt64Type>().values().iter().copied()));
        }
        Ok(sizes)
    }

    /// What the files of a mixture follow from. What is opened here is all that its making may read.
    fn mixture_origin(&self, stage: &str, mixture: &MixturePlan, inputs: &Inputs) -> Result<Origin> {
        let sources = mixture.weights.sources();
        let documents = self.parts_of(&sources).map(|(source, part)| self.layout.documents(source, part));
        let records = self.facts_of("records", &self.source_names());
        let after_cuts = self.plan.after_cuts().map(|step| self.layout.decisions(&step.name));
        let decided = [self.layout.decisions(stage), self.layout.mixture_account(&mixture.name)];
        for path in documents.chain(records).chain(after_cuts).chain(decided) {
            inputs.open(&path)?;
        }
        let MixturePlan { name, content, shard_bytes, .. } = mixture;
        let code = [written::POOL, written::ROUTE, written::SHARD, written::CARD];
        self.origin(written::PLACES, &code, &(name, content, shard_bytes, self.plan.seed, &self.plan.licences), inputs)
    }

    /// Puts the files that were staged into their place, each mixture as a whole.
    pub fn publish_mixtures(&self, mixed: Vec<Mixed>) -> Result<()> {
        for Mixed { name, staged } in mixed {
            let Some(Staged { folder, origin, files }) = staged else { continue };
            let target = self.layout.mixture(&name);
            exchange(&folder, &target)?;
            let files = files.into_iter().map(|(name, rows, written)| (target.join(name), rows, written)).collect();
            let outputs = self.entries(&files);
            let mark = Mark { fingerprint: origin.fingerprint, input: None, outputs, seconds: 0.0 };
            self.mark("mixtures", &name, &mark)?;
        }
        remove_folder(&self.layout.work().join("staging"))
    }

    /// What a mixture should hold, by split and source, from its verdicts.
    pub async fn mixture_entries(
        &self,
        stage: &str,
        mixture: &MixturePlan,
        inputs: &Inputs,
    ) -> Result<Vec<MixtureEntry>> {
        let failed = |error| Error::from_plan(stage, error);
        let context = self.session.relational();
        let table = self.tables(&context, inputs).decisions(stage).await.map_err(failed)?;
        let table = table
            .filter(col("verdict").eq(lit("keep")))
            .and_then(|table| {
                let counts = vec![count(lit(1)).alias("documents"), sum(col("copies")).alias("copies")];
                table.aggregate(vec![col("split"), col("source")], counts)
            })
            .and_then(|table| table.sort(vec![col("split").sort(true, false), col("source").sort(true, false)]))
            .map_err(failed)?;
        let mut entries = Vec::new();
        for batch in self.collect(stage, &context, table).await? {
            let (splits, sources) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
            let documents = batch.column(2).as_primitive::<Int64Type>();
            let copies = batch.column(3).as_primitive::<UInt64Type>();
            for row in 0..batch.num_rows() {
                let templates = mixture.content.templates_of_copy(sources.value(row));
                entries.push(MixtureEntry {
                    mixture: mixture.name.clone(),
                    split: splits.value(row).to_owned(),
                    source: sources.value(row).to_owned(),
                    documents: u64::try_from(documents.value(row)).expect("a count is not negative"),
                    copies: copies.value(row),
                    templates,
                    rows: copies.value(row) * templates,
                });
            }
        }
        Ok(entries)
    }
}
