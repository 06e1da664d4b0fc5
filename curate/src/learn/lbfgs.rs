//! Minimising a smooth convex function by L-BFGS with a backtracking line search.
//!
//! Source: Nocedal and Wright 2006, algorithms 7.4 and 7.5; sufficient decrease with c1 = 1e-4.

use std::collections::VecDeque;

/// Pairs of steps and gradient changes that the search remembers.
const MEMORY: usize = 10;

/// When the search ends.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    /// After this many iterations.
    pub max_iterations: usize,
    /// When no component of the gradient is larger.
    pub gradient: f64,
}

/// Moves `point` to where `function`, which also fills in the gradient, is least. Returns the iterations that it took.
pub fn minimise(point: &mut [f64], stop: Stop, mut function: impl FnMut(&[f64], &mut [f64]) -> f64) -> usize {
    let size = point.len();
    let mut gradient = vec![0.0; size];
    let mut value = function(point, &mut gradient);
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::with_capacity(MEMORY);
    let mut direction = vec![0.0; size];
    let (mut trial, mut trial_gradient) = (vec![0.0; size], vec![0.0; size]);
    for iteration in 0..stop.max_iterations {
        if gradient.iter().all(|slope| slope.abs() <= stop.gradient) {
            return iteration;
        }
        descend(&gradient, &memory, &mut direction);
        let mut slope = dot(&gradient, &direction);
        if slope >= 0.0 {
            // rounding has spoilt the memory: begin again downhill
            memory.clear();
            direction.iter_mut().zip(&gradient).for_each(|(towards, slope)| *towards = -slope);
            slope = -dot(&gradient, &gradient);
        }
        let mut step = if memory.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let next = loop {
            for ((to, from), towards) in trial.iter_mut().zip(&*point).zip(&direction) {
                *to = from + step * towards;
            }
            let next = function(&trial, &mut trial_gradient);
            if next <= value + 1e-4 * step * slope {
                break next;
            }
            step *= 0.5;
            if step < 1e-12 {
                // no step leads further down: this is the least value that can be told from its neighbours
                return iteration;
            }
        };
        let moved: Vec<f64> = trial.iter().zip(&*point).map(|(to, from)| to - from).collect();
        let turned: Vec<f64> = trial_gradient.iter().zip(&gradient).map(|(to, from)| to - from).collect();
        let curvature = dot(&moved, &turned);
        if curvature > 1e-12 * dot(&turned, &turned) {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((moved, turned, 1.0 / curvature));
        }
        point.copy_from_slice(&trial);
        std::mem::swap(&mut gradient, &mut trial_gradient);
        value = next;
    }
    stop.max_iterations
}

/// The two-loop recursion: the direction that the remembered curvature makes of the gradient.
fn descend(gradient: &[f64], memory: &VecDeque<(Vec<f64>, Vec<f64>, f64)>, direction: &mut [f64]) {
    direction.copy_from_slice(gradient);
    let mut shares = Vec::with_capacity(memory.len());
    for (moved, turned, inverse) in memory.iter().rev() {
        let share = inverse * dot(moved, direction);
        add(direction, turned, -share);
        shares.push(share);
    }
    if let Some((_, turned, inverse)) = memory.back() {
        let scale = 1.0 / (inverse * dot(turned, turned));
        direction.iter_mut().for_each(|towards| *towards *= scale);
    }
    for ((moved, turned, inverse), share) in memory.iter().zip(shares.iter().rev()) {
        let back = inverse * dot(turned, direction);
        add(direction, moved, share - back);
    }
    direction.iter_mut().for_each(|towards| *towards = -*towards);
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(one, other)| one * other).sum()
}

fn add(target: &mut [f64], other: &[f64], factor: f64) {
    target.iter_mut().zip(other).for_each(|(value, other)| *value += factor * other);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_valley_is_walked_to_its_end() {
        // a quadratic whose curvatures differ by a factor of 146; scipy's L-BFGS-B takes as many steps
        let scales: Vec<f64> = (0..20).map(|number| 1.3f64.powi(number)).collect();
        let mut point = vec![1.0; 20];
        let iterations = minimise(&mut point, Stop { max_iterations: 200, gradient: 1e-9 }, |at, gradient| {
            let mut value = 0.0;
            for ((slope, x), scale) in gradient.iter_mut().zip(at).zip(&scales) {
                *slope = scale * (x - 3.0);
                value += 0.5 * scale * (x - 3.0).powi(2);
            }
            value
        });
        assert!(iterations < 200, "it took {iterations} iterations");
        assert!(point.iter().all(|x| (x - 3.0).abs() < 1e-6), "{point:?}");
    }
}
