//! Batches of examples of like length, so that little is padding.
//!
//! ```text
//! places of the stream    0 ......... 63 | 64 ....... 127 | 128 .... 151      windows: 16 batches of 4 each, and what is left before the end
//! by length               short ... long | short ... long | short . long      cut into batches, which come in an order of their own
//! ```
//!
//! A window has the examples of its places, and none goes beyond the end: an epoch gives each example once, whatever its length. Within a
//! window, chance still has its say. A batch is a function of (seed, number, end).
//!
//! Useful for: batches that are padded to the longest of them. Not useful for: sequences of one length.
//!
//! Source: Ott et al. 2019 (fairseq), whose batches have sequences of like length; `group_by_length` of `transformers`.
//! Cost: a window is drawn and sorted for each of its batches; no ids are read for it.

use super::{
    order::Shuffle,
    weighted::{Countable, Cursor, Weighted},
};

/// Batches that are cut out of examples in the order of their lengths.
const WINDOW: u64 = 16;

/// Examples of different lengths.
pub trait Lengths: Countable {
    /// The length of an example by its number.
    fn length(&self, number: u64) -> u64;
}

/// The examples of several sources in batches.
#[derive(Debug)]
pub(super) struct ByLength<E> {
    examples: Weighted<E>,
    batch_size: usize,
    /// Batches in all, where a number of epochs is what ends a training.
    end: Option<u64>,
}

impl<E: Lengths> ByLength<E> {
    /// Batches of `batch_size` examples each.
    ///
    /// - `end`: batches in all, where a training ends with a number of epochs
    pub fn new(examples: Weighted<E>, batch_size: usize, end: Option<u64>) -> Self {
        Self { examples, batch_size, end }
    }

    /// The examples of a batch: their sources, and their numbers.
    ///
    /// `cursor` spares counting anew what came before: see [`Weighted::draw`].
    pub fn batch(&self, number: u64, cursor: &mut Cursor) -> Vec<(&E, u64)> {
        let (first, count) = self.window(number);
        let place = first * self.batch_size as u64;
        // the cursor stays at the beginning of the window, for its next batch
        self.examples.draw(place, 0, cursor);
        let places = small(count) * self.batch_size;
        let mut drawn = self.examples.draw(place, places, &mut cursor.clone());
        drawn.sort_by_cached_key(|(examples, number)| examples.length(*number));
        let order = Shuffle::new(self.examples.seed, &format!("batches from {first}"), count);
        let begin = small(order.at(number - first)) * self.batch_size;
        drawn[begin..begin + self.batch_size].to_vec()
    }

    /// The first batch of the window that a batch is in, and how many are in it.
    fn window(&self, number: u64) -> (u64, u64) {
        let (begin, end) = match self.end {
            Some(end) if number < end => (0, end),
            // a training that was rolled back goes on past some batches
            Some(end) => (end, u64::MAX),
            None => (0, u64::MAX),
        };
        let first = begin + (number - begin) / WINDOW * WINDOW;
        (first, WINDOW.min(end - first))
    }
}

fn small(count: u64) -> usize {
    usize::try_from(count).expect("a window has few batches")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// So many examples of different lengths, the first of which has this number among those of all sources.
    #[derive(Debug)]
    struct Mixed {
        first: u64,
        count: u64,
    }

    impl Countable for Mixed {
        fn count(&self) -> u64 {
            self.count
        }
    }

    impl Lengths for Mixed {
        fn length(&self, number: u64) -> u64 {
            number * 7 % 23
        }
    }

    fn weighted(seed: u64) -> Weighted<Mixed> {
        let sources = [(0, 50, 3.0), (50, 9, 1.0)];
        let source = |(first, count, weight): (u64, u64, f64)| (first.to_string(), weight, Mixed { first, count });
        Weighted::new(sources.into_iter().map(source).collect(), seed)
    }

    fn numbers(drawn: Vec<(&Mixed, u64)>) -> Vec<u64> {
        drawn.into_iter().map(|(mixed, number)| mixed.first + number).collect()
    }

    proptest! {
        /// However many batches there are, all together have the examples of their places: each as often as without windows. And a batch is
        /// the same wherever one begins.
        #[test]
        fn no_window_goes_beyond_the_end(end in 1u64..60, batch_size in 1usize..6, seed: u64) {
            let batches = ByLength::new(weighted(seed), batch_size, Some(end));
            let mut cursor = Cursor::default();
            let all: Vec<Vec<u64>> = (0..end + 20).map(|number| numbers(batches.batch(number, &mut cursor))).collect();
            let mut given = all[..small(end)].concat();
            let mut expected = numbers(weighted(seed).draw(0, small(end) * batch_size, &mut Cursor::default()));
            given.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(given, expected);
            for number in [end + 19, end, end - 1, 0] {
                prop_assert_eq!(&numbers(batches.batch(number, &mut cursor)), &all[small(number)]);
            }
        }
    }
}
