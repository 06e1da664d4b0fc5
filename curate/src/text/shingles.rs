//! Shingles: the runs of words or characters that a text is compared by, each as one hash.
//!
//! A word is hashed once; the hash of a run is a polynomial in the hashes of its words, carried along from run to run, so
//! that the length of a shingle costs nothing.
//!
//! Source: Broder 1997 (shingles), Karp and Rabin 1987 (the polynomial).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::normal::NormalForm;

/// What a shingle is: a run of so many words or characters of the normal form, 1 or more. Spaces are characters, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shingle {
    /// A run of words.
    Words(usize),
    /// A run of characters.
    Characters(usize),
}

/// Odd, so that a step of the polynomial can be undone.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: u64 = 0xd6e8_feb8_6659_fd93;

/// Finds the shingles of texts. Reused from text to text.
#[derive(Debug, Clone)]
pub struct Shingler {
    shingle: Shingle,
    /// `STEP` to the power of a shingle's length: the weight of what leaves the run.
    leaving: u64,
    units: Vec<u64>,
}

impl Shingle {
    /// How many words or characters it has.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Words(length) | Self::Characters(length) => length,
        }
    }
}

impl fmt::Display for Shingle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(length) => write!(formatter, "{length} words"),
            Self::Characters(length) => write!(formatter, "{length} characters"),
        }
    }
}

impl Shingler {
    /// Finds shingles of one kind.
    #[must_use]
    pub fn new(shingle: Shingle) -> Self {
        let leaving = (0..shingle.length()).fold(1u64, |power, _| power.wrapping_mul(STEP));
        Self { shingle, leaving, units: Vec::new() }
    }

    /// The hashes of a text's shingles, in their order and as often as they stand there; none for a text that is shorter than
    /// a shingle. Equal runs have equal hashes; that two others do has a probability of about 2^-64.
    pub fn take(&mut self, text: &NormalForm, shingles: &mut Vec<u64>) {
        shingles.clear();
        self.units.clear();
        match self.shingle {
            Shingle::Words(_) => self.units.extend(text.each_word().map(xxh3_64)),
            Shingle::Characters(_) => {
                self.units.extend(text.text().chars().map(|character| mixed(u64::from(u32::from(character)) + 1)));
            }
        }
        let Some((first, rest)) = self.units.split_at_checked(self.shingle.length()) else { return };
        let mut hash = first.iter().fold(0u64, |hash, unit| hash.wrapping_mul(STEP).wrapping_add(*unit));
        shingles.push(mixed(hash));
        shingles.extend(rest.iter().zip(&self.units).map(|(entering, leaving)| {
            let kept = hash.wrapping_mul(STEP).wrapping_sub(leaving.wrapping_mul(self.leaving));
            hash = kept.wrapping_add(*entering);
            mixed(hash)
        }));
    }
}

/// A permutation of the numbers of 64 bits that spreads every bit upwards and down again.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(MIX);
    (hash ^ (hash >> 32)).wrapping_mul(MIX)
}

/// The Jaccard similarity of two sets, each sorted and without repeats: shared elements as a share of all; 0 for two empty sets.
///
/// ```
/// # use curate::text::shingles::jaccard;
/// assert_eq!(jaccard(&[1, 2, 3], &[2, 3, 4]), 0.5);
/// ```
#[must_use]
pub fn jaccard(one: &[u64], other: &[u64]) -> f64 {
    let shared = shared(one, other);
    let all = one.len() + other.len() - shared;
    if all == 0 { 0.0 } else { shared as f64 / all as f64 }
}

/// How many elements two sorted sets share.
fn shared(one: &[u64], other: &[u64]) -> usize {
    let (mut left, mut right, mut shared) = (0, 0, 0);
    while left < one.len() && right < other.len() {
        let (a, b) = (one[left], other[right]);
        // without branches: which set goes on cannot be foretold
        shared += usize::from(a == b);
        left += usize::from(a <= b);
        right += usize::from(b <= a);
    }
    shared
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn shingles(text: &str, shingle: Shingle) -> Vec<u64> {
        let (mut normal, mut shingles) = (NormalForm::default(), Vec::new());
        normal.take(text);
        Shingler::new(shingle).take(&normal, &mut shingles);
        shingles
    }

    proptest! {
        /// Hashes are equal where runs are, and nowhere else.
        #[test]
        fn a_hash_stands_for_its_run(words in vec("[abc]{1,2}", 0..30), length in 1usize..5) {
            let found = shingles(&words.join(" "), Shingle::Words(length));
            let runs: Vec<&[String]> = words.windows(length).collect();
            prop_assert_eq!(found.len(), runs.len());
            for (one, run) in found.iter().zip(&runs) {
                for (other, same) in found.iter().zip(&runs) {
                    prop_assert_eq!(one == other, run == same);
                }
            }
        }

        /// The similarity is that of the sets.
        #[test]
        fn similarity_is_that_of_the_sets(one in vec(0u64..30, 0..40), other in vec(0u64..30, 0..40)) {
            let (one, other): (BTreeSet<u64>, BTreeSet<u64>) = (one.into_iter().collect(), other.into_iter().collect());
            let all = one.union(&other).count();
            let expected = if all == 0 { 0.0 } else { one.intersection(&other).count() as f64 / all as f64 };
            let sorted = |set: BTreeSet<u64>| set.into_iter().collect::<Vec<_>>();
            prop_assert_eq!(jaccard(&sorted(one), &sorted(other)).to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn characters_make_shingles_too() {
        assert_eq!(shingles("One two.", Shingle::Characters(7)).len(), 1);
        assert_eq!(shingles("one, TWO", Shingle::Characters(7)), shingles("One two.", Shingle::Characters(7)));
        assert!(shingles("One two.", Shingle::Characters(8)).is_empty(), "the normal form has 7 characters");
    }
}
