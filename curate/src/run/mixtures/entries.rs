//! What a mixture should hold, by split and source, as its verdicts say.

use datafusion::{
    arrow::{
        array::{AsArray as _, RecordBatch},
        datatypes::{Int64Type, UInt64Type},
    },
    functions_aggregate::expr_fn::{count, sum},
    prelude::{col, lit},
};
use schemas::ledger::MixtureEntry;

use super::stage::MixtureStage;
use crate::{
    error::{InStage as _, Result},
    files::Inputs,
};

impl MixtureStage<'_> {
    /// What the mixture should hold, sorted by split and source.
    pub async fn entries(&self, inputs: &Inputs) -> Result<Vec<MixtureEntry>> {
        let Self { run, name: stage, .. } = self;
        let context = run.session.relational();
        let kept = run
            .tables(&context, inputs)
            .decisions(stage)
            .await
            .and_then(|table| table.filter(col("verdict").eq(lit("keep"))))
            .and_then(|table| {
                let counts = vec![count(lit(1)).alias("documents"), sum(col("copies")).alias("copies")];
                table.aggregate(vec![col("split"), col("source")], counts)
            })
            .and_then(|table| table.sort(vec![col("split").sort(true, false), col("source").sort(true, false)]))
            .in_stage(stage)?;
        let batches = run.collect(stage, &context, kept).await?;
        Ok(batches.iter().flat_map(|batch| self.of_batch(batch)).collect())
    }

    /// The rows of a batch of `split`, `source`, `documents` and `copies`.
    fn of_batch(&self, batch: &RecordBatch) -> Vec<MixtureEntry> {
        let (splits, sources) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
        let documents = batch.column(2).as_primitive::<Int64Type>();
        let copies = batch.column(3).as_primitive::<UInt64Type>();
        let entry = |row| {
            let templates = self.mixture.content.templates_of_copy(sources.value(row));
            MixtureEntry {
                mixture: self.mixture.name.clone(),
                split: splits.value(row).to_owned(),
                source: sources.value(row).to_owned(),
                documents: u64::try_from(documents.value(row)).expect("a count is not negative"),
                copies: copies.value(row),
                templates,
                rows: copies.value(row) * templates,
            }
        };
        (0..batch.num_rows()).map(entry).collect()
    }
}
