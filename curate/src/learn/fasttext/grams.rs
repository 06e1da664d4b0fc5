//! N-grams of characters and of words, and their rows.

use super::buckets::{Buckets, Kept};

/// Where hashes begin.
pub const HASH_START: u32 = 2_166_136_261;

/// The hash that the n-grams are known by: FNV-1a, of bytes as signed numbers.
pub fn hash(start: u32, bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(start, |hash, byte| (hash ^ i32::from(byte.cast_signed()).cast_unsigned()).wrapping_mul(16_777_619))
}

/// Which n-grams of characters have a row.
pub struct Grams {
    /// Fewest characters of one.
    pub min: usize,
    /// Most characters of one; 0 where there are none.
    pub max: usize,
    /// What they are hashed into.
    pub buckets: Buckets,
    /// Rows of n-grams, by bucket; none where every bucket has its own.
    pub kept: Option<Kept>,
    /// Rows of words, before those of n-grams.
    pub words: u32,
    /// Words in an n-gram of words.
    pub word_ngrams: usize,
}

impl Grams {
    /// Rows of the n-grams of characters of a word between its brackets.
    pub fn of_word(&self, word: &[u8], rows: &mut Vec<u32>) {
        let goes_on = |at: usize| word.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        for start in (0..word.len()).filter(|start| !goes_on(*start)) {
            let (mut end, mut value) = (start, HASH_START);
            for length in 1..=self.max {
                if end == word.len() {
                    break;
                }
                let from = end;
                end += 1;
                while goes_on(end) {
                    end += 1;
                }
                value = hash(value, &word[from..end]);
                let bracket = length == 1 && (start == 0 || end == word.len());
                if length >= self.min && !bracket {
                    self.push(self.buckets.of(value), rows);
                }
            }
        }
    }

    /// Rows of word n-grams.
    pub fn of_words(&self, hashes: &[u32], rows: &mut Vec<u32>) {
        let signed = |hash: u32| i64::from(hash.cast_signed()).cast_unsigned();
        for (place, first) in hashes.iter().enumerate() {
            let mut value = signed(*first);
            for next in hashes.iter().skip(place + 1).take(self.word_ngrams.saturating_sub(1)) {
                value = value.wrapping_mul(116_049_371).wrapping_add(signed(*next));
                #[expect(clippy::cast_possible_truncation, reason = "a remainder of a number of 32 bits")]
                self.push((value % u64::from(self.buckets.count)) as u32, rows);
            }
        }
    }

    fn push(&self, bucket: u32, rows: &mut Vec<u32>) {
        match &self.kept {
            None => rows.push(self.words + bucket),
            Some(kept) => rows.extend(kept.row(bucket).map(|row| self.words + row)),
        }
    }
}
