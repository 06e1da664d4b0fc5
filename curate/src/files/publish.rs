//! The end of a plan: rows become Parquet files that appear by rename.
//!
//! One pass over the rows may write several files, each with columns of its own: so a document is read and measured once,
//! and its text and its facts go different ways.

use std::{path::PathBuf, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, RecordBatch, StringArray, UInt64Array},
        datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type},
    },
    common::internal_err,
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{ExecutionPlan, execution_plan::EmissionType},
};
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};

use super::{Publication, Written, file_writer::FileWriter};
use crate::plan::{Node, NodeExec, Output, SinglePartition};

/// The files that a plan ends in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publications(Vec<Publication>);

/// Writes the rows of its single input partition to files. Its own rows say what was written; see [`published`].
pub type PublishExec = NodeExec<Publications>;

impl PublishExec {
    /// Ends `input` in the given files.
    ///
    /// # Errors
    /// When the input has more than one partition, whose order would be left to chance.
    pub fn new(input: Arc<dyn ExecutionPlan>, publications: Vec<Publication>) -> Result<Self> {
        Ok(Self::of(Publications(publications), SinglePartition::new(input)?))
    }
}

impl Node for Publications {
    const NAME: &'static str = "PublishExec";
    const EMISSION: EmissionType = EmissionType::Final;
    type Children = SinglePartition;

    fn details(&self) -> Option<String> {
        let paths: Vec<String> = self.0.iter().map(|file| file.path.display().to_string()).collect();
        Some(format!("files=[{}]", paths.join(", ")))
    }

    fn schema(&self, _: &SinglePartition) -> SchemaRef {
        written_schema()
    }

    fn run(
        self,
        input: SinglePartition,
        context: Arc<TaskContext>,
        output: Output,
    ) -> Result<SendableRecordBatchStream> {
        let rows = input.execute(context)?;
        Ok(output.stream(futures::stream::once(self.written(rows))))
    }
}

impl Publications {
    /// Writes all files. Returns what was written, as rows.
    async fn written(self, mut rows: SendableRecordBatchStream) -> Result<RecordBatch> {
        let mut files = self.0.iter().map(|file| FileWriter::new(file, &rows.schema())).collect::<Result<Vec<_>>>()?;
        while let Some(batch) = rows.try_next().await? {
            files.iter_mut().try_for_each(|file| file.push(&batch))?;
        }
        let written = files.into_iter().map(FileWriter::publish).collect::<Result<Vec<_>>>()?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(written.iter().map(|(path, ..)| path))),
            Arc::new(UInt64Array::from_iter_values(written.iter().map(|(_, rows, _)| *rows))),
            Arc::new(UInt64Array::from_iter_values(written.iter().map(|(.., written)| written.bytes))),
            Arc::new(StringArray::from_iter_values(written.iter().map(|(.., written)| &written.sha256))),
        ];
        Ok(RecordBatch::try_new(written_schema(), columns)?)
    }
}

fn written_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("path", DataType::Utf8, false),
        Field::new("rows", DataType::UInt64, false),
        Field::new("bytes", DataType::UInt64, false),
        Field::new("sha256", DataType::Utf8, false),
    ]))
}

/// What a [`PublishExec`] says that it wrote: path, rows, and the file's size and hash.
///
/// # Errors
/// When the rows are not those of a [`PublishExec`].
pub fn published(batches: &[RecordBatch]) -> Result<Vec<(PathBuf, u64, Written)>> {
    let mut files = Vec::new();
    for batch in batches {
        if batch.schema() != written_schema() {
            return internal_err!("the plan does not end in files");
        }
        let (paths, sums) = (batch.column(0).as_string::<i32>(), batch.column(3).as_string::<i32>());
        let (rows, bytes) =
            (batch.column(1).as_primitive::<UInt64Type>(), batch.column(2).as_primitive::<UInt64Type>());
        for row in 0..batch.num_rows() {
            let written = Written { bytes: bytes.value(row), sha256: sums.value(row).to_owned() };
            files.push((PathBuf::from(paths.value(row)), rows.value(row), written));
        }
    }
    Ok(files)
}
