//! A watchdog on the clock, for work that counts no steps of its own and cannot be told to stop.
//!
//! The work is done on a thread beside the caller's. When it takes too long the caller goes on without it; the thread is left to
//! end by itself, and the next work gets a new one.

use std::{
    cell::RefCell,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// A piece of work; it sends its own result.
type Work = Box<dyn FnOnce() + Send>;

thread_local! {
    /// The thread beside this one.
    static BESIDE: RefCell<Option<Sender<Work>>> = const { RefCell::new(None) };
}

/// What `work` gives; none if it takes longer than `limit`, or panics.
pub fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (result, results) = channel();
    let work: Work = Box::new(move || {
        // nobody waits any more where the limit was reached
        let _ = result.send(work());
    });
    BESIDE.with_borrow_mut(|beside| {
        let beside = beside.get_or_insert_with(spawn);
        if let Err(unsent) = beside.send(work) {
            *beside = spawn();
            beside.send(unsent.0).expect("a new thread takes work");
        }
    });
    let found = results.recv_timeout(limit).ok();
    if found.is_none() {
        BESIDE.set(None);
    }
    found
}

fn spawn() -> Sender<Work> {
    let (work, works): (Sender<Work>, Receiver<Work>) = channel();
    thread::Builder::new()
        .name("extractor".to_owned())
        .spawn(move || works.into_iter().for_each(|work| work()))
        .expect("the system gives a thread");
    work
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_too_long_is_left_behind() {
        let (limit, long) = (Duration::from_millis(20), Duration::from_mins(1));
        assert_eq!(within(limit, move || thread::sleep(long)), None);
        assert_eq!(within(long, || 3), Some(3));
        assert_eq!(within(long, || 4), Some(4));
    }
}
