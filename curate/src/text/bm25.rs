//! Passages by the words that they share with a question: those that look like an answer, and are none.
//!
//! Useful for: hard negatives among some thousands of passages in memory. Not useful for: an index that is kept on disk.
//!
//! Source: Robertson and Zaragoza 2009, in Lucene's form; `k1` 0.9 and `b` 0.4 after Yang et al. 2017 (Anserini), with which DPR's negatives were found.
//! Cost: 8 bytes for each word of a passage, counted once; a question looks at those of its words alone.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use xxhash_rust::xxh3::xxh3_64;

use super::tokens::Tokens;

const K1: f32 = 0.9;
const B: f32 = 0.4;

/// Passages that can be searched by words.
#[derive(Debug, Default)]
pub struct WordSearch {
    /// By the hash of a word: passages with the word's weight in each.
    postings: HashMap<u64, Vec<(u32, f32)>>,
    passages: usize,
}

/// What searches are done in. Reused from question to question.
#[derive(Debug, Default)]
pub struct SearchScratch {
    tokens: Tokens,
    words: Vec<u64>,
    scores: Vec<f32>,
    best: BinaryHeap<(u32, Reverse<usize>)>,
}

impl SearchScratch {
    /// The hashes of a text's words in lower case, sorted.
    fn take(&mut self, text: &str) -> &[u64] {
        self.tokens.take(text);
        self.words.clear();
        let words = self.tokens.all().iter().filter(|token| token.is_word);
        self.words.extend(words.map(|token| {
            let word = &text[token.start as usize..token.end as usize];
            if word.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
                xxh3_64(word.to_lowercase().as_bytes())
            } else {
                xxh3_64(word.as_bytes())
            }
        }));
        self.words.sort_unstable();
        &self.words
    }
}

impl WordSearch {
    /// Counts the words of passages, which are known by their numbers from 0 on.
    #[must_use]
    pub fn new<'t>(passages: impl IntoIterator<Item = &'t str>) -> Self {
        let mut scratch = SearchScratch::default();
        let mut postings: HashMap<u64, Vec<(u32, f32)>> = HashMap::new();
        let mut lengths = Vec::new();
        for (number, passage) in (0u32..).zip(passages) {
            let words = scratch.take(passage);
            lengths.push(words.len() as f32);
            for same in words.chunk_by(|one, other| one == other) {
                postings.entry(same[0]).or_default().push((number, same.len() as f32));
            }
        }
        let count = lengths.len() as f32;
        let mean = (lengths.iter().sum::<f32>() / count).max(1.0);
        for found in postings.values_mut() {
            let holds = found.len() as f32;
            let rarity = (1.0 + (count - holds + 0.5) / (holds + 0.5)).ln();
            for (number, weight) in found {
                let length = lengths[*number as usize] / mean;
                *weight = rarity * *weight / (*weight + K1 * (1.0 - B + B * length));
            }
        }
        Self { postings, passages: lengths.len() }
    }

    /// The numbers of the passages that share a word with `query`, best first; of equal ones the first.
    pub fn best<'s>(&self, query: &str, scratch: &'s mut SearchScratch) -> impl Iterator<Item = usize> + use<'s> {
        scratch.scores.clear();
        scratch.scores.resize(self.passages, 0.0);
        scratch.take(query);
        let SearchScratch { words, scores, best, .. } = scratch;
        words.dedup();
        for (number, weight) in words.iter().filter_map(|word| self.postings.get(word)).flatten() {
            scores[*number as usize] += weight;
        }
        // the bits of positive numbers are in their order
        let found = scores.iter().enumerate().filter(|(_, score)| **score > 0.0);
        best.clear();
        best.extend(found.map(|(number, score)| (score.to_bits(), Reverse(number))));
        std::iter::from_fn(move || best.pop().map(|(_, Reverse(number))| number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_lead_to_their_passage() {
        let passages = ["The keeper lit the lamp.", "the the the the", "A LAMP of oil, and a keeper", "Nothing here"];
        let search = WordSearch::new(passages);
        let scratch = &mut SearchScratch::default();
        assert_eq!(search.best("oil for the lamp", scratch).collect::<Vec<_>>(), [2, 0, 1]);
        assert_eq!(search.best("Unheard of", scratch).collect::<Vec<_>>(), [2]);
        assert_eq!(search.best("?", scratch).count(), 0);
    }

    /// The weights are those of the formula, worked out by hand for two passages of two and four words.
    #[test]
    fn weights_follow_the_formula() {
        let search = WordSearch::new(["oil lamp", "oil oil lamp ship"]);
        let weight = |word: &str, number: usize| search.postings[&xxh3_64(word.as_bytes())][number].1;
        let of = |holds: f32, count: f32, length: f32| {
            (1.0 + (2.0 - holds + 0.5) / (holds + 0.5)).ln() * count / (count + 0.9 * (0.6 + 0.4 * length / 3.0))
        };
        assert!((weight("oil", 1) - of(2.0, 2.0, 4.0)).abs() < 1e-6);
        assert!((weight("ship", 0) - of(1.0, 1.0, 4.0)).abs() < 1e-6);
        assert!((weight("lamp", 0) - of(2.0, 1.0, 2.0)).abs() < 1e-6);
    }
}
