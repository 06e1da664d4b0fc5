//! Rank correlation.
//!
//! Source: Spearman 1904; equal values share the mean of their ranks, as in `scipy.stats.spearmanr`.

/// The correlation of the ranks of two lists, from -1 to 1; 0 where all values of one are equal.
///
/// ```
/// # use train::metrics::spearman;
/// assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1000.0]), 1.0);
/// assert!((spearman(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 2.0, 4.0]) - 0.948_683).abs() < 1e-6);
/// ```
#[must_use]
pub fn spearman(one: &[f64], other: &[f64]) -> f64 {
    let (one, other) = (ranks(one), ranks(other));
    let middle = (one.len() as f64 - 1.0) / 2.0;
    let sum = |pairs: (&[f64], &[f64])| -> f64 {
        pairs.0.iter().zip(pairs.1).map(|(one, other)| (one - middle) * (other - middle)).sum()
    };
    let product = sum((&one, &other));
    let squares = sum((&one, &one)) * sum((&other, &other));
    if squares > 0.0 { product / squares.sqrt() } else { 0.0 }
}

/// The rank of each value, from 0.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    let mut ranks = vec![0.0; values.len()];
    let mut begin = 0;
    for equal in order.chunk_by(|one, other| values[*one].total_cmp(&values[*other]).is_eq()) {
        let rank = begin as f64 + (equal.len() as f64 - 1.0) / 2.0;
        equal.iter().for_each(|place| ranks[*place] = rank);
        begin += equal.len();
    }
    ranks
}
