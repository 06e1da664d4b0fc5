//! The least value of a smooth function near a start, by L-BFGS (Liu and Nocedal 1989).

use argmin::{
    core::{CostFunction, Error, Executor, Gradient, State},
    solver::{linesearch::MoreThuenteLineSearch, quasinewton::LBFGS},
};

/// Steps, at most.
const MOST_STEPS: u64 = 500;

/// Steps that are remembered.
const MEMORY: usize = 10;

/// A difference of costs that is none.
const TOLERANCE: f64 = 1e-12;

struct Problem<F>(F);

impl<F: Fn(&[f64], &mut [f64]) -> f64> CostFunction for &Problem<F> {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, parameters: &Self::Param) -> Result<f64, Error> {
        Ok(self.0(parameters, &mut vec![0.0; parameters.len()]))
    }
}

impl<F: Fn(&[f64], &mut [f64]) -> f64> Gradient for &Problem<F> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, parameters: &Self::Param) -> Result<Vec<f64>, Error> {
        let mut gradient = vec![0.0; parameters.len()];
        self.0(parameters, &mut gradient);
        Ok(gradient)
    }
}

/// The least cost that is found from a start, and where it is; the start itself where the search fails.
///
/// - `cost_and_gradient`: returns the cost of some parameters, and writes its gradient into the second argument
pub fn minimize(cost_and_gradient: impl Fn(&[f64], &mut [f64]) -> f64, start: &[f64]) -> (f64, Vec<f64>) {
    let problem = Problem(cost_and_gradient);
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY).with_tolerance_cost(TOLERANCE);
    let solver = solver.expect("the tolerance is positive");
    let found =
        Executor::new(&problem, solver).configure(|state| state.param(start.to_vec()).max_iters(MOST_STEPS)).run();
    let stay = || ((&problem).cost(&start.to_vec()).unwrap_or(f64::INFINITY), start.to_vec());
    match found {
        Ok(found) => {
            let state = found.state();
            state.get_best_param().map_or_else(stay, |parameters| (state.get_best_cost(), parameters.clone()))
        }
        Err(_) => stay(),
    }
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
}
