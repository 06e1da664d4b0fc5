//! Examples of several sources as one stream, by weight: which one stands at a place is a function of the seed and the place.
//!
//! ```text
//! place -> a source, by weight -> which of its examples, epoch by epoch, each once in an epoch and in an order of its own
//! ```
//!
//! Useful for: sequences, pairs, whatever a source can count. Not useful for: what an example is.

use super::order::{Shuffle, WeightedSampler};

/// Examples that can be counted.
pub trait Countable {
    /// How many there are: 1 or more.
    fn count(&self) -> u64;
}

/// Examples of several sources.
#[derive(Debug)]
pub(super) struct Weighted<E> {
    pub sources: Vec<Source<E>>,
    sampler: WeightedSampler,
    pub seed: u64,
}

#[derive(Debug)]
pub(super) struct Source<E> {
    pub name: String,
    /// Its share of the stream: in `0.0..=1.0`.
    pub share: f64,
    pub examples: E,
    /// How many of its examples are drawn: all, or the first of a shuffle.
    kept: u64,
}

/// A place in the stream, and how many examples each source has given before.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    place: u64,
    given: Vec<u64>,
}

/// The examples of a source that are evaluated on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sampled {
    /// The numbers of its examples, in rising order.
    pub numbers: Vec<u64>,
    /// How many examples of the sample each counts for.
    pub factor: f64,
}

impl<E: Countable> Weighted<E> {
    /// Brings sources together.
    ///
    /// - `sources`: name, weight and examples of each, one at least
    pub fn new(sources: Vec<(String, f64, E)>, seed: u64) -> Self {
        let weights: Vec<f64> = sources.iter().map(|(_, weight, _)| *weight).collect();
        let all: f64 = weights.iter().sum();
        let sources = sources
            .into_iter()
            .map(|(name, weight, examples)| Source { name, share: weight / all, kept: examples.count(), examples })
            .collect();
        Self { sources, sampler: WeightedSampler::new(seed, &weights), seed }
    }

    /// The same with a share of each source's examples alone, drawn by hash: so many, rounded up, that there is one at least.
    #[must_use]
    pub fn subset(mut self, share: f64) -> Self {
        for source in &mut self.sources {
            let count = source.examples.count();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a count")]
            let kept = (share * count as f64).ceil() as u64;
            source.kept = kept.clamp(1, count);
        }
        self
    }

    /// Examples of all sources.
    pub fn count(&self) -> u64 {
        self.sources.iter().map(|source| source.kept).sum()
    }

    /// The examples at `count` places from `first` on: their sources, and their numbers.
    ///
    /// `cursor` spares counting anew what each source gave before; from a place that lies behind it, counting begins again: a draw for
    /// each example, some hundred million a second.
    pub fn draw(&self, first: u64, count: usize, cursor: &mut Cursor) -> Vec<(&E, u64)> {
        if first < cursor.place || cursor.given.len() != self.sources.len() {
            *cursor = Cursor { place: 0, given: vec![0; self.sources.len()] };
        }
        if let [given] = &mut cursor.given[..] {
            *given = first;
            cursor.place = first;
        }
        while cursor.place < first {
            self.next(cursor);
        }
        let mut drawn = Vec::with_capacity(count);
        for _ in 0..count {
            let (source, given) = self.next(cursor);
            let Source { name, examples, kept, .. } = &self.sources[source];
            let (epoch, within) = (given / kept, given % kept);
            let number = Shuffle::new(self.seed, &format!("epoch {epoch} of {name}"), *kept).at(within);
            let all = examples.count();
            let is_whole = *kept == all;
            let number =
                if is_whole { number } else { Shuffle::new(self.seed, &format!("subset of {name}"), all).at(number) };
            drawn.push((examples, number));
        }
        drawn
    }

    /// The source of the next place, and how many examples it gave before.
    fn next(&self, cursor: &mut Cursor) -> (usize, u64) {
        let source = if self.sources.len() == 1 { 0 } else { self.sampler.source(cursor.place) };
        let given = cursor.given[source];
        cursor.given[source] += 1;
        cursor.place += 1;
        (source, given)
    }

    /// A random sample of each source, `most` examples at most together, or one of each: drawn by hash of (seed, source, number), so that a
    /// larger sample holds the smaller.
    ///
    /// Each source gives as many as its weight asks for, and one at least. One that has fewer gives all, and each of them counts for more
    /// than one: so the mean is that over examples drawn by weight, as a step's loss is.
    pub fn sample(&self, most: usize) -> Vec<Sampled> {
        let counts = self.counts(most);
        let all: u64 = counts.iter().sum();
        let sampled = |(Source { name, share, examples, .. }, count): (&Source<E>, u64)| {
            // these words are hashed: others would draw other examples from the same seed
            let shuffle = Shuffle::new(self.seed, &format!("rows of {name} to judge by"), examples.count());
            let mut numbers: Vec<u64> = (0..count).map(|place| shuffle.at(place)).collect();
            // read in their order
            numbers.sort_unstable();
            Sampled { numbers, factor: share * all as f64 / count as f64 }
        };
        self.sources.iter().zip(counts).map(sampled).collect()
    }

    /// How many examples each source gives of `most`: one, and one after the other the next to the source with the most weight for each
    /// example that it would then give, among those that have one left.
    ///
    /// Source: D'Hondt's way to share out seats by votes.
    fn counts(&self, most: usize) -> Vec<u64> {
        let sources = &self.sources;
        let mut counts = vec![1; sources.len()];
        for _ in sources.len()..most {
            let left = (0..sources.len()).filter(|number| counts[*number] < sources[*number].examples.count());
            let claim = |number: usize| sources[number].share / (counts[number] + 1) as f64;
            let Some(next) = left.reduce(|one, other| if claim(other) > claim(one) { other } else { one }) else {
                break;
            };
            counts[next] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples that are nothing but so many.
    #[derive(Debug)]
    struct Many(u64);

    impl Countable for Many {
        fn count(&self) -> u64 {
            self.0
        }
    }

    /// Weights are those that were asked for, as nearly as examples can have them.
    #[test]
    fn sources_come_by_weight() {
        let of = |shape: &[(u64, f64)], most| {
            let sources = shape.iter().enumerate();
            let sources = sources.map(|(number, (count, weight))| (number.to_string(), *weight, Many(*count)));
            Weighted::new(sources.collect(), 1).counts(most)
        };
        assert_eq!(of(&[(900, 0.7), (900, 0.3)], 10), [7, 3]);
        assert_eq!(of(&[(900, 0.7), (2, 0.3)], 10), [8, 2]);
        assert_eq!(of(&[(900, 0.999), (900, 0.001)], 10), [9, 1]);
        assert_eq!(of(&[(3, 1.0), (2, 1.0)], 100), [3, 2]);
    }

    /// A tenth of a source's examples comes ten times as often, and no other; a source that has few keeps one.
    #[test]
    fn a_subset_comes_again_and_again() {
        let sources = || vec![("many".to_owned(), 0.9, Many(500)), ("few".to_owned(), 0.1, Many(3))];
        let counts = |weighted: &Weighted<Many>| {
            let mut counts = std::collections::BTreeMap::new();
            for (Many(all), number) in weighted.draw(0, 4500, &mut Cursor::default()) {
                assert!(number < *all);
                *counts.entry((*all, number)).or_insert(0) += 1;
            }
            counts
        };
        let subset = Weighted::new(sources(), 1).subset(0.1);
        let counts_of_subset = counts(&subset);
        assert_eq!((subset.count(), counts_of_subset.len()), (51, 51));
        let many = counts_of_subset.iter().filter(|((all, _), _)| *all == 500);
        assert!(many.clone().all(|(_, count)| (75..=90).contains(count)), "{counts_of_subset:?}");
        // as a whole it is as it was
        assert_eq!(counts(&Weighted::new(sources(), 1).subset(1.0)), counts(&Weighted::new(sources(), 1)));
        // and what it is judged by is drawn of all
        assert_eq!(subset.sample(100), Weighted::new(sources(), 1).sample(100));
    }
}
