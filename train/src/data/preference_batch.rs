//! Answers that go through a model together, with all answers to a prompt among them.
//!
//! ```text
//! ids      p q a b [end]         prompt 0, its first answer
//!          p q c [end] pad       its second
//! lengths  5, 4
//! prompts  2, 2                  p and q
//! counts   2
//! ranks    0, 1                  the first is better: one pair
//! ```
//!
//! Each answer goes through the model once, however many pairs it is in. The pairs of a prompt are one example: the loss is a mean over the
//! pairs of each prompt, and over prompts, so that one with many answers counts as much as any other.
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), section 3.5: pairs that are shuffled one by one let a reward model overfit.

use std::cmp::Ordering;

use super::{
    MicroBatches,
    batch::{padded, some_rows},
};

/// An answer to a prompt, in the memory of whoever holds many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer<'a> {
    /// The prompt, the answer, the end of the text.
    pub ids: &'a [u32],
    /// Ids of the prompt among them, 1 or more.
    pub prompt: usize,
    /// 0 for the best of its prompt's answers; equal ones are ties.
    pub rank: u32,
    /// The log-probability of the answer by the reference model, where it was taken: in nats.
    pub reference: Option<f32>,
}

/// A batch of prompts with their answers: plain numbers, on no device.
#[derive(Debug, Clone, PartialEq)]
pub struct PreferenceBatch {
    /// `[sequences, time]`, a prompt and an answer to it each, padded to the longest of them.
    pub ids: Vec<i32>,
    /// `[sequences]`, ids that are not padding: the last of them ends the text.
    pub lengths: Vec<usize>,
    /// `[sequences]`, ids of the prompt, 1 or more.
    pub prompts: Vec<usize>,
    /// `[examples]`, answers of each.
    pub counts: Vec<usize>,
    /// `[sequences]`, 0 for the best of a prompt's answers; equal ones are ties.
    pub ranks: Vec<u32>,
    /// `[sequences]`, the log-probability of each answer by the reference model; empty where they were not taken of all.
    pub references: Vec<f32>,
}

/// Pairs of answers to one prompt, of which one is better.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PreferencePairs {
    /// `[pairs]`, the sequence with the better answer.
    pub better: Vec<usize>,
    /// `[pairs]`, the sequence with the worse one.
    pub worse: Vec<usize>,
    /// `[pairs]`, what each counts for in the mean over examples of the mean over their pairs.
    pub weights: Vec<f32>,
}

/// The tokens of answers, each with the place of the token before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextTokens {
    /// `[tokens]`, sequence * time + place of what is read before the token.
    pub places: Vec<usize>,
    /// `[tokens]`, the token that is to come next.
    pub targets: Vec<i32>,
    /// `[tokens]`, the sequence that it is of.
    pub sequences: Vec<usize>,
}

impl PreferenceBatch {
    /// A batch of some prompts with their answers, one at least.
    ///
    /// - `padding`: any id; nothing attends to it, and no loss is taken on it
    #[must_use]
    pub fn new(examples: &[Vec<Answer<'_>>], padding: u32) -> Self {
        let answers = || examples.iter().flatten();
        Self {
            ids: padded(answers().map(|answer| answer.ids), padding),
            lengths: answers().map(|answer| answer.ids.len()).collect(),
            prompts: answers().map(|answer| answer.prompt).collect(),
            counts: examples.iter().map(Vec::len).collect(),
            ranks: answers().map(|answer| answer.rank).collect(),
            references: answers().map(|answer| answer.reference).collect::<Option<Vec<f32>>>().unwrap_or_default(),
        }
    }

    /// Ids of a sequence, its padding among them.
    #[must_use]
    pub fn time(&self) -> usize {
        self.ids.len() / self.lengths.len()
    }

    /// The pairs of answers to one prompt that have different ranks.
    ///
    /// - `whole`: examples of the batch that this one is a part of. A pair weighs 1 / (pairs of its example) / `whole`, so that losses of the
    ///   parts sum up to that of the batch
    #[must_use]
    pub fn pairs(&self, whole: usize) -> PreferencePairs {
        let mut pairs = PreferencePairs::default();
        let mut first = 0;
        for count in &self.counts {
            let before = pairs.better.len();
            for (better, worse) in comparisons(&self.ranks[first..first + count]) {
                pairs.better.push(first + better);
                pairs.worse.push(first + worse);
            }
            let own = pairs.better.len() - before;
            pairs.weights.resize(before + own, 1.0 / (own * whole) as f32);
            first += count;
        }
        pairs
    }

    /// The tokens of all answers, the ends of their texts among them: what a language model is asked for, and no token of a prompt or padding.
    #[must_use]
    pub fn next_tokens(&self) -> NextTokens {
        next_tokens(&self.ids, &self.lengths, &self.prompts)
    }
}

/// The tokens of all answers of some sequences, and no token of a prompt or padding.
///
/// - `ids`: `[sequences, time]`; `lengths`: `[sequences]`, ids that are not padding; `prompts`: `[sequences]`, ids of the prompt, 1 or more
pub(super) fn next_tokens(ids: &[i32], lengths: &[usize], prompts: &[usize]) -> NextTokens {
    let time = ids.len() / lengths.len();
    let mut tokens = NextTokens::default();
    for (sequence, (length, prompt)) in lengths.iter().zip(prompts).enumerate() {
        let answer = sequence * time + prompt..sequence * time + length;
        tokens.targets.extend_from_slice(&ids[answer.clone()]);
        tokens.sequences.resize(tokens.targets.len(), sequence);
        tokens.places.extend(answer.map(|place| place - 1));
    }
    tokens
}

/// The pairs of answers to one prompt of which one is better, by their ranks: the places of the better and of the worse.
pub(super) fn comparisons(ranks: &[u32]) -> impl Iterator<Item = (usize, usize)> {
    let pairs = (0..ranks.len()).flat_map(move |one| (one + 1..ranks.len()).map(move |other| (one, other)));
    pairs.filter_map(move |(one, other)| match ranks[one].cmp(&ranks[other]) {
        Ordering::Less => Some((one, other)),
        Ordering::Equal => None,
        Ordering::Greater => Some((other, one)),
    })
}

impl MicroBatches for PreferenceBatch {
    /// Prompts.
    fn batch_size(&self) -> usize {
        self.counts.len()
    }

    /// The same answers without the padding that only others asked for.
    fn slice(&self, first: usize, count: usize) -> Self {
        let last = (first + count).min(self.counts.len());
        let before: usize = self.counts[..first].iter().sum();
        let counts = self.counts[first..last].to_vec();
        let rows = before..before + counts.iter().sum::<usize>();
        Self {
            ids: some_rows(&self.ids, &self.lengths, rows.clone()),
            lengths: self.lengths[rows.clone()].to_vec(),
            prompts: self.prompts[rows.clone()].to_vec(),
            counts,
            ranks: self.ranks[rows.clone()].to_vec(),
            // none where there are none
            references: self.references.get(rows).unwrap_or_default().to_vec(),
        }
    }

    /// Those that are not padding.
    fn tokens(&self) -> u64 {
        self.lengths.iter().map(|length| *length as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::data::batch::signed;

    fn answer(ids: &[u32], prompt: usize, rank: u32) -> Answer<'_> {
        Answer { ids, prompt, rank, reference: None }
    }

    #[test]
    fn a_batch_has_the_pairs_and_tokens_of_its_prompts() {
        let first = vec![answer(&[5, 6, 7, 8, 1], 2, 1), answer(&[5, 6, 9, 1], 2, 0)];
        let other = vec![answer(&[4, 3, 1], 1, 0), answer(&[4, 2, 2, 1], 1, 1), answer(&[4, 8, 1], 1, 1)];
        let batch = PreferenceBatch::new(&[first, other], 0);
        assert_eq!(batch.ids, [5, 6, 7, 8, 1, 5, 6, 9, 1, 0, 4, 3, 1, 0, 0, 4, 2, 2, 1, 0, 4, 8, 1, 0, 0]);
        assert_eq!((batch.batch_size(), batch.time(), batch.tokens()), (2, 5, 19));
        let PreferencePairs { better, worse, weights } = batch.pairs(4);
        // two of the three pairs of the other prompt: its last answers are a tie
        assert_eq!((better, worse, weights), (vec![1, 2, 2], vec![0, 3, 4], vec![0.25, 0.125, 0.125]));
        let NextTokens { places, targets, sequences } = batch.next_tokens();
        assert_eq!(targets, [7, 8, 1, 9, 1, 3, 1, 2, 2, 1, 8, 1]);
        assert_eq!(places, [1, 2, 3, 6, 7, 10, 11, 15, 16, 17, 20, 21]);
        assert_eq!(sequences, [0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4]);
    }

    /// The tokens of a batch, with their sequences and their places in these, and how many sequences come before it.
    fn tokens(batch: &PreferenceBatch, before: usize) -> Vec<(usize, usize, i32)> {
        let NextTokens { places, targets, sequences } = batch.next_tokens();
        let of = |((place, target), sequence): ((usize, i32), usize)| {
            assert_eq!(place / batch.time(), sequence, "a place is one of its sequence");
            (before + sequence, place % batch.time(), target)
        };
        places.into_iter().zip(targets).zip(sequences).map(of).collect()
    }

    /// The ids of an answer, and its rank.
    type Ranked = (Vec<u32>, u32);

    proptest! {
        /// What is summed over micro-batches is what the batch holds: each pair and each token of an answer, once and in its order; and a part
        /// is padded as if there were no others.
        #[test]
        fn micro_batches_hold_the_pairs_and_tokens(
            shapes in vec((1usize..5, vec((2usize..7, 0u32..3), 2..5)), 4),
            count in select(vec![1usize, 2, 4]),
            with_references: bool,
        ) {
            let mut id = 0;
            let mut ids = |length: usize| -> Vec<u32> {
                id += 100;
                (id..).take(length).collect()
            };
            let shapes: Vec<(usize, Vec<Ranked>)> = shapes
                .into_iter()
                .map(|(prompt, answers)| {
                    let answers = answers.into_iter().map(|(length, rank)| (ids(prompt + length), rank));
                    (prompt, answers.collect())
                })
                .collect();
            let of = |prompt: usize, ids, rank: u32| Answer {
                reference: with_references.then(|| -(rank as f32) - prompt as f32),
                ..answer(ids, prompt, rank)
            };
            let examples: Vec<Vec<Answer<'_>>> = shapes
                .iter()
                .map(|(prompt, answers)| answers.iter().map(|(ids, rank)| of(*prompt, ids, *rank)).collect())
                .collect();
            let batch = PreferenceBatch::new(&examples, 7);
            let (mut pairs, mut found, mut before) = (PreferencePairs::default(), Vec::new(), 0);
            for (part, alone) in batch.micro_batches(count).zip(examples.chunks(4 / count)) {
                prop_assert_eq!(&part, &PreferenceBatch::new(alone, 7));
                let PreferencePairs { better, worse, weights } = part.pairs(4);
                pairs.better.extend(better.iter().map(|sequence| before + sequence));
                pairs.worse.extend(worse.iter().map(|sequence| before + sequence));
                pairs.weights.extend(weights);
                found.extend(tokens(&part, before));
                before += part.lengths.len();
            }
            prop_assert_eq!(&pairs, &batch.pairs(4));
            prop_assert_eq!(&found, &tokens(&batch, 0));
            let asked = examples.iter().flatten().flat_map(|answer| &answer.ids[answer.prompt..]);
            let asked: Vec<i32> = asked.copied().map(signed).collect();
            prop_assert_eq!(found.into_iter().map(|(_, _, target)| target).collect::<Vec<i32>>(), asked);
            // each prompt counts alike, but for one whose answers are all a tie
            let differ = |answers: &&Vec<Answer<'_>>| answers.iter().any(|answer| answer.rank != answers[0].rank);
            let told_apart = examples.iter().filter(differ);
            let weight: f32 = pairs.weights.iter().sum();
            prop_assert!((weight - told_apart.count() as f32 / 4.0).abs() < 1e-6, "{}", weight);
        }
    }
}
