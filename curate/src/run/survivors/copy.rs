//! The copy of one file: what is kept of it, as it stands there.

use std::path::{Path, PathBuf};

use datafusion::{
    arrow::{
        array::{AsArray as _, RecordBatch},
        datatypes::UInt64Type,
    },
    execution::SendableRecordBatchStream,
    prelude::{col, lit},
};
use futures::StreamExt as _;

use super::tables::places_schema;
use crate::{
    decide::cuts_of,
    error::{InStage as _, Result},
    files::Inputs,
    run::{context::Run, made::Files, source_file::SourceFile, units::Origin},
    source::{Kept, copy_records},
};

/// A file to copy.
///
/// - reads: the file, and the places of what is kept
/// - writes: the copy
pub struct FileCopy<'r> {
    pub run: &'r Run<'r>,
    pub file: SourceFile<'r>,
    /// Where the copy will stand.
    pub to: PathBuf,
    /// The places of what is kept of all files.
    pub places: &'r Path,
    /// What the copy follows from.
    pub origin: &'r Origin,
}

impl FileCopy<'_> {
    /// Copies what is kept. Returns how many documents those are.
    pub async fn write(self) -> Result<u64> {
        let unit = format!("part-{:05}", self.file.part);
        let mark = self.run.units.run("survivors", &unit, self.origin, self.copy()).await?;
        Ok(mark.outputs.first().and_then(|file| file.rows).unwrap_or_default())
    }

    async fn copy(&self) -> Result<Files> {
        let Self { file, to, .. } = self;
        let mut batches = self.kept().await?;
        let (sender, mut receiver) = tokio::sync::mpsc::channel::<Result<Vec<Kept>>>(4);
        let (format, from, target) = (file.source.format.clone(), file.path.to_owned(), to.clone());
        let copying = tokio::task::spawn_blocking(move || {
            let kept = std::iter::from_fn(|| receiver.blocking_recv());
            let each = |some: Result<Vec<Kept>>| match some {
                Ok(some) => some.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            copy_records(&format, &from, kept.flat_map(each), &target)
        });
        while let Some(batch) = batches.next().await {
            if sender.send(batch.map(|batch| kept(&batch)).in_stage("survivors")).await.is_err() {
                // the copy has failed, and says why
                break;
            }
        }
        drop(sender);
        let (copied, written) = copying.await.expect("copying does not panic")?;
        Ok(vec![(to.clone(), Some(copied), written)])
    }

    /// The places of what is kept of the file, from what the unit before this one has published: `offset` and `cuts`.
    async fn kept(&self) -> Result<SendableRecordBatchStream> {
        let Self { run, file, places, .. } = self;
        let context = run.session.streaming();
        let inputs = Inputs::of("survivors");
        let table = run.tables(&context, &inputs).parquet(vec![(*places).to_owned()], &places_schema()).await;
        run.units.verify(&inputs.close())?;
        let table = table
            .and_then(|table| table.filter(col("part").eq(lit(file.part))))
            .and_then(|table| table.select_columns(&["offset", "cuts"]))
            .in_stage("survivors")?;
        table.execute_stream().await.in_stage("survivors")
    }
}

/// The rows of a batch of `offset` and `cuts`.
fn kept(batch: &RecordBatch) -> Vec<Kept> {
    let offsets = batch.column(0).as_primitive::<UInt64Type>().values();
    let of_row = |(row, offset): (usize, &u64)| Kept { offset: *offset, cuts: cuts_of(batch.column(1), row) };
    offsets.iter().enumerate().map(of_row).collect()
}
