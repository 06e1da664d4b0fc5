//! What a model is judged by: a sample of all rows that could judge it.
//!
//! Rows have an order: that of the files, or by the length of what is in them. So the first of them say nothing of the rest, and those
//! that are judged are drawn by hash of (seed, source, number). They are drawn once, and a larger sample holds the smaller.
//!
//! Of several sources, each gives as many rows as its weight asks for, and one at least. One that has not so many gives all, and each of
//! them stands for more than one: so the mean is that over rows drawn by weight, as a step's loss is.

use super::{Batch, RowsAccount, Shuffle, WeightedRows, sources::Source};
use crate::error::Result;

/// Rows to judge by, in memory: the same at every evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedRows {
    batch: Batch,
    /// What the sources gave, one after the other.
    parts: Vec<Part>,
    rows_in_all: u64,
    tokens_in_all: u64,
}

/// The rows of one source.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    rows: usize,
    /// How many rows of the sample each stands for.
    factor: f64,
}

impl JudgedRows {
    /// Rows drawn from some sources, `most` of them at most, or one of each source.
    ///
    /// # Errors
    /// When ids cannot be read.
    pub fn draw(rows: &WeightedRows, most: usize) -> Result<Self> {
        let counts = counts(&rows.sources, most);
        let all: u64 = counts.iter().sum();
        let mut batch = Batch::empty(rows.time);
        let mut parts = Vec::new();
        for (Source { name, share, rows: of_source }, count) in rows.sources.iter().zip(counts) {
            let shuffle = Shuffle::new(rows.seed, &format!("rows of {name} to judge by"), of_source.rows());
            let mut drawn: Vec<u64> = (0..count).map(|place| shuffle.at(place)).collect();
            // read in their order
            drawn.sort_unstable();
            drawn.into_iter().try_for_each(|number| of_source.append(number, &mut batch))?;
            let rows = usize::try_from(count).expect("they are in memory");
            parts.push(Part { rows, factor: share * all as f64 / count as f64 });
        }
        let accounts = || rows.sources.iter().map(|source| source.rows.account());
        let rows_in_all = accounts().map(|RowsAccount { rows, .. }| rows).sum();
        let tokens_in_all = accounts().map(|RowsAccount { counted, .. }| counted).sum();
        Ok(Self { batch, parts, rows_in_all, tokens_in_all })
    }

    /// How many there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batch.rows
    }

    /// How many tokens of them count.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.batch.weights.iter().filter(|weight| **weight > 0.0).count() as u64
    }

    /// How many rows they were drawn from.
    #[must_use]
    pub fn rows_in_all(&self) -> u64 {
        self.rows_in_all
    }

    /// How many tokens of those count.
    #[must_use]
    pub fn tokens_in_all(&self) -> u64 {
        self.tokens_in_all
    }

    /// All rows in batches of at most `together`, each with how much its rows weigh in a mean over all.
    ///
    /// - `together`: 1 or more
    pub fn batches(&self, together: usize) -> impl Iterator<Item = (f64, Batch)> {
        let mut first = 0;
        let parts = self.parts.iter().map(move |part| {
            first += part.rows;
            (first - part.rows, *part)
        });
        parts.flat_map(move |(first, Part { rows, factor })| {
            let within = (0..rows).step_by(together);
            within.map(move |place| (factor, self.batch.slice(first + place, together.min(rows - place))))
        })
    }
}

/// How many rows each source gives of `most`: one, and one after the other the next to the source with the most weight for each row that
/// it would then give, among those that have one left.
///
/// Source: D'Hondt's way to share out seats by votes.
fn counts(sources: &[Source], most: usize) -> Vec<u64> {
    let mut counts = vec![1; sources.len()];
    for _ in sources.len()..most {
        let left = (0..sources.len()).filter(|number| counts[*number] < sources[*number].rows.rows());
        let claim = |number: usize| sources[number].share / (counts[number] + 1) as f64;
        let Some(next) = left.reduce(|one, other| if claim(other) > claim(one) { other } else { one }) else { break };
        counts[next] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::data::{
        PackedRows, Packing,
        token_file::{Made, TokenFile, TokenFileWriter},
        tokens::Tokens,
    };

    /// Sources of so many rows of one id each, by weight; ids tell the source, and the row.
    fn sources(shape: &[(u32, f64)], seed: u64) -> Result<WeightedRows> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let made = Made { tokenizer: String::new(), source: String::new() };
        let mut sources = Vec::new();
        for (number, (rows, weight)) in (0u32..).zip(shape) {
            let path = folder.path().join(number.to_string());
            let mut writer = TokenFileWriter::create(&path, 1 << 24)?;
            writer.push(&(0..*rows).map(|row| (number << 16) + row).collect::<Vec<u32>>(), 0, 0)?;
            writer.finish(made.clone(), 0)?;
            let tokens = Tokens::new(&[TokenFile::open(&path, &made)?], None, 0);
            sources.push((number.to_string(), *weight, PackedRows::new(tokens, 1, Packing::Concatenated, false)));
        }
        Ok(WeightedRows::new(sources, 1, seed))
    }

    fn drawn(rows: &WeightedRows, most: usize) -> BTreeSet<i32> {
        let judged = JudgedRows::draw(rows, most).expect("the files can be read");
        judged.batches(usize::MAX).flat_map(|(_, batch)| batch.targets).collect()
    }

    proptest! {
        /// Each row comes once, at any size of the batches; there are as many as are wanted, or all; a larger sample holds the smaller;
        /// and together the rows of a source weigh what its share asks for.
        #[test]
        fn a_sample_has_its_size_and_its_weights(
            shape in proptest::collection::vec((1u32..40, 0.1f64..5.0), 1..4),
            most in 1usize..80,
            together in 1usize..9,
            seed: u64,
        ) {
            let rows = sources(&shape, seed).expect("the files can be written");
            let all: u32 = shape.iter().map(|(rows, _)| rows).sum();
            let wanted = most.min(all as usize).max(shape.len());
            let sample = drawn(&rows, most);
            prop_assert_eq!(sample.len(), wanted);
            prop_assert!(drawn(&rows, most + 7).is_superset(&sample));

            let judged = JudgedRows::draw(&rows, most).expect("the files can be read");
            prop_assert_eq!((judged.rows(), judged.rows_in_all()), (wanted, u64::from(all)));
            let mut weights = vec![0.0; shape.len()];
            let mut seen = Vec::new();
            for (factor, batch) in judged.batches(together) {
                prop_assert!(batch.rows <= together);
                weights[usize::try_from(batch.targets[0] >> 16).expect("a source")] += factor * batch.rows as f64;
                seen.extend(batch.targets);
            }
            prop_assert_eq!(seen.len(), wanted);
            prop_assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), sample);
            let sum: f64 = shape.iter().map(|(_, weight)| weight).sum();
            for (found, (_, weight)) in weights.iter().zip(&shape) {
                prop_assert!((found / wanted as f64 - weight / sum).abs() < 1e-9, "{:?}", weights);
            }
        }
    }

    /// A row is drawn as often as any other, wherever it stands, and another seed draws others.
    #[test]
    fn the_first_rows_have_no_right_of_their_own() -> Result<()> {
        let mut counts = [0u32; 20];
        let mut rows = sources(&[(20, 1.0)], 0)?;
        for seed in 0..2_000 {
            rows.seed = seed;
            drawn(&rows, 5).into_iter().for_each(|row| {
                counts[usize::try_from(row).expect("a row")] += 1;
            });
        }
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
        Ok(())
    }

    /// Weights are those that were asked for, as nearly as rows can have them.
    #[test]
    fn sources_come_by_weight() -> Result<()> {
        let of = |shape: &[(u32, f64)], most| Ok::<_, crate::error::Error>(counts(&sources(shape, 1)?.sources, most));
        assert_eq!(of(&[(900, 0.7), (900, 0.3)], 10)?, [7, 3]);
        assert_eq!(of(&[(900, 0.7), (2, 0.3)], 10)?, [8, 2]);
        assert_eq!(of(&[(900, 0.999), (900, 0.001)], 10)?, [9, 1]);
        assert_eq!(of(&[(3, 1.0), (2, 1.0)], 100)?, [3, 2]);
        Ok(())
    }
}
