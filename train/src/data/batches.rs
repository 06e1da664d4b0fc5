//! Batches by step, made ahead of the step that needs them.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use super::{Batch, BatchSource, MicroBatches, WeightedSequences, weighted::Cursor};
use crate::error::Result;

/// Batches that wait, at most.
const AHEAD: usize = 4;

/// The batches of a training.
///
/// A thread of its own makes the next ones while the device computes; what it makes is a function of (seed, step), so the
/// same batches come with and without it, and the place in the data is one number.
pub struct Batches<B = Batch> {
    make: Arc<Make<B>>,
    waiting: Option<Waiting<B>>,
}

/// Makes the batch of a step; the cursor spares counting anew what came before.
type Make<B> = dyn Fn(u64, &mut Cursor) -> Result<B> + Send + Sync;

struct Waiting<B> {
    /// The step whose batch comes next.
    step: u64,
    batches: Receiver<Result<B>>,
}

impl Batches {
    /// Batches of `batch_size` sequences each.
    #[must_use]
    pub fn new(sequences: WeightedSequences, batch_size: usize) -> Self {
        Self::of(move |step, cursor| sequences.step(step, batch_size, cursor))
    }
}

impl<B: Send + 'static> Batches<B> {
    /// Batches that `make` gives: a function of the step and of nothing else, whatever the cursor has seen.
    pub(super) fn of(make: impl Fn(u64, &mut Cursor) -> Result<B> + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), waiting: None }
    }

    /// Starts a thread that makes batches from a step on, until the receiver is gone.
    fn ahead_from(&self, first: u64) -> Receiver<Result<B>> {
        let (sender, receiver) = sync_channel(AHEAD);
        let make = Arc::clone(&self.make);
        thread::spawn(move || {
            let mut cursor = Cursor::default();
            for step in first.. {
                let batch = make(step, &mut cursor);
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    return;
                }
            }
        });
        receiver
    }
}

impl<B: MicroBatches + Send + 'static> BatchSource for Batches<B> {
    type Batch = B;

    /// The batch of a step.
    fn batch(&mut self, step: u64) -> Result<B> {
        let waiting = match self.waiting.take() {
            Some(waiting) if waiting.step == step => waiting,
            _ => Waiting { step, batches: self.ahead_from(step) },
        };
        let received = waiting.batches.recv();
        let batch = received.expect("the thread goes on until nobody listens, or something cannot be read")?;
        self.waiting = Some(Waiting { step: step + 1, ..waiting });
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        PackedSequences, Packing, RowsAs,
        token_file::{Made, TokenFile, TokenFileWriter},
        tokens::Tokens,
    };

    /// Two sources of 12 and 5 sequences, of which the second has ids from 1,000 on.
    fn sources(folder: &tempfile::TempDir, seed: u64) -> Result<WeightedSequences> {
        let made = Made { tokenizer: String::new(), source: String::new() };
        let mut sources = Vec::new();
        for (name, weight, first, count) in [("one", 3.0, 0, 12), ("other", 1.0, 1000, 5)] {
            let path = folder.path().join(name);
            let mut writer = TokenFileWriter::create(&path, 1 << 16)?;
            writer.push(&(first..first + count * 4).collect::<Vec<u32>>(), 0, 0)?;
            writer.finish(made.clone(), 0)?;
            let tokens = Tokens::new(&[TokenFile::open(&path, &made)?], None, 0, RowsAs::Documents);
            sources.push((name.to_owned(), weight, PackedSequences::new(tokens, 4, Packing::Concatenated, false)));
        }
        Ok(WeightedSequences::new(sources, 4, seed))
    }

    /// The promise of resuming: whatever came before, and whether batches are made ahead or now, a step has its batch.
    #[test]
    fn a_step_is_the_same_wherever_one_begins() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut walked = Batches::new(sources(&folder, 7)?, 3);
        let all: Vec<Batch> = (0..50).map(|step| walked.batch(step)).collect::<Result<_>>()?;
        for step in [49, 33, 34, 0, 17] {
            assert_eq!(walked.batch(step)?, all[usize::try_from(step).expect("few")], "step {step}, asked for again");
            let mut resumed = Batches::new(sources(&folder, 7)?, 3);
            assert_eq!(resumed.batch(step)?, all[usize::try_from(step).expect("few")], "step {step}, begun there");
            let now = sources(&folder, 7)?.step(step, 3, &mut Cursor::default())?;
            assert_eq!(now, all[usize::try_from(step).expect("few")], "step {step}, not ahead");
        }
        assert_ne!(Batches::new(sources(&folder, 8)?, 3).batch(0)?, all[0]);
        Ok(())
    }

    /// Each source gives all its sequences before it takes one again, whatever the other does; and comes by its weight.
    #[test]
    fn each_source_has_epochs_of_its_own() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut batches = Batches::new(sources(&folder, 7)?, 4);
        let mut firsts = Vec::new();
        for step in 0..300 {
            firsts.extend(batches.batch(step)?.targets.chunks(4).map(|ids| ids[0]).collect::<Vec<_>>());
        }
        let (one, other): (Vec<i32>, Vec<i32>) = firsts.into_iter().partition(|id| *id < 1000);
        assert!((840..960).contains(&one.len()), "{} of 1,200 sequences by a weight of 3 in 4", one.len());
        for (firsts, count) in [(one, 12), (other, 5)] {
            let mut epochs: Vec<Vec<i32>> = firsts.chunks_exact(count).map(<[i32]>::to_vec).collect();
            assert_ne!(epochs[0], epochs[1], "every epoch has an order of its own");
            epochs.iter_mut().for_each(|epoch| epoch.sort_unstable());
            assert!(epochs.iter().all(|epoch| epoch.windows(2).all(|pair| pair[0] < pair[1])), "a sequence came twice");
        }
        Ok(())
    }
}
