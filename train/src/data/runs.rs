//! Where the loss is taken within a document: runs of ids without it and with it, in turn.
//!
//! ```text
//! a text           ################
//! an example       ......##########            a prompt, and its completion with the end of the text
//! a conversation   ......####.....#####..      what others say, and the turns of the assistant
//! ```
//!
//! The first run with loss of a conversation is empty where the assistant begins it and nothing of that is learnt.
//!
//! Useful for: any number of turns, at a few bytes each; a text or an example needs none.

use std::{collections::BTreeMap, ops::Range};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What of an example is learnt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossOn {
    /// Completions, and what the assistant says in a conversation.
    #[default]
    Completions,
    /// Prompts, and what others say, too.
    All,
}

/// What rows are taken for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowsAs {
    /// Documents of any kind; the loss is taken on what is no prompt.
    #[default]
    Documents,
    /// Text: prompts are text like any other.
    Text,
    /// Examples of what to answer: those that answer nothing are skipped.
    Examples(LossOn),
}

/// The runs of one document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Runs<'r> {
    /// Ids of the document.
    length: u64,
    /// Ids without loss at its beginning.
    prompt: u64,
    /// The runs behind them, the first with loss; with none, all that follows on the prompt has loss.
    more: &'r [u32],
}

impl<'r> Runs<'r> {
    /// - `prompt`: ids without loss at the beginning, `length` at most
    /// - `more`: lengths of what follows, with loss and without in turn; they add up to the rest of the document, or there are none
    pub(super) fn new(length: u64, prompt: u64, more: &'r [u32]) -> Self {
        Self { length, prompt, more }
    }

    /// Ids of the document.
    pub(super) fn length(self) -> u64 {
        self.length
    }

    /// The places within the document that have loss, in their order; none of them is empty.
    pub(super) fn with_loss(self) -> impl Iterator<Item = Range<u64>> {
        let whole = self.more.is_empty().then_some((self.prompt..self.length, true));
        let mut place = self.prompt;
        let parts = self.more.iter().enumerate().map(move |(number, run)| {
            place += u64::from(*run);
            (place - u64::from(*run)..place, number % 2 == 0)
        });
        whole.into_iter().chain(parts).filter(|(run, has_loss)| *has_loss && !run.is_empty()).map(|(run, _)| run)
    }

    /// Ids with loss.
    pub(super) fn loss(self) -> u64 {
        self.with_loss().map(|run| run.end - run.start).sum()
    }

    /// From the first id with loss to the last; none without loss.
    pub(super) fn span(self) -> Option<Range<u64>> {
        self.with_loss().reduce(|all, run| all.start..run.end)
    }

    /// Whether some places within the document have loss.
    pub(super) fn has_loss_in(self, places: &Range<u64>) -> bool {
        self.with_loss().any(|run| run.start < places.end && places.start < run.end)
    }
}

/// The runs of the conversations of a file, by the number of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conversations {
    /// How many lengths there are until the end of each.
    ends: BTreeMap<u32, usize>,
    /// Lengths, one conversation behind the other: without loss, with it, and so on.
    lengths: Vec<u32>,
}

impl Conversations {
    /// Adds the runs of a document, which comes after those that were added before.
    pub(super) fn push(&mut self, document: u32, runs: &[u32]) {
        self.lengths.extend(runs);
        self.ends.insert(document, self.lengths.len());
    }

    /// The runs of a document, if it is a conversation: without loss, with it, and so on.
    pub(super) fn of(&self, document: u32) -> Option<&[u32]> {
        let end = *self.ends.get(&document)?;
        let start = self.ends.range(..document).next_back().map_or(0, |(_, end)| *end);
        Some(&self.lengths[start..end])
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// As numbers for a file: of each conversation the number of the document, how many runs it has, and their lengths.
    pub(super) fn words(&self) -> Vec<u32> {
        let mut words = Vec::with_capacity(self.lengths.len() + 2 * self.ends.len());
        let mut start = 0;
        for (document, end) in &self.ends {
            words.extend([*document, u32::try_from(end - start).expect("a conversation has fewer turns")]);
            words.extend(&self.lengths[start..*end]);
            start = *end;
        }
        words
    }

    /// From such numbers; none where they are others.
    pub(super) fn from_words(mut words: &[u32]) -> Option<Self> {
        let mut all = Self::default();
        while let [document, count, rest @ ..] = words {
            let (runs, rest) = rest.split_at_checked(*count as usize)?;
            all.push(*document, runs);
            words = rest;
        }
        words.is_empty().then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_keeps_its_runs() {
        let mut all = Conversations::default();
        all.push(2, &[3, 2, 1, 4]);
        all.push(7, &[0, 5]);
        assert_eq!((all.of(2), all.of(3), all.of(7)), (Some(&[3, 2, 1, 4][..]), None, Some(&[0, 5][..])));
        let words = all.words();
        assert_eq!(Conversations::from_words(&words), Some(all));
        assert_eq!(Conversations::from_words(&words[..words.len() - 1]), None);

        let runs = Runs::new(10, 3, &[2, 1, 4]);
        assert_eq!(runs.with_loss().collect::<Vec<_>>(), [3..5, 6..10]);
        assert_eq!((runs.loss(), runs.span()), (6, Some(3..10)));
        assert!(runs.has_loss_in(&(4..6)) && !runs.has_loss_in(&(5..6)) && !runs.has_loss_in(&(0..3)));
        assert_eq!(Runs::new(4, 4, &[]).span(), None, "a prompt alone");
    }
}
