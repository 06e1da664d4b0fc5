//! The optimizer's step.

use burn::tensor::Tensor;
use kernels::adamw::sum_of_squares;

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    autodiff::CpuTensor,
    choice::{Route, route},
};
pub use kernels::adamw::AdamWStep;

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
    step: AdamWStep,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    match route(&parameter) {
        Route::Cpu => {
            let (mut parameter, mut first, mut second) =
                (CpuTensor::of(parameter), CpuTensor::of(first), CpuTensor::of(second));
            let gradient = CpuTensor::of(gradient);
            step.apply(parameter.values_mut(), first.values_mut(), second.values_mut(), gradient.values());
            (parameter.into_tensor(), first.into_tensor(), second.into_tensor())
        }
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::update(parameter, first, second, gradient, step),
        Route::Framework => {
            let AdamWStep {
                learning_rate,
                beta1,
                beta2,
                epsilon,
                weight_decay,
                bias_correction1,
                bias_correction2,
                gradient_scale,
            } = step;
            let gradient = gradient * gradient_scale;
            let first = first * beta1 + gradient.clone() * (1.0 - beta1);
            let second = second * beta2 + gradient.square() * (1.0 - beta2);
            let towards = first.clone() / bias_correction1 / ((second.clone() / bias_correction2).sqrt() + epsilon);
            (parameter * (1.0 - learning_rate * weight_decay) - towards * learning_rate, first, second)
        }
    }
}

/// The norm of all numbers of some tensors together.
#[must_use]
pub fn norm_of_all<'a>(tensors: impl Iterator<Item = &'a Tensor<1>>) -> f64 {
    let mut sum = 0.0;
    // a device is waited for once, and not once for each tensor
    let mut elsewhere = Vec::new();
    for x in tensors {
        match route(x) {
            Route::Cpu => sum += sum_of_squares(CpuTensor::of(x.clone()).values()),
            #[cfg(feature = "gpu")]
            Route::Gpu => elsewhere.push(gpu::sum_of_squares(x.clone())),
            Route::Framework => elsewhere.push(x.clone().square().sum()),
        }
    }
    if !elsewhere.is_empty() {
        let sums = Tensor::cat(elsewhere, 0).into_data().try_to_vec::<f32>().expect("sums are single precision");
        sum += sums.into_iter().map(f64::from).sum::<f64>();
    }
    sum.sqrt()
}
