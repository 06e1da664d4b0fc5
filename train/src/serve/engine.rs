//! The model on a thread of its own: requests go in, and what becomes of them comes out, while nobody who waits computes.
//!
//! ```text
//! Engine::submit -> commands -> thread: ContinuousBatch, a step at a time -> events -> Generations
//! ```
//!
//! Whoever drops [`Generations`] cancels what is left of them: a client that goes away costs no step more.

use std::{
    collections::HashMap,
    io,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

use crate::{
    generate::continuous::{
        BatchCounts, BatchLimits, ContinuousBatch, GenerationEvent, GenerationRequest, RequestFault,
    },
    inference::InferenceModel,
};

/// What became of a request.
#[derive(Debug)]
pub enum EngineEvent {
    /// The model goes on with it.
    Generation(GenerationEvent),
    /// It cannot be run.
    Refused(RequestFault),
}

/// Where a request's events go: its place among those that were submitted together.
type Sink = UnboundedSender<(usize, EngineEvent)>;

enum Command {
    Add { first: u64, requests: Vec<GenerationRequest>, sink: Sink },
    Cancel(Range<u64>),
}

/// The model on its thread. It ends once the last engine and the last of its generations are dropped.
#[derive(Debug)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    counts: Arc<Mutex<BatchCounts>>,
    /// Requests that are not over.
    open: Arc<AtomicUsize>,
    /// The most that may be.
    most: usize,
    next_key: AtomicU64,
}

/// The engine's thread: ready when that has ended, as it should not while there is an engine.
#[derive(Debug)]
pub struct EngineThread(oneshot::Receiver<()>);

/// Requests that were submitted together.
#[derive(Debug)]
pub struct Generations {
    keys: Range<u64>,
    events: UnboundedReceiver<(usize, EngineEvent)>,
    commands: mpsc::Sender<Command>,
    open: Arc<AtomicUsize>,
}

impl Engine {
    /// Starts the thread.
    ///
    /// - `queue`: requests that may wait beside those that run
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(model: Arc<InferenceModel>, limits: BatchLimits, queue: usize) -> io::Result<(Self, EngineThread)> {
        let (commands, received) = mpsc::channel();
        let counts = Arc::new(Mutex::new(BatchCounts::default()));
        let told = Arc::clone(&counts);
        let (running, thread) = oneshot::channel();
        thread::Builder::new().name("engine".into()).spawn(move || {
            // dropped with the thread, whatever ends it
            let _running = running;
            run(ContinuousBatch::new(model, limits), &received, &told);
        })?;
        let most = limits.sequences + queue;
        Ok((Self { commands, counts, open: Arc::default(), most, next_key: AtomicU64::new(0) }, EngineThread(thread)))
    }

    /// Submits requests together; none where too many wait already, or the engine has ended. One submission may go over the limit.
    pub fn submit(&self, requests: Vec<GenerationRequest>) -> Option<Generations> {
        let count = requests.len();
        let has_room = |open: usize| (open < self.most).then_some(open + count);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, has_room).ok()?;
        let first = self.next_key.fetch_add(count as u64, Ordering::Relaxed);
        let (sink, events) = unbounded_channel();
        let generations = Generations {
            keys: first..first + count as u64,
            events,
            commands: self.commands.clone(),
            open: Arc::clone(&self.open),
        };
        // where the thread has ended, the events end
        let _ = self.commands.send(Command::Add { first, requests, sink });
        Some(generations)
    }

    /// What the batch has done so far, and does now.
    pub fn counts(&self) -> BatchCounts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests that are not over.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl EngineThread {
    /// Waits until it has ended.
    pub async fn ended(self) {
        let _ = self.0.await;
    }
}

impl Generations {
    /// What becomes of one of them, by its place among those that were submitted; none once the engine has ended.
    pub async fn next(&mut self) -> Option<(usize, EngineEvent)> {
        self.events.recv().await
    }

    /// Ends one of them, of which no more is wanted.
    pub fn cancel(&self, place: usize) {
        let key = self.keys.start + place as u64;
        let _ = self.commands.send(Command::Cancel(key..key + 1));
    }
}

impl Drop for Generations {
    fn drop(&mut self) {
        let count = usize::try_from(self.keys.end - self.keys.start).expect("they were counted in memory");
        self.open.fetch_sub(count, Ordering::Relaxed);
        let _ = self.commands.send(Command::Cancel(self.keys.clone()));
    }
}

/// Takes commands and steps until nobody is left who could send one.
fn run(mut batch: ContinuousBatch, commands: &mpsc::Receiver<Command>, counts: &Mutex<BatchCounts>) {
    let mut sinks: HashMap<u64, (usize, Sink)> = HashMap::new();
    let mut is_connected = true;
    while is_connected || !batch.is_idle() {
        *counts.lock().unwrap_or_else(PoisonError::into_inner) = batch.counts();
        let mut next = if batch.is_idle() {
            let next = commands.recv().ok();
            is_connected = next.is_some();
            next
        } else {
            commands.try_recv().ok()
        };
        while let Some(command) = next {
            match command {
                Command::Add { first, requests, sink } => {
                    for (place, request) in requests.into_iter().enumerate() {
                        let key = first + place as u64;
                        match batch.add(key, request) {
                            Ok(()) => drop(sinks.insert(key, (place, sink.clone()))),
                            Err(fault) => drop(sink.send((place, EngineEvent::Refused(fault)))),
                        }
                    }
                }
                Command::Cancel(keys) => {
                    for key in keys {
                        if sinks.remove(&key).is_some() {
                            batch.cancel(key);
                        }
                    }
                }
            }
            next = commands.try_recv().ok();
        }
        batch.step(&mut |key, event| {
            let is_over = matches!(event, GenerationEvent::Finished { .. });
            if let Some((place, sink)) = sinks.get(&key) {
                // whoever does not listen any more has sent a cancellation
                let _ = sink.send((*place, EngineEvent::Generation(event)));
            }
            if is_over {
                sinks.remove(&key);
            }
        });
    }
}
