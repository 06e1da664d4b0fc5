//! The best of many scores.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

/// A passage that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The part of the index that it is in.
    pub part: usize,
    /// Its number there.
    pub passage: u32,
    /// Its score: more is better.
    pub score: f32,
}

/// A passage that was found, by its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where it stands.
    pub hit: Hit,
    /// Its id.
    pub id: String,
}

/// The first `k` of some passages, best first; of equal ones those whose ids come first.
pub(super) fn best_first(mut found: Vec<Found>, k: usize) -> Vec<Found> {
    found.sort_by(|one, other| other.hit.score.total_cmp(&one.hit.score).then_with(|| one.id.cmp(&other.id)));
    found.truncate(k);
    found
}

/// By score, then the first; the least of all is what is thrown out first.
#[derive(PartialEq)]
struct Kept(f32, u32);

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

/// Gives the places of the highest scores, best first; of equal ones the first.
///
/// - `above`: what a score has to be above
pub(super) fn best(
    scores: &[f32],
    k: usize,
    above: f32,
    is_allowed: impl Fn(u32) -> bool,
    mut give: impl FnMut(u32, f32),
) {
    if k == 0 {
        return;
    }
    let mut heap: BinaryHeap<Reverse<Kept>> = BinaryHeap::with_capacity(k.min(scores.len()) + 1);
    // what a score has to be above, once there are k
    let mut least = above;
    for (passage, score) in (0u32..).zip(scores) {
        // one that is no number is above nothing
        if score.is_nan() || *score <= least || !is_allowed(passage) {
            continue;
        }
        heap.push(Reverse(Kept(*score, passage)));
        if heap.len() > k {
            heap.pop();
        }
        if heap.len() == k {
            least = heap.peek().map_or(above, |Reverse(kept)| kept.0);
        }
    }
    heap.into_sorted_vec().into_iter().for_each(|Reverse(Kept(score, passage))| give(passage, score));
}

/// The best of those of all parts, which are in their order; what is as good as the last stays until its id is known.
pub(super) fn best_of_parts(mut hits: Vec<Hit>, k: usize) -> Vec<Hit> {
    hits.sort_by(|one, other| other.score.total_cmp(&one.score));
    let last = k.checked_sub(1).and_then(|last| hits.get(last)).map(|hit| hit.score);
    hits.retain(|hit| last.is_none_or(|last| hit.score >= last));
    hits
}
