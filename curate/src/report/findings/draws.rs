//! Documents drawn out of many, the same each time: those whose hashes are the least.

use std::collections::BTreeSet;

use crate::text::draw::draw;

/// Documents drawn for one purpose.
#[derive(Debug)]
pub struct Draws {
    seed: u64,
    purpose: String,
    most: usize,
    /// Documents that there were to draw from.
    pub documents: u64,
    least: BTreeSet<(u64, String)>,
}

impl Draws {
    /// Draws at most so many.
    pub fn new(seed: u64, purpose: impl Into<String>, most: usize) -> Self {
        Self { seed, purpose: purpose.into(), most, documents: 0, least: BTreeSet::new() }
    }

    /// Offers a document.
    pub fn offer(&mut self, id: &str) {
        self.documents += 1;
        let hash = draw(self.seed, &self.purpose, id);
        if self.least.len() == self.most && self.least.last().is_some_and(|(last, _)| *last <= hash) {
            return;
        }
        self.least.insert((hash, id.to_owned()));
        if self.least.len() > self.most {
            self.least.pop_last();
        }
    }

    /// The ids that were drawn, in the order of their hashes.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.least.iter().map(|(_, id)| id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_changes_nothing() {
        let drawn = |ids: &mut dyn Iterator<Item = u32>| {
            let mut draws = Draws::new(1, "test", 5);
            ids.for_each(|id| draws.offer(&id.to_string()));
            draws.ids().map(str::to_owned).collect::<Vec<_>>()
        };
        let forward = drawn(&mut (0..1000));
        assert_eq!(forward, drawn(&mut (0..1000).rev()));
        assert_eq!(forward.len(), 5);
    }
}
