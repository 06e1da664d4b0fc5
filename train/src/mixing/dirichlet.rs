//! Weights drawn at random: from a Dirichlet distribution about a mean.
//!
//! A draw is a function of (seed, number): more draws leave those before them as they were.
//!
//! Source: Marsaglia and Tsang 2000 for draws from the gamma distribution, of whose shares a Dirichlet draw is made; Liu et al. 2024 (`RegMix`) for
//! strengths drawn by powers, so that some mixtures are nearly one source alone, and others near the mean.

use super::Bounds;
use crate::random::Stream;

/// Draws in which a source may have more than its most before the one nearest to bounds is taken.
const TRIES: u64 = 1000;

/// Random numbers of one draw, one after the other.
struct Numbers {
    stream: Stream,
    next: u64,
}

impl Numbers {
    fn fraction(&mut self) -> f64 {
        self.next += 1;
        self.stream.fraction(self.next - 1)
    }

    fn normal(&mut self) -> f64 {
        let (one, other) = (self.fraction(), self.fraction());
        (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    /// The logarithm of a draw from the gamma distribution of a shape above 0: small shapes have draws that are no number but by their logarithm.
    fn log_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = (1.0 - self.fraction()).ln() / shape;
            return self.log_gamma(shape + 1.0) + power;
        }
        let offset = shape - 1.0 / 3.0;
        let scale = 1.0 / (9.0 * offset).sqrt();
        loop {
            let normal = self.normal();
            let cube = (1.0 + scale * normal).powi(3);
            if cube > 0.0 {
                let fraction = 1.0 - self.fraction();
                if fraction.ln() < 0.5 * normal * normal + offset * (1.0 - cube + cube.ln()) {
                    return offset.ln() + cube.ln();
                }
            }
        }
    }

    /// Shares from the Dirichlet distribution with these parameters, each above 0.
    fn dirichlet(&mut self, parameters: &[f64]) -> Vec<f64> {
        let logs: Vec<f64> = parameters.iter().map(|parameter| self.log_gamma(*parameter)).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let powers: Vec<f64> = logs.iter().map(|log| (log - most).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| power / sum).collect()
    }
}

/// Weights drawn from a Dirichlet distribution, within bounds.
///
/// - `bounds`: whose prior is the distribution's mean
/// - `strengths`: between which the sum of the distribution's parameters is drawn, evenly by its logarithm; the lower, the further weights lie from
///   the mean
/// - `number`: of the draw
#[must_use]
pub fn draw_weights(bounds: &Bounds, strengths: [f64; 2], seed: u64, number: u64) -> Vec<f64> {
    let mut numbers = Numbers { stream: Stream::new(seed, &format!("weights {number}")), next: 0 };
    let [low, high] = strengths.map(f64::ln);
    // it is the same for all tries: else strengths with which few draws are within bounds would hardly be there
    let strength = (low + (high - low) * numbers.fraction()).exp();
    let parameters: Vec<f64> = bounds.prior.iter().map(|mean| (mean * strength).max(1e-6)).collect();
    let mut drawn = Vec::new();
    for _ in 0..TRIES {
        drawn = numbers.dirichlet(&parameters);
        if drawn.iter().zip(&bounds.most).all(|(weight, most)| weight <= most) {
            break;
        }
    }
    bounds.nearest(&drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: usize = 3;

    fn bounds(least: f64, most: [f64; SOURCES]) -> Bounds {
        Bounds { least: vec![least; SOURCES], most: most.into(), prior: vec![0.6, 0.3, 0.1], kl: 0.0 }
    }

    /// The mean is that which was asked for, and the variance that of the distribution: m (1 - m) / (strength + 1).
    #[test]
    fn draws_have_their_moments() {
        for strength in [0.2, 3.0, 40.0] {
            let draw = |number: u64| draw_weights(&bounds(0.0, [1.0; SOURCES]), [strength; 2], 7, number);
            let draws: Vec<Vec<f64>> = (0..20_000).map(draw).collect();
            for (source, mean) in [0.6, 0.3, 0.1].into_iter().enumerate() {
                let of = |value: &dyn Fn(f64) -> f64| {
                    draws.iter().map(|draw| value(draw[source])).sum::<f64>() / draws.len() as f64
                };
                let found = of(&|share| share);
                let variance = of(&|share| (share - found).powi(2));
                let expected = mean * (1.0 - mean) / (strength + 1.0);
                assert!((found - mean).abs() < 0.015, "{strength}: the mean {found} is not {mean}");
                assert!(
                    (variance / expected - 1.0).abs() < 0.06,
                    "{strength}: the variance {variance} is not {expected}"
                );
            }
        }
    }

    #[test]
    fn draws_keep_to_their_bounds_and_to_their_numbers() {
        let narrow = bounds(0.05, [0.5, 1.0, 1.0]);
        let draws: Vec<Vec<f64>> = (0..200).map(|number| draw_weights(&narrow, [0.1, 5.0], 1, number)).collect();
        for draw in &draws {
            assert!(
                (draw.iter().sum::<f64>() - 1.0).abs() < 1e-9 && draw[0] <= 0.5 && draw[2] >= 0.05 - 1e-9,
                "{draw:?}"
            );
        }
        assert_eq!(draw_weights(&narrow, [0.1, 5.0], 1, 17), draws[17]);
        assert_ne!(draw_weights(&narrow, [0.1, 5.0], 2, 17), draws[17]);
        // so narrow that no draw is within
        let only = draw_weights(&bounds(0.0, [0.2, 0.2, 0.6]), [0.1, 5.0], 1, 0);
        assert!((only[2] - 0.6).abs() < 1e-6, "{only:?}");
    }
}
