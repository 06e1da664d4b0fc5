//! Two rankings become one.
//!
//! Useful for: rankings whose scores do not compare. Not useful for: how sure each is; see [`super::Index::by_both`].
//!
//! Source: Cormack, Clarke and Buettcher 2009, reciprocal rank fusion, with their constant.

use std::collections::HashMap;

use super::best::{Found, Hit, best_first};

/// What is added to ranks, so that the first few do not decide alone.
const CONSTANT: f32 = 60.0;

/// The passages of some rankings by the sum of `1 / (60 + rank)` over those that have them, best first; of equal ones those whose ids come first.
///
/// - `k`: passages, at most
#[must_use]
pub fn reciprocal_ranks(rankings: &[&[Found]], k: usize) -> Vec<Found> {
    let mut sums: HashMap<(usize, u32), (f32, &Found)> = HashMap::new();
    for ranking in rankings {
        for (place, found) in ranking.iter().enumerate() {
            let sum = sums.entry((found.hit.part, found.hit.passage)).or_insert((0.0, found));
            sum.0 += 1.0 / (CONSTANT + 1.0 + place as f32);
        }
    }
    let fused = |(score, found): (f32, &Found)| Found { hit: Hit { score, ..found.hit }, id: found.id.clone() };
    best_first(sums.into_values().map(fused).collect(), k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_comes_first() {
        let ranking = |ids: &[&str]| -> Vec<Found> {
            let found = |id: &&str| {
                let passage = u32::from(id.as_bytes()[0]);
                Found { hit: Hit { part: 0, passage, score: 7.0 }, id: (*id).to_owned() }
            };
            ids.iter().map(found).collect()
        };
        let (one, other) = (ranking(&["a", "b", "c", "e"]), ranking(&["d", "c", "b"]));
        let fused = reciprocal_ranks(&[&one, &other], 4);
        let ids: Vec<&str> = fused.iter().map(|found| found.id.as_str()).collect();
        // b and c have the same sum, and a and d: the first id comes first
        assert_eq!(ids, ["b", "c", "a", "d"]);
        assert!((fused[0].hit.score - (1.0 / 62.0 + 1.0 / 63.0)).abs() < 1e-7);
    }
}
