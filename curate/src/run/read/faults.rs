//! What is broken or lost of a source: whether it is more than may be, and the list of it.

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _, RecordBatch},
        datatypes::UInt64Type,
    },
    prelude::col,
};

use super::counts::Counts;
use crate::{
    error::{Error, InStage as _, Result},
    files::{Inputs, Quarantined, write_quarantine},
    run::{context::Run, source_file::SourceFile},
    source::{Source, records},
};

/// The faults of a source.
///
/// - reads: `facts/records/SOURCE/`
/// - writes: `quarantine/SOURCE.jsonl`
pub struct Faults<'r> {
    pub run: &'r Run<'r>,
    pub source: &'r Source,
}

impl Faults<'_> {
    /// Whether no more bytes of the source, of all that its files have, are lost than may be.
    pub async fn judge_lost(&self, counts: Counts, of: u64) -> Result<()> {
        let Self { run, source } = self;
        let Counts { stretches, lost, .. } = counts;
        let some_may_be = source.max_lost_rate > 0.0 && lost as f64 <= source.max_lost_rate * of as f64;
        // where no file has a byte, it is better said that nothing was read
        if stretches == 0 || some_may_be || of == 0 {
            return Ok(());
        }
        let list = self.list().await?;
        let first = list.into_iter().find(|found| found.lost.is_some());
        let Quarantined { file, offset, fault, detail, .. } = first.expect("what is lost is listed");
        Err(Error::TooMuchLost {
            name: source.name.clone(),
            lost,
            of,
            limit: source.max_lost_rate,
            first: format!("{file}: {fault} at byte {offset}: {}", detail.unwrap_or_default()),
            quarantine: run.layout.quarantine(&source.name),
        })
    }

    /// Whether no more records are broken than may be.
    pub async fn judge(&self, counts: Counts) -> Result<()> {
        let Self { run, source } = self;
        let Counts { read, broken, .. } = counts;
        if broken as f64 <= source.max_error_rate * read as f64 {
            return Ok(());
        }
        self.list().await?;
        Err(Error::TooManyFaults {
            name: source.name.clone(),
            quarantine: run.layout.quarantine(&source.name),
            broken,
            read,
            limit: source.max_error_rate,
        })
    }

    /// Writes the list of broken records and lost stretches, as far as they have been read, and gives it back.
    pub async fn list(&self) -> Result<Vec<Quarantined>> {
        let Self { run, source } = self;
        let mut list = Vec::new();
        for file in SourceFile::all(source) {
            list.extend(self.of_file(file).await?);
        }
        if list.is_empty() {
            return Ok(list);
        }
        let path = run.layout.quarantine(&source.name);
        let written = write_quarantine(&list, &path)?;
        run.made().add(&vec![(path, Some(list.len() as u64), written)]);
        Ok(list)
    }

    /// Those of one file, in its order; none of one that has not been read yet.
    async fn of_file(&self, file: SourceFile<'_>) -> Result<Vec<Quarantined>> {
        let Self { run, source } = self;
        let path = run.layout.facts("records", &source.name, file.part);
        if !run.made().holds(&path) {
            return Ok(Vec::new());
        }
        let context = run.session.streaming();
        let inputs = Inputs::of("read");
        let broken = run
            .tables(&context, &inputs)
            .parquet(vec![path], &records())
            .await
            .and_then(|table| table.filter(col("fault").is_not_null()))
            .and_then(|table| table.select_columns(&["offset", "record", "fault", "detail", "lost"]))
            .and_then(|table| table.sort(vec![col("offset").sort(true, false)]))
            .in_stage("read")?;
        let batches = run.collect("read", &context, broken).await?;
        let name = file.path.display().to_string();
        Ok(batches.iter().flat_map(|batch| quarantined(&name, batch)).collect())
    }
}

/// The rows of a batch of `offset`, `record`, `fault`, `detail` and `lost`.
fn quarantined(file: &str, batch: &RecordBatch) -> Vec<Quarantined> {
    let offsets = batch.column(0).as_primitive::<UInt64Type>();
    let lost = batch.column(4).as_primitive::<UInt64Type>();
    let text = |column: usize, row: usize| {
        let texts = batch.column(column).as_string_view();
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    };
    let of_row = |row| Quarantined {
        file: file.to_owned(),
        offset: offsets.value(row),
        record: text(1, row),
        fault: text(2, row).unwrap_or_default(),
        detail: text(3, row),
        lost: lost.is_valid(row).then(|| lost.value(row)),
    };
    (0..batch.num_rows()).map(of_row).collect()
}
