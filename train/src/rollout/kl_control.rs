//! How the coefficient of the KL divergence goes on from batch to batch.
//!
//! Useful for: rewards whose scale nobody knows, where a divergence is easier said than a coefficient.
//!
//! Source: Ziegler et al. 2019, section 2.2.

/// The largest error that a step of the coefficient is made of, as a share of the target.
const LARGEST_ERROR: f64 = 0.2;

/// What becomes of the coefficient of the KL divergence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KlControl {
    /// It stays.
    Fixed,
    /// It goes up where the divergence is above a target, and down where it is below.
    Adaptive {
        /// The divergence of a whole answer that is wanted, in nats, above 0; 6 in Ziegler et al.'s code.
        target: f64,
        /// Episodes in which the coefficient changes by as large a share as the error is, 1 or more, and no fewer than are between two
        /// changes; 10,000 in theirs.
        horizon: f64,
    },
}

impl KlControl {
    /// The coefficient for the answers that come next.
    ///
    /// - `kl`: the mean divergence of an answer with `coefficient`, in nats
    /// - `episodes`: answers that it is the mean of
    ///
    /// Source: Ziegler et al. 2019, section 2.2, where `episodes / horizon` is a constant of 0.1; their code for this form of it.
    #[must_use]
    pub fn next_coefficient(&self, coefficient: f64, kl: f64, episodes: u64) -> f64 {
        match *self {
            Self::Fixed => coefficient,
            Self::Adaptive { target, horizon } => {
                let error = (kl / target - 1.0).clamp(-LARGEST_ERROR, LARGEST_ERROR);
                coefficient * (1.0 + error * episodes as f64 / horizon)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADAPTIVE: KlControl = KlControl::Adaptive { target: 6.0, horizon: 10_000.0 };

    /// Where more of a coefficient makes less of a divergence, the target is reached from both sides.
    #[test]
    fn the_divergence_comes_to_the_target() {
        for start in [0.01, 3.0] {
            let mut coefficient = start;
            let divergence = |coefficient: f64| 1.2 / coefficient;
            for _ in 0..1000 {
                coefficient = ADAPTIVE.next_coefficient(coefficient, divergence(coefficient), 512);
            }
            assert!((divergence(coefficient) - 6.0).abs() < 1e-6, "from {start} it came to {coefficient}");
        }
    }

    proptest! {
        /// However far a divergence is off, a step is a bounded share of the coefficient, and in the right direction.
        #[test]
        fn a_step_is_bounded(coefficient in 0.001f64..10.0, kl in -50.0f64..500.0, episodes in 1u64..2000) {
            let next = ADAPTIVE.next_coefficient(coefficient, kl, episodes);
            let share = next / coefficient - 1.0;
            prop_assert!(share.abs() <= 0.2 * episodes as f64 / 10_000.0 + 1e-12);
            prop_assert!(share * (kl - 6.0) >= -1e-12);
            let same = KlControl::Fixed.next_coefficient(coefficient, kl, episodes);
            prop_assert_eq!(same.to_bits(), coefficient.to_bits());
        }
    }
}
