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
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
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

/// The places of a submission among those that may be open: each is given back once, by whoever knows first that its text is over.
#[derive(Debug)]
struct Places {
    open: Arc<AtomicUsize>,
    are_left: Box<[AtomicBool]>,
}

impl Places {
    fn leave(&self, place: usize) {
        if !self.are_left[place].swap(true, Ordering::Relaxed) {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

enum Command {
    Add { first: u64, requests: Vec<GenerationRequest>, sink: Sink, places: Arc<Places> },
    Cancel(Range<u64>),
}

/// The model on its thread. It ends once the last engine and the last of its generations are dropped.
#[derive(Debug)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    counts: Arc<Mutex<BatchCounts>>,
    /// Requests that are not over: those that wait, run, or were not taken up yet.
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
    places: Arc<Places>,
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
        let open = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&counts);
        let (running, thread) = oneshot::channel();
        thread::Builder::new().name("engine".into()).spawn(move || {
            // dropped with the thread, whatever ends it
            let _running = running;
            run(ContinuousBatch::new(model, limits), &received, &told);
        })?;
        let most = limits.sequences.saturating_add(queue);
        Ok((Self { commands, counts, open, most, next_key: AtomicU64::new(0) }, EngineThread(thread)))
    }

    /// Submits requests together; none where too many wait already, or the engine has ended. One submission may go over the limit.
    pub fn submit(&self, requests: Vec<GenerationRequest>) -> Option<Generations> {
        let count = requests.len();
        let has_room = |open: usize| (open < self.most).then_some(open.saturating_add(count));
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, has_room).ok()?;
        let first = self.next_key.fetch_add(count as u64, Ordering::Relaxed);
        let (sink, events) = unbounded_channel();
        let are_left = (0..count).map(|_| AtomicBool::new(false)).collect();
        let places = Arc::new(Places { open: Arc::clone(&self.open), are_left });
        let generations = Generations {
            keys: first..first + count as u64,
            events,
            commands: self.commands.clone(),
            places: Arc::clone(&places),
        };
        // where the thread has ended, the events end
        let _ = self.commands.send(Command::Add { first, requests, sink, places });
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
        // the answer may go out, and the next request come, before the engine hears of it
        self.places.leave(place);
        let _ = self.commands.send(Command::Cancel(key..key + 1));
    }

    /// Ends all of them.
    pub fn cancel_all(&self) {
        let _ = self.commands.send(Command::Cancel(self.keys.clone()));
    }
}

impl Drop for Generations {
    fn drop(&mut self) {
        self.cancel_all();
    }
}

/// Takes commands and steps until nobody is left who could send one.
fn run(mut batch: ContinuousBatch, commands: &mpsc::Receiver<Command>, counts: &Mutex<BatchCounts>) {
    let mut sinks: HashMap<u64, (usize, Sink, Arc<Places>)> = HashMap::new();
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
                Command::Add { first, requests, sink, places } => {
                    for (place, request) in requests.into_iter().enumerate() {
                        let key = first + place as u64;
                        match batch.add(key, request) {
                            Ok(()) => drop(sinks.insert(key, (place, sink.clone(), Arc::clone(&places)))),
                            Err(fault) => {
                                places.leave(place);
                                let _ = sink.send((place, EngineEvent::Refused(fault)));
                            }
                        }
                    }
                }
                Command::Cancel(keys) => {
                    for key in keys {
                        if let Some((place, _, places)) = sinks.remove(&key) {
                            places.leave(place);
                            batch.cancel(key);
                        }
                    }
                }
            }
            next = commands.try_recv().ok();
        }
        if batch.is_idle() {
            continue;
        }
        batch.step(&mut |key, event| {
            let is_over = matches!(event, GenerationEvent::Finished { .. });
            if let Some((place, sink, places)) = sinks.get(&key) {
                if is_over {
                    // whoever hears of it may ask for the next at once
                    places.leave(*place);
                }
                // whoever does not listen any more has sent a cancellation
                let _ = sink.send((*place, EngineEvent::Generation(event)));
            }
            if is_over {
                sinks.remove(&key);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use burn::tensor::Device;
    use tokio::time::sleep;

    use super::*;
    use crate::{generate::Sampling, inference::WeightFormat, model::ModelConfig};

    const VOCAB_SIZE: usize = 12;

    fn model() -> Arc<InferenceModel> {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(96),
            ..ModelConfig::default()
        };
        let model = config.architecture().expect("the numbers fit together").init(VOCAB_SIZE, 3, &Device::flex());
        Arc::new(InferenceModel::new(&model, WeightFormat::F32))
    }

    fn request(id: u32, max_new_tokens: usize) -> GenerationRequest {
        GenerationRequest {
            prompt: vec![id],
            max_new_tokens,
            sampling: Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 1 },
            sample: 0,
            eos: [].into(),
            suppressed: [].into(),
            logit_bias: Vec::new(),
            logprobs: None,
            echo: false,
        }
    }

    /// Whatever is over leaves its place at once: what was finished or refused, though others of the submission run; and what was cancelled.
    #[tokio::test]
    async fn what_is_over_leaves_its_place() {
        let limits = BatchLimits { sequences: 1, ..BatchLimits::default() };
        let (engine, thread) = Engine::start(model(), limits, 0).expect("there is a thread");
        let mut generations =
            engine.submit(vec![request(1, 1), request(99, 1), request(2, 40)]).expect("there is a place");
        let mut over = Vec::new();
        while over.len() < 3 {
            let (place, event) = generations.next().await.expect("the engine runs");
            if !matches!(event, EngineEvent::Refused(_) | EngineEvent::Generation(GenerationEvent::Finished { .. })) {
                continue;
            }
            over.push(place);
            assert!(engine.open() <= 3 - over.len(), "{over:?}");
        }
        assert_eq!(over, [1, 0, 2]);
        let others = engine.submit(vec![request(1, 90), request(2, 90)]).expect("there is a place");
        drop(others);
        while engine.open() > 0 {
            sleep(Duration::from_millis(1)).await;
        }
        drop((engine, generations));
        thread.ended().await;
    }
}
