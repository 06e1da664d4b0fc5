//! Shingles: the n-grams of words or characters that a text is compared by, each as one hash.
//!
//! A word is hashed once; the hash of a shingle is a polynomial in the hashes of its words, carried along from one to the next, so
//! that the length of a shingle costs nothing.
//!
//! Source: Broder 1997 (shingles), Karp and Rabin 1987 (the polynomial).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    normal::NormalForm,
    rolling::{STEP, mixed, power},
};

/// What a shingle is: an n-gram of so many words or characters of the normal form, 1 or more. Spaces are characters, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shingle {
    /// Of words.
    Words(usize),
    /// Of characters.
    Characters(usize),
}

/// Finds the shingles of texts. Reused from text to text.
#[derive(Debug, Clone)]
pub struct Shingler {
    shingle: Shingle,
    /// `STEP` to the power of a shingle's length: the weight of what leaves it.
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
        Self { shingle, leaving: power(shingle.length()), units: Vec::new() }
    }

    /// The hashes of a text's shingles, in their order and as often as they stand there; none for a text that is shorter than
    /// a shingle. Equal shingles have equal hashes; that two others do has a probability of about 2^-64.
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

/// Whether the Jaccard similarity of two such sets is `similarity` or more, which is above 0. Most sets that are not similar are known to be none after a
/// small part of them.
#[must_use]
pub fn are_similar(one: &[u64], other: &[u64], similarity: f64) -> bool {
    let all = (one.len() + other.len()) as f64;
    // shared / (all - shared) >= similarity; one less, since a quotient is rounded
    let needed = similarity * all / (1.0 + similarity) - 1.0;
    let mut merge = Merge::new(one, other);
    while merge.go_on(STRETCH) {
        if (merge.most_shared() as f64) < needed {
            return false;
        }
    }
    let shared = merge.shared;
    let all = one.len() + other.len() - shared;
    all > 0 && shared as f64 / all as f64 >= similarity
}

/// Steps between two looks at what can still be reached.
const STRETCH: usize = 32;

/// How many elements two sorted sets share.
fn shared(one: &[u64], other: &[u64]) -> usize {
    let mut merge = Merge::new(one, other);
    while merge.go_on(usize::MAX) {}
    merge.shared
}

/// Two sorted sets side by side.
struct Merge<'a> {
    one: &'a [u64],
    other: &'a [u64],
    left: usize,
    right: usize,
    shared: usize,
}

impl<'a> Merge<'a> {
    fn new(one: &'a [u64], other: &'a [u64]) -> Self {
        Self { one, other, left: 0, right: 0, shared: 0 }
    }

    /// Takes so many steps at most; false at the end of a set.
    fn go_on(&mut self, steps: usize) -> bool {
        let mut taken = 0;
        while self.left < self.one.len() && self.right < self.other.len() {
            if taken == steps {
                return true;
            }
            let (a, b) = (self.one[self.left], self.other[self.right]);
            // without branches: which set goes on cannot be foretold
            self.shared += usize::from(a == b);
            self.left += usize::from(a <= b);
            self.right += usize::from(b <= a);
            taken += 1;
        }
        false
    }

    /// How many elements may be shared, at most, when all is seen.
    fn most_shared(&self) -> usize {
        self.shared + (self.one.len() - self.left).min(self.other.len() - self.right)
    }
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
        /// Hashes are equal where n-grams are, and nowhere else.
        #[test]
        fn a_hash_stands_for_its_shingle(words in vec("[abc]{1,2}", 0..30), length in 1usize..5) {
            let found = shingles(&words.join(" "), Shingle::Words(length));
            let ngrams: Vec<&[String]> = words.windows(length).collect();
            prop_assert_eq!(found.len(), ngrams.len());
            for (one, ngram) in found.iter().zip(&ngrams) {
                for (other, same) in found.iter().zip(&ngrams) {
                    prop_assert_eq!(one == other, ngram == same);
                }
            }
        }

        /// The similarity is that of the sets, and what is known early is right.
        #[test]
        fn similarity_is_that_of_the_sets(
            one in vec(0u64..150, 0..200),
            other in vec(0u64..150, 0..200),
            similarity in 0.01f64..1.0,
        ) {
            let (one, other): (BTreeSet<u64>, BTreeSet<u64>) = (one.into_iter().collect(), other.into_iter().collect());
            let all = one.union(&other).count();
            let expected = if all == 0 { 0.0 } else { one.intersection(&other).count() as f64 / all as f64 };
            let sorted = |set: BTreeSet<u64>| set.into_iter().collect::<Vec<_>>();
            let (one, other) = (sorted(one), sorted(other));
            prop_assert_eq!(jaccard(&one, &other).to_bits(), expected.to_bits());
            for threshold in [similarity, expected.max(0.01)] {
                prop_assert_eq!(are_similar(&one, &other, threshold), expected >= threshold);
            }
        }
    }

    #[test]
    fn characters_make_shingles_too() {
        assert_eq!(shingles("One two.", Shingle::Characters(7)).len(), 1);
        assert_eq!(shingles("one, TWO", Shingle::Characters(7)), shingles("One two.", Shingle::Characters(7)));
        assert!(shingles("One two.", Shingle::Characters(8)).is_empty(), "the normal form has 7 characters");
    }
}
