//! Batches by their number, of examples that are in memory.
//!
//! Sequences of one batch are padded to the longest, so examples of like length go together: see [`super::by_length`].

use super::{
    BatchSource, Example, Examples, MicroBatches, SequenceBatch,
    by_length::{ByLength, Lengths},
    weighted::{Cursor, Weighted},
};
use crate::error::Result;

/// Examples in memory, of which some become a batch.
pub trait Batched: Lengths {
    /// What they become.
    type Batch: MicroBatches;

    /// The batch of some examples, one at least: the sources that they are of, and their numbers.
    ///
    /// - `padding`: any id
    fn batch(drawn: &[(&Self, usize)], padding: u32) -> Self::Batch;
}

impl Batched for Examples {
    type Batch = SequenceBatch;

    fn batch(drawn: &[(&Self, usize)], padding: u32) -> SequenceBatch {
        let examples: Vec<Example<'_>> = drawn.iter().map(|(examples, number)| examples.get(*number)).collect();
        SequenceBatch::new(&examples, padding)
    }
}

/// The batches of a training on examples that are in memory.
#[derive(Debug)]
pub struct BatchesInMemory<E> {
    examples: ByLength<E>,
    padding: u32,
    cursor: Cursor,
}

/// The batches of a training on labelled examples.
pub type ExampleBatches = BatchesInMemory<Examples>;

impl<E: Lengths> BatchesInMemory<E> {
    /// Batches of `batch_size` examples each.
    ///
    /// - `sources`: name, weight and examples of each; one source at least, of one example at least
    /// - `end`: batches in all, where a training ends with a number of epochs, which have each example once
    #[must_use]
    pub fn new(sources: Vec<(String, f64, E)>, batch_size: usize, padding: u32, seed: u64, end: Option<u64>) -> Self {
        let examples = ByLength::new(Weighted::new(sources, seed), batch_size, end);
        Self { examples, padding, cursor: Cursor::default() }
    }
}

impl<E: Batched> BatchSource for BatchesInMemory<E> {
    type Batch = E::Batch;

    fn batch(&mut self, number: u64) -> Result<E::Batch> {
        let drawn = self.examples.batch(number, &mut self.cursor).into_iter();
        let place = |number: u64| usize::try_from(number).expect("examples are in memory");
        let drawn: Vec<(&E, usize)> = drawn.map(|(examples, number)| (examples, place(number))).collect();
        Ok(E::batch(&drawn, self.padding))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;
    use crate::{
        data::{ExampleKind, ExamplesReader, LabelRule, ReadOptions, SequenceEncoder, SplitReader as _},
        tokenizer::Tokenizer,
    };

    /// So many examples of different lengths; their labels tell them apart.
    fn examples(first: usize, count: usize) -> Examples {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let tokenizer = Tokenizer::train(["a b"; 4].into_iter(), 260, 0, &folder.path().join("tokenizer.json"));
        let tokenizer = tokenizer.expect("the texts suffice");
        let (tokenizer, _) = tokenizer.with_special_tokens(&SequenceEncoder::MARKS, 0).expect("they can be added");
        let encoder = SequenceEncoder::new(&tokenizer, 64).expect("it has the marks");
        let line = |number: usize| {
            let text = "a ".repeat(number * 7 % 23 + 1);
            format!("{{\"sequences\": [\"<|start|>{text}<|extract|>\"], \"label\": {}}}\n", first + number)
        };
        let path = folder.path().join("examples.jsonl");
        fs::write(&path, (0..count).map(line).collect::<String>()).expect("it can be written");
        let reader = ExamplesReader {
            encoder: &encoder,
            kind: ExampleKind::Classification,
            classes: None,
            labels: LabelRule::Required,
            options: ReadOptions::default(),
        };
        reader.file(&path, &mut Vec::new()).expect("it can be read")
    }

    fn batches(sources: &[(&str, f64, Examples)], all: Option<u64>, seed: u64) -> ExampleBatches {
        let sources = sources.iter().map(|(name, weight, examples)| ((*name).to_owned(), *weight, examples.clone()));
        ExampleBatches::new(sources.collect(), 4, 0, seed, all)
    }

    fn all(batches: &mut ExampleBatches, numbers: std::ops::Range<u64>) -> Vec<SequenceBatch> {
        numbers.map(|number| batches.batch(number).expect("it is in memory")).collect()
    }

    /// The promise of resuming: whatever was asked for before, a number has its batch.
    #[test]
    fn a_batch_is_the_same_wherever_one_begins() {
        let sources = [("one", 3.0, examples(0, 50)), ("other", 1.0, examples(100, 9))];
        for (sources, end) in [(&sources[..], None), (&sources[..1], Some(38))] {
            let walked = all(&mut batches(sources, end, 7), 0..60);
            for number in [59u64, 37, 38, 31, 0, 17] {
                let mut begun = batches(sources, end, 7);
                let expected = &walked[usize::try_from(number).expect("few")];
                assert_eq!(&begun.batch(number).expect("it is in memory"), expected, "{number}");
            }
            assert_ne!(all(&mut batches(sources, end, 8), 0..1)[0], walked[0]);
        }
    }

    /// In so many epochs, each example comes as often, but for those that fill the last batch; and batches have little padding.
    #[test]
    fn epochs_have_each_example_once() {
        let source = [("one", 1.0, examples(0, 50))];
        let mut counts = BTreeMap::new();
        let (mut tokens, mut padded) = (0, 0);
        for batch in all(&mut batches(&source, Some(38), 7), 0..38) {
            batch.labels.iter().for_each(|label| *counts.entry(*label).or_insert(0) += 1);
            tokens += batch.lengths.iter().sum::<usize>();
            padded += batch.ids.len();
        }
        assert_eq!(counts.len(), 50);
        assert_eq!(counts.values().filter(|count| **count == 4).count(), 2, "38 batches of 4 are 3 epochs and 2");
        assert!(counts.values().all(|count| (3..=4).contains(count)), "{counts:?}");
        assert!((padded as f64) < 1.15 * tokens as f64, "{padded} for {tokens}");
    }

    #[test]
    fn sources_come_by_weight() {
        let sources = [("one", 3.0, examples(0, 50)), ("other", 1.0, examples(100, 9))];
        let labels = all(&mut batches(&sources, None, 7), 0..300).into_iter().flat_map(|batch| batch.labels);
        let other = labels.filter(|label| *label >= 100).count();
        assert!((240..360).contains(&other), "{other} of 1,200 by a weight of 1 in 4");
    }
}
