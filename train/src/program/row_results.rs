//! What was found for each row of a file, as a file of Parquet.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use schemas::columns::ID;

/// The bytes of a file with some columns, behind the ids of rows where any has one.
///
/// - `columns`: names, and whether there are nulls
pub fn parquet(ids: Vec<Option<&str>>, columns: Vec<(&str, ArrayRef, bool)>) -> Vec<u8> {
    let ids: Option<ArrayRef> = ids.iter().any(Option::is_some).then(|| Arc::new(StringArray::from(ids)) as ArrayRef);
    let columns = ids.map(|ids| (ID, ids, true)).into_iter().chain(columns);
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns are of one length");
    let mut bytes = Vec::new();
    let writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None);
    let written = writer.and_then(|mut writer| writer.write(&batch).and_then(|()| writer.close()));
    written.expect("memory can be written");
    bytes
}
