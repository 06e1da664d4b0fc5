//! Pairs of several sources as batches, by weight.
//!
//! ```text
//! places of the stream    0 ......... 63 | 64 ....... 127 |      a window: the pairs of 16 batches of 4
//! by length               short ... long | short ... long |      cut into batches, which come in an order of their own
//! ```
//!
//! Pairs of one batch that are of one length need no padding; within a window, chance still has its say. That a batch is of a window changes
//! nothing of what an epoch gives: each pair once.
//!
//! Source: `group_by_length` of `transformers`.

use super::{
    Batches, Pair, PairBatch, PairEvalSet, Pairs, Shuffle,
    weighted::{Cursor, Weighted},
};
use crate::error::Result;

/// Batches of a window.
const WINDOW: u64 = 16;

/// Pairs of several sources. Each gives its pairs epoch by epoch, every one once in an epoch, in an order of its own.
#[derive(Debug)]
pub struct WeightedPairs {
    pairs: Weighted<Pairs>,
    padding: u32,
}

/// A pair of a source by its number.
type Drawn<'p> = (&'p Pairs, u64);

impl WeightedPairs {
    /// Brings sources together.
    ///
    /// - `sources`: name, weight and pairs of each, one at least, with a pair at least
    /// - `padding`: what a decoder begins with, and what pairs are padded with; as T5 has it
    #[must_use]
    pub fn new(sources: Vec<(String, f64, Pairs)>, padding: u32, seed: u64) -> Self {
        Self { pairs: Weighted::new(sources, seed), padding }
    }

    /// Pairs of all sources.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.pairs.count()
    }

    /// Batches of `batch_size` pairs each, padded to the longest of them: each a function of the seed and the step, and of nothing else.
    ///
    /// - `by_length`: whether pairs of like lengths go together, within windows
    #[must_use]
    pub fn batches(self, batch_size: usize, by_length: bool) -> Batches<PairBatch> {
        Batches::of(move |step, cursor| {
            let drawn = if by_length {
                self.draw_by_length(step, batch_size, cursor)
            } else {
                self.pairs.draw(step * batch_size as u64, batch_size, cursor)
            };
            let pairs = drawn.into_iter().map(|(pairs, number)| pairs.pair(number)).collect::<Result<Vec<Pair>>>()?;
            Ok(PairBatch::new(&pairs, self.padding, self.padding))
        })
    }

    /// The pairs of a batch of the step's window, all of which are drawn and put in the order of their lengths; no ids are read for it.
    fn draw_by_length(&self, step: u64, batch_size: usize, cursor: &mut Cursor) -> Vec<Drawn<'_>> {
        let (window, within) = (step / WINDOW, step % WINDOW);
        let first = window * WINDOW * batch_size as u64;
        // the cursor stays at the beginning of the window, for its next batch
        self.pairs.draw(first, 0, cursor);
        let count = usize::try_from(WINDOW).expect("it is small") * batch_size;
        let mut drawn = self.pairs.draw(first, count, &mut cursor.clone());
        drawn.sort_by_key(|(pairs, number)| pairs.length(*number));
        let order = Shuffle::new(self.pairs.seed, &format!("batches of window {window}"), WINDOW);
        let place = usize::try_from(order.at(within)).expect("it is small") * batch_size;
        drawn[place..place + batch_size].to_vec()
    }

    /// A random sample to evaluate on: `most` pairs at most, or one of each source.
    ///
    /// # Errors
    /// When ids cannot be read.
    pub fn eval_set(&self, most: usize) -> Result<PairEvalSet> {
        let mut parts = Vec::new();
        for (source, sampled) in self.pairs.sources.iter().zip(self.pairs.sample(most)) {
            let pairs = sampled.numbers.iter().map(|number| source.examples.pair(*number)).collect::<Result<_>>()?;
            parts.push((sampled.factor, pairs));
        }
        Ok(PairEvalSet::new(parts, self.count(), self.padding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        BatchSource as _, RowsAs,
        token_file::{Made, TokenFile, TokenFileWriter},
        tokens::Tokens,
    };

    /// Two sources of 7 and 4 pairs of different lengths; the first id of a source tells which pair it is.
    fn sources(folder: &tempfile::TempDir, seed: u64) -> Result<WeightedPairs> {
        let made = Made { tokenizer: String::new(), source: String::new() };
        let mut sources = Vec::new();
        for (name, weight, first, count) in [("one", 3.0, 10, 7), ("other", 1.0, 100, 4)] {
            let path = folder.path().join(name);
            let mut writer = TokenFileWriter::create(&path, 1 << 16)?;
            for id in first..first + count {
                let prompt: Vec<u32> = (0..=id % 3).map(|_| id).collect();
                writer.push(&[&prompt[..], &[id + 1, 1]].concat(), prompt.len(), 0)?;
            }
            writer.finish(made.clone(), 0)?;
            let tokens = Tokens::new(&[TokenFile::open(&path, &made)?], None, 0, RowsAs::Documents);
            sources.push((name.to_owned(), weight, Pairs::new(tokens, [8, 8], 1)));
        }
        Ok(WeightedPairs::new(sources, 0, seed))
    }

    /// Whatever came before, a step has its batch; a source gives each pair once in an epoch, and by length as often within a window.
    #[test]
    fn a_step_is_the_same_wherever_one_begins() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut given = Vec::new();
        for by_length in [false, true] {
            let mut walked = sources(&folder, 7)?.batches(3, by_length);
            let all: Vec<PairBatch> = (0..48).map(|step| walked.batch(step)).collect::<Result<_>>()?;
            for step in [47, 13, 14, 0] {
                let expected = &all[usize::try_from(step).expect("few")];
                assert_eq!(&walked.batch(step)?, expected, "step {step}, asked for again");
                assert_eq!(
                    &sources(&folder, 7)?.batches(3, by_length).batch(step)?,
                    expected,
                    "step {step}, begun there"
                );
            }
            assert_ne!(sources(&folder, 8)?.batches(3, by_length).batch(0)?, all[0]);
            let padding = |batch: &PairBatch| batch.sources.len() - batch.source_lengths.iter().sum::<usize>();
            let padding: usize = all.iter().map(padding).sum();
            let firsts = all.iter().flat_map(|batch| batch.sources.chunks(batch.sources.len() / 3).map(|ids| ids[0]));
            given.push((padding, firsts.collect::<Vec<i32>>()));
        }
        let [(padding, plain), (less, by_length)] = given.try_into().expect("there are two");
        assert!(4 * less < padding, "{less} places are padding by length, and {padding} are without");
        for (one, other) in plain.chunks(48).zip(by_length.chunks(48)) {
            let sorted = |ids: &[i32]| {
                let mut ids = ids.to_vec();
                ids.sort_unstable();
                ids
            };
            assert_eq!(sorted(one), sorted(other), "a window has other pairs by length");
        }

        let (one, other): (Vec<i32>, Vec<i32>) = plain.into_iter().partition(|id| *id < 100);
        for (ids, count) in [(one, 7), (other, 4)] {
            for epoch in ids.chunks_exact(count) {
                let mut epoch = epoch.to_vec();
                epoch.sort_unstable();
                assert!(epoch.windows(2).all(|pair| pair[0] < pair[1]), "a pair came twice: {epoch:?}");
            }
        }
        Ok(())
    }

    /// A sample has its size, and its pairs the weights of their sources, whatever goes through a model together.
    #[test]
    fn a_sample_weighs_what_its_sources_do() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let from = sources(&folder, 7)?;
        for (most, wanted) in [(1, 2), (8, 8), (100, 11)] {
            let set = from.eval_set(most)?;
            assert_eq!((set.pairs(), set.all_pairs()), (wanted, 11));
            let (mut pairs, mut of_first) = (0, 0.0);
            for (factor, batch) in set.batches(3) {
                assert!(batch.batch_size <= 3);
                pairs += batch.batch_size;
                of_first += if batch.sources[0] < 100 { factor * batch.batch_size as f64 } else { 0.0 };
            }
            assert_eq!(pairs, wanted);
            assert!((of_first / wanted as f64 - 0.75).abs() < 1e-9, "{of_first} of {wanted}");
        }
        assert_eq!(from.eval_set(8)?.hash(), from.eval_set(8)?.hash());
        assert_ne!(from.eval_set(8)?.hash(), from.eval_set(9)?.hash());
        Ok(())
    }
}
