//! The weights for which an objective is least, within bounds.
//!
//! Weight is moved from one source to another, by steps that become smaller, as long as that makes the objective less: laws whose slopes are not known,
//! such as trees, are searched like others, and bounds hold at each step.
//!
//! Source: Olmix 2026 for the divergence from a prior.

use std::fmt;

/// Steps by which weight is moved.
const STEPS: [f64; 9] = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005];

/// Between which bounds weights are chosen, and what they are held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// The least share of each source.
    pub least: Vec<f64>,
    /// The most: what its repetitions allow.
    pub most: Vec<f64>,
    /// The shares that are to be kept, as far as nothing is won by others.
    pub prior: Vec<f64>,
    /// What the KL divergence from the prior costs, in the unit of the objective a nat.
    pub kl: f64,
}

/// Why there are no weights within bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BoundsFault {
    /// All that sources may give is less than is wanted: the sum of the most of each.
    TooLittle(f64),
    /// What sources have to give is more than all: the sum of the least of each.
    TooMuch(f64),
}

impl fmt::Display for BoundsFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLittle(sum) => write!(formatter, "all sources together may give {sum:.3} of what is wanted"),
            Self::TooMuch(sum) => write!(formatter, "the least shares add up to {sum:.3}"),
        }
    }
}

impl Bounds {
    /// Whether there are weights between them.
    ///
    /// # Errors
    /// When there are none.
    pub fn check(&self) -> Result<(), BoundsFault> {
        let [least, most] = [&self.least, &self.most].map(|bounds| bounds.iter().sum::<f64>());
        if most < 1.0 - 1e-9 {
            return Err(BoundsFault::TooLittle(most));
        }
        if least > 1.0 + 1e-9 { Err(BoundsFault::TooMuch(least)) } else { Ok(()) }
    }

    /// Weights that are within bounds, and as they were but for that.
    #[must_use]
    pub fn nearest(&self, weights: &[f64]) -> Vec<f64> {
        let clamped = |scale: f64| -> Vec<f64> {
            let bounds = self.least.iter().zip(&self.most);
            weights
                .iter()
                .zip(bounds)
                .map(|(weight, (least, most))| (weight.max(1e-9) * scale).clamp(*least, *most))
                .collect()
        };
        // the sum rises with the scale: the one that gives 1 is found by halving
        let (mut low, mut high) = (1e-12_f64, 1e12_f64);
        for _ in 0..200 {
            let middle = (low * high).sqrt();
            if clamped(middle).iter().sum::<f64>() < 1.0 { low = middle } else { high = middle }
        }
        clamped(high)
    }

    /// What holding to the prior costs.
    fn cost(&self, weights: &[f64]) -> f64 {
        let divergence = weights.iter().zip(&self.prior).filter(|(weight, _)| **weight > 0.0);
        self.kl * divergence.map(|(weight, prior)| weight * (weight / prior.max(1e-6)).ln()).sum::<f64>()
    }
}

/// The weights for which `objective` and what holds them to the prior are least, of those that are found from some starts.
///
/// - `bounds`: between which there are weights
/// - `starts`: weights to begin from, within bounds or not; one or more
#[must_use]
pub fn propose(objective: impl Fn(&[f64]) -> f64, bounds: &Bounds, starts: &[Vec<f64>]) -> Vec<f64> {
    let cost = |weights: &[f64]| objective(weights) + bounds.cost(weights);
    let mut best: Option<(f64, Vec<f64>)> = None;
    for start in starts {
        let mut weights = bounds.nearest(start);
        let mut least = cost(&weights);
        for step in STEPS {
            while let Some((next, cost)) = best_move(&weights, step, least, bounds, &cost) {
                (weights, least) = (next, cost);
            }
        }
        if best.as_ref().is_none_or(|(cost, _)| least < *cost) {
            best = Some((least, weights));
        }
    }
    best.map_or_else(Vec::new, |(_, weights)| weights)
}

/// The move of a step's weight between two sources that makes the cost the least, if one makes it less.
fn best_move(
    weights: &[f64],
    step: f64,
    least: f64,
    bounds: &Bounds,
    cost: &impl Fn(&[f64]) -> f64,
) -> Option<(Vec<f64>, f64)> {
    let mut best: Option<([usize; 2], f64, f64)> = None;
    let mut moved = weights.to_vec();
    for from in 0..weights.len() {
        for to in (0..weights.len()).filter(|to| *to != from) {
            // as much of it as bounds allow
            let amount = step.min(weights[from] - bounds.least[from]).min(bounds.most[to] - weights[to]);
            if amount <= 1e-9 {
                continue;
            }
            moved[from] -= amount;
            moved[to] += amount;
            let found = cost(&moved);
            (moved[from], moved[to]) = (weights[from], weights[to]);
            if found < best.map_or(least - 1e-12, |(.., cost)| cost) {
                best = Some(([from, to], amount, found));
            }
        }
    }
    best.map(|([from, to], amount, cost)| {
        moved[from] -= amount;
        moved[to] += amount;
        (moved, cost)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(least: [f64; 3], most: [f64; 3], kl: f64) -> Bounds {
        Bounds { least: least.to_vec(), most: most.to_vec(), prior: vec![0.5, 0.25, 0.25], kl }
    }

    /// A bowl whose lowest point is known, alone, behind a bound, and held to the prior.
    #[test]
    fn the_lowest_point_is_found_within_bounds() {
        let bowl =
            |weights: &[f64]| weights.iter().zip([0.1, 0.6, 0.3]).map(|(one, wanted)| (one - wanted).powi(2)).sum();
        let starts = [vec![1.0, 0.0, 0.0], vec![0.2, 0.2, 0.6]];
        let near = |found: Vec<f64>, wanted: [f64; 3]| {
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{found:?}");
            assert!(
                found.iter().zip(wanted).all(|(one, wanted)| (one - wanted).abs() < 2e-3),
                "{found:?} is not {wanted:?}"
            );
        };
        near(propose(bowl, &bounds([0.0; 3], [1.0; 3], 0.0), &starts), [0.1, 0.6, 0.3]);
        // what the second may not have goes to the others alike
        near(propose(bowl, &bounds([0.0; 3], [1.0, 0.4, 1.0], 0.0), &starts), [0.2, 0.4, 0.4]);
        near(propose(bowl, &bounds([0.3, 0.0, 0.0], [1.0; 3], 0.0), &starts), [0.3, 0.5, 0.2]);
        near(propose(|_| 1.0, &bounds([0.0; 3], [1.0; 3], 0.1), &starts), [0.5, 0.25, 0.25]);
    }

    #[test]
    fn bounds_that_leave_nothing_are_faults() {
        assert_eq!(
            bounds([0.0; 3], [0.2; 3], 0.0).check().map_err(|fault| fault.to_string()),
            Err("all sources together may give 0.600 of what is wanted".into())
        );
        assert!(matches!(bounds([0.5; 3], [1.0; 3], 0.0).check(), Err(BoundsFault::TooMuch(_))));
        let within = bounds([0.1, 0.0, 0.0], [0.3, 1.0, 0.3], 0.0);
        let nearest = within.nearest(&[0.9, 0.05, 0.05]);
        assert!(
            (nearest.iter().sum::<f64>() - 1.0).abs() < 1e-9 && nearest[0] <= 0.3 && nearest[2] <= 0.3,
            "{nearest:?}"
        );
    }
}
