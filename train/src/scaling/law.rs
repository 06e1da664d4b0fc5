//! The law, and how it is fitted: Huber's loss of the logarithm, from many starts.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{metrics::mean, minimum::minimize};

/// Points that a fit wants: one more than there are unknowns.
pub const LEAST_POINTS: usize = 6;

/// Sizes, and numbers of tokens, that a fit wants: of two, what is left at any size cannot be told from what falls with it.
pub const LEAST_SIZES: usize = 3;

/// Differences of logarithms up to which they are squared, and beyond which they count by their size.
const HUBER: f64 = 1e-3;

/// Exponents lie between 0 and this: without a bound, a few points with noise are met by a law that is no number elsewhere.
const MOST_EXPONENT: f64 = 3.0;

/// The exponent of a law that does not fall.
const FLAT: f64 = 0.01;

/// FLOPs of a token and a parameter, forward and backward.
const FLOPS: f64 = 6.0;

/// Starts: exponents, how much of the least loss is left at any size, and how much of the rest is due to the number of parameters.
const EXPONENTS: [f64; 4] = [0.1, 0.3, 0.5, 1.0];
const FLOORS: [f64; 4] = [0.3, 0.6, 0.85, 0.97];
const SHARES: [f64; 3] = [0.25, 0.5, 0.75];

/// A training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Parameters of the model, counted as one likes, but alike for all.
    pub parameters: f64,
    /// Tokens that it learned from.
    pub tokens: f64,
    /// What it reached, in nats a token.
    pub loss: f64,
}

/// `floor + parameter_factor / parameters^parameter_exponent + token_factor / tokens^token_exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScalingLaw {
    /// What is left at any size: E.
    pub floor: f64,
    /// A.
    pub parameter_factor: f64,
    /// Alpha.
    pub parameter_exponent: f64,
    /// B.
    pub token_factor: f64,
    /// Beta.
    pub token_exponent: f64,
}

/// Logarithms of points about their means, on which exponents and factors do not depend on each other.
struct Problem {
    /// Of parameters, tokens and losses.
    logs: Vec<[f64; 3]>,
    means: [f64; 2],
}

impl Problem {
    fn new(points: &[Point]) -> Self {
        let log = |of: fn(&Point) -> f64| points.iter().map(|point| of(point).ln()).collect::<Vec<f64>>();
        let (parameters, tokens, losses) =
            (log(|point| point.parameters), log(|point| point.tokens), log(|point| point.loss));
        let means = [mean(&parameters), mean(&tokens)];
        let logs = (0..points.len())
            .map(|place| [parameters[place] - means[0], tokens[place] - means[1], losses[place]])
            .collect();
        Self { logs, means }
    }

    /// - `at`: the logarithms of the three terms at the means, and what both exponents follow from
    fn cost_and_gradient(&self, at: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut cost = 0.0;
        let exponents = [exponent(at[3]), exponent(at[4])];
        for [parameters, tokens, loss] in &self.logs {
            let terms = [at[0], at[1] - exponents[0] * parameters, at[2] - exponents[1] * tokens];
            let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let powers = terms.map(|term| (term - most).exp());
            let sum: f64 = powers.iter().sum();
            let residual = (most + sum.ln() - loss) / HUBER;
            let (own, slope) = if residual.abs() <= 1.0 {
                (0.5 * residual * residual, residual)
            } else {
                (residual.abs() - 0.5, residual.signum())
            };
            cost += own;
            let slopes = powers.map(|power| slope / HUBER * power / sum);
            gradient[0] += slopes[0];
            gradient[1] += slopes[1];
            gradient[2] += slopes[2];
            gradient[3] -= slopes[1] * parameters;
            gradient[4] -= slopes[2] * tokens;
        }
        for (slope, exponent) in gradient[3..].iter_mut().zip(exponents) {
            *slope *= exponent * (1.0 - exponent / MOST_EXPONENT);
        }
        cost
    }

    /// The best that is found from some starts; none where none has a cost.
    fn best(&self, starts: Vec<Vec<f64>>) -> Option<Vec<f64>> {
        let found: Vec<(f64, Vec<f64>)> = starts
            .into_par_iter()
            .map(|start| minimize(|at, gradient| self.cost_and_gradient(at, gradient), &start))
            .collect();
        let best = found.into_iter().filter(|(cost, _)| cost.is_finite()).reduce(|best, next| {
            // of equal ones the first, whatever thread found it
            if next.0 < best.0 { next } else { best }
        });
        best.map(|(_, at)| at)
    }

    /// What parameters of the search stand for.
    fn law(&self, at: &[f64]) -> ScalingLaw {
        let [alpha, beta] = [exponent(at[3]), exponent(at[4])];
        ScalingLaw {
            floor: at[0].exp(),
            parameter_factor: (at[1] + alpha * self.means[0]).exp(),
            parameter_exponent: alpha,
            token_factor: (at[2] + beta * self.means[1]).exp(),
            token_exponent: beta,
        }
    }

    /// The reverse of [`Self::law`].
    fn start(&self, law: &ScalingLaw) -> Vec<f64> {
        let ScalingLaw { floor, parameter_factor, parameter_exponent, token_factor, token_exponent } = *law;
        vec![
            floor.ln(),
            parameter_factor.ln() - parameter_exponent * self.means[0],
            token_factor.ln() - token_exponent * self.means[1],
            place_of(parameter_exponent),
            place_of(token_exponent),
        ]
    }
}

/// The exponent that a number of the search stands for.
fn exponent(place: f64) -> f64 {
    MOST_EXPONENT / (1.0 + (-place).exp())
}

/// The reverse of [`exponent`].
fn place_of(exponent: f64) -> f64 {
    (exponent / (MOST_EXPONENT - exponent)).ln()
}

impl ScalingLaw {
    /// Fits the law to points, [`LEAST_POINTS`] or more.
    #[must_use]
    pub fn fit(points: &[Point]) -> Self {
        let problem = Problem::new(points);
        let least = points.iter().map(|point| point.loss).fold(f64::INFINITY, f64::min);
        let middle = mean(&points.iter().map(|point| point.loss).collect::<Vec<_>>());
        let mut starts = Vec::new();
        for floor in FLOORS.map(|share| share * least) {
            let rest = middle - floor;
            for share in SHARES {
                for alpha in EXPONENTS {
                    let terms = [floor.ln(), (share * rest).ln(), ((1.0 - share) * rest).ln()];
                    let beta = |beta: f64| [&terms[..], &[place_of(alpha), place_of(beta)]].concat();
                    starts.extend(EXPONENTS.map(beta));
                }
            }
        }
        problem.law(&problem.best(starts).expect("losses above 0 have a cost at any of these"))
    }

    /// The same fitted to other points of the same kind, from the law itself.
    #[must_use]
    pub fn refit(&self, points: &[Point]) -> Self {
        let problem = Problem::new(points);
        let own = problem.start(self);
        // its neighbours, too: a sample may have its best elsewhere
        let near = [[0.5, 1.0, 1.0], [1.0, 1.5, 1.0], [1.0, 1.0, 1.5], [0.8, 0.7, 0.7]];
        let neighbour = |[floor, alpha, beta]: [f64; 3]| {
            vec![own[0] + floor.ln(), own[1], own[2], own[3] + alpha.ln(), own[4] + beta.ln()]
        };
        let starts = std::iter::once(own.clone()).chain(near.map(neighbour)).collect();
        problem.best(starts).map_or(*self, |at| problem.law(&at))
    }

    /// The loss that it expects.
    #[must_use]
    pub fn predict(&self, parameters: f64, tokens: f64) -> f64 {
        self.floor
            + self.parameter_factor * parameters.powf(-self.parameter_exponent)
            + self.token_factor * tokens.powf(-self.token_exponent)
    }

    /// The parameters and tokens for which the loss is least with so many FLOPs, of which a token and a parameter cost six; none where the loss does
    /// not fall with both.
    #[must_use]
    pub fn optimal(&self, flops: f64) -> Option<[f64; 2]> {
        let Self { parameter_factor, parameter_exponent, token_factor, token_exponent, .. } = *self;
        if !self.falls() {
            return None;
        }
        let sum = parameter_exponent + token_exponent;
        let ratio = (parameter_exponent * parameter_factor / (token_exponent * token_factor)).powf(1.0 / sum);
        let parameters = ratio * (flops / FLOPS).powf(self.compute_exponent());
        Some([parameters, flops / FLOPS / parameters])
    }

    /// Whether the loss falls with parameters and with tokens.
    #[must_use]
    pub fn falls(&self) -> bool {
        let factors = [self.parameter_factor, self.token_factor];
        let exponents = [self.parameter_exponent, self.token_exponent];
        factors.iter().all(|factor| *factor > 0.0 && factor.is_finite()) && exponents.iter().all(|own| *own > FLAT)
    }

    /// By which power of the FLOPs the best number of parameters grows.
    #[must_use]
    pub fn compute_exponent(&self) -> f64 {
        self.token_exponent / (self.parameter_exponent + self.token_exponent)
    }
}

impl Point {
    /// The FLOPs that it took.
    #[must_use]
    pub fn flops(&self) -> f64 {
        FLOPS * self.parameters * self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: ScalingLaw = ScalingLaw {
        floor: 1.82,
        parameter_factor: 482.0,
        parameter_exponent: 0.348,
        token_factor: 2085.0,
        token_exponent: 0.366,
    };

    fn points(law: &ScalingLaw) -> Vec<Point> {
        let sizes = [5e7, 2e8, 8e8, 3e9];
        let of = |parameters: f64| {
            [5.0, 20.0, 80.0].map(|ratio| {
                let tokens = ratio * parameters;
                Point { parameters, tokens, loss: law.predict(parameters, tokens) }
            })
        };
        sizes.into_iter().flat_map(of).collect()
    }

    #[test]
    fn a_law_is_found_from_what_follows_it() {
        let fitted = ScalingLaw::fit(&points(&PUBLISHED));
        for (found, expected) in [
            (fitted.floor, PUBLISHED.floor),
            (fitted.parameter_exponent, PUBLISHED.parameter_exponent),
            (fitted.token_exponent, PUBLISHED.token_exponent),
            (fitted.parameter_factor.ln(), PUBLISHED.parameter_factor.ln()),
            (fitted.token_factor.ln(), PUBLISHED.token_factor.ln()),
        ] {
            assert!((found / expected - 1.0).abs() < 0.01, "{found} is not {expected}: {fitted:?}");
        }
        // one that lies far off changes little
        let mut with_outlier = points(&PUBLISHED);
        with_outlier[4].loss *= 1.2;
        let robust = ScalingLaw::fit(&with_outlier);
        let forecast = |law: &ScalingLaw| law.predict(1e10, 2e11);
        assert!((forecast(&robust) / forecast(&PUBLISHED) - 1.0).abs() < 0.01, "{robust:?}");
        let again = fitted.refit(&points(&PUBLISHED));
        assert!((forecast(&again) / forecast(&PUBLISHED) - 1.0).abs() < 1e-3, "{again:?}");
    }

    /// Whatever the points are, there is a law, and it has numbers.
    #[test]
    fn points_that_follow_no_law_have_one() {
        let losses = [2.469, 3.025, 3.039, 2.924, 3.058, 3.146, 3.049, 3.563];
        let sizes = [23392.0, 15240.0, 23392.0, 8624.0, 15240.0, 8624.0, 3544.0, 3544.0];
        let tokens = [23296.0, 15168.0, 4608.0, 8576.0, 3072.0, 1664.0, 3520.0, 704.0];
        let point = |place: usize| Point { parameters: sizes[place], tokens: tokens[place], loss: losses[place] };
        let all: Vec<Point> = (0..losses.len()).map(point).collect();
        let without_largest: Vec<Point> = all.iter().copied().filter(|point| point.parameters < 2e4).collect();
        for points in [all, without_largest] {
            let law = ScalingLaw::fit(&points);
            for law in [law, law.refit(&points[..4])] {
                assert!(points.iter().all(|point| law.predict(point.parameters, point.tokens).is_finite()), "{law:?}");
                assert!((0.0..=MOST_EXPONENT).contains(&law.parameter_exponent), "{law:?}");
            }
        }
    }

    /// No other division of the same FLOPs reaches less.
    #[test]
    fn the_best_division_of_a_budget_is_the_best() {
        let flops = 1e21;
        let [parameters, tokens] = PUBLISHED.optimal(flops).expect("the loss falls with both");
        assert!((6.0 * parameters * tokens / flops - 1.0).abs() < 1e-9);
        let least = PUBLISHED.predict(parameters, tokens);
        for factor in [0.5, 0.9, 1.1, 2.0] {
            assert!(PUBLISHED.predict(parameters * factor, tokens / factor) > least);
        }
        let [tenfold, _] = PUBLISHED.optimal(10.0 * flops).expect("the loss falls with both");
        assert_eq!(ScalingLaw { token_exponent: 0.001, ..PUBLISHED }.optimal(flops), None);
        assert!(((tenfold / parameters).log10() - PUBLISHED.compute_exponent()).abs() < 1e-9);
    }
}
