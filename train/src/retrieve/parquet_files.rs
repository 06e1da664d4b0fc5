//! Files of Parquet that never change, with their sizes and hashes.

use std::{fs::File, path::Path};

use arrow::array::{ArrayRef, AsArray as _, RecordBatch};
use parquet::{
    arrow::{
        ArrowWriter, ProjectionMask,
        arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection},
    },
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use schemas::manifest::FileEntry;
use system::{HashedFile, Written, hash_file};

use crate::error::{Error, Result};

/// Rows that are written and read at once.
pub(super) const BATCH_ROWS: usize = 8192;

/// Rows of a page, so that a text can be read without many others.
const PAGE_ROWS: usize = 256;

/// Some rows of a file: name, numbers or texts, and whether some may be missing, of each column.
pub(super) type Columns = Vec<(&'static str, ArrayRef, bool)>;

/// What is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Texts that are read one by one: small pages.
    Texts,
    /// Columns that are read at once.
    Columns,
    /// Numbers of vectors: nothing is to be had of packing them, and a dictionary of them would be as long.
    Vectors,
}

/// Writes a file of a folder.
///
/// - `rows`: as many as the batches have together
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_parquet(
    (folder, name): (&Path, &str),
    layout: Layout,
    rows: usize,
    batches: impl Iterator<Item = Columns>,
) -> Result<FileEntry> {
    let path = folder.join(name);
    let failed = |error: parquet::errors::ParquetError| Error::File {
        action: "write",
        path: path.clone(),
        source: std::io::Error::other(error),
    };
    let file = HashedFile::create(&path)?;
    let packed = Compression::ZSTD(ZstdLevel::try_new(1).expect("there is such a level"));
    let properties = WriterProperties::builder()
        .set_compression(if layout == Layout::Vectors { Compression::UNCOMPRESSED } else { packed })
        .set_dictionary_enabled(layout != Layout::Vectors)
        .set_data_page_row_count_limit(if layout == Layout::Texts { PAGE_ROWS } else { 1 << 20 })
        .set_write_batch_size(PAGE_ROWS)
        .set_created_by("train".to_owned())
        .build();
    let batch = |columns| RecordBatch::try_from_iter_with_nullable(columns).expect("columns are of one length");
    let mut batches = batches.map(batch);
    let Written { bytes, sha256 } = match batches.next() {
        // a file of nothing is empty
        None => file.publish()?,
        Some(first) => {
            let mut writer = ArrowWriter::try_new(file, first.schema(), Some(properties)).map_err(failed)?;
            for batch in std::iter::once(first).chain(batches) {
                writer.write(&batch).map_err(failed)?;
            }
            writer.into_inner().map_err(failed)?.publish()?
        }
    };
    Ok(FileEntry { path: name.to_owned(), rows: Some(rows as u64), bytes, sha256 })
}

/// Makes sure that no file of a folder was cut short.
///
/// # Errors
/// When one has another size than was written: it is named.
pub(super) fn verify_sizes(folder: &Path, files: &[FileEntry]) -> Result<()> {
    for FileEntry { path, bytes, .. } in files {
        let path = folder.join(path);
        let found = path.metadata().map_err(Error::file("read", &path))?.len();
        if found != *bytes {
            let message = format!("it has {found} bytes, and {bytes} were written");
            return Err(Error::Damaged { path, message });
        }
    }
    Ok(())
}

/// Makes sure that the files of a folder are those that were written.
///
/// # Errors
/// When one is another: it is named.
pub(super) fn verify(folder: &Path, files: &[FileEntry]) -> Result<()> {
    for FileEntry { path, bytes, sha256, .. } in files {
        let path = folder.join(path);
        let found = hash_file(&path)?;
        if found.bytes != *bytes {
            let message = format!("it has {} bytes, and {bytes} were written", found.bytes);
            return Err(Error::Damaged { path, message });
        }
        if found.sha256 != *sha256 {
            return Err(Error::Damaged { path, message: "its bytes are not those that were written".into() });
        }
    }
    Ok(())
}

/// The same as [`read`] of all rows of a file that is opened for it.
pub(super) fn read_file(
    path: &Path,
    columns: &[&str],
    take: impl FnMut(&RecordBatch) -> Result<(), String>,
) -> Result<()> {
    let file = File::open(path).map_err(Error::file("read", path))?;
    read(path, &file, columns, None, take)
}

/// Reads columns of a file, some rows at a time; a file of nothing has none.
pub(super) fn read(
    path: &Path,
    file: &File,
    columns: &[&str],
    rows: Option<RowSelection>,
    mut take: impl FnMut(&RecordBatch) -> Result<(), String>,
) -> Result<()> {
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let file = file.try_clone().map_err(Error::file("read", path))?;
    if file.metadata().map_err(Error::file("read", path))?.len() == 0 {
        return Ok(());
    }
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
    let roots = builder.schema().fields().iter().enumerate();
    let roots = roots.filter(|(_, field)| columns.contains(&field.name().as_str())).map(|(place, _)| place);
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots.collect::<Vec<_>>());
    let mut builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
    if let Some(rows) = rows {
        builder = builder.with_row_selection(rows);
    }
    for batch in builder.build().map_err(|error| damaged(error.to_string()))? {
        take(&batch.map_err(|error| damaged(error.to_string()))?).map_err(damaged)?;
    }
    Ok(())
}

/// A column of numbers without nulls.
pub(super) fn numbers<'b, T: arrow::datatypes::ArrowPrimitiveType>(
    batch: &'b RecordBatch,
    name: &str,
) -> Result<&'b [T::Native], String> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
    Ok(column.ok_or_else(|| format!("it lacks the column `{name}`"))?.values())
}
