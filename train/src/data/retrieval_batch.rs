//! Questions and passages that go through encoders together: each question is to find its passage among all.
//!
//! ```text
//! queries      q0   q1   q2
//! passages     p0   p1   n0   p2         positives and hard negatives of all questions, each text once
//! positives    0    1    3               the column of each question's
//! excluded     (2, 1)                    p1 answers q2 as well: it is no negative of it
//! ```
//!
//! A passage that answers a question is no negative of it: the same text twice in a batch is one column, and what is known to answer, or has one of
//! the question's answers in it, is left out of its softmax.
//!
//! Source: Karpukhin et al. 2020 (DPR), section 3.2: in-batch negatives, and hard negatives that all questions of a batch share.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::{MicroBatches, PaddedSequences};
use crate::metrics::AnswerTokens;

/// A passage, in the memory of whoever holds many.
#[derive(Debug, Clone, Copy)]
pub struct EncodedPassage<'a> {
    /// Its ids, 1 or more.
    pub ids: &'a [u32],
    /// What tells its text from others.
    pub key: u128,
    /// In which answers are looked for; empty where none are known.
    pub tokens: &'a AnswerTokens,
}

/// A question, in the memory of whoever holds many.
#[derive(Debug, Clone, Copy)]
pub struct EncodedQuery<'a> {
    /// Its ids, 1 or more.
    pub ids: &'a [u32],
    /// The keys of the passages that are known to answer it.
    pub right: &'a [u128],
    /// Texts, one of which a passage that answers contains.
    pub answers: &'a [AnswerTokens],
}

impl EncodedQuery<'_> {
    /// Whether a passage answers it, as far as that is known.
    #[must_use]
    pub fn is_answered_by(&self, passage: &EncodedPassage<'_>) -> bool {
        self.right.contains(&passage.key) || self.answers.iter().any(|answer| passage.tokens.contains(answer))
    }
}

/// A question with its passage, and some that do not answer it.
#[derive(Debug, Clone)]
pub struct RetrievalExample<'a> {
    /// The question.
    pub query: EncodedQuery<'a>,
    /// The passage that is to be found.
    pub positive: EncodedPassage<'a>,
    /// Passages that are hard to tell from it.
    pub negatives: Vec<EncodedPassage<'a>>,
}

/// A batch of questions and passages: plain numbers, on no device. Both go by length, so that parts have little padding.
///
/// A part of one has some of its questions and some of its passages, and columns are those of the whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RetrievalBatch {
    /// The questions.
    pub queries: PaddedSequences,
    /// The passages, each text once.
    pub passages: PaddedSequences,
    /// `[queries]`, the column of each question's passage.
    pub positives: Vec<usize>,
    /// Questions, and columns of other passages that answer them.
    pub excluded: Vec<(usize, usize)>,
    /// Of a part, what was found of the vectors of the whole; none where the batch is whole.
    pub found: Option<Box<VectorGradients>>,
}

/// What the loss of a whole batch asks of the vectors of a part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VectorGradients {
    /// `[queries, width]`, the gradients of the loss by the vectors of the questions.
    pub queries: Vec<f32>,
    /// `[passages, width]`, by those of the passages.
    pub passages: Vec<f32>,
    /// What the part's questions add to the loss.
    pub loss: f32,
    /// What they add to the share of questions whose passage has the highest score.
    pub accuracy: f32,
}

impl RetrievalBatch {
    /// A batch of some examples, one at least.
    ///
    /// - `padding`: any id
    #[must_use]
    pub fn new(mut examples: Vec<RetrievalExample<'_>>, padding: u32) -> Self {
        examples.sort_by_key(|example| example.query.ids.len());
        let of_examples =
            examples.iter().flat_map(|example| std::iter::once(&example.positive).chain(&example.negatives));
        let columns: BTreeMap<(usize, u128), EncodedPassage<'_>> =
            of_examples.map(|passage| ((passage.ids.len(), passage.key), *passage)).collect();
        let columns: Vec<EncodedPassage<'_>> = columns.into_values().collect();
        let places: HashMap<u128, usize> =
            columns.iter().enumerate().map(|(place, passage)| (passage.key, place)).collect();
        let positives: Vec<usize> = examples.iter().map(|example| places[&example.positive.key]).collect();
        // each question is compared with all passages, in which answers are looked for
        let of_query = |(query, (example, positive)): (usize, (&RetrievalExample<'_>, &usize))| {
            let others = columns.iter().enumerate().filter(|(column, _)| column != positive);
            let answering = others.filter(|(_, passage)| example.query.is_answered_by(passage));
            answering.map(|(column, _)| (query, column)).collect::<Vec<_>>()
        };
        let excluded: Vec<Vec<_>> = examples.par_iter().zip(&positives).enumerate().map(of_query).collect();
        Self {
            queries: PaddedSequences::new(examples.iter().map(|example| example.query.ids), padding),
            passages: PaddedSequences::new(columns.iter().map(|passage| passage.ids), padding),
            positives,
            excluded: excluded.concat(),
            found: None,
        }
    }
}

impl MicroBatches for RetrievalBatch {
    /// Questions.
    fn batch_size(&self) -> usize {
        self.positives.len()
    }

    /// Some questions, and as large a share of the passages.
    fn slice(&self, first: usize, count: usize) -> Self {
        let (queries, passages) = (self.batch_size(), self.passages.lengths.len());
        let last = (first + count).min(queries);
        let own = self.excluded.iter().filter(|(query, _)| (first..last).contains(query));
        Self {
            queries: self.queries.some(first..last),
            passages: self.passages.some(passages * first / queries..passages * last / queries),
            positives: self.positives[first..last].to_vec(),
            excluded: own.map(|(query, column)| (query - first, *column)).collect(),
            found: None,
        }
    }

    /// Those that are not padding.
    fn tokens(&self) -> u64 {
        self.queries.tokens() + self.passages.tokens()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn what_answers_a_question_is_no_negative_of_it() {
        let texts = ["red fox", "blue fox", "grey wolf", "red wolf"].map(AnswerTokens::of);
        let ids: [&[u32]; 4] = [&[1, 2, 9], &[3, 2, 9], &[4, 5, 5, 9], &[1, 9]];
        let passage = |number: usize| EncodedPassage { ids: ids[number], key: number as u128, tokens: &texts[number] };
        let answers = [AnswerTokens::of("red")];
        let example =
            |ids: &'static [u32], right: &'static [u128], answers, positive, negatives: &[usize]| RetrievalExample {
                query: EncodedQuery { ids, right, answers },
                positive: passage(positive),
                negatives: negatives.iter().map(|number| passage(*number)).collect(),
            };
        let batch = RetrievalBatch::new(
            vec![
                // the passage of the next is its negative, and one column; what has its answer is out
                example(&[7, 7, 7], &[0], &answers, 0, &[2]),
                example(&[8, 8], &[2], &[], 2, &[3, 1]),
                // the same question with another passage
                example(&[7, 7, 7], &[0, 1], &[], 1, &[]),
            ],
            0,
        );
        assert_eq!(batch.passages.ids, [1, 9, 0, 0, 1, 2, 9, 0, 3, 2, 9, 0, 4, 5, 5, 9]);
        assert_eq!(batch.queries.ids, [8, 8, 0, 7, 7, 7, 7, 7, 7]);
        assert_eq!(batch.positives, [3, 1, 2]);
        assert_eq!(batch.excluded, [(1, 0), (2, 1)]);
        assert_eq!((batch.batch_size(), batch.tokens()), (3, 20));
    }

    proptest! {
        /// Parts hold each question and each passage of the whole once, in their order.
        #[test]
        fn micro_batches_hold_all(lengths in vec((1usize..6, 1usize..9), 12), count in prop::sample::select(vec![1usize, 3, 4])) {
            let none = AnswerTokens::default();
            let ids: Vec<(Vec<u32>, Vec<u32>)> = lengths
                .iter()
                .zip(0u32..)
                .map(|((query, passage), number)| (vec![number + 1; *query], vec![number + 50; *passage]))
                .collect();
            let examples = ids.iter().enumerate().map(|(number, (query, passage))| RetrievalExample {
                query: EncodedQuery { ids: query, right: &[], answers: &[] },
                positive: EncodedPassage { ids: passage, key: number as u128, tokens: &none },
                negatives: Vec::new(),
            });
            let batch = RetrievalBatch::new(examples.collect(), 0);
            let rows = |sequences: &PaddedSequences| -> Vec<i32> {
                let time = sequences.ids.len() / sequences.lengths.len();
                sequences.ids.chunks(time).zip(&sequences.lengths).flat_map(|(ids, length)| ids[..*length].to_vec()).collect()
            };
            let parts: Vec<RetrievalBatch> = batch.micro_batches(count).collect();
            prop_assert_eq!(parts.iter().flat_map(|part| rows(&part.queries)).collect::<Vec<_>>(), rows(&batch.queries));
            prop_assert_eq!(parts.iter().flat_map(|part| rows(&part.passages)).collect::<Vec<_>>(), rows(&batch.passages));
            prop_assert_eq!(parts.iter().flat_map(|part| part.positives.clone()).collect::<Vec<_>>(), batch.positives.clone());
            prop_assert_eq!(parts.iter().map(MicroBatches::tokens).sum::<u64>(), batch.tokens());
        }
    }
}
