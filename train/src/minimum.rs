//! The least value of a smooth function near a start, by L-BFGS (Liu and Nocedal 1989).

use std::cell::{Cell, RefCell};

use argmin::{
    core::{CostFunction, Error, Executor, Gradient},
    solver::{linesearch::MoreThuenteLineSearch, quasinewton::LBFGS},
};

/// Steps, at most.
const MOST_STEPS: u64 = 500;

/// Evaluations, at most: where a cost is no number, a line search has no end of its own.
const MOST_EVALUATIONS: u32 = 20_000;

/// What a cost that is no number counts as: more than any other.
const NO_NUMBER: f64 = 1e150;

/// Steps that are remembered.
const MEMORY: usize = 10;

/// A difference of costs that is none.
const TOLERANCE: f64 = 1e-12;

struct Problem<F> {
    cost_and_gradient: F,
    evaluations: Cell<u32>,
    /// The least cost so far, and where it is.
    best: RefCell<(f64, Vec<f64>)>,
}

impl<F: Fn(&[f64], &mut [f64]) -> f64> Problem<F> {
    fn evaluate(&self, parameters: &[f64], gradient: &mut [f64]) -> Result<f64, Error> {
        self.evaluations.set(self.evaluations.get() + 1);
        if self.evaluations.get() > MOST_EVALUATIONS {
            return Err(Error::msg("it has been evaluated often enough"));
        }
        let cost = (self.cost_and_gradient)(parameters, gradient);
        if !cost.is_finite() || gradient.iter().any(|slope| !slope.is_finite()) {
            gradient.fill(0.0);
            return Ok(NO_NUMBER);
        }
        if cost < self.best.borrow().0 {
            self.best.replace((cost, parameters.to_vec()));
        }
        Ok(cost)
    }
}

impl<F: Fn(&[f64], &mut [f64]) -> f64> CostFunction for &Problem<F> {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, parameters: &Self::Param) -> Result<f64, Error> {
        self.evaluate(parameters, &mut vec![0.0; parameters.len()])
    }
}

impl<F: Fn(&[f64], &mut [f64]) -> f64> Gradient for &Problem<F> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, parameters: &Self::Param) -> Result<Vec<f64>, Error> {
        let mut gradient = vec![0.0; parameters.len()];
        self.evaluate(parameters, &mut gradient)?;
        Ok(gradient)
    }
}

/// The least cost that is found from a start, and where it is: an infinite one at the start where no cost is a number.
///
/// - `cost_and_gradient`: returns the cost of some parameters, and writes its gradient into the second argument
pub fn minimize(cost_and_gradient: impl Fn(&[f64], &mut [f64]) -> f64, start: &[f64]) -> (f64, Vec<f64>) {
    let best = RefCell::new((f64::INFINITY, start.to_vec()));
    let problem = Problem { cost_and_gradient, evaluations: Cell::new(0), best };
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY).with_tolerance_cost(TOLERANCE);
    let solver = solver.expect("the tolerance is positive");
    let search = Executor::new(&problem, solver).configure(|state| state.param(start.to_vec()).max_iters(MOST_STEPS));
    // a search that fails has found what it has found
    let _ = search.run();
    problem.best.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley, with its least value at (1, 1).
    #[test]
    fn a_valley_is_followed_to_its_end() {
        let valley = |at: &[f64], gradient: &mut [f64]| {
            let (across, along) = (at[1] - at[0] * at[0], 1.0 - at[0]);
            gradient[0] = -400.0 * at[0] * across - 2.0 * along;
            gradient[1] = 200.0 * across;
            100.0 * across * across + along * along
        };
        let (cost, at) = minimize(valley, &[-1.2, 1.0]);
        assert!(cost < 1e-9 && at.iter().all(|place| (place - 1.0).abs() < 1e-4), "{cost} at {at:?}");
    }

    /// Where a cost is no number, or there is no least one, the search ends.
    #[test]
    fn a_search_without_an_end_is_ended() {
        let slope = |at: &[f64], gradient: &mut [f64]| {
            gradient[0] = 1.0;
            if at[0] < -5.0 { f64::NAN } else { at[0] }
        };
        let (cost, at) = minimize(slope, &[3.0]);
        assert!((-5.0..=3.0).contains(&cost) && (at[0] - cost).abs() < 1e-12, "{cost} at {at:?}");
        let (cost, at) = minimize(|_: &[f64], _: &mut [f64]| f64::NAN, &[3.0]);
        assert!(cost.is_infinite() && at == [3.0]);
    }
}
