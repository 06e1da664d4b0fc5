//! Passages that do not answer a question: of other documents or examples, out of a pool, by chance or by the words that they share with it.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

use crate::text::{
    bm25::{SearchScratch, WordSearch},
    draw::drawn_order,
};

/// The most of each kind that a question has.
pub const MOST_NEGATIVES: u32 = 1000;

/// How many passages that do not answer it a question has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Negatives {
    /// Those of the pool that look most like an answer, by BM25; they stand first.
    pub hard: u32,
    /// Those that are drawn.
    pub drawn: u32,
}

impl Negatives {
    /// How many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        self.hard.saturating_add(self.drawn)
    }
}

/// A passage that questions of others may have.
#[derive(Debug, Clone)]
pub struct PoolPassage {
    /// The cluster of its document, or the document: what is of one group answers the same questions.
    pub group: String,
    /// The passage.
    pub text: String,
}

/// A question with the passage that answers it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The question.
    pub query: &'a str,
    /// The passage.
    pub positive: &'a str,
    /// The group of its document.
    pub group: &'a str,
}

/// The passages of a pool.
#[derive(Debug)]
pub struct NegativePool {
    wanted: Negatives,
    passages: Vec<PoolPassage>,
    search: WordSearch,
}

impl NegativePool {
    /// The passages, of which each question gets some.
    #[must_use]
    pub fn new(wanted: Negatives, passages: Vec<PoolPassage>) -> Self {
        let searched = if wanted.hard > 0 { &passages[..] } else { &[] };
        let search = WordSearch::new(searched.iter().map(|passage| passage.text.as_str()));
        Self { wanted, passages, search }
    }

    /// The negatives of a question, each once; fewer where the pool has no more. None is of the question's own group, nor the passage that answers it.
    ///
    /// - `draw`: bits for each turn
    pub fn choose(&self, asked: Asked<'_>, draw: impl Fn(u64) -> u64) -> Vec<String> {
        thread_local! {
            static SCRATCH: RefCell<SearchScratch> = RefCell::default();
        }
        let mut chosen: Vec<String> = Vec::new();
        if self.wanted.hard > 0 {
            SCRATCH.with_borrow_mut(|scratch| {
                self.take(asked, self.search.best(asked.query, scratch), self.wanted.hard, &mut chosen);
            });
        }
        self.take(asked, drawn_order(self.passages.len(), draw), self.wanted.drawn, &mut chosen);
        chosen
    }

    /// Takes `count` more.
    fn take(&self, asked: Asked<'_>, order: impl Iterator<Item = usize>, count: u32, chosen: &mut Vec<String>) {
        let most = chosen.len() + count as usize;
        for PoolPassage { group, text } in order.map(|number| &self.passages[number]) {
            if chosen.len() == most {
                break;
            }
            if *group != asked.group && text != asked.positive && !chosen.contains(text) {
                chosen.push(text.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_same_group_is_no_negative() {
        let passages = [
            ("a", "the lamp of the lighthouse"),
            ("b", "the lamp of a ship"),
            ("b", "the lamp of a ship"),
            ("c", "bread and butter"),
        ];
        let passages = passages.map(|(group, text)| PoolPassage { group: group.into(), text: text.into() });
        let pool = NegativePool::new(Negatives { hard: 1, drawn: 5 }, passages.to_vec());
        let asked = Asked { query: "lamp of the lighthouse", positive: "the lamp of the tower", group: "a" };
        // hard ones first; those that are drawn are others; there are no more
        assert_eq!(pool.choose(asked, |turn| turn), ["the lamp of a ship", "bread and butter"]);
        let other = Asked { group: "d", positive: "the lamp of the lighthouse", ..asked };
        assert_eq!(pool.choose(other, |turn| turn), ["the lamp of a ship", "bread and butter"]);
    }
}
