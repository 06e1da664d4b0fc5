//! The longest common subsequence of two sequences of words, 64 places at a time.
//!
//! Row `i` of the usual table says how long the subsequence of the first `i` words of one sequence and the first `j` of the other is. It grows
//! by 0 or 1 from place to place: a row is a bit for each place, and a row follows from the one before by an addition.
//!
//! Source: Crochemore et al. 2001; Hyyrö 2004. Cost: a bit for each cell where the words themselves are wanted, else one row.

use std::collections::HashMap;

/// The rows of a table, one after the other.
struct Rows<'w> {
    /// For each word of `other` the places at which it stands.
    places: HashMap<u32, Vec<u64>>,
    one: std::slice::Iter<'w, u32>,
    /// 0 where the row grows.
    row: Vec<u64>,
}

impl<'w> Rows<'w> {
    fn new(one: &'w [u32], other: &[u32]) -> Self {
        let words = other.len().div_ceil(64);
        let mut places: HashMap<u32, Vec<u64>> = HashMap::new();
        for (place, word) in other.iter().enumerate() {
            places.entry(*word).or_insert_with(|| vec![0; words])[place / 64] |= 1 << (place % 64);
        }
        Self { places, one: one.iter(), row: vec![u64::MAX; words] }
    }

    /// Goes on by a row, if there is one more.
    fn advance(&mut self) -> Option<&[u64]> {
        let word = self.one.next()?;
        if let Some(places) = self.places.get(word) {
            let mut carry = false;
            for (bits, places) in self.row.iter_mut().zip(places) {
                let found = *bits & places;
                let (sum, one) = bits.overflowing_add(found);
                let (sum, other) = sum.overflowing_add(u64::from(carry));
                carry = one || other;
                *bits = sum | (*bits & !places);
            }
        }
        Some(&self.row)
    }
}

/// How much a row grows over its first places.
fn grown(row: &[u64], places: usize) -> u32 {
    let whole: u32 = row[..places / 64].iter().map(|bits| bits.count_zeros()).sum();
    match places % 64 {
        0 => whole,
        rest => whole + (row[places / 64] | (u64::MAX << rest)).count_zeros(),
    }
}

/// How many words the longest common subsequence has.
pub(super) fn length(one: &[u32], other: &[u32]) -> u32 {
    let mut rows = Rows::new(one, other);
    while rows.advance().is_some() {}
    grown(&rows.row, other.len())
}

/// The places in `one` of a longest common subsequence, from the last to the first. Of several it is the one that is found by going back from
/// both ends, over a word of `other` where that alone keeps the length, else over one of `one`.
pub(super) fn places(one: &[u32], other: &[u32]) -> Vec<usize> {
    let width = other.len().div_ceil(64);
    let mut table = vec![u64::MAX; width];
    let mut rows = Rows::new(one, other);
    while let Some(row) = rows.advance() {
        table.extend_from_slice(row);
    }
    let length = |i: usize, j: usize| grown(&table[i * width..(i + 1) * width], j);
    let (mut i, mut j) = (one.len(), other.len());
    let mut found = Vec::new();
    while i > 0 && j > 0 {
        if one[i - 1] == other[j - 1] {
            (i, j) = (i - 1, j - 1);
            found.push(i);
        } else if length(i, j - 1) > length(i - 1, j) {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// The table of Wagner and Fischer 1974.
    fn table(one: &[u32], other: &[u32]) -> Vec<Vec<u32>> {
        let mut table = vec![vec![0; other.len() + 1]; one.len() + 1];
        for (i, x) in one.iter().enumerate() {
            for (j, y) in other.iter().enumerate() {
                table[i + 1][j + 1] = if x == y { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
            }
        }
        table
    }

    proptest! {
        #[test]
        fn rows_of_bits_are_those_of_the_table(one in vec(0u32..5, 0..90), other in vec(0u32..5, 0..150)) {
            let expected = table(&one, &other);
            prop_assert_eq!(length(&one, &other), expected[one.len()][other.len()]);
            let places = places(&one, &other);
            prop_assert_eq!(places.len(), length(&one, &other) as usize);
            let mut left = other.iter();
            let is_there = places.iter().rev().all(|place| left.any(|word| *word == one[*place]));
            prop_assert!(is_there && places.is_sorted_by(|x, y| x > y));
        }
    }
}
