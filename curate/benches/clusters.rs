//! How time and memory grow with the number of documents: shuffle and clusters of synthetic signatures.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench clusters -- [--memory BYTES] MILLIONS...
//! ```
//!
//! A document has a hash of its text and 14 bands, as many as FineWeb's. One document in five is a copy of one before it, and shares
//! three bands of it, drawn; all other hashes are unlike. Prints for each number of documents, each in a process of its own: seconds
//! from the first signature to the published clusters, the same for each million, and the peak of memory.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

mod growth;

use std::{error::Error, fs, ops::Range, sync::Arc, time::Instant};

use curate::{
    decide::{ClusterAccount, ClusterConfig, ClusterExec, clusters_schema},
    engine::{Engine, Limits},
    files::{Publication, PublishExec},
};
use datafusion::{
    arrow::{
        array::{ArrayRef, ListArray, RecordBatch, StringViewBuilder, UInt64Array},
        buffer::OffsetBuffer,
        datatypes::{DataType, Field, Schema, SchemaRef},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
};

use growth::{draw, each_size, peak};

/// The program's own allocator, so that peaks are comparable.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BANDS: u64 = 14;
const BATCH_ROWS: u64 = 8192;
/// One document in so many is a copy.
const COPIES: u64 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    each_size(4 << 30, |millions, memory| measure(millions.parse()?, memory))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of documents")]
fn measure(millions: f64, memory: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let threads = std::thread::available_parallelism()?.get();
    let limits = Limits { threads, memory, spill: folder.path().join("spill") };
    let session = Engine::Local.session(limits)?;
    let documents = (millions * 1e6) as u64;
    let config =
        ClusterConfig { verification: None, budget: session.budget(), account: folder.path().join("account.json") };
    let schema: SchemaRef = Arc::new(signatures_schema());
    let signatures = Arc::new(Signatures { documents, schema: Arc::clone(&schema) });
    let source = StreamingTableExec::try_new(schema, vec![signatures], None, [], false, None)?;
    let clusters = ClusterExec::new(Arc::new(source), None, config.clone());
    let file = folder.path().join("clusters.parquet");
    let publication = Publication::new(&file, &clusters_schema());
    let plan = Arc::new(PublishExec::new(Arc::new(clusters), vec![publication])?);
    let start = Instant::now();
    let context = session.streaming();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build()?;
    runtime.block_on(session.collect("clusters", &context, plan))?;
    let seconds = start.elapsed().as_secs_f64();
    let account: ClusterAccount = serde_json::from_slice(&fs::read(&config.account)?)?;
    println!(
        "{millions} million documents, {} hashes: {seconds:.1} s, {:.2} s a million, peak {} MB; {} in {} clusters",
        account.hashes,
        seconds / millions,
        peak()?,
        account.members,
        account.clusters
    );
    Ok(())
}

fn signatures_schema() -> Schema {
    let item = Arc::new(Field::new("item", DataType::UInt64, true));
    Schema::new(vec![Field::new("id", DataType::Utf8View, false), Field::new("hashes", DataType::List(item), true)])
}

/// Documents that are made as they are asked for.
#[derive(Debug)]
struct Signatures {
    documents: u64,
    schema: SchemaRef,
}

impl PartitionStream for Signatures {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (documents, schema) = (self.documents, Arc::clone(&self.schema));
        let batches = (0..documents.div_ceil(BATCH_ROWS)).map(move |number| {
            let first = number * BATCH_ROWS;
            batch(first..documents.min(first + BATCH_ROWS), &schema)
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches)))
    }
}

fn batch(documents: Range<u64>, schema: &SchemaRef) -> datafusion::error::Result<RecordBatch> {
    let mut ids = StringViewBuilder::new();
    let (mut hashes, mut lengths) = (Vec::new(), Vec::new());
    for document in documents {
        ids.append_value(format!("{:016x}{:016x}", draw(document, 100), draw(document, 101)));
        let is_copy = draw(document, 102).is_multiple_of(COPIES) && document > 0;
        let original = draw(document, 103) % document.max(1);
        let shared = [1, 2, 3].map(|turn| draw(document, 103 + turn) % BANDS + 1);
        hashes.extend(
            (0..=BANDS).map(|band| {
                if is_copy && shared.contains(&band) { draw(original, band) } else { draw(document, band) }
            }),
        );
        lengths.push(usize::try_from(BANDS + 1).expect("a small number"));
    }
    let item = Arc::new(Field::new("item", DataType::UInt64, true));
    let lists = ListArray::new(item, OffsetBuffer::from_lengths(lengths), Arc::new(UInt64Array::from(hashes)), None);
    let columns: Vec<ArrayRef> = vec![Arc::new(ids.finish()), Arc::new(lists)];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
