//! Taking the best of n answers of a policy: what a training has to be better than, at the same divergence.
//!
//! Useful for: how much of a reward can be had without any training, and how far a reward can be pushed before what it stands for falls. Not
//! useful for: divergences beyond `ln n`, which no number of answers that one can draw reaches.
//!
//! Source: Stiennon et al. 2020, appendix G.3; Gao et al. 2022, section 2.

/// The KL divergence from a policy of taking the best of `n` of its answers, in nats: exactly, where no two answers are equally good, and at
/// most, where some are.
///
/// - `n`: 1 or more
///
/// ```
/// # use train::rollout::best_of_n_kl;
/// assert!(best_of_n_kl(1).abs() < 1e-12);
/// assert!((best_of_n_kl(16) - 1.835).abs() < 1e-3);
/// ```
///
/// Source: Stiennon et al. 2020, appendix G.3; that it is the most, Beirami et al. 2024.
#[must_use]
pub fn best_of_n_kl(n: usize) -> f64 {
    let n = n as f64;
    n.ln() - (n - 1.0) / n
}

/// The mean of a measure of the answer that has the highest score among `n`, over all ways to choose these among the answers that there are:
/// an estimate without bias, from answers that were drawn once.
///
/// - `scores`: `[answers]`, by which the best is chosen, at random among those that are equally good
/// - `measures`: `[answers]`, of which the mean is taken; the scores themselves, or what they stand for
/// - `n`: at least 1, and no more than there are answers
///
/// Source: Nakano et al. 2021 (`WebGPT`), appendix I.
#[must_use]
pub fn best_of_n_mean(scores: &[f64], measures: &[f64], n: usize) -> f64 {
    let count = scores.len();
    assert!((1..=count).contains(&n) && measures.len() == count, "{n} of {count} answers, {} measures", measures.len());
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    // that the best of n is the one of a rank, counted from the best: the others are chosen among those below it
    let mut weight = n as f64 / count as f64;
    let (mut mean, mut rank) = (0.0, 0);
    for equals in order.chunk_by(|one, other| scores[*one].total_cmp(&scores[*other]).is_eq()) {
        let mut of_equals = 0.0;
        for _ in equals {
            of_equals += weight;
            let below = count - rank - 1;
            weight *= below.saturating_sub(n - 1) as f64 / below.max(1) as f64;
            rank += 1;
        }
        let sum: f64 = equals.iter().map(|place| measures[*place]).sum();
        mean += of_equals * sum / equals.len() as f64;
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With two answers by hand: the better one of the densities `2 x` on `0..1` has a divergence of `ln 2 - 1/2`.
    #[test]
    fn the_best_of_one_is_the_policy() {
        assert!(best_of_n_kl(1).abs() < 1e-12);
        assert!((best_of_n_kl(2) - (std::f64::consts::LN_2 - 0.5)).abs() < 1e-12);
        assert!((1..100).all(|n| best_of_n_kl(n) < best_of_n_kl(n + 1)));
    }

    /// The distribution of the best of n among equally likely outcomes is known, and so is its divergence: less than the formula where some are
    /// drawn twice, and the formula where there are many.
    #[test]
    fn the_divergence_is_that_of_the_distribution() {
        let exact = |outcomes: u32, n: usize| -> f64 {
            let power = |rank: u32| (f64::from(rank) / f64::from(outcomes)).powi(i32::try_from(n).expect("few"));
            (1..=outcomes)
                .map(|rank| power(rank) - power(rank - 1))
                .filter(|share| *share > 0.0)
                .map(|share| share * (share * f64::from(outcomes)).ln())
                .sum()
        };
        for n in [1, 2, 4, 16, 64] {
            let formula = best_of_n_kl(n);
            assert!((exact(200_000, n) - formula).abs() < 1e-3, "{n}: {} is not {formula}", exact(200_000, n));
            assert!(exact(20, n) <= formula + 1e-12, "{n}: {} of few outcomes", exact(20, n));
        }
    }

    /// Over all subsets, counted one by one; equals share their place.
    #[test]
    fn the_mean_is_that_over_all_choices() {
        let scores = [0.5, 2.0, -1.0, 2.0, 0.5, 3.0];
        let measures = [1.0, -4.0, 8.0, 2.0, 5.0, 0.25];
        let of_subset = |chosen: &[usize]| -> f64 {
            let best = chosen.iter().map(|place| scores[*place]).fold(f64::NEG_INFINITY, f64::max);
            let equals: Vec<f64> = chosen
                .iter()
                .filter(|place| scores[**place].total_cmp(&best).is_eq())
                .map(|place| measures[*place])
                .collect();
            equals.iter().sum::<f64>() / equals.len() as f64
        };
        for n in 1..=scores.len() {
            let subsets = (0..1u32 << scores.len()).filter(|bits| bits.count_ones() as usize == n);
            let means: Vec<f64> = subsets
                .map(|bits| (0..scores.len()).filter(|place| bits >> place & 1 == 1).collect::<Vec<_>>())
                .map(|chosen| of_subset(&chosen))
                .collect();
            let expected = means.iter().sum::<f64>() / means.len() as f64;
            let found = best_of_n_mean(&scores, &measures, n);
            assert!((found - expected).abs() < 1e-12, "best of {n}: {found} is not {expected}");
        }
    }
}
