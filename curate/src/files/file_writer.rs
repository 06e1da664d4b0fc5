//! One Parquet file on its way.
//!
//! Its bytes depend on the rows alone. Rows reach the writer in chunks of a fixed number, however they arrive, and row
//! groups end by what is in them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array, AsArray as _, RecordBatch},
        compute::{BatchCoalescer, filter_record_batch, is_not_null},
        datatypes::{DataType, Field, Schema, SchemaRef},
    },
    common::internal_datafusion_err,
    error::{DataFusionError, Result},
};
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    errors::ParquetError,
};

use super::{HashedFile, Publication, Written, groups::Groups, parquet_properties::parquet_properties};
use crate::error::Error;

/// Rows that go to the Parquet writer at a time.
const CHUNK_ROWS: usize = 1024;

/// Encoded bytes after which a row group ends.
const GROUP_BYTES: usize = 64 << 20;

/// Rows on their way to the writer.
enum Waiting {
    /// Until a chunk of a fixed number is full.
    Chunk(BatchCoalescer),
    /// Until a row group of one value is large.
    Group(Groups),
}

/// One file on its way.
pub struct FileWriter {
    path: PathBuf,
    /// For each column of the file, where it comes from: a column, and a field where that is a struct.
    columns: Vec<(usize, Option<usize>)>,
    where_present: Option<usize>,
    schema: SchemaRef,
    waiting: Waiting,
    writer: ArrowWriter<HashedFile>,
    rows: u64,
}

impl FileWriter {
    /// Begins the file, of rows of the columns of `input`.
    pub fn new(publication: &Publication, input: &Schema) -> Result<Self> {
        let place = |name: &str| {
            input.index_of(name).map_err(|_| internal_datafusion_err!("the rows have no column `{name}`: {input}"))
        };
        let (mut columns, mut fields) = (Vec::new(), Vec::new());
        for (name, nullable) in &publication.columns {
            let column = place(name)?;
            match input.field(column).data_type() {
                DataType::Struct(inner) => {
                    for (number, field) in inner.iter().enumerate() {
                        columns.push((column, Some(number)));
                        fields.push(field.as_ref().clone());
                    }
                }
                data_type => {
                    columns.push((column, None));
                    fields.push(Field::new(name, data_type.clone(), *nullable));
                }
            }
        }
        let schema = Arc::new(Schema::new(fields));
        let options =
            ArrowWriterOptions::new().with_properties(parquet_properties(&schema)).with_skip_arrow_metadata(true);
        let file = HashedFile::create(&publication.path).map_err(Error::from)?;
        let waiting = match &publication.grouped_by {
            Some(column) => Waiting::Group(Groups::new(schema.index_of(column)?)),
            None => Waiting::Chunk(BatchCoalescer::new(Arc::clone(&schema), CHUNK_ROWS)),
        };
        Ok(Self {
            path: publication.path.clone(),
            columns,
            where_present: publication.where_present.as_deref().map(place).transpose()?,
            waiting,
            writer: ArrowWriter::try_new_with_options(file, Arc::clone(&schema), options)?,
            schema,
            rows: 0,
        })
    }

    /// Takes the next rows.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let kept = match self.where_present {
            Some(column) if batch.column(column).null_count() > 0 => {
                &filter_record_batch(batch, &is_not_null(batch.column(column))?)?
            }
            _ => batch,
        };
        let columns = self.columns.iter().map(|&(column, field)| {
            let column = kept.column(column);
            field.map_or_else(|| Arc::clone(column), |field| Arc::clone(column.as_struct().column(field)))
        });
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns.collect())?;
        self.rows += rows.num_rows() as u64;
        match &mut self.waiting {
            Waiting::Chunk(chunks) => chunks.push_batch(rows)?,
            Waiting::Group(groups) => groups.push(&rows)?,
        }
        self.write_ready()
    }

    fn write_ready(&mut self) -> Result<()> {
        match &mut self.waiting {
            Waiting::Chunk(chunks) => {
                while let Some(chunk) = chunks.next_completed_batch() {
                    self.writer.write(&chunk).map_err(|error| disk_error(error, &self.path))?;
                    if self.writer.in_progress_size() > GROUP_BYTES {
                        self.writer.flush().map_err(|error| disk_error(error, &self.path))?;
                    }
                }
            }
            Waiting::Group(groups) => {
                while let Some(group) = groups.overflow() {
                    write_group(&mut self.writer, &group).map_err(|error| disk_error(error, &self.path))?;
                }
            }
        }
        Ok(())
    }

    /// Ends the file, which appears: its path, its rows, and its size and hash.
    pub fn publish(mut self) -> Result<(String, u64, Written)> {
        match &mut self.waiting {
            Waiting::Chunk(chunks) => chunks.finish_buffered_batch()?,
            Waiting::Group(groups) => {
                while let Some(group) = groups.next() {
                    write_group(&mut self.writer, &group).map_err(|error| disk_error(error, &self.path))?;
                }
            }
        }
        self.write_ready()?;
        let file = self.writer.into_inner().map_err(|error| disk_error(error, &self.path))?;
        let written = file.publish().map_err(Error::from)?;
        let path =
            self.path.to_str().ok_or_else(|| internal_datafusion_err!("{} is not UTF-8", self.path.display()))?;
        Ok((path.to_owned(), self.rows, written))
    }
}

fn write_group(writer: &mut ArrowWriter<HashedFile>, group: &[RecordBatch]) -> parquet::errors::Result<()> {
    group.iter().try_for_each(|batch| writer.write(batch))?;
    writer.flush()
}

/// The writer's error as ours, with the path, where the disk is at fault.
fn disk_error(error: ParquetError, path: &Path) -> DataFusionError {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(source) => Error::File { action: "write", path: path.to_owned(), source: *source }.into(),
            Err(inner) => ParquetError::External(inner).into(),
        },
        other => other.into(),
    }
}
