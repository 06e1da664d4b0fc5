//! What each step has cut.

use datafusion::{
    arrow::{
        array::AsArray as _,
        datatypes::{Int64Type, UInt64Type},
    },
    functions_aggregate::expr_fn::{count, sum},
    prelude::{col, lit},
};
use schemas::ledger::CutEntry;

use super::drawn::Drawn;
use crate::{decide::CutText, error::Result};

/// The entries of all steps that cut, by source.
pub async fn entries(drawn: &Drawn<'_>) -> Result<Vec<CutEntry>> {
    let mut entries = Vec::new();
    for step in drawn.run.plan.steps.iter().filter(|step| step.cuts()) {
        let bytes = sum(CutText::Bytes.of(vec![col("cuts")])).alias("bytes");
        let table = drawn
            .decisions(&step.name)
            .await?
            .filter(col("cuts").is_not_null())
            .and_then(|table| table.aggregate(vec![col("source")], vec![count(lit(1)).alias("documents"), bytes]))
            .and_then(|table| table.sort(vec![col("source").sort(true, false)]));
        for batch in drawn.collect(table).await? {
            let documents = batch.column(1).as_primitive::<Int64Type>();
            let bytes = batch.column(2).as_primitive::<UInt64Type>();
            entries.extend((0..batch.num_rows()).map(|row| CutEntry {
                stage: step.name.clone(),
                source: batch.column(0).as_string_view().value(row).to_owned(),
                documents: u64::try_from(documents.value(row)).expect("a count is not negative"),
                bytes: bytes.value(row),
            }));
        }
    }
    Ok(entries)
}
