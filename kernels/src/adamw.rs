//! A step of Adam with decoupled weight decay, in one pass over a parameter.
//!
//! Source: Loshchilov and Hutter 2019, algorithm 2.

use rayon::prelude::*;

use super::lanes::vectorised;

/// Numbers that a thread takes at a time.
pub(super) const CHUNK: usize = 16_384;

/// A step's constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// The learning rate.
    pub learning_rate: f32,
    /// The decay rate of the first moment.
    pub beta1: f32,
    /// The decay rate of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decoupled weight decay, times the learning rate.
    pub weight_decay: f32,
    /// `1 - beta1^step`: corrects for moments that start at zero.
    pub bias_correction1: f32,
    /// `1 - beta2^step`.
    pub bias_correction2: f32,
    /// The gradient is multiplied by this first: gradient clipping.
    pub gradient_scale: f32,
}

impl AdamWStep {
    /// Updates the parameter and both moments. All have one length.
    pub fn apply(self, parameter: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32]) {
        parameter
            .par_chunks_mut(CHUNK)
            .zip(first.par_chunks_mut(CHUNK))
            .zip(second.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|(((parameter, first), second), gradient)| move_some(self, parameter, first, second, gradient));
    }
}

vectorised! {
    fn move_some(step: AdamWStep, parameter: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32]) -> () {
        let AdamWStep {
 learning_rate, beta1, beta2, epsilon, weight_decay, bias_correction1, bias_correction2, gradient_scale } = step;
        let (kept, towards, root) = (1.0 - learning_rate * weight_decay, learning_rate / bias_correction1, 1.0 / bias_correction2.sqrt());
        let means = first.iter_mut().zip(second);
        for ((parameter, (first, second)), gradient) in parameter.iter_mut().zip(means).zip(gradient) {
            let gradient = gradient * gradient_scale;
            *first = whole(beta1.mul_add(*first, (1.0 - beta1) * gradient));
            *second = whole(beta2.mul_add(*second, (1.0 - beta2) * gradient * gradient));
            *parameter = kept * *parameter - towards * *first / second.sqrt().mul_add(root, epsilon);
        }
    }
}

/// 0 for what is so small that it would become subnormal, as the means of a token do that does not come for a long time: a
/// processor is some ten times slower on those.
#[inline(always)]
fn whole(x: f32) -> f32 {
    if x.abs() < 1e-30 { 0.0 } else { x }
}

/// The sum of the squares of all numbers, in double precision.
pub fn sum_of_squares(x: &[f32]) -> f64 {
    let sums: Vec<f64> = x.par_chunks(CHUNK).map(squares).collect();
    sums.iter().sum()
}

vectorised! {
    fn squares(x: &[f32]) -> f64 {
        let mut lanes = [0.0f64; 16];
        let (chunks, rest) = x.as_chunks::<16>();
        for x in chunks {
            for (lane, x) in lanes.iter_mut().zip(x) {
                *lane += f64::from(*x) * f64::from(*x);
            }
        }
        lanes.iter().sum::<f64>() + rest.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>()
    }
}
