//! Answers that are drawn before somebody asks for them, on a thread of their own.
//!
//! ```text
//! want(items) -> orders -> thread: AnswerSampler, a step at a time -> store -> shown
//! ```
//!
//! Answers are in the store before they are shown, so that a server that is started again shows the same.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use super::{
    sampler::{AnswerSampler, Sampled},
    store::Store,
};
use crate::error::Result;

/// What the thread is told.
enum Order {
    /// To answer an item.
    Answer(i64),
    /// To end.
    End,
}

/// The thread that draws answers.
#[derive(Debug)]
pub struct Ahead {
    orders: mpsc::Sender<Order>,
    /// Items that were asked for.
    wanted: Mutex<HashSet<i64>>,
    /// Why it has ended, if it has.
    fault: Arc<Mutex<Option<String>>>,
    is_ending: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What a mutex holds: none of these are left in between by a panic.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ahead {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(sampler: AnswerSampler, store: Arc<Mutex<Store>>) -> io::Result<Self> {
        let (orders, received) = mpsc::channel();
        let (fault, is_ending) = (Arc::new(Mutex::new(None)), Arc::new(AtomicBool::new(false)));
        let (told, ends) = (Arc::clone(&fault), Arc::clone(&is_ending));
        let thread = thread::Builder::new().name("answers".into()).spawn(move || {
            if let Err(error) = run(sampler, &store, &received, &ends) {
                *locked(&told) = Some(error.to_string());
            }
        })?;
        Ok(Self { orders, wanted: Mutex::default(), fault, is_ending, thread: Mutex::new(Some(thread)) })
    }

    /// Has items answered that are not, in this order.
    pub fn want(&self, items: impl IntoIterator<Item = i64>) {
        let mut wanted = locked(&self.wanted);
        for item in items {
            if wanted.insert(item) {
                // where the thread has ended, its fault says so
                let _ = self.orders.send(Order::Answer(item));
            }
        }
    }

    /// Why nothing more is drawn, if that is so.
    pub fn fault(&self) -> Option<String> {
        if let Some(fault) = locked(&self.fault).clone() {
            return Some(fault);
        }
        let has_ended = locked(&self.thread).as_ref().is_none_or(JoinHandle::is_finished);
        has_ended.then(|| "the thread that draws answers has ended".to_owned())
    }

    /// Ends the thread behind its step.
    pub fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
        let _ = self.orders.send(Order::End);
        if let Some(thread) = locked(&self.thread).take() {
            // of a panic the thread itself has told
            let _ = thread.join();
        }
    }
}

/// Draws what is asked for until it is told to end.
fn run(
    mut sampler: AnswerSampler,
    store: &Mutex<Store>,
    orders: &mpsc::Receiver<Order>,
    is_ending: &AtomicBool,
) -> Result<()> {
    loop {
        let mut next =
            if sampler.is_idle() { Some(orders.recv().unwrap_or(Order::End)) } else { orders.try_recv().ok() };
        while let Some(order) = next {
            match order {
                Order::Answer(item) => begin(&mut sampler, &locked(store), item)?,
                Order::End => return Ok(()),
            }
            next = orders.try_recv().ok();
        }
        if is_ending.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !sampler.is_idle() {
            for Sampled { item, answers } in sampler.step()? {
                locked(store).add_answers(item, &answers)?;
            }
        }
    }
}

/// Begins to answer an item that has no answers.
fn begin(sampler: &mut AnswerSampler, store: &Store, number: i64) -> Result<()> {
    match store.item(number) {
        Some(item) if store.answers(number)?.is_none() => sampler.add(item, &store.prompt(number)?),
        _ => Ok(()),
    }
}
