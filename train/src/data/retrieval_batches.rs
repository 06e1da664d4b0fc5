//! Batches of questions with passages by their number.
//!
//! A batch has questions in the order of chance, whatever their lengths: the passages of its other questions are what each is told from, and those of
//! like length are others than those of all. Of a question's hard negatives some are drawn anew each time.

use super::{
    BatchSource, RetrievalBatch, RetrievalExample, RetrievalPairs, Shuffle,
    weighted::{Cursor, Weighted},
};
use crate::error::Result;

/// The batches of a training of encoders.
#[derive(Debug)]
pub struct RetrievalBatches {
    pairs: Weighted<RetrievalPairs>,
    batch_size: usize,
    /// Of each question, at most.
    hard_negatives: usize,
    padding: u32,
    cursor: Cursor,
}

impl RetrievalBatches {
    /// Batches of `batch_size` questions each.
    ///
    /// - `sources`: name, weight and pairs of each; one source at least, of one pair at least
    /// - `hard_negatives`: of each question, at most
    #[must_use]
    pub fn new(
        sources: Vec<(String, f64, RetrievalPairs)>,
        batch_size: usize,
        hard_negatives: usize,
        padding: u32,
        seed: u64,
    ) -> Self {
        Self { pairs: Weighted::new(sources, seed), batch_size, hard_negatives, padding, cursor: Cursor::default() }
    }

    fn example<'p>(&self, pairs: &'p RetrievalPairs, number: u64, place: u64) -> RetrievalExample<'p> {
        let number = usize::try_from(number).expect("pairs are in memory");
        let (query, positive) = (pairs.query(number), pairs.positive(number));
        let all = pairs.negatives(number);
        let mut negatives = Vec::with_capacity(self.hard_negatives);
        if self.hard_negatives > 0 && !all.is_empty() {
            let order = Shuffle::new(self.pairs.seed, &format!("negatives of example {place}"), all.len() as u64);
            let drawn = (0..all.len() as u64).map(|at| usize::try_from(order.at(at)).expect("negatives are in memory"));
            let passages = drawn.map(|place| pairs.passage(all[place]));
            negatives.extend(passages.filter(|passage| !query.is_answered_by(passage)).take(self.hard_negatives));
        }
        RetrievalExample { query, positive, negatives }
    }
}

impl BatchSource for RetrievalBatches {
    type Batch = RetrievalBatch;

    fn batch(&mut self, number: u64) -> Result<RetrievalBatch> {
        let first = number * self.batch_size as u64;
        let mut cursor = std::mem::take(&mut self.cursor);
        let drawn = self.pairs.draw(first, self.batch_size, &mut cursor);
        let examples =
            drawn.into_iter().zip(first..).map(|((pairs, number), place)| self.example(pairs, number, place));
        let batch = RetrievalBatch::new(examples.collect(), self.padding);
        self.cursor = cursor;
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        data::{ReadOptions, RetrievalReader, SplitReader as _},
        tokenizer::Tokenizer,
    };

    fn pairs(count: usize) -> RetrievalPairs {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let tokenizer = Tokenizer::train(["a b"; 4].into_iter(), 260, 0, &folder.path().join("tokenizer.json"));
        let tokenizer = tokenizer.expect("the texts suffice");
        let line = |number: usize| {
            let negatives: Vec<String> = (0..number % 4).map(|other| format!("{number}n{other}")).collect();
            let line = serde_json::json!({"query": format!("{number}?"), "positive": format!("{number}p"), "negatives": negatives});
            line.to_string() + "\n"
        };
        let path = folder.path().join("rows.jsonl");
        fs::write(&path, (10..10 + count).map(line).collect::<String>()).expect("it can be written");
        let reader = RetrievalReader { tokenizer: &tokenizer, context_length: 16, options: ReadOptions::default() };
        reader.file(&path, &mut Vec::new()).expect("it can be read")
    }

    fn batches(hard_negatives: usize, seed: u64) -> RetrievalBatches {
        RetrievalBatches::new(vec![("one".into(), 1.0, pairs(30))], 5, hard_negatives, 0, seed)
    }

    /// The promise of resuming: whatever was asked for before, a number has its batch. And an epoch has each question once.
    #[test]
    fn a_batch_is_the_same_wherever_one_begins() -> Result<()> {
        let mut walked = batches(2, 7);
        let all: Vec<RetrievalBatch> = (0..18).map(|number| walked.batch(number)).collect::<Result<_>>()?;
        for number in [17u64, 3, 4, 0] {
            let expected = &all[usize::try_from(number).expect("few")];
            assert_eq!(&walked.batch(number)?, expected, "{number}, asked for again");
            assert_eq!(&batches(2, 7).batch(number)?, expected, "{number}, begun there");
        }
        assert_ne!(batches(2, 8).batch(0)?, all[0]);
        let mut questions: Vec<Vec<i32>> = all[..6]
            .iter()
            .flat_map(|batch| batch.queries.ids.chunks(batch.queries.ids.len() / 5).map(<[i32]>::to_vec))
            .collect();
        questions.sort_unstable();
        questions.dedup();
        assert_eq!(questions.len(), 30);
        Ok(())
    }

    /// As many hard negatives as there are, and no more than are asked for; others in another epoch.
    #[test]
    fn hard_negatives_are_drawn() -> Result<()> {
        for most in [0, 1, 2] {
            let mut batches = batches(most, 7);
            let passages = |numbers: std::ops::Range<u64>, batches: &mut RetrievalBatches| -> Result<usize> {
                numbers.map(|number| Ok(batches.batch(number)?.passages.lengths.len())).sum()
            };
            // of questions 10 to 39, the number modulo 4 have hard negatives
            let expected: usize = (10..40).map(|number: usize| 1 + (number % 4).min(most)).sum();
            assert_eq!(passages(0..6, &mut batches)?, expected);
        }
        let mut batches = batches(1, 7);
        let mut epoch = |first: u64| -> Result<Vec<i32>> {
            let ids = (first..first + 6).map(|number| Ok(batches.batch(number)?.passages.ids));
            let mut ids = ids.collect::<Result<Vec<Vec<i32>>>>()?.concat();
            ids.sort_unstable();
            Ok(ids)
        };
        assert_ne!(epoch(0)?, epoch(6)?);
        Ok(())
    }
}
