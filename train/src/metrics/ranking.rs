//! How well a ranking puts first what was looked for.
//!
//! A ranking is the gains of its items from the first to the last, 0 for what is of no use; beside it stand the gains of all that there is, since a
//! ranking may lack some.
//!
//! ```text
//! gains of a ranking                    -> reciprocal rank, success within the first k
//! the same, how many there are          -> average precision, recall within the first k
//! the same, the gains of all there are  -> nDCG within the first k
//! ```
//!
//! Figures are those of `trec_eval`. What stands nowhere counts as 0, and so does a question that has nothing to be found.
//!
//! Source: Järvelin and Kekäläinen 2002 (nDCG), with gains as they are and a discount of `log2(rank + 1)`; Buckley and Voorhees 2005.

/// The numbers of passages at which accuracy is told, as DPR has them.
pub const TOP: [usize; 4] = [1, 5, 20, 100];

/// 1 over the rank of the first item with a gain; 0 where there is none.
///
/// ```
/// # use train::metrics::reciprocal_rank;
/// assert_eq!(reciprocal_rank(&[0.0, 0.0, 1.0, 1.0]), 1.0 / 3.0);
/// ```
#[must_use]
pub fn reciprocal_rank(gains: &[f64]) -> f64 {
    gains.iter().position(|gain| *gain > 0.0).map_or(0.0, |place| 1.0 / (place + 1) as f64)
}

/// 1 where one of the first `k` items has a gain, else 0: top-k accuracy, as DPR has it.
#[must_use]
pub fn success(gains: &[f64], k: usize) -> f64 {
    f64::from(u8::from(gains.iter().take(k).any(|gain| *gain > 0.0)))
}

/// The share of what is to be found that stands among the first `k` items.
///
/// - `relevant`: how many there are
#[must_use]
pub fn recall(gains: &[f64], relevant: usize, k: usize) -> f64 {
    share(gains.iter().take(k).filter(|gain| **gain > 0.0).count() as f64, relevant)
}

/// The mean, over what is to be found, of the share of useful items up to the rank of each.
///
/// - `relevant`: how many there are
#[must_use]
pub fn average_precision(gains: &[f64], relevant: usize) -> f64 {
    let places = gains.iter().enumerate().filter(|(_, gain)| **gain > 0.0).map(|(place, _)| place);
    // a sum of nothing is 0, and no -0
    let sum = (1u32..).zip(places).fold(0.0, |sum, (found, place)| sum + f64::from(found) / (place + 1) as f64);
    share(sum, relevant)
}

/// The gains of the first `k` items, each divided by `log2(rank + 1)`, as a share of what the best ranking has.
///
/// - `judged`: the gains of all that there is, in any order
#[must_use]
pub fn ndcg(gains: &[f64], judged: &[f64], k: usize) -> f64 {
    let mut best = judged.to_vec();
    best.sort_by(|one, other| other.total_cmp(one));
    let (found, most) = (discounted(gains, k), discounted(&best, k));
    if most > 0.0 { found / most } else { 0.0 }
}

fn discounted(gains: &[f64], k: usize) -> f64 {
    let gains = gains.iter().take(k).enumerate();
    gains.fold(0.0, |sum, (place, gain)| sum + gain.max(0.0) / ((place + 2) as f64).log2())
}

fn share(part: f64, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nowhere_counts_as_nothing() {
        let none: [f64; 0] = [];
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        for nothing in [
            reciprocal_rank(&none),
            success(&none, 5),
            recall(&none, 2, 5),
            recall(&[0.0], 0, 5),
            average_precision(&none, 2),
            ndcg(&none, &[1.0], 5),
            ndcg(&[0.0], &none, 5),
        ] {
            assert!(nothing.to_bits() == 0.0f64.to_bits(), "{nothing} is not 0");
        }
        near(average_precision(&[1.0, 0.0, 1.0], 4), (1.0 + 2.0 / 3.0) / 4.0);
        let discount = 3f64.log2();
        near(ndcg(&[1.0, 3.0], &[3.0, 1.0, 0.0], 10), (1.0 + 3.0 / discount) / (3.0 + 1.0 / discount));
    }
}
