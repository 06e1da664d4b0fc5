//! Rows that are gathered by the value of a column, so that each row group of a file holds rows of one value.

use std::{collections::BTreeMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, RecordBatch, UInt32Array},
        compute::take_record_batch,
        datatypes::UInt32Type,
    },
    error::Result,
};

/// Bytes of rows that wait for their row group, over all values.
const WAITING_BYTES: usize = 128 << 20;

/// Rows that wait, by the value of a `u32` column.
#[derive(Debug)]
pub struct Groups {
    column: usize,
    waiting: BTreeMap<u32, (usize, Vec<RecordBatch>)>,
    bytes: usize,
}

impl Groups {
    /// Gathers by the column of the given number.
    pub fn new(column: usize) -> Self {
        Self { column, waiting: BTreeMap::new(), bytes: 0 }
    }

    /// Takes in rows.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let values = batch.column(self.column).as_primitive::<UInt32Type>();
        let mut rows_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (row, value) in (0u32..).zip(values.values()) {
            rows_of.entry(*value).or_default().push(row);
        }
        for (value, rows) in rows_of {
            let taken = compact(&take_record_batch(batch, &UInt32Array::from(rows))?)?;
            let bytes = taken.columns().iter().map(text_bytes).sum::<usize>() + 64 * taken.num_rows();
            let (waiting, batches) = self.waiting.entry(value).or_default();
            *waiting += bytes;
            batches.push(taken);
            self.bytes += bytes;
        }
        Ok(())
    }

    /// The longest group, if too much waits.
    pub fn overflow(&mut self) -> Option<Vec<RecordBatch>> {
        let over = self.bytes > WAITING_BYTES;
        let longest = self.waiting.iter().max_by_key(|(_, (bytes, _))| *bytes).map(|(value, _)| *value);
        longest.filter(|_| over).and_then(|value| self.remove(value))
    }

    /// Any group that is left.
    pub fn next(&mut self) -> Option<Vec<RecordBatch>> {
        let first = self.waiting.keys().next().copied();
        first.and_then(|value| self.remove(value))
    }

    fn remove(&mut self, value: u32) -> Option<Vec<RecordBatch>> {
        let (bytes, batches) = self.waiting.remove(&value)?;
        self.bytes -= bytes;
        Some(batches)
    }
}

/// The same rows in memory of their own: views would keep the whole pages that they were read from for as long as one of their rows waits.
fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let own = |column: &ArrayRef| match column.as_string_view_opt() {
        Some(texts) => Arc::new(texts.gc()) as ArrayRef,
        None => Arc::clone(column),
    };
    Ok(RecordBatch::try_new(batch.schema(), batch.columns().iter().map(own).collect())?)
}

/// Bytes of the strings in a column.
fn text_bytes(column: &ArrayRef) -> usize {
    column.as_string_view_opt().map_or(0, |texts| texts.iter().flatten().map(str::len).sum())
}
