//! Batches of labelled examples by their number.
//!
//! ```text
//! sources by weight -> epochs, each in an order of its own -> places 0, 1, 2, ...
//! places of 16 batches -> by length -> 16 batches -> in an order of their own
//! ```
//!
//! Sequences of one batch are padded to the longest, so examples of like length go together; each place is taken once all the same. A
//! batch is a function of (seed, number, batches in all).
//!
//! Source: Ott et al. 2019 (fairseq), whose batches have sequences of like length.

use super::{BatchSource, Example, Examples, SequenceBatch, Shuffle, order::WeightedSampler};
use crate::error::Result;

/// Batches that are cut out of examples in the order of their lengths.
const POOL: u64 = 16;

/// The batches of a training on examples.
#[derive(Debug)]
pub struct ExampleBatches {
    sources: Vec<(String, Examples)>,
    sampler: WeightedSampler,
    batch_size: u64,
    padding: u32,
    seed: u64,
    /// Batches in all, where that is what ends a training.
    all: Option<u64>,
    cursor: Cursor,
    /// The pool that was made last, by its first batch.
    pool: Option<(u64, Vec<Vec<Taken>>)>,
}

/// A place in the stream of all sources, and how many examples each has given before.
#[derive(Debug, Clone, Default)]
struct Cursor {
    place: u64,
    given: Vec<u64>,
}

/// An example by its source and its number there.
type Taken = (usize, usize);

impl ExampleBatches {
    /// Batches of `batch_size` examples each.
    ///
    /// - `sources`: name, weight and examples of each; one source at least, of one example at least
    /// - `all`: batches in all, where a training ends with a number of epochs: no pool goes beyond, so that an epoch has each example
    #[must_use]
    pub fn new(
        sources: Vec<(String, f64, Examples)>,
        batch_size: usize,
        padding: u32,
        seed: u64,
        all: Option<u64>,
    ) -> Self {
        let weights: Vec<f64> = sources.iter().map(|(_, weight, _)| *weight).collect();
        let sources = sources.into_iter().map(|(name, _, examples)| (name, examples)).collect();
        let sampler = WeightedSampler::new(seed, &weights);
        let batch_size = batch_size as u64;
        Self { sources, sampler, batch_size, padding, seed, all, cursor: Cursor::default(), pool: None }
    }

    /// The first batch of the pool that a batch is in, and how many are in it.
    fn pool_of(&self, number: u64) -> (u64, u64) {
        let (begin, end) = match self.all {
            Some(all) if number < all => (0, all),
            // a training that was rolled back goes on past some batches
            Some(all) => (all, u64::MAX),
            None => (0, u64::MAX),
        };
        let first = begin + (number - begin) / POOL * POOL;
        (first, POOL.min(end - first))
    }

    /// The batches of a pool.
    fn make(&mut self, first: u64, count: u64) -> Vec<Vec<Taken>> {
        let place = first * self.batch_size;
        if place < self.cursor.place || self.cursor.given.len() != self.sources.len() {
            self.cursor = Cursor { place: 0, given: vec![0; self.sources.len()] };
        }
        if let [given] = &mut self.cursor.given[..] {
            (*given, self.cursor.place) = (place, place);
        }
        while self.cursor.place < place {
            self.next();
        }
        let mut taken: Vec<Taken> = (0..count * self.batch_size)
            .map(|_| {
                let (source, given) = self.next();
                let (name, examples) = &self.sources[source];
                let count = examples.count() as u64;
                let shuffle = Shuffle::new(self.seed, &format!("epoch {} of {name}", given / count), count);
                (source, usize::try_from(shuffle.at(given % count)).expect("a number below the count"))
            })
            .collect();
        taken.sort_by_cached_key(|(source, number)| self.sources[*source].1.longest(*number));
        let size = usize::try_from(self.batch_size).expect("a batch is in memory");
        let cut: Vec<&[Taken]> = taken.chunks(size).collect();
        let order = Shuffle::new(self.seed, &format!("batches from {first}"), count);
        (0..count).map(|place| cut[usize::try_from(order.at(place)).expect("few")].to_vec()).collect()
    }

    /// The source of the next place, and how many examples it gave before.
    fn next(&mut self) -> (usize, u64) {
        let source = if self.sources.len() == 1 { 0 } else { self.sampler.source(self.cursor.place) };
        let given = self.cursor.given[source];
        self.cursor.given[source] += 1;
        self.cursor.place += 1;
        (source, given)
    }
}

impl BatchSource for ExampleBatches {
    type Batch = SequenceBatch;

    fn batch(&mut self, number: u64) -> Result<SequenceBatch> {
        let (first, count) = self.pool_of(number);
        let pool = match self.pool.take() {
            Some((made, pool)) if made == first => pool,
            _ => self.make(first, count),
        };
        let within = usize::try_from(number - first).expect("a pool has few batches");
        let examples: Vec<Example<'_>> =
            pool[within].iter().map(|(source, number)| self.sources[*source].1.get(*number)).collect();
        let batch = SequenceBatch::new(&examples, self.padding);
        self.pool = Some((first, pool));
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;
    use crate::{
        data::{ExampleKind, ExamplesReader, LabelRule, ReadOptions, SequenceEncoder},
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
