//! Sequences of text as pairs, by span corruption: what is noise in one is drawn anew each time that it comes.

use super::{Batches, PairBatch, SpanCorruption, WeightedSequences, weighted::Cursor};
use crate::error::Result;

/// Sequences of several sources, which are corrupted.
#[derive(Debug)]
pub struct SpanPairs {
    sequences: WeightedSequences,
    corruption: SpanCorruption,
    padding: u32,
}

impl SpanPairs {
    /// - `sequences`: of as many ids as `corruption` is for, without padding
    /// - `padding`: what a decoder begins with; as T5 has it
    #[must_use]
    pub fn new(sequences: WeightedSequences, corruption: SpanCorruption, padding: u32) -> Self {
        Self { sequences, corruption, padding }
    }

    /// Sequences of all sources.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sequences.count()
    }

    /// Batches of `batch_size` pairs each: each a function of the seed and the step, and of nothing else.
    #[must_use]
    pub fn batches(self, batch_size: usize) -> Batches<PairBatch> {
        Batches::of(move |step, cursor| self.step(step, batch_size, cursor))
    }

    fn step(&self, step: u64, batch_size: usize, cursor: &mut Cursor) -> Result<PairBatch> {
        let batch = self.sequences.step(step, batch_size, cursor)?;
        // a place in the stream comes once, whatever stands there
        let places = step * batch_size as u64..;
        let sequences = batch.targets.chunks_exact(batch.sequence_length).zip(places);
        let pairs: Vec<_> = sequences.map(|(ids, place)| self.corruption.pair_of_inputs(ids, place)).collect();
        Ok(PairBatch::new(&pairs, self.padding, self.padding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        BatchSource as _, PackedSequences, Packing, RowsAs, SpanNoise,
        token_file::{Made, TokenFile, TokenFileWriter},
        tokens::Tokens,
    };

    /// A step has its batch wherever one begins; every id of a sequence stands in its source or its target; and in another epoch other ids
    /// are noise.
    #[test]
    fn a_sequence_is_corrupted_anew_in_each_epoch() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("texts");
        let made = Made { tokenizer: String::new(), source: String::new() };
        let mut writer = TokenFileWriter::create(&path, 1 << 16)?;
        writer.push(&(10..10 + 6 * 20).collect::<Vec<u32>>(), 0, 0)?;
        writer.finish(made.clone(), 0)?;
        let pairs = || -> Result<SpanPairs> {
            let tokens = Tokens::new(&[TokenFile::open(&path, &made)?], None, 0, RowsAs::Documents);
            let sequences = PackedSequences::new(tokens, 20, Packing::Concatenated, false);
            let sequences = WeightedSequences::new(vec![("texts".into(), 1.0, sequences)], 20, 3);
            // 8 ids in 3 spans: of one span alone, the place is always the end
            let noise = SpanNoise { density: 0.4, mean_length: 3.0 };
            let corruption = SpanCorruption::new(noise, 20, (2..9).collect(), 1, 3);
            Ok(SpanPairs::new(sequences, corruption.expect("the numbers fit"), 0))
        };
        let mut walked = pairs()?.batches(2);
        let all: Vec<PairBatch> = (0..6).map(|step| walked.batch(step)).collect::<Result<_>>()?;
        assert_eq!(pairs()?.batches(2).batch(4)?, all[4]);

        // one sequence after the other: which it is, and what is noise in it
        let mut seen = Vec::new();
        for batch in &all {
            let rows = batch.sources.chunks(batch.sources.len() / 2).zip(batch.targets.chunks(batch.targets.len() / 2));
            for (source, target) in rows {
                let text = |ids: &[i32]| ids.iter().copied().filter(|id| *id >= 10).collect::<Vec<i32>>();
                let noise = text(target);
                let mut ids = [text(source), noise.clone()].concat();
                ids.sort_unstable();
                assert!(ids.len() == 20 && ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{ids:?}");
                seen.push((ids[0], noise));
            }
        }
        let (first, second) = seen.split_at_mut(6);
        first.sort_unstable();
        second.sort_unstable();
        assert!(first.iter().zip(&*second).all(|(one, other)| one.0 == other.0), "{seen:?}");
        assert_ne!(first, second);
        Ok(())
    }
}
