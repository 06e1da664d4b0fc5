//! An inverted index: for each term, the passages that it stands in, and how often.
//!
//! ```text
//! texts -> chunks -> (term, passage, count) of each, with terms by numbers of its own     on all cores
//!       -> terms in the order of the alphabet, postings by term, by passage within
//! ```
//!
//! The same texts give the same index, whatever the number of threads; and sums over terms, in their order, are the same in every index that has
//! a passage.
//!
//! Cost: 6 bytes a posting, 8 and its letters a term, 4 a passage; twice that while it is made.

use std::collections::HashMap;

use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::{analysis::Analysis, terms::Terms};

/// Texts of a chunk.
const CHUNK: usize = 512;

/// Terms by number.
type TermNumbers = HashMap<Box<str>, u32, Xxh3DefaultBuilder>;

/// The postings of some passages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Postings {
    terms: Terms,
    /// Where the postings of each term begin, and where the last ends: `[terms + 1]`.
    begins: Vec<usize>,
    /// `[postings]`, rising within a term.
    passages: Vec<u32>,
    /// `[postings]`; a count beyond what the type holds is the most that it does.
    counts: Vec<u16>,
    /// Terms of each passage, a repeated one each time.
    lengths: Vec<u32>,
}

/// What a chunk has.
struct Chunk {
    /// Its terms, in the order in which they came first.
    terms: Vec<Box<str>>,
    /// Number of the term, passage within the chunk, count.
    postings: Vec<(u32, u32, u16)>,
    lengths: Vec<u32>,
}

impl Postings {
    /// The postings of texts, which are numbered in their order.
    ///
    /// # Panics
    /// With more texts than 32 bits count.
    #[must_use]
    pub fn new<T: AsRef<str> + Sync>(texts: &[T], analysis: &Analysis) -> Self {
        let chunks: Vec<Chunk> = texts.par_chunks(CHUNK).map(|texts| Chunk::new(texts, analysis)).collect();
        let (terms, numbers) = number_terms(&chunks);
        let mut begins = vec![0; terms.count() + 1];
        for (chunk, numbers) in chunks.iter().zip(&numbers) {
            chunk.postings.iter().for_each(|(term, ..)| begins[numbers[*term as usize] as usize + 1] += 1);
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        // where the next posting of each term goes
        let mut places = begins.clone();
        let (mut passages, mut counts) = (vec![0; sum], vec![0; sum]);
        let mut lengths = Vec::with_capacity(texts.len());
        for (chunk, numbers) in chunks.into_iter().zip(&numbers) {
            let first = small(lengths.len());
            for (term, passage, count) in chunk.postings {
                let place = &mut places[numbers[term as usize] as usize];
                passages[*place] = first + passage;
                counts[*place] = count;
                *place += 1;
            }
            lengths.extend(chunk.lengths);
        }
        Self { terms, begins, passages, counts, lengths }
    }

    /// The postings of a file's columns; or what is wrong with them.
    ///
    /// - `of_terms`: passages that each term stands in
    /// - `passages`, `counts`: as [`Self::of_term`] gives them, one term after the other
    /// - `lengths`: terms of each passage
    pub(super) fn from_columns(
        terms: Terms,
        of_terms: &[u32],
        passages: Vec<u32>,
        counts: Vec<u16>,
        lengths: Vec<u32>,
    ) -> Result<Self, &'static str> {
        let mut begins = vec![0];
        begins.extend(of_terms.iter().scan(0, |sum, count| {
            *sum += *count as usize;
            Some(*sum)
        }));
        let whole = begins[begins.len() - 1];
        if terms.count() != of_terms.len() || passages.len() != whole || counts.len() != whole {
            return Err("its terms and its postings do not go together");
        }
        if passages.iter().any(|passage| *passage as usize >= lengths.len()) {
            return Err("a posting is of a passage that is not there");
        }
        Ok(Self { terms, begins, passages, counts, lengths })
    }

    /// Passages.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lengths.len()
    }

    /// Terms of each passage, a repeated one each time.
    #[must_use]
    pub fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// All terms, in their order.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The passages of a term by its number, rising, and how often it stands in each.
    #[must_use]
    pub fn of_term(&self, term: u32) -> (&[u32], &[u16]) {
        let range = self.begins[term as usize]..self.begins[term as usize + 1];
        (&self.passages[range.clone()], &self.counts[range])
    }

    /// All postings: passages, and counts, one term after the other.
    pub(super) fn columns(&self) -> (&[u32], &[u16]) {
        (&self.passages, &self.counts)
    }
}

/// The terms of all chunks in their order, and the number of each chunk's terms among them.
fn number_terms(chunks: &[Chunk]) -> (Terms, Vec<Vec<u32>>) {
    let mut known = TermNumbers::default();
    let mut of_chunks: Vec<Vec<u32>> = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let number = |term: &str| {
            let next = small(known.len());
            match known.get(term) {
                Some(number) => *number,
                None => *known.entry(term.into()).or_insert(next),
            }
        };
        of_chunks.push(chunk.terms.iter().map(|term| &**term).map(number).collect());
    }
    let mut order: Vec<(Box<str>, u32)> = known.into_iter().collect();
    order.par_sort_unstable();
    let mut ranks = vec![0; order.len()];
    for (rank, (_, number)) in (0u32..).zip(&order) {
        ranks[*number as usize] = rank;
    }
    of_chunks.iter_mut().flatten().for_each(|number| *number = ranks[*number as usize]);
    (order.iter().map(|(term, _)| &**term).collect(), of_chunks)
}

impl Chunk {
    fn new<T: AsRef<str>>(texts: &[T], analysis: &Analysis) -> Self {
        let mut numbers = TermNumbers::default();
        let mut chunk = Self { terms: Vec::new(), postings: Vec::new(), lengths: Vec::with_capacity(texts.len()) };
        let (mut word, mut own): (String, Vec<u32>) = (String::new(), Vec::new());
        for (passage, text) in (0u32..).zip(texts) {
            own.clear();
            analysis.terms(text.as_ref(), &mut word, |term| {
                let number = match numbers.get(term) {
                    Some(number) => *number,
                    None => {
                        let number = small(chunk.terms.len());
                        numbers.insert(term.into(), number);
                        chunk.terms.push(term.into());
                        number
                    }
                };
                own.push(number);
            });
            chunk.lengths.push(small(own.len()));
            own.sort_unstable();
            for same in own.chunk_by(|one, other| one == other) {
                chunk.postings.push((same[0], passage, u16::try_from(same.len()).unwrap_or(u16::MAX)));
            }
        }
        chunk
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).expect("terms and passages are numbered by 32 bits")
}

#[cfg(test)]
mod tests {
    use super::{super::analysis::AnalysisConfig, *};

    /// Terms come again in other chunks, and are the same there; passages rise; and all of it is what counting by hand gives.
    #[test]
    fn postings_are_those_of_the_texts() {
        let text = |number: usize| format!("common w{} w{} w{}", number % 7, number % 7, number % 1000);
        let texts: Vec<String> = (0..3 * CHUNK + 5).map(text).collect();
        let analysis = Analysis::new(AnalysisConfig::default());
        let postings = Postings::new(&texts, &analysis);
        assert_eq!(postings.count(), texts.len());
        assert!(postings.lengths().iter().all(|length| *length == 4));
        let of = |term: &str| postings.of_term(postings.terms().find(term).expect("it is there"));
        assert_eq!(of("common").0.len(), texts.len());
        for term in ["w3", "w999", "w0"] {
            let (passages, counts) = of(term);
            let expected: Vec<(u32, u16)> = (0u32..)
                .zip(&texts)
                .map(|(passage, text)| (passage, text.split(' ').filter(|word| *word == term).count()))
                .filter(|(_, count)| *count > 0)
                .map(|(passage, count)| (passage, u16::try_from(count).expect("few")))
                .collect();
            assert_eq!(passages.iter().copied().zip(counts.iter().copied()).collect::<Vec<_>>(), expected, "{term}");
        }
        assert_eq!(postings.terms().find("nowhere"), None);
        assert_eq!(Postings::new::<&str>(&[], &analysis).count(), 0);
    }
}
