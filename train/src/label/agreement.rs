//! How far labelers agree who have ranked the same answers.
//!
//! ```text
//! two labelers, two answers to a prompt: both told them apart -> the same way round (1), the other way round (0)
//! ranks of a labeler -> mean ranks of ties -> Krippendorff's alpha over all answers
//! ```
//!
//! The pairs of a prompt are not independent: the interval is one over prompts. Ranks are compared as an order, whichever numbers a labeler
//! has used for it: equal ones become their mean, so that all rankings of as many answers have one sum.
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), section 3.4, for the share (72.6 % among those who labeled); Krippendorff 2011 for alpha.

use std::{cmp::Ordering, collections::BTreeMap};

use serde::Serialize;

use super::krippendorff::ordinal_alpha;
use crate::metrics::bootstrap;

/// A ranking that counts.
#[derive(Debug, Clone, Copy)]
pub struct Ranking<'r> {
    /// The item.
    pub item: i64,
    /// The rank of each of its answers.
    pub ranks: &'r [i64],
}

/// How far labelers agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agreement {
    /// Prompts with a pair of answers that two labelers told apart.
    pub prompts: usize,
    /// Such pairs, of all pairs of labelers.
    pub pairs: u64,
    /// The share of them that both rank the same way round.
    pub share: f64,
    /// Its 95 % interval, by bootstrap over prompts.
    pub interval: [f64; 2],
    /// Krippendorff's alpha for ordinal ranks; none where all answers are ties.
    pub alpha: Option<f64>,
}

/// How far the labelers of some rankings agree; none where no two have told the same two answers apart.
///
/// - `rankings`: of each item one a labeler at most
/// - `seed`: of the interval
pub fn agreement(rankings: &[Ranking<'_>], seed: u64) -> Option<Agreement> {
    let mut by_item: BTreeMap<i64, Vec<&[i64]>> = BTreeMap::new();
    for Ranking { item, ranks } in rankings {
        by_item.entry(*item).or_default().push(ranks);
    }
    by_item.retain(|_, of_item| of_item.len() > 1);
    let counts: Vec<Pairs> =
        by_item.values().map(|of_item| Pairs::of(of_item)).filter(|pairs| pairs.apart > 0).collect();
    if counts.is_empty() {
        return None;
    }
    let share = |pairs: Pairs| pairs.same as f64 / pairs.apart as f64;
    let all = counts.iter().copied().fold(Pairs::default(), Pairs::and);
    let of_sample =
        |sample: &[usize]| share(sample.iter().map(|place| counts[*place]).fold(Pairs::default(), Pairs::and));
    Some(Agreement {
        prompts: counts.len(),
        pairs: all.apart,
        share: share(all),
        interval: bootstrap(counts.len(), seed, of_sample).interval,
        alpha: ordinal_alpha(&by_item.values().flat_map(|of_item| units(of_item)).collect::<Vec<_>>()),
    })
}

/// The share of pairs of answers to one prompt that are ties; none where there is no pair.
pub fn ties<'r>(rankings: impl IntoIterator<Item = &'r [i64]>) -> Option<f64> {
    let (mut equal, mut all) = (0_u64, 0_u64);
    for ranks in rankings {
        for (one, other) in pairs(ranks.len()) {
            all += 1;
            equal += u64::from(ranks[one] == ranks[other]);
        }
    }
    (all > 0).then(|| equal as f64 / all as f64)
}

/// Pairs of answers that two labelers told apart.
#[derive(Debug, Clone, Copy, Default)]
struct Pairs {
    apart: u64,
    same: u64,
}

impl Pairs {
    /// Those of all pairs of rankings of one item.
    fn of(rankings: &[&[i64]]) -> Self {
        let mut found = Self::default();
        for (first, second) in pairs(rankings.len()) {
            let (first, second) = (rankings[first], rankings[second]);
            for (one, other) in pairs(first.len().min(second.len())) {
                match (first[one].cmp(&first[other]), second[one].cmp(&second[other])) {
                    (Ordering::Equal, _) | (_, Ordering::Equal) => {}
                    (first, second) => {
                        found.apart += 1;
                        found.same += u64::from(first == second);
                    }
                }
            }
        }
        found
    }

    fn and(self, other: Self) -> Self {
        Self { apart: self.apart + other.apart, same: self.same + other.same }
    }
}

/// The pairs of some places.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |one| (one + 1..count).map(move |other| (one, other)))
}

/// The answers to an item, each with the ranks that it was given: twice the mean ranks, which are whole.
fn units(rankings: &[&[i64]]) -> Vec<Vec<u32>> {
    let mean_rank = |ranks: &[i64], place: usize| {
        let count = |ordering| ranks.iter().filter(|rank| (*rank).cmp(&ranks[place]) == ordering).count();
        u32::try_from(2 * count(Ordering::Less) + count(Ordering::Equal) + 1).expect("there are few answers")
    };
    let answers = rankings.iter().map(|ranks| ranks.len()).min().unwrap_or(0);
    (0..answers).map(|place| rankings.iter().map(|ranks| mean_rank(ranks, place)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rankings: &[(i64, &[i64])]) -> Option<Agreement> {
        let rankings: Vec<Ranking<'_>> = rankings.iter().map(|(item, ranks)| Ranking { item: *item, ranks }).collect();
        agreement(&rankings, 1)
    }

    /// Pairs that one of two labelers has not told apart say nothing, and neither does an item that one has seen.
    #[test]
    fn pairs_count_that_both_told_apart() {
        let found = of(&[
            (1, &[1, 2, 3]),
            (1, &[1, 3, 2]), // two pairs the same way, one the other
            (2, &[1, 1, 2]),
            (2, &[2, 1, 3]), // two the same, one is a tie of the first
            (3, &[1, 2, 3]),
        ]);
        let found = found.expect("there are pairs");
        assert_eq!((found.prompts, found.pairs), (2, 5));
        assert!((found.share - 0.8).abs() < 1e-12);
        assert!(found.interval[0] >= 0.6 && found.interval[1] <= 1.0 && found.interval[0] < found.interval[1]);
        assert_eq!(of(&[(1, &[1, 2]), (2, &[1, 2])]), None);
        assert_eq!(of(&[(1, &[1, 1]), (1, &[1, 2])]), None);
    }

    /// Which numbers a labeler uses makes no difference, and three of them are three pairs.
    #[test]
    fn an_order_is_an_order() {
        let found = of(&[(1, &[1, 2, 2]), (1, &[1, 3, 3]), (1, &[2, 3, 3])]).expect("there are pairs");
        assert_eq!((found.pairs, found.share, found.interval, found.alpha), (6, 1.0, [1.0, 1.0], Some(1.0)));
        assert_eq!(units(&[&[1, 3, 3], &[2, 1, 3]]), [[2, 4], [5, 2], [5, 6]].map(Vec::from));
        let opposite = of(&[(1, &[1, 2]), (1, &[2, 1])]).expect("there is a pair");
        assert!(opposite.share == 0.0 && opposite.alpha.expect("ranks differ") < 0.0);
    }

    #[test]
    fn ties_are_a_share_of_pairs() {
        assert_eq!(ties([&[1, 1, 2][..], &[1, 2]]), Some(0.25));
        assert_eq!(ties([&[1][..]]), None);
    }
}
