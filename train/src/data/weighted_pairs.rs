//! Pairs of several sources as batches, by weight.
//!
//! Pairs of one batch are padded to the longest, so pairs of like length go together: see [`super::by_length`].

use super::{Batches, Pair, PairBatch, PairEvalSet, Pairs, by_length::ByLength, weighted::Weighted};
use crate::error::Result;

/// Pairs of several sources. Each gives its pairs epoch by epoch, every one once in an epoch, in an order of its own.
#[derive(Debug)]
pub struct WeightedPairs {
    pairs: Weighted<Pairs>,
    padding: u32,
}

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

    /// Batches of `batch_size` pairs of like length each, padded to the longest of them: each a function of the seed, the step and the end, and
    /// of nothing else.
    ///
    /// - `end`: batches in all, where a training ends with a number of epochs, which have each pair once
    #[must_use]
    pub fn batches(self, batch_size: usize, end: Option<u64>) -> Batches<PairBatch> {
        let Self { pairs, padding } = self;
        let pairs = ByLength::new(pairs, batch_size, end);
        Batches::of(move |step, cursor| {
            let drawn = pairs.batch(step, cursor).into_iter().map(|(pairs, number)| pairs.pair(number));
            Ok(PairBatch::new(&drawn.collect::<Result<Vec<Pair>>>()?, padding, padding))
        })
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
        weighted::Cursor,
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

    /// Whatever came before, a step has its batch; and less of it is padding than if pairs came in the order of their places.
    #[test]
    fn a_step_is_the_same_wherever_one_begins() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let padding = |batch: &PairBatch| batch.sources.len() - batch.source_lengths.iter().sum::<usize>();
        let from = sources(&folder, 7)?.pairs;
        let drawn = from.draw(0, 48 * 3, &mut Cursor::default());
        let pairs: Vec<Pair> = drawn.into_iter().map(|(pairs, number)| pairs.pair(number)).collect::<Result<_>>()?;
        let plain: usize = pairs.chunks(3).map(|pairs| padding(&PairBatch::new(pairs, 0, 0))).sum();
        for end in [None, Some(40)] {
            let mut walked = sources(&folder, 7)?.batches(3, end);
            let all: Vec<PairBatch> = (0..48).map(|step| walked.batch(step)).collect::<Result<_>>()?;
            for step in [47, 39, 13, 14, 0] {
                let expected = &all[usize::try_from(step).expect("few")];
                assert_eq!(&walked.batch(step)?, expected, "step {step}, asked for again");
                assert_eq!(&sources(&folder, 7)?.batches(3, end).batch(step)?, expected, "step {step}, begun there");
            }
            assert_ne!(sources(&folder, 8)?.batches(3, end).batch(0)?, all[0]);
            let less: usize = all.iter().map(padding).sum();
            assert!(3 * less < plain, "{less} places are padding by length, and {plain} are without");
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
