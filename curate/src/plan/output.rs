//! How rows leave a node.

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    error::Result,
    execution::SendableRecordBatchStream,
    physical_plan::stream::{RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter},
};
use futures::Stream;
use tokio::sync::mpsc::Sender;

/// The ways in which rows leave a node, one of which it takes.
#[derive(Debug)]
pub struct Output {
    schema: SchemaRef,
}

impl Output {
    /// Rows of these columns.
    pub(super) fn new(schema: SchemaRef) -> Self {
        Self { schema }
    }

    /// Rows that are made as they are asked for: nothing waits between the two.
    pub fn stream(self, rows: impl Stream<Item = Result<RecordBatch>> + Send + 'static) -> SendableRecordBatchStream {
        Box::pin(RecordBatchStreamAdapter::new(self.schema, rows))
    }

    /// Rows that a task sends while others are asked for; it ends when the stream is dropped. Work that holds a core for long
    /// belongs into [`super::blocking`].
    ///
    /// - `waiting`: batches that wait to be taken, at most
    pub fn task<W>(self, waiting: usize, work: impl FnOnce(BatchSender) -> W) -> SendableRecordBatchStream
    where
        W: Future<Output = Result<()>> + Send + 'static,
    {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema, waiting);
        let batches = BatchSender::new(builder.tx());
        builder.spawn(work(batches));
        builder.build()
    }

    /// The same from a thread that may hold a core for long; it has to end when [`BatchSender::send`] says so.
    ///
    /// - `waiting`: batches that wait to be taken, at most
    pub fn thread(
        self,
        waiting: usize,
        work: impl FnOnce(BatchSender) -> Result<()> + Send + 'static,
    ) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema, waiting);
        let batches = BatchSender::new(builder.tx());
        builder.spawn_blocking(move || work(batches));
        builder.build()
    }
}

/// Where a node's batches go.
#[derive(Debug)]
pub struct BatchSender {
    batches: Sender<Result<RecordBatch>>,
    open: bool,
}

impl BatchSender {
    fn new(batches: Sender<Result<RecordBatch>>) -> Self {
        Self { batches, open: true }
    }

    /// Sends a batch, from a thread that may wait until there is room for it. Returns whether more are wanted.
    pub fn send(&mut self, batch: RecordBatch) -> bool {
        self.open = self.open && self.batches.blocking_send(Ok(batch)).is_ok();
        self.open
    }

    /// Whether more are wanted, as far as is known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }
}
