//! What is known of each source: what is lost of its files, what its cleanings took, and which of its documents came cut.

use datafusion::{
    arrow::{
        array::{AsArray as _, RecordBatch},
        datatypes::{DataType, Int64Type, UInt64Type},
    },
    functions_aggregate::expr_fn::{count, sum},
    functions_nested::expr_fn::array_element,
    logical_expr::cast,
    prelude::{coalesce, col, lit},
};
use schemas::ledger::{CleaningEntry, LostEntry, TruncatedEntry};

use super::drawn::Drawn;
use crate::error::Result;

/// What is lost of the files of each source.
pub async fn lost(drawn: &Drawn<'_>) -> Result<Vec<LostEntry>> {
    let mut entries = Vec::new();
    for source in &drawn.run.plan.sources {
        let table = drawn.records(&source.name).await?.filter(col("lost").is_not_null()).and_then(|table| {
            let sums = vec![count(lit(1)).alias("stretches"), sum(col("lost")).alias("bytes")];
            table.aggregate(vec![col("part")], sums)
        });
        let of = drawn.run.made().bytes_of(&source.files);
        let mut entry = LostEntry { source: source.name.clone(), of, ..LostEntry::default() };
        for batch in drawn.collect(table).await? {
            entry.files += batch.num_rows() as u64;
            let stretches = batch.column(1).as_primitive::<Int64Type>().iter().flatten();
            entry.stretches += stretches.map(i64::unsigned_abs).sum::<u64>();
            entry.bytes += batch.column(2).as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// What each cleaning of each source took.
pub async fn cleaning(drawn: &Drawn<'_>) -> Result<Vec<CleaningEntry>> {
    let mut entries = Vec::new();
    for source in drawn.run.plan.sources.iter().filter(|source| !source.clean.is_empty()) {
        // elements of lists are counted from 1
        let places = (1i64..).zip(&source.clean).map(|(place, _)| place);
        let sums = places.flat_map(|place| {
            let taken = coalesce(vec![array_element(col("taken"), lit(place)), lit(0u64)]);
            let any = cast(taken.clone().gt(lit(0u64)), DataType::UInt64);
            [sum(any).alias(format!("documents_{place}")), sum(taken).alias(format!("characters_{place}"))]
        });
        let table = drawn.records(&source.name).await?.aggregate(vec![], sums.collect());
        let batches = drawn.collect(table).await?;
        let number = |column: usize| -> u64 {
            let of_batch =
                |batch: &RecordBatch| batch.column(column).as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
            batches.iter().map(of_batch).sum()
        };
        entries.extend(source.clean.iter().enumerate().map(|(place, cleaning)| CleaningEntry {
            source: source.name.clone(),
            cleaning: cleaning.name().to_owned(),
            documents: number(2 * place),
            characters: number(2 * place + 1),
        }));
    }
    Ok(entries)
}

/// How many documents came cut.
pub async fn truncated(drawn: &Drawn<'_>) -> Result<Vec<TruncatedEntry>> {
    let decisions = drawn.decisions("read").await?;
    let kept = decisions.filter(col("verdict").eq(lit("keep")).and(col("truncated").is_not_null()));
    let counts = drawn.counts(kept, &["source", "truncated"]).await?;
    let mut entries: Vec<_> = counts
        .into_iter()
        .map(|(mut keys, documents)| {
            let (truncated, source) = (keys.pop().flatten(), keys.pop().flatten());
            let [source, truncated] = [source, truncated].map(Option::unwrap_or_default);
            TruncatedEntry { source, truncated, documents }
        })
        .collect();
    entries.sort_by(|one, other| (&one.source, &one.truncated).cmp(&(&other.source, &other.truncated)));
    Ok(entries)
}
