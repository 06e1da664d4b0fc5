//! Steps on benchmarks: which n-grams are too common to be cut, and the account of what was.

use std::collections::HashSet;

use datafusion::{
    arrow::{array::AsArray as _, datatypes::UInt64Type},
    prelude::DataFrame,
};
use futures::TryStreamExt as _;
use serde::Serialize;

use super::context::{Files, Run};
use crate::{
    decide::{self, BenchmarkAccount, Contamination, ContaminationCuts, DecontaminationRule, windows},
    error::{Error, Result},
    files::{Inputs, write_json, write_whole},
    measure::{Family, OverlapsConfig, each_text},
    recipe::StepPlan,
    text::{
        cuts::union,
        overlap::{NgramIndex, PlainWords},
    },
};

/// An example that stands in documents.
#[derive(Serialize)]
struct FoundExample<'a> {
    benchmark: &'a str,
    file: String,
    /// Its line, or the number of its object, from 1.
    place: u64,
    /// N-grams that it has.
    #[serde(rename = "runs")]
    ngrams: u64,
    /// N-grams that were cut out of documents.
    cut: u64,
    /// N-grams that stand in so many documents that they were left alone.
    common: u64,
}

impl Run<'_> {
    /// The n-grams of benchmarks that stand in more of the documents that `before` kept than the rule allows, sorted.
    pub async fn common_ngrams(&self, before: &str, step: &StepPlan, rule: DecontaminationRule) -> Result<Vec<u64>> {
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let tables = self.tables(&context, &inputs);
        let common = decide::common_ngrams(tables, before, self.overlaps(), &step.sources, rule).await;
        let common = common.map_err(|error| Error::from_plan(&step.name, error))?;
        self.verify(&inputs.close())?;
        let mut ngrams = Vec::new();
        for batch in self.collect(&step.name, &context, common).await? {
            ngrams.extend_from_slice(batch.column(0).as_primitive::<UInt64Type>().values());
        }
        Ok(ngrams)
    }

    /// Accounts for what a step has found of each benchmark, and warns of those of which it can find nothing.
    pub async fn account_contamination(&self, before: &str, step: &StepPlan, cuts: &ContaminationCuts) -> Result<()> {
        let family = self.overlaps();
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let found = decide::overlaps(self.tables(&context, &inputs), before, family, &step.sources).await;
        let found = found.map_err(|error| Error::from_plan(&step.name, error))?;
        // the account reads the benchmarks as the facts do
        let parts = [family.version()];
        let origin = self.origin(step.kind.version(), &parts, &(step, family, cuts), &inputs)?;
        self.unit("contamination", &step.name, &origin, async {
            self.contamination_account(step, family, cuts, found).await
        })
        .await?;
        let min = family.overlaps().map_or(0, |config| config.lengths.min);
        for account in self.contamination(&step.name)?.benchmarks.iter().filter(|account| account.is_all_short()) {
            let BenchmarkAccount { benchmark, examples, .. } = account;
            tracing::warn!(
                "benchmark `{benchmark}`: none of its {examples} examples is looked for: all have fewer than {min} words"
            );
        }
        Ok(())
    }

    /// The facts of what documents share with benchmarks.
    fn overlaps(&self) -> &Family {
        let family = self.plan.family("overlaps");
        family.unwrap_or_else(|| unreachable!("the check of the recipe saw to the facts `overlaps`"))
    }

    /// What a step on benchmarks has found.
    pub fn contamination(&self, stage: &str) -> Result<Contamination> {
        let [account, _] = self.layout.contamination(stage);
        self.read_made(&account)
    }

    /// Counts what was found, by benchmark, and lists the examples that were.
    async fn contamination_account(
        &self,
        step: &StepPlan,
        family: &Family,
        cuts: &ContaminationCuts,
        found: DataFrame,
    ) -> Result<Files> {
        let failed = |error| Error::from_plan(&step.name, error);
        let config = family.overlaps().unwrap_or_else(|| unreachable!("the family `overlaps` holds overlaps"));
        let account = |name: &str| BenchmarkAccount { benchmark: name.to_owned(), ..BenchmarkAccount::default() };
        let mut accounts: Vec<BenchmarkAccount> =
            config.benchmarks.iter().map(|benchmark| account(&benchmark.name)).collect();
        let mut batches = found.execute_stream().await.map_err(failed)?;
        let mut cut: HashSet<u64> = HashSet::new();
        while let Some(batch) = batches.try_next().await.map_err(failed)? {
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
        let files = self.layout.contamination(&step.name);
        let written = [write_json(&files[0], &contamination)?, write_whole(&files[1], &list)?];
        Ok(files.into_iter().zip(written).map(|(path, written)| (path, None, written)).collect())
    }
}

/// Reads the benchmarks once more, counts the examples whose n-grams stand in documents, and lists them.
fn find_examples(
    config: &OverlapsConfig,
    cuts: &ContaminationCuts,
    cut: &HashSet<u64>,
    accounts: &mut [BenchmarkAccount],
    list: &mut Vec<u8>,
) -> Result<()> {
    let lengths = NgramIndex::new(config.lengths);
    let mut words = PlainWords::default();
    for (benchmark, account) in config.benchmarks.iter().zip(accounts) {
        for file in &benchmark.files {
            benchmark.examples(file, |example| {
                let mut found = FoundExample {
                    benchmark: &benchmark.name,
                    file: file.path.display().to_string(),
                    place: example.place,
                    ngrams: 0,
                    cut: 0,
                    common: 0,
                };
                each_text(&example.strings, |text| {
                    words.take(text);
                    lengths.ngrams_of(&words, |ngram| {
                        found.ngrams += 1;
                        found.cut += u64::from(cut.contains(&ngram));
                        found.common += u64::from(!cuts.counts(ngram));
                    });
                });
                account.examples += 1;
                account.short += u64::from(found.ngrams == 0);
                account.found += u64::from(found.cut > 0);
                account.whole += u64::from(found.cut > 0 && found.cut == found.ngrams);
                account.common += u64::from(found.cut == 0 && found.common > 0);
                if found.cut + found.common > 0 {
                    serde_json::to_writer(&mut *list, &found).expect("an example's place is JSON");
                    list.push(b'\n');
                }
            })?;
        }
    }
    Ok(())
}
