//! Threads that work through short stages together.
//!
//! ```text
//! caller      stage 0: tasks 0 2 3 | stage 1: tasks 0 1 | ...          goes on when all tasks of a stage are done
//! helper               tasks 1 4   |          tasks 2 3 | ...          waits for the next stage without sleeping
//! ```
//!
//! A token of a small model takes some milliseconds and has a hundred stages: to wake threads for each would cost more than the work. Helpers
//! stay awake throughout. Nothing waits for a helper that has not come: the caller does the tasks that nobody took, so that a busy pool only
//! makes it slower. Tasks are taken by whoever is free, since threads of a shared machine are not equally fast.
//!
//! Useful for: many stages of microseconds. Not useful for: a few long ones; rayon has them.
#![expect(unsafe_code, reason = "a stage borrows from its caller, and helpers hold it no longer than the caller waits")]

use std::{
    cell::Cell,
    hint::spin_loop,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering},
    },
};

/// Turns of waiting before a thread lets others have its processor: some 10 to 100 microseconds.
const TURNS: u32 = 2000;

/// Most tasks of a stage.
const MOST: usize = 0xFFFF;

/// Threads that work on the stages of one caller.
#[derive(Debug)]
pub struct Team {
    stages: Arc<Stages>,
    threads: usize,
    /// Stages come one after the other, from the thread that began: a team is not shared.
    of_caller: PhantomData<Cell<()>>,
}

/// What the threads share.
#[derive(Debug, Default)]
struct Stages {
    /// The number of the stage (32 bits), how many tasks it has (16), and how many of them are taken (16).
    state: AtomicU64,
    /// Its work, for as long as some of its tasks are not done.
    stage: AtomicPtr<Stage<'static>>,
    done: AtomicU32,
    is_over: AtomicBool,
    has_failed: AtomicBool,
}

/// A stage: what is done with the numbers of a thread and a task.
struct Stage<'a>(&'a (dyn Fn(usize, usize) + Sync));

impl Team {
    /// Runs `caller` with a team of the threads of the current pool.
    pub fn with<T>(caller: impl FnOnce(&Self) -> T) -> T {
        let threads = rayon::current_num_threads().max(1);
        let team = Self { stages: Arc::default(), threads, of_caller: PhantomData };
        // helpers go home, however the caller ends
        let _home = Home(&team.stages);
        for thread in 1..threads {
            let stages = Arc::clone(&team.stages);
            // who comes when all is over goes home at once; who fails has said so
            rayon::spawn(move || _ = catch_unwind(AssertUnwindSafe(|| stages.help(thread))));
        }
        caller(&team)
    }

    /// Its threads, the caller among them.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs tasks `0..tasks`, each on some thread: `work` is given the numbers of both.
    ///
    /// # Panics
    /// When a task does.
    pub fn run(&self, tasks: usize, work: impl Fn(usize, usize) + Sync) {
        if self.threads == 1 || tasks <= 1 {
            (0..tasks).for_each(|task| work(0, task));
            return;
        }
        for first in (0..tasks).step_by(MOST) {
            let tasks = MOST.min(tasks - first);
            self.stages.run(tasks, &|thread, task| work(thread, first + task));
        }
    }
}

impl Stages {
    fn run(&self, tasks: usize, work: &(dyn Fn(usize, usize) + Sync)) {
        let stage = Stage(work);
        self.done.store(0, Ordering::Relaxed);
        self.stage.store(std::ptr::from_ref(&stage).cast_mut().cast(), Ordering::Relaxed);
        let number = (self.state.load(Ordering::Relaxed) >> 32) + 1;
        self.state.store(number << 32 | (tasks as u64) << 16, Ordering::Release);
        // whatever happens, nobody works on the stage when this is over
        let finish = Finish { stages: self, tasks };
        while let Some(task) = self.take() {
            let _done = Done(self);
            work(0, task);
        }
        drop(finish);
        assert!(!self.has_failed.load(Ordering::Relaxed), "a thread of the team failed");
    }

    /// Takes the next task of the stage, if one is left.
    fn take(&self) -> Option<usize> {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let (taken, tasks) = (state & 0xFFFF, state >> 16 & 0xFFFF);
            if taken >= tasks {
                return None;
            }
            match self.state.compare_exchange_weak(state, state + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return usize::try_from(taken).ok(),
                Err(now) => state = now,
            }
        }
    }

    /// Takes tasks until the caller is over.
    fn help(&self, thread: usize) {
        let mut turns = 0;
        while !self.is_over.load(Ordering::Acquire) {
            let Some(task) = self.take() else {
                wait(&mut turns);
                continue;
            };
            turns = 0;
            let _done = Done(self);
            // SAFETY: a task that was taken is not done, and the caller keeps its stage until all are. The stage was stored before its tasks
            // were there to be taken, and none other is stored before they are done.
            let Stage(work) = unsafe { &*self.stage.load(Ordering::Relaxed) };
            work(thread, task);
        }
    }
}

/// A task that is taken: it is done when this is dropped, well or not.
struct Done<'t>(&'t Stages);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.has_failed.store(true, Ordering::Relaxed);
        }
        self.0.done.fetch_add(1, Ordering::Release);
    }
}

/// A stage that is to be over when this is dropped: tasks that nobody took are left undone, and others are waited for.
struct Finish<'t> {
    stages: &'t Stages,
    tasks: usize,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        while self.stages.take().is_some() {
            drop(Done(self.stages));
        }
        let mut turns = 0;
        while (self.stages.done.load(Ordering::Acquire) as usize) < self.tasks {
            wait(&mut turns);
        }
    }
}

/// Waits a little, and longer the longer it has waited.
fn wait(turns: &mut u32) {
    if *turns < TURNS {
        *turns += 1;
        spin_loop();
    } else {
        std::thread::yield_now();
    }
}

struct Home<'t>(&'t Stages);

impl Drop for Home<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::{panic::catch_unwind, sync::atomic::AtomicUsize};

    use super::*;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start")
    }

    #[test]
    fn every_task_is_done_once_before_the_next_stage() {
        for threads in [1, 2, 3, 8] {
            let counts: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
            pool(threads).install(|| {
                Team::with(|team| {
                    for stage in 0..500 {
                        team.run(stage % 101, |thread, task| {
                            assert!(thread < threads);
                            counts[task].fetch_add(1, Ordering::Relaxed);
                        });
                        let done: usize = counts.iter().map(|count| count.swap(0, Ordering::Relaxed)).sum();
                        assert_eq!(done, stage % 101);
                    }
                });
            });
        }
    }

    /// Two teams in one pool, each of whose callers holds a thread of it, do not wait for each other.
    #[test]
    fn a_busy_pool_stops_nobody() {
        let done = AtomicUsize::new(0);
        pool(2).install(|| {
            let work = || {
                for _ in 0..200 {
                    Team::with(|team| team.run(5, |_, _| _ = done.fetch_add(1, Ordering::Relaxed)));
                }
            };
            rayon::join(work, work);
        });
        assert_eq!(done.into_inner(), 2000);
    }

    /// Nor do teams that begin outside the pool wait for helpers that others keep.
    #[test]
    fn a_team_without_helpers_is_done() {
        let pool = pool(2);
        let (begun, go) = (std::sync::Barrier::new(3), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // both threads of the pool are busy until the team below is done
                pool.broadcast(|_| {
                    begun.wait();
                    while !go.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                });
            });
            begun.wait();
            let team = Team { stages: Arc::default(), threads: 2, of_caller: PhantomData };
            let (done, stages) = (AtomicUsize::new(0), Arc::clone(&team.stages));
            pool.spawn(move || stages.help(1));
            team.run(7, |_, _| _ = done.fetch_add(1, Ordering::Relaxed));
            drop(Home(&team.stages));
            go.store(true, Ordering::Release);
            assert_eq!(done.into_inner(), 7);
        });
    }

    #[test]
    fn more_tasks_than_a_stage_has_room_for() {
        let sum = AtomicUsize::new(0);
        pool(2).install(|| Team::with(|team| team.run(100_000, |_, task| _ = sum.fetch_add(task, Ordering::Relaxed))));
        assert_eq!(sum.into_inner(), 100_000 * 99_999 / 2);
    }

    #[test]
    fn a_task_that_fails_fails_the_caller() {
        for task in 0..4 {
            let failed = catch_unwind(|| {
                pool(2).install(|| Team::with(|team| team.run(4, |_, number| assert_ne!(number, task))));
            });
            assert!(failed.is_err());
        }
    }
}
