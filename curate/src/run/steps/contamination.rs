//! Steps on benchmarks: which n-grams are too common to be cut, and the account of what was.

use std::collections::HashSet;

use datafusion::{
    arrow::{array::AsArray as _, datatypes::UInt64Type},
    prelude::DataFrame,
};
use futures::TryStreamExt as _;

use super::{
    super::{context::Run, made::Files},
    found_examples::find_examples,
};
use crate::{
    decide::{self, BenchmarkAccount, Contamination, ContaminationCuts, DecontaminationRule, windows},
    error::{InStage as _, Result},
    files::{Inputs, write_json, write_whole},
    measure::Family,
    recipe::StepPlan,
    text::cuts::union,
};

/// The search for benchmarks in documents.
///
/// - reads: the decisions of the stage before, what documents share with benchmarks, and the benchmarks
/// - writes: the account of each benchmark, and the list of examples that stand in documents
pub struct ContaminationSearch<'r> {
    run: &'r Run<'r>,
    before: &'r str,
    step: &'r StepPlan,
    /// The facts of what documents share with benchmarks.
    family: &'r Family,
}

/// What a step on benchmarks has found.
pub fn contamination(run: &Run<'_>, stage: &str) -> Result<Contamination> {
    let [account, _] = run.layout.contamination(stage);
    run.read_made(&account)
}

impl<'r> ContaminationSearch<'r> {
    /// The search of a step, of what the stage `before` kept.
    pub fn of(run: &'r Run<'r>, before: &'r str, step: &'r StepPlan) -> Self {
        let family = run.plan.family("overlaps");
        let family = family.unwrap_or_else(|| unreachable!("the check of the recipe saw to the facts `overlaps`"));
        Self { run, before, step, family }
    }

    /// The n-grams of benchmarks that stand in more of the documents than the rule allows, sorted.
    pub async fn common_ngrams(&self, rule: DecontaminationRule) -> Result<Vec<u64>> {
        let Self { run, before, step, family } = *self;
        let context = run.session.relational();
        let inputs = Inputs::of(&step.name);
        let tables = run.tables(&context, &inputs);
        let common = decide::common_ngrams(tables, before, family, &step.sources, rule).await;
        let common = common.in_stage(&step.name)?;
        run.units.verify(&inputs.close())?;
        let mut ngrams = Vec::new();
        for batch in run.collect(&step.name, &context, common).await? {
            ngrams.extend_from_slice(batch.column(0).as_primitive::<UInt64Type>().values());
        }
        Ok(ngrams)
    }

    /// Accounts for what a step has found of each benchmark, and warns of those of which it can find nothing.
    pub async fn account(&self, cuts: &ContaminationCuts) -> Result<()> {
        let Self { run, before, step, family } = *self;
        let context = run.session.relational();
        let inputs = Inputs::of(&step.name);
        let found = decide::overlaps(run.tables(&context, &inputs), before, family, &step.sources).await;
        let found = found.in_stage(&step.name)?;
        // the account reads the benchmarks as the facts do
        let parts = [family.version()];
        let origin = run.units.origin(step.kind.version(), &parts, &(step, family, cuts), &inputs)?;
        run.units.run("contamination", &step.name, &origin, self.counted(cuts, found)).await?;
        let min = family.overlaps().map_or(0, |config| config.lengths.min);
        for account in contamination(run, &step.name)?.benchmarks.iter().filter(|account| account.is_all_short()) {
            let BenchmarkAccount { benchmark, examples, .. } = account;
            tracing::warn!(
                "benchmark `{benchmark}`: none of its {examples} examples is looked for: all have fewer than {min} words"
            );
        }
        Ok(())
    }

    /// Counts what was found, by benchmark, and lists the examples that were.
    async fn counted(&self, cuts: &ContaminationCuts, found: DataFrame) -> Result<Files> {
        let Self { run, step, family, .. } = *self;
        let stage = step.name.as_str();
        let config = family.overlaps().unwrap_or_else(|| unreachable!("the family `overlaps` holds overlaps"));
        let account = |name: &str| BenchmarkAccount { benchmark: name.to_owned(), ..BenchmarkAccount::default() };
        let mut accounts: Vec<BenchmarkAccount> =
            config.benchmarks.iter().map(|benchmark| account(&benchmark.name)).collect();
        let mut batches = found.execute_stream().await.in_stage(stage)?;
        let mut cut: HashSet<u64> = HashSet::new();
        while let Some(batch) = batches.try_next().await.in_stage(stage)? {
            for row in 0..batch.num_rows() {
                let windows = windows(batch.column(1), row);
                for (number, account) in (0u32..).zip(&mut accounts) {
                    let own = windows.iter().filter(|window| window.benchmark == number && cuts.counts(window.ngram));
                    let mut ranges: Vec<_> = own.map(|window| window.from..window.to).collect();
                    union(&mut ranges);
                    account.documents += u64::from(!ranges.is_empty());
                    account.bytes += ranges.iter().map(|range| u64::from(range.end - range.start)).sum::<u64>();
                }
                cut.extend(windows.iter().map(|window| window.ngram).filter(|ngram| cuts.counts(*ngram)));
            }
        }
        let mut list = Vec::new();
        find_examples(config, cuts, &cut, &mut accounts, &mut list)?;
        let contamination =
            Contamination { stage: step.name.clone(), common_ngrams: cuts.common.len() as u64, benchmarks: accounts };
        let files = run.layout.contamination(&step.name);
        let written = [write_json(&files[0], &contamination)?, write_whole(&files[1], &list)?];
        Ok(files.into_iter().zip(written).map(|(path, written)| (path, None, written)).collect())
    }
}
