//! Answers that a policy wrote, with what was computed of each of their tokens before the policy learns from them.
//!
//! ```text
//! ids                p q a b [end]        episode 0
//!                    p c [end] pad pad    episode 1
//! lengths            5, 3
//! prompts            2, 1
//! log_probabilities      a b [end] c [end]    five numbers each: of the tokens of all answers, one answer after the other
//! values, advantages, returns
//! pretraining        sequences that the policy's language model is held to, as many for each episode
//! ```
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), appendix C.4: eight pretraining sequences an episode, in each minibatch.

use super::{
    Batch, MicroBatches, NextTokens,
    batch::{padded, some_rows},
    preference_batch::next_tokens,
};

/// An answer that a policy wrote, in the memory of whoever holds many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode<'a> {
    /// The prompt, the answer.
    pub ids: &'a [u32],
    /// Ids of the prompt among them, 1 or more.
    pub prompt: usize,
    /// `[answer tokens]`, by the policy that wrote, in nats, at the temperature that it wrote with.
    pub log_probabilities: &'a [f32],
    /// `[answer tokens]`, of the state that each was written in, before the update.
    pub values: &'a [f32],
    /// `[answer tokens]`, how much better each turned out.
    pub advantages: &'a [f32],
    /// `[answer tokens]`, what each value should have been.
    pub returns: &'a [f32],
}

/// A batch of episodes: plain numbers, on no device.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeBatch {
    /// `[episodes, time]`, a prompt and the answer to it each, padded to the longest of them.
    pub ids: Vec<i32>,
    /// `[episodes]`, ids that are not padding.
    pub lengths: Vec<usize>,
    /// `[episodes]`, ids of the prompt, 1 or more.
    pub prompts: Vec<usize>,
    /// `[tokens]`, of all answers one after the other; empty where they are not known yet, as are the three below.
    pub log_probabilities: Vec<f32>,
    /// `[tokens]`, values before the update.
    pub values: Vec<f32>,
    /// `[tokens]`, advantages.
    pub advantages: Vec<f32>,
    /// `[tokens]`, returns.
    pub returns: Vec<f32>,
    /// Sequences for the cross-entropy of a language model, as many for each episode.
    pub pretraining: Option<Batch>,
    /// What is said of the whole rollout by name, for the log; the same in every part.
    pub figures: Vec<(&'static str, f32)>,
}

impl<'a> Episode<'a> {
    /// An answer of whose tokens nothing is known yet.
    #[must_use]
    pub fn new(ids: &'a [u32], prompt: usize) -> Self {
        Self { ids, prompt, log_probabilities: &[], values: &[], advantages: &[], returns: &[] }
    }
}

impl EpisodeBatch {
    /// A batch of some episodes, one at least, without pretraining sequences and figures.
    ///
    /// - `padding`: any id; nothing attends to it, and no loss is taken on it
    #[must_use]
    pub fn new(episodes: &[Episode<'_>], padding: u32) -> Self {
        Self {
            ids: padded(episodes.iter().map(|episode| episode.ids), padding),
            lengths: episodes.iter().map(|episode| episode.ids.len()).collect(),
            prompts: episodes.iter().map(|episode| episode.prompt).collect(),
            log_probabilities: of_tokens(episodes, |episode| episode.log_probabilities),
            values: of_tokens(episodes, |episode| episode.values),
            advantages: of_tokens(episodes, |episode| episode.advantages),
            returns: of_tokens(episodes, |episode| episode.returns),
            pretraining: None,
            figures: Vec::new(),
        }
    }

    /// Ids of a sequence, its padding among them.
    #[must_use]
    pub fn time(&self) -> usize {
        self.ids.len() / self.lengths.len()
    }

    /// Tokens of all answers.
    #[must_use]
    pub fn answer_tokens(&self) -> usize {
        answer_tokens(&self.lengths, &self.prompts)
    }

    /// The tokens of all answers, in the order that their numbers are in: what the policy wrote, and no token of a prompt or padding.
    #[must_use]
    pub fn next_tokens(&self) -> NextTokens {
        next_tokens(&self.ids, &self.lengths, &self.prompts)
    }
}

/// The numbers of the tokens of all answers; none where they are not known yet.
fn of_tokens<'a>(episodes: &[Episode<'a>], numbers: impl Fn(&Episode<'a>) -> &'a [f32]) -> Vec<f32> {
    if episodes.iter().all(|episode| numbers(episode).is_empty()) {
        return Vec::new();
    }
    let is_whole = |episode: &Episode<'a>| numbers(episode).len() == episode.ids.len() - episode.prompt;
    assert!(episodes.iter().all(is_whole), "each token of an answer has its number");
    episodes.iter().flat_map(numbers).copied().collect()
}

/// Tokens of some sequences' answers.
fn answer_tokens(lengths: &[usize], prompts: &[usize]) -> usize {
    lengths.iter().zip(prompts).map(|(length, prompt)| length - prompt).sum()
}

impl MicroBatches for EpisodeBatch {
    /// Episodes.
    fn batch_size(&self) -> usize {
        self.lengths.len()
    }

    /// The same episodes without the padding that only others asked for, and their share of the pretraining sequences.
    fn slice(&self, first: usize, count: usize) -> Self {
        let last = (first + count).min(self.lengths.len());
        let lengths = self.lengths[first..last].to_vec();
        let prompts = self.prompts[first..last].to_vec();
        let before = answer_tokens(&self.lengths[..first], &self.prompts[..first]);
        let tokens = before..before + answer_tokens(&lengths, &prompts);
        // none where there are none
        let of_tokens = |numbers: &[f32]| numbers.get(tokens.clone()).unwrap_or_default().to_vec();
        let pretraining = self.pretraining.as_ref().map(|pretraining| {
            let (sequences, episodes) = (pretraining.batch_size, self.lengths.len());
            assert!(
                sequences.is_multiple_of(episodes),
                "{sequences} pretraining sequences are not as many for each of {episodes} episodes"
            );
            let each = sequences / episodes;
            pretraining.slice(first * each, (last - first) * each)
        });
        Self {
            ids: some_rows(&self.ids, &self.lengths, first..last),
            lengths,
            prompts,
            log_probabilities: of_tokens(&self.log_probabilities),
            values: of_tokens(&self.values),
            advantages: of_tokens(&self.advantages),
            returns: of_tokens(&self.returns),
            pretraining,
            figures: self.figures.clone(),
        }
    }

    /// Those that are not padding, and those of the pretraining sequences.
    fn tokens(&self) -> u64 {
        let of_episodes: u64 = self.lengths.iter().map(|length| *length as u64).sum();
        of_episodes + self.pretraining.as_ref().map_or(0, MicroBatches::tokens)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn valued<'a>(ids: &'a [u32], prompt: usize, values: &'a [f32]) -> Episode<'a> {
        Episode { values, ..Episode::new(ids, prompt) }
    }

    #[test]
    fn a_batch_has_the_tokens_of_its_answers() {
        let episodes = [valued(&[5, 6, 7, 8, 1], 2, &[0.5, 1.5, 2.5]), valued(&[4, 9, 1], 1, &[3.5, 4.5])];
        let batch = EpisodeBatch::new(&episodes, 0);
        assert_eq!(batch.ids, [5, 6, 7, 8, 1, 4, 9, 1, 0, 0]);
        assert_eq!((batch.batch_size(), batch.time(), batch.tokens(), batch.answer_tokens()), (2, 5, 8, 5));
        assert_eq!(batch.values, [0.5, 1.5, 2.5, 3.5, 4.5]);
        assert!(batch.advantages.is_empty(), "nobody has computed them");
        let NextTokens { places, targets, sequences } = batch.next_tokens();
        assert_eq!((places, targets), (vec![1, 2, 3, 5, 6], vec![7, 8, 1, 9, 1]));
        assert_eq!(sequences, [0, 0, 0, 1, 1]);
    }

    #[test]
    #[should_panic(expected = "each token of an answer has its number")]
    fn an_answer_without_all_of_its_numbers_is_none() {
        let _ = EpisodeBatch::new(&[valued(&[1, 2, 3], 1, &[1.0])], 0);
    }

    /// A batch of as many sequences, each with ids of its own.
    fn pretraining(batch_size: usize) -> Batch {
        let ids: Vec<i32> = (0..).take(3 * batch_size).collect();
        Batch {
            inputs: ids.clone(),
            targets: ids.clone(),
            weights: vec![1.0; ids.len()],
            starts: vec![0; ids.len()],
            batch_size,
            sequence_length: 3,
        }
    }

    #[test]
    #[should_panic(expected = "5 pretraining sequences are not as many for each of 2 episodes")]
    fn pretraining_sequences_are_as_many_for_each_episode() {
        let ids = [1, 2, 3];
        let mut batch = EpisodeBatch::new(&[Episode::new(&ids, 1), Episode::new(&ids, 2)], 0);
        batch.pretraining = Some(pretraining(5));
        let _ = batch.slice(0, 1);
    }

    proptest! {
        /// What is summed over micro-batches is what the batch holds: each token of an answer with its numbers, and each pretraining sequence,
        /// once and in its order; and a part is padded as if there were no others.
        #[test]
        fn micro_batches_hold_the_tokens(
            shapes in vec((1usize..5, 1usize..6), 4),
            count in select(vec![1usize, 2, 4]),
            each in 1usize..4,
            with_numbers: bool,
        ) {
            let mut number = 0u16;
            let mut next = |count: usize| -> Vec<u16> {
                let first = number;
                number += u16::try_from(count).expect("few");
                (first..number).collect()
            };
            let rows: Vec<(Vec<u32>, usize, [Vec<f32>; 4])> = shapes
                .into_iter()
                .map(|(prompt, answer)| {
                    let ids = next(prompt + answer).into_iter().map(u32::from).collect();
                    let of_tokens = if with_numbers { answer } else { 0 };
                    let numbers = [(); 4].map(|()| next(of_tokens).into_iter().map(f32::from).collect());
                    (ids, prompt, numbers)
                })
                .collect();
            let episodes: Vec<Episode<'_>> = rows
                .iter()
                .map(|(ids, prompt, [log_probabilities, values, advantages, returns])| Episode {
                    ids,
                    prompt: *prompt,
                    log_probabilities,
                    values,
                    advantages,
                    returns,
                })
                .collect();
            let all = pretraining(4 * each);
            let figures = vec![("score", 1.5)];
            let pretraining = Some(all.clone());
            let batch = EpisodeBatch { pretraining, figures: figures.clone(), ..EpisodeBatch::new(&episodes, 7) };
            let (mut targets, mut values, mut sequences, mut answer_tokens, mut tokens) =
                (Vec::new(), Vec::new(), Vec::new(), 0, 0);
            for (number, (part, alone)) in batch.micro_batches(count).zip(episodes.chunks(4 / count)).enumerate() {
                let own = 4 * each / count;
                let pretraining = Some(all.slice(number * own, own));
                let figures = figures.clone();
                prop_assert_eq!(&part, &EpisodeBatch { pretraining, figures, ..EpisodeBatch::new(alone, 7) });
                answer_tokens += part.answer_tokens();
                tokens += part.tokens();
                targets.extend(part.next_tokens().targets);
                values.extend(part.values);
                sequences.extend(part.pretraining.into_iter().flat_map(|pretraining| pretraining.inputs));
            }
            prop_assert_eq!((answer_tokens, tokens), (batch.answer_tokens(), batch.tokens()));
            prop_assert_eq!(&targets, &batch.next_tokens().targets);
            prop_assert_eq!(&values, &batch.values);
            prop_assert_eq!(&sequences, &all.inputs);
            prop_assert_eq!(values.len(), if with_numbers { answer_tokens } else { 0 });
        }
    }
}
