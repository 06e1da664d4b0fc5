//! Disjoint sets of numbers: those that are joined have one root, the least of them.
//!
//! Source: Tarjan 1975; path halving, and the least number as the root in place of union by rank, so that order does not show.

/// Disjoint sets of numbers, as the parent of each.
#[derive(Debug)]
pub struct UnionFind(Vec<u32>);

impl UnionFind {
    /// `count` numbers, each for itself.
    pub fn new(count: u32) -> Self {
        Self((0..count).collect())
    }

    /// How many numbers there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).expect("it was made of so many")
    }

    /// The root of `number`: the least number in its set. The path to it is halved on the way.
    pub fn find(&mut self, mut number: u32) -> u32 {
        while self.0[number as usize] != number {
            let parent = self.0[number as usize];
            self.0[number as usize] = self.0[parent as usize];
            number = parent;
        }
        number
    }

    /// Joins the sets of two numbers. Returns whether they were not joined before.
    pub fn union(&mut self, one: u32, other: u32) -> bool {
        let (one, other) = (self.find(one), self.find(other));
        self.0[one.max(other) as usize] = one.min(other);
        one != other
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// The roots are those of a search over the graph, and the order of the edges does not show.
        #[test]
        fn roots_are_the_least_of_what_is_joined(mut edges in vec((0u32..40, 0u32..40), 0..60)) {
            let roots = |edges: &[(u32, u32)]| {
                let mut sets = UnionFind::new(40);
                edges.iter().for_each(|(one, other)| {
                    sets.union(*one, *other);
                });
                (0..40).map(|number| sets.find(number)).collect::<Vec<_>>()
            };
            let mut expected: Vec<u32> = (0..40).collect();
            for _ in 0..40 {
                for &(one, other) in &edges {
                    let least = expected[one as usize].min(expected[other as usize]);
                    expected[one as usize] = least;
                    expected[other as usize] = least;
                }
            }
            let found = roots(&edges);
            prop_assert_eq!(&found, &expected);
            edges.reverse();
            prop_assert_eq!(&found, &roots(&edges));
        }
    }
}
