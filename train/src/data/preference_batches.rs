//! Batches of preferences by their number.
//!
//! All answers to a prompt are in one batch. Answers are padded to the longest of a batch, so prompts whose longest answers are of like length
//! go together: see [`super::by_length`].

use super::{
    Answer, PreferenceBatch, Preferences,
    example_batches::{Batched, BatchesInMemory},
};

/// The batches of a training on preferences, each of so many prompts.
pub type PreferenceBatches = BatchesInMemory<Preferences>;

impl Batched for Preferences {
    type Batch = PreferenceBatch;

    fn batch(drawn: &[(&Self, usize)], padding: u32) -> PreferenceBatch {
        let examples: Vec<Vec<Answer<'_>>> =
            drawn.iter().map(|(preferences, number)| preferences.get(*number)).collect();
        PreferenceBatch::new(&examples, padding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::BatchSource as _;

    const END: u32 = 1;

    /// So many prompts of one id each, which tells them apart, with two answers or three of different lengths.
    fn preferences(first: u32, count: u32) -> Preferences {
        let mut preferences = Preferences::default();
        for id in first..first + count {
            let answer = |rank: u32| [vec![id; (id * 7 % 23 + rank + 1) as usize], vec![END]].concat();
            preferences.push(&[id], (0..2 + id % 2).map(|rank| (answer(rank), rank)), None);
        }
        preferences
    }

    fn batches(seed: u64, end: Option<u64>) -> PreferenceBatches {
        let sources = [("one", 3.0, preferences(100, 40)), ("other", 1.0, preferences(200, 9))];
        let sources = sources.map(|(name, weight, preferences)| (name.to_owned(), weight, preferences));
        PreferenceBatches::new(Vec::from(sources), 4, 0, seed, end)
    }

    fn all(mut batches: PreferenceBatches, numbers: std::ops::Range<u64>) -> Vec<PreferenceBatch> {
        numbers.map(|number| batches.batch(number).expect("it is in memory")).collect()
    }

    /// The promise of resuming: whatever was asked for before, a number has its batch.
    #[test]
    fn a_batch_is_the_same_wherever_one_begins() {
        for end in [None, Some(38)] {
            let walked = all(batches(7, end), 0..60);
            for number in [59u64, 37, 38, 31, 0, 17] {
                let expected = &walked[usize::try_from(number).expect("few")];
                assert_eq!(&all(batches(7, end), number..number + 1)[0], expected, "{number}");
            }
            assert_ne!(all(batches(8, end), 0..1)[0], walked[0]);
        }
    }

    /// An epoch has each prompt once, with all its answers in one batch; and little of it is padding.
    #[test]
    fn epochs_have_each_prompt_once_with_all_answers() {
        let source = vec![("one".to_owned(), 1.0, preferences(100, 40))];
        let (mut prompts, mut tokens, mut padded) = (Vec::new(), 0, 0);
        for batch in all(PreferenceBatches::new(source, 4, 0, 7, Some(10)), 0..10) {
            let mut firsts = batch.ids.chunks(batch.time()).map(|ids| ids[0]);
            for count in &batch.counts {
                let own: Vec<i32> = firsts.by_ref().take(*count).collect();
                assert!(own.len() == 2 + usize::from(own[0] % 2 == 1) && own.iter().all(|id| *id == own[0]), "{own:?}");
                prompts.push(own[0]);
            }
            tokens += batch.lengths.iter().sum::<usize>();
            padded += batch.ids.len();
        }
        prompts.sort_unstable();
        assert_eq!(prompts, (100..140).collect::<Vec<i32>>());
        assert!((padded as f64) < 1.3 * tokens as f64, "{padded} for {tokens}");
    }
}
