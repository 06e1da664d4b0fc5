//! The step of Adafactor.

use burn::tensor::Tensor;

use super::{
    autodiff::CpuTensor,
    choice::{Route, route},
};
pub use kernels::adafactor::AdafactorStep;

const MOMENTS: &str = "second moments are those of rows and columns, or one for each number";

/// A parameter, its second moments and the mean of its updates, where one is kept, after a step of Adafactor.
///
/// Nothing is copied where nobody else holds the tensors: give them away.
///
/// # Shapes
/// - `parameter`, `first`, `gradient`: `[elements]`, without gradients; those of a matrix row by row
/// - `second`: of a matrix the means over its rows and over its columns, `[rows]` and `[columns]`; of a vector one, `[elements]`
#[must_use]
pub fn adafactor_update(
    parameter: Tensor<1>,
    second: Vec<Tensor<1>>,
    first: Option<Tensor<1>>,
    gradient: Tensor<1>,
    step: AdafactorStep,
) -> (Tensor<1>, Vec<Tensor<1>>, Option<Tensor<1>>) {
    let Route::Cpu = route(&parameter) else { return composed(parameter, second, first, gradient, step) };
    let (mut parameter, gradient) = (CpuTensor::of(parameter), CpuTensor::of(gradient));
    let mut first = first.map(CpuTensor::of);
    let mean = first.as_mut().map(CpuTensor::values_mut);
    let mut second: Vec<CpuTensor> = second.into_iter().map(CpuTensor::of).collect();
    match &mut second[..] {
        [rows, columns] => step.apply_factored(
            parameter.values_mut(),
            rows.values_mut(),
            columns.values_mut(),
            mean,
            gradient.values(),
        ),
        [second] => step.apply_whole(parameter.values_mut(), second.values_mut(), mean, gradient.values()),
        _ => unreachable!("{MOMENTS}"),
    }
    let second = second.into_iter().map(CpuTensor::into_tensor).collect();
    (parameter.into_tensor(), second, first.map(CpuTensor::into_tensor))
}

/// The same by operations of burn.
fn composed(
    parameter: Tensor<1>,
    second: Vec<Tensor<1>>,
    first: Option<Tensor<1>>,
    gradient: Tensor<1>,
    step: AdafactorStep,
) -> (Tensor<1>, Vec<Tensor<1>>, Option<Tensor<1>>) {
    let AdafactorStep { beta1, beta2, epsilon, clip_threshold, weight_decay, .. } = step;
    let gradient = gradient * step.gradient_scale;
    let squares = gradient.clone().square() + epsilon;
    let mean = |moment: Tensor<1>, of: Tensor<1>| moment * beta2 + of * (1.0 - beta2);
    let (root, second) = match <[Tensor<1>; 2]>::try_from(second) {
        Ok([rows, columns]) => {
            let [high, wide] = [rows.dims()[0], columns.dims()[0]];
            let squares: Tensor<2> = squares.reshape([high, wide]);
            let rows = mean(rows, squares.clone().mean_dim(1).reshape([high]));
            let columns = mean(columns, squares.mean_dim(0).reshape([wide]));
            let of_rows: Tensor<2> = (rows.clone() / rows.clone().mean()).sqrt().reshape([high, 1]);
            let root: Tensor<2> = of_rows * columns.clone().sqrt().reshape([1, wide]);
            (root.reshape([high * wide]), vec![rows, columns])
        }
        Err(second) => {
            let second = mean(second.into_iter().next().expect(MOMENTS), squares);
            (second.clone().sqrt(), vec![second])
        }
    };
    let rms = |x: Tensor<1>| x.square().mean().sqrt();
    let update = gradient / root;
    let clipped = update.clone() / (rms(update) / clip_threshold).clamp_min(1.0);
    let scale = step.min_scale.map(|least| rms(parameter.clone()).clamp_min(least));
    let rate = |x: Tensor<1>| match &scale {
        Some(scale) => x * scale.clone() * step.learning_rate,
        None => x * step.learning_rate,
    };
    let update = rate(clipped);
    let (update, first) = match first {
        Some(first) => {
            let first = first * beta1 + update * (1.0 - beta1);
            (first.clone(), Some(first))
        }
        None => (update, None),
    };
    (parameter.clone() - rate(parameter) * weight_decay - update, second, first)
}
