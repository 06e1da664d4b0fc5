//! Sequences as a tree of what they begin with, so that a beginning that several share is computed once.
//!
//! ```text
//! [1 2 3 4]                    1 2 --+-- 3 4
//! [1 2 3 5]    sorted ->             |
//! [1 2 7]                            +-- 3 5       would be split once more at 3: a node is what all below it share
//! ```
//!
//! What was computed before stands in the tree as a path of its own, from which others branch off.

use std::ops::Range;

/// A stretch of tokens that all sequences below it share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The node before it; none where a sequence begins.
    pub parent: Option<usize>,
    /// The first of the sequences that go through it.
    pub sequence: usize,
    /// Where in the sequences it stands; never empty.
    pub tokens: Range<usize>,
    /// The sequence that ends with it.
    pub ends: Option<usize>,
}

/// The number of tokens that two sequences begin with together.
#[must_use]
pub fn shared(one: &[u32], other: &[u32]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// The tree of sequences that are sorted, none empty and none there twice. A parent stands before its children.
///
/// # Panics
/// When they are not sorted.
#[must_use]
pub fn prefix_tree(sequences: &[&[u32]]) -> Vec<Node> {
    assert!(sequences.is_sorted(), "sequences that share a beginning stand together");
    let mut nodes: Vec<Node> = Vec::new();
    // groups of sequences that have the same tokens up to a depth, below a node
    let mut open = vec![(0..sequences.len(), 0, None)];
    while let Some((group, depth, parent)) = open.pop() {
        let mut rest = group;
        // those that go on with the same token stand together
        while let Some(first) = rest.next() {
            let token = sequences[first][depth];
            let same = |other: &usize| sequences[*other].get(depth) == Some(&token);
            let last = first + rest.clone().take_while(same).count();
            rest.start = last + 1;
            let end = shared(sequences[first], sequences[last]);
            let ends = (sequences[first].len() == end).then_some(first);
            let number = nodes.len();
            nodes.push(Node { parent, sequence: first, tokens: depth..end, ends });
            let below = first + usize::from(ends.is_some())..last + 1;
            if !below.is_empty() {
                open.push((below, end, Some(number)));
            }
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_beginning_that_is_shared_is_a_node() {
        let sequences: [&[u32]; 5] = [&[1, 2], &[1, 2, 3, 4], &[1, 2, 3, 5], &[1, 2, 7], &[9]];
        let node = |parent, sequence, tokens, ends| Node { parent, sequence, tokens, ends };
        let expected = [
            node(None, 0, 0..2, Some(0)),
            node(None, 4, 0..1, Some(4)),
            node(Some(0), 1, 2..3, None),
            node(Some(0), 3, 2..3, Some(3)),
            node(Some(2), 1, 3..4, Some(1)),
            node(Some(2), 2, 3..4, Some(2)),
        ];
        assert_eq!(prefix_tree(&sequences), expected);
        assert_eq!(prefix_tree(&[]), []);
    }

    proptest! {
        /// The path to where a sequence ends says the sequence, and no token stands in the tree twice that could stand there once.
        #[test]
        fn paths_are_the_sequences(mut sequences in vec(vec(0u32..3, 1..9), 1..30)) {
            sequences.sort();
            sequences.dedup();
            let sequences: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
            let nodes = prefix_tree(&sequences);
            let mut found = vec![false; sequences.len()];
            for (number, node) in nodes.iter().enumerate() {
                let children = nodes.iter().filter(|other| other.parent == Some(number));
                let firsts: Vec<u32> = children.map(|child| sequences[child.sequence][child.tokens.start]).collect();
                let mut unique = firsts.clone();
                unique.sort_unstable();
                unique.dedup();
                prop_assert_eq!(firsts.len(), unique.len());
                let Some(ends) = node.ends else {
                    prop_assert!(firsts.len() > 1);
                    continue;
                };
                found[ends] = true;
                let (mut path, mut at) = (Vec::new(), Some(number));
                while let Some(number) = at {
                    let node = &nodes[number];
                    path.splice(0..0, sequences[node.sequence][node.tokens.clone()].iter().copied());
                    at = node.parent;
                }
                prop_assert_eq!(path, sequences[ends].to_vec());
            }
            prop_assert!(found.into_iter().all(|found| found));
        }
    }
}
