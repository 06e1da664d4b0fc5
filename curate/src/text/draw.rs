//! Chance that can be repeated: every draw is a hash of seed, purpose and id.
//!
//! A draw does not depend on what was drawn before it, so neither order nor threads nor a restart can change it.

use xxhash_rust::xxh3::Xxh3;

/// 64 uniform bits for `id`, drawn for `purpose` under `seed`.
///
/// The hash is XXH3-64 over the seed's eight bytes and each part with its length in front.
#[must_use]
pub fn draw(seed: u64, purpose: &str, id: &str) -> u64 {
    draw_of(seed, &[purpose.as_bytes(), id.as_bytes()])
}

/// 64 uniform bits for a sequence of parts.
#[must_use]
pub fn draw_of(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut hasher = Xxh3::with_seed(seed);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.digest()
}

/// The draw as a fraction in `0.0..1.0`, with 53 random bits.
#[must_use]
pub fn fraction(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1u64 << 53) as f64
}

/// The numbers below `count` in an order that `draw` gives, turn by turn; each comes once.
///
/// ```
/// # use curate::text::draw::drawn_order;
/// assert_eq!(drawn_order(3, |turn| [4, 1, 0][turn as usize]).collect::<Vec<_>>(), [1, 2, 0]);
/// ```
pub fn drawn_order(count: usize, draw: impl Fn(u64) -> u64) -> impl Iterator<Item = usize> {
    let mut taken = vec![false; count];
    (0..count as u64).map(move |turn| {
        #[expect(clippy::cast_possible_truncation, reason = "the remainder is below the count")]
        let mut number = (draw(turn) % count as u64) as usize;
        // the next that has not been drawn yet
        while taken[number] {
            number = (number + 1) % count;
        }
        taken[number] = true;
        number
    })
}

/// The probability with which a Pareto draw of shape `alpha` keeps a document of the given score.
///
/// GPT-3 kept a document when `numpy.random.pareto(alpha) > 1 - score`. That draw is a Lomax variate, for which
/// P(X > x) = (1 + x)^-alpha; so the document stays with probability (2 - score)^-alpha.
///
/// - `score`: `0.0..=1.0`, 1 being like the reference
/// - `alpha`: above 0; GPT-3 took 9
///
/// Source: Brown et al. 2020 (GPT-3), appendix A.
///
/// ```
/// # use curate::text::draw::pareto_keeps;
/// assert_eq!(pareto_keeps(1.0, 9.0), 1.0);
/// assert!((pareto_keeps(0.5, 9.0) - 0.026).abs() < 1e-4);
/// ```
#[must_use]
pub fn pareto_keeps(score: f64, alpha: f64) -> f64 {
    (2.0 - score).powf(-alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share kept at each score lies on the closed form, within four standard deviations.
    #[test]
    fn the_kept_share_follows_the_curve() {
        const IDS: u32 = 1_000_000;
        let draws: Vec<f64> = (0..IDS).map(|id| fraction(draw(7, "pareto", &id.to_string()))).collect();
        for score in (0..20).map(|step| f64::from(step) / 19.0) {
            let keep = pareto_keeps(score, 9.0);
            let kept = draws.iter().filter(|draw| **draw < keep).count();
            let share = kept as f64 / f64::from(IDS);
            let deviation = (keep * (1.0 - keep) / f64::from(IDS)).sqrt();
            assert!((share - keep).abs() <= 4.0 * deviation, "score {score}: kept {share}, expected {keep}");
        }
    }

    #[test]
    fn purposes_do_not_run_into_ids() {
        assert_ne!(draw(1, "ab", "c"), draw(1, "a", "bc"));
        assert_ne!(draw(1, "a", "b"), draw(2, "a", "b"));
    }
}
