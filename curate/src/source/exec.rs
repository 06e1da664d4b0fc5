//! The plan node that reads one file, and the table that plans it.

use std::{
    collections::HashSet,
    fmt::{self, Formatter},
    path::PathBuf,
    sync::Arc,
};

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    catalog::{Session, TableProvider},
    common::{internal_err, tree_node::TreeNodeRecursion},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableType},
    physical_expr::EquivalenceProperties,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchReceiverStreamBuilder,
    },
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
use crate::{error::Error, files::Version};

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
#[derive(Debug)]
pub struct ReadExec {
    reading: Reading,
    properties: Arc<PlanProperties>,
}

impl ReadExec {
    /// A node that will do the reading.
    #[must_use]
    pub fn new(reading: Reading) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(rows_schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { reading, properties: Arc::new(properties) }
    }

    /// What it reads.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }
}

impl DisplayAs for ReadExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "ReadExec: source={}, file={}", self.reading.source, self.reading.path.display())
    }
}

impl ExecutionPlan for ReadExec {
    fn name(&self) -> &'static str {
        "ReadExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a file is read in one partition, not in number {partition}");
        }
        let reading = self.reading.clone();
        let windows = context.session_config().get_extension::<Windows>().unwrap_or_default();
        let windows = windows.counted_in(context.memory_pool());
        let mut builder = RecordBatchReceiverStreamBuilder::new(rows_schema(), 1);
        let batches = builder.tx();
        builder.spawn_blocking(move || {
            read(&reading, &windows, |batch| batches.blocking_send(Ok(batch)).is_ok()).map_err(Into::into)
        });
        Ok(builder.build())
    }
}

/// Reads the file to its end, or until `take` wants no more.
fn read(reading: &Reading, windows: &Windows, mut take: impl FnMut(RecordBatch) -> bool) -> Result<(), Error> {
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
        if !take(batch) {
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

/// A reading as a table.
#[must_use]
pub fn read_table(reading: Reading) -> Arc<dyn TableProvider> {
    Arc::new(ReadTable(reading))
}

#[derive(Debug)]
struct ReadTable(Reading);

#[async_trait::async_trait]
impl TableProvider for ReadTable {
    fn schema(&self) -> SchemaRef {
        rows_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let read: Arc<dyn ExecutionPlan> = Arc::new(ReadExec::new(self.0.clone()));
        let Some(columns) = projection else { return Ok(read) };
        let expressions = columns.iter().map(|&column| {
            let name = rows_schema().field(column).name().clone();
            (
                Arc::new(datafusion::physical_expr::expressions::Column::new(&name, column)) as Arc<dyn PhysicalExpr>,
                name,
            )
        });
        Ok(Arc::new(datafusion::physical_plan::projection::ProjectionExec::try_new(
            expressions.collect::<Vec<_>>(),
            read,
        )?))
    }
}
