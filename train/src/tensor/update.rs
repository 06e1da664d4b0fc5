//! The optimizer's step.

use burn::tensor::Tensor;

pub use super::kernel::adamw::Step;
use super::{choice::own, kernel::adamw::sum_of_squares, recorded::Numbers};

/// A parameter, its mean gradient and its mean square after a step of Adam with decoupled weight decay.
///
/// Nothing is copied where nobody else holds the tensors: give them away.
///
/// # Shapes
/// - all four: `[elements]`, without gradients
#[must_use]
pub fn update(
    parameter: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    gradient: Tensor<1>,
    step: Step,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    if !own(&parameter) {
        let Step { rate, beta1, beta2, epsilon, decay, unbias1, unbias2, scale } = step;
        let gradient = gradient * scale;
        let first = first * beta1 + gradient.clone() * (1.0 - beta1);
        let second = second * beta2 + gradient.square() * (1.0 - beta2);
        let towards = first.clone() / unbias1 / ((second.clone() / unbias2).sqrt() + epsilon);
        return (parameter * (1.0 - rate * decay) - towards * rate, first, second);
    }
    let (mut parameter, mut first, mut second) = (Numbers::of(parameter), Numbers::of(first), Numbers::of(second));
    step.apply(parameter.values_mut(), first.values_mut(), second.values_mut(), Numbers::of(gradient).values());
    (parameter.into_tensor(), first.into_tensor(), second.into_tensor())
}

/// The sum of the squares of `x`.
#[must_use]
pub fn squared_norm(x: Tensor<1>) -> f64 {
    if own(&x) { sum_of_squares(Numbers::of(x).values()) } else { f64::from(x.square().sum().into_scalar::<f32>()) }
}
