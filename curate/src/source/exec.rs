//! The plan node that reads one file.

use std::{collections::HashSet, path::PathBuf, sync::Arc};

use datafusion::{
    arrow::datatypes::SchemaRef,
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{ExecutionPlan, execution_plan::EmissionType},
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    Cleaning, Format, Reason,
    clean::Cleaner,
    raw::{Raw, RawReader},
    row::{Outcome, Row, batch, rows_schema},
    windows::Windows,
};
use crate::{
    error::Error,
    files::Version,
    plan::{BatchSender, Node, NodeExec, Output},
};

/// Records that are looked into together, on all cores.
const CHUNK_RECORDS: usize = 256;

/// Bytes of records after which a chunk is full.
const CHUNK_BYTES: usize = 16 << 20;

/// One file of a source, and how it is read: all that a machine needs to know to read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The source's name.
    pub source: String,
    /// The file's place among the source's files.
    pub part: u32,
    /// The file.
    pub path: PathBuf,
    /// How it is read.
    pub format: Format,
    /// What is done to its texts, in this order.
    pub clean: Vec<Cleaning>,
}

impl Reading {
    /// The versions of the code that does it: of the format, of what it extracts, and of each cleaning.
    #[must_use]
    pub fn versions(&self) -> Vec<Version> {
        let cleanings = self.clean.iter().map(Cleaning::version);
        self.format.versions().into_iter().chain(cleanings).collect()
    }
}

/// Reads one file into rows, in the order of the file, in one partition.
pub type ReadExec = NodeExec<Reading>;

impl Node for Reading {
    const NAME: &'static str = "ReadExec";
    const EMISSION: EmissionType = EmissionType::Incremental;
    type Children = [Arc<dyn ExecutionPlan>; 0];

    fn details(&self) -> Option<String> {
        Some(format!("source={}, file={}", self.source, self.path.display()))
    }

    fn schema(&self, _: &Self::Children) -> SchemaRef {
        rows_schema()
    }

    fn run(self, _: Self::Children, context: Arc<TaskContext>, output: Output) -> Result<SendableRecordBatchStream> {
        let windows = context.session_config().get_extension::<Windows>().unwrap_or_default();
        let windows = windows.counted_in(context.memory_pool());
        Ok(output.thread(1, move |batches| read(&self, &windows, batches).map_err(Into::into)))
    }
}

/// Reads the file to its end, or until no more batches are wanted.
fn read(reading: &Reading, windows: &Windows, mut batches: BatchSender) -> Result<(), Error> {
    let failed = |source| Error::File { action: "read", path: reading.path.clone(), source };
    let mut reader = reading.format.open(&reading.path, windows).map_err(failed)?;
    let mut seen = HashSet::new();
    let mut chunk = next_chunk(reader.as_mut()).map_err(failed)?;
    while !chunk.is_empty() {
        // one core finds the next records while the others look into these
        let row = |cleaner: &mut Cleaner, raw: &Raw| raw.row(&reading.source).cleaned(cleaner, &reading.clean);
        let look = || chunk.par_iter().map_init(Cleaner::default, row).collect::<Vec<_>>();
        let (mut rows, next) = rayon::join(look, || next_chunk(reader.as_mut()));
        rows.iter_mut().for_each(|row| drop_repeat(row, &mut seen));
        let batch = batch(&rows, reading.part).expect("the columns are of one length");
        if !batches.send(batch) {
            return Ok(());
        }
        chunk = next.map_err(failed)?;
    }
    Ok(())
}

fn next_chunk(reader: &mut dyn RawReader) -> std::io::Result<Vec<Raw>> {
    let mut chunk = Vec::with_capacity(CHUNK_RECORDS);
    let mut bytes = 0;
    while chunk.len() < CHUNK_RECORDS && bytes < CHUNK_BYTES {
        let Some(raw) = reader.next_raw()? else { break };
        bytes += raw.len();
        chunk.push(raw);
    }
    Ok(chunk)
}

/// Of documents with one id the file's first is kept, so that ids are unique within a part.
fn drop_repeat(row: &mut Row, seen: &mut HashSet<u128>) {
    let Some(id) = row.id.filter(|_| matches!(row.outcome, Outcome::Text(_))) else { return };
    if !seen.insert(id.as_u128()) {
        row.outcome = Outcome::Dropped(Reason::SameRecord);
    }
}
