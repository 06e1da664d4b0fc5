//! The end of a plan: rows become Parquet files that appear by rename.
//!
//! One pass over the rows may write several files, each with columns of its own: so a document is read and measured once,
//! and its text and its facts go different ways.
//!
//! The bytes depend on the rows alone. Rows reach the writer in chunks of a fixed number, however they arrive, and row
//! groups end by what is in them.

use std::{
    fmt::{self, Formatter},
    path::PathBuf,
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray as _, RecordBatch, StringArray, UInt64Array},
        compute::{BatchCoalescer, filter_record_batch, is_not_null},
        datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type},
    },
    common::{internal_datafusion_err, internal_err, tree_node::TreeNodeRecursion},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::EquivalenceProperties,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::TryStreamExt as _;
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};
use schemas::columns::{CHOSEN, COMPLETION, ID, POSITIVE, PROMPT, QUERY, REJECTED, TEXT};
use serde::{Deserialize, Serialize};

use super::{HashedFile, Written, groups::Groups};
use crate::error::Error;

/// Rows that go to the Parquet writer at a time.
const CHUNK_ROWS: usize = 1024;

/// Encoded bytes after which a row group ends.
const GROUP_BYTES: usize = 64 << 20;

/// Rows in a page, at most. A batch of strings that is read keeps the pages that it is from, and a sort counts those.
const PAGE_ROWS: usize = 2048;

/// Columns that hold running text: no dictionary, no statistics.
const TEXT_COLUMNS: [&str; 7] = [TEXT, PROMPT, COMPLETION, CHOSEN, REJECTED, QUERY, POSITIVE];

/// Columns that hold hashes: no dictionary, no statistics, and nothing that could be packed.
const HASH_COLUMNS: [&[&str]; 2] = [&["bands", "list", "item"], &["short_hash"]];

/// One file that a plan ends in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Where it will stand.
    pub path: PathBuf,
    /// Names of the input's columns, and whether they may be empty. A column of structs is spread into its fields.
    pub columns: Vec<(String, bool)>,
    /// Leave out the rows in which this column is null.
    pub where_present: Option<String>,
    /// Gather the rows by this column, a `u32`: each row group holds those of one value. Their order is lost.
    pub grouped_by: Option<String>,
}

impl Publication {
    /// A file of the given schema.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, schema: &Schema) -> Self {
        let columns = schema.fields().iter().map(|field| (field.name().clone(), field.is_nullable())).collect();
        Self { path: path.into(), columns, where_present: None, grouped_by: None }
    }

    /// The same, of the rows alone in which `column` is not null.
    #[must_use]
    pub fn where_present(mut self, column: &str) -> Self {
        self.where_present = Some(column.to_owned());
        self
    }

    /// The same, with row groups of one value of `column` each.
    #[must_use]
    pub fn grouped_by(mut self, column: &str) -> Self {
        self.grouped_by = Some(column.to_owned());
        self
    }
}

/// Writes the rows of its single input partition to files. Its own rows say what was written; see [`published`].
#[derive(Debug)]
pub struct PublishExec {
    input: Arc<dyn ExecutionPlan>,
    publications: Vec<Publication>,
    properties: Arc<PlanProperties>,
}

impl PublishExec {
    /// Ends `input` in the given files.
    ///
    /// # Errors
    /// When the input has more than one partition, whose order would be left to chance.
    pub fn new(input: Arc<dyn ExecutionPlan>, publications: Vec<Publication>) -> Result<Self> {
        let partitions = input.properties().output_partitioning().partition_count();
        if partitions != 1 {
            return internal_err!("{partitions} partitions cannot be written to one file in a fixed order");
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(written_schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self { input, publications, properties: Arc::new(properties) })
    }

    /// The files that it writes.
    #[must_use]
    pub fn publications(&self) -> &[Publication] {
        &self.publications
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

impl DisplayAs for PublishExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut Formatter<'_>) -> fmt::Result {
        let paths: Vec<String> = self.publications.iter().map(|file| file.path.display().to_string()).collect();
        write!(formatter, "PublishExec: files=[{}]", paths.join(", "))
    }
}

impl ExecutionPlan for PublishExec {
    fn name(&self) -> &'static str {
        "PublishExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children.swap_remove(0), self.publications.clone())?))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut rows = self.input.execute(partition, context)?;
        let publications = self.publications.clone();
        let written = async move {
            let mut files =
                publications.iter().map(|file| FileWriter::new(file, &rows.schema())).collect::<Result<Vec<_>>>()?;
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
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(written_schema(), futures::stream::once(written))))
    }
}

/// Rows on their way to the writer.
enum Waiting {
    /// Until a chunk of a fixed number is full.
    Chunk(BatchCoalescer),
    /// Until a row group of one value is large.
    Group(Groups),
}

/// One file on its way.
struct FileWriter {
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
    fn new(publication: &Publication, input: &Schema) -> Result<Self> {
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
        let options = ArrowWriterOptions::new().with_properties(properties(&schema)).with_skip_arrow_metadata(true);
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

    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
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

    fn publish(mut self) -> Result<(String, u64, Written)> {
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
fn disk_error(error: parquet::errors::ParquetError, path: &std::path::Path) -> DataFusionError {
    use parquet::errors::ParquetError;
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(source) => Error::File { action: "write", path: path.to_owned(), source: *source }.into(),
            Err(inner) => ParquetError::External(inner).into(),
        },
        other => other.into(),
    }
}

fn properties(schema: &Schema) -> WriterProperties {
    let level = ZstdLevel::try_new(3).expect("3 is a level of zstd");
    let mut properties = WriterProperties::builder()
        .set_created_by("tamis".into())
        .set_compression(Compression::ZSTD(level))
        .set_data_page_row_count_limit(PAGE_ROWS);
    for name in TEXT_COLUMNS.iter().filter(|name| schema.index_of(name).is_ok()) {
        let column = ColumnPath::from(*name);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    for parts in HASH_COLUMNS.iter().filter(|parts| schema.index_of(parts[0]).is_ok()) {
        let column = ColumnPath::new(parts.iter().map(|part| (*part).to_owned()).collect());
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column.clone(), EnabledStatistics::None)
            .set_column_compression(column, Compression::UNCOMPRESSED);
    }
    properties.set_column_dictionary_enabled(ColumnPath::from(ID), false).build()
}
