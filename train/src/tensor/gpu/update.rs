//! The optimizer's step.

use burn::tensor::Tensor;
use burn_cubecl::cubecl::{self, prelude::*};

use super::{
    super::update::AdamWStep,
    gpu_tensor::GpuTensor,
    queue::{Grid, OutputSpec, queue, together},
};

/// See [`super::super::update`].
pub fn update(
    parameter: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    gradient: Tensor<1>,
    step: AdamWStep,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    let inputs = [parameter, first, second, gradient].map(GpuTensor::of);
    let count = inputs[0].count();
    let spec = || OutputSpec::like(&inputs[0]);
    let specs = [spec(), spec(), spec()];
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
    let (kept, towards, root) =
        (1.0 - learning_rate * weight_decay, learning_rate / bias_correction1, 1.0 / bias_correction2.sqrt());
    let moved = queue("adamw", inputs, specs, move |client, [parameter, first, second, gradient], outputs| {
        let [new_parameter, new_first, new_second] = outputs;
        let size = together(count);
        let Grid { cubes, units } = Grid::units(client, count / size);
        step_kernel::launch(
            client,
            cubes,
            units,
            size,
            parameter.into_buffer_arg(),
            first.into_buffer_arg(),
            second.into_buffer_arg(),
            gradient.into_buffer_arg(),
            new_parameter.into_buffer_arg(),
            new_first.into_buffer_arg(),
            new_second.into_buffer_arg(),
            kept,
            towards,
            root,
            beta1,
            beta2,
            epsilon,
            gradient_scale,
        );
    });
    moved.map(GpuTensor::into_tensor).into()
}

#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "a kernel takes numbers one by one")]
fn step_kernel<N: Size>(
    parameter: &[Vector<f32, N>],
    first: &[Vector<f32, N>],
    second: &[Vector<f32, N>],
    gradient: &[Vector<f32, N>],
    new_parameter: &mut [Vector<f32, N>],
    new_first: &mut [Vector<f32, N>],
    new_second: &mut [Vector<f32, N>],
    kept: f32,
    towards: f32,
    root: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    scale: f32,
) {
    let at = ABSOLUTE_POS;
    if at < new_parameter.len() {
        let one = f32::new(1.0);
        let gradient = gradient[at] * Vector::new(scale);
        let mean = first[at] * Vector::new(beta1) + gradient * Vector::new(one - beta1);
        let square = second[at] * Vector::new(beta2) + gradient * gradient * Vector::new(one - beta2);
        let size = square.sqrt() * Vector::new(root) + Vector::new(epsilon);
        new_parameter[at] = parameter[at] * Vector::new(kept) - mean * Vector::new(towards) / size;
        new_first[at] = mean;
        new_second[at] = square;
    }
}
