//! What stands between the two maps of a block.

use burn::{backend::cubecl::dtype_to_storage_type, tensor::Tensor};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    super::autodiff::SavedForBackward,
    gpu_tensor::{GpuTensor, record},
    queue::{Grid, OutputSpec, queue, together},
};

/// See [`super::super::gelu`].
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    record([x.into()], |[x], keep| {
        let (count, spec) = (x.count(), OutputSpec::like(&x));
        let [y] = queue("gelu", [x.clone()], [spec], move |client, [x], [y]| {
            let size = together(count);
            let (Grid { cubes, units }, dtype) = (Grid::units(client, count / size), dtype_to_storage_type(x.dtype));
            gelu_kernel::launch(client, cubes, units, size, x.into_buffer_arg(), y.into_buffer_arg(), dtype);
        });
        (y, keep.then_some(Gelu { x }))
    })
}

#[derive(Debug, Clone)]
struct Gelu {
    x: GpuTensor,
}

impl SavedForBackward<1, GpuTensor> for Gelu {
    fn gradients(self, dy: GpuTensor, _: [bool; 1]) -> [Option<GpuTensor>; 1] {
        let (count, spec) = (self.x.count(), OutputSpec::like(&self.x));
        let [dx] = queue("gelu back", [self.x, dy], [spec], move |client, [x, dy], [dx]| {
            let size = together(count);
            let (Grid { cubes, units }, dtype) = (Grid::units(client, count / size), dtype_to_storage_type(x.dtype));
            gelu_backward_kernel::launch(
                client,
                cubes,
                units,
                size,
                x.into_buffer_arg(),
                dy.into_buffer_arg(),
                dx.into_buffer_arg(),
                dtype,
            );
        });
        [Some(dx)]
    }
}

#[cube]
fn sigmoid<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    let one = Vector::new(1.0f32);
    one / (one + (Vector::new(0.0f32) - x).exp())
}

/// The sigmoid of twice GELU's inner polynomial: 0.5 (1 + tanh u) is the sigmoid of 2u.
#[cube]
fn gate<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    sigmoid::<N>(Vector::new(1.595_769f32) * x * (Vector::new(0.044_715f32) * x * x + Vector::new(1.0f32)))
}

#[cube(launch)]
fn gelu_kernel<F: Float, N: Size>(x: &[Vector<F, N>], y: &mut [Vector<F, N>], #[define(F)] _dtype: ElemType) {
    if ABSOLUTE_POS < y.len() {
        let x = Vector::<f32, N>::cast_from(x[ABSOLUTE_POS]);
        y[ABSOLUTE_POS] = Vector::cast_from(x * gate::<N>(x));
    }
}

#[cube(launch)]
fn gelu_backward_kernel<F: Float, N: Size>(
    x: &[Vector<F, N>],
    dy: &[Vector<F, N>],
    dx: &mut [Vector<F, N>],
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < dx.len() {
        let one = Vector::<f32, N>::new(1.0f32);
        let x = Vector::<f32, N>::cast_from(x[ABSOLUTE_POS]);
        let open = gate::<N>(x);
        let slope = Vector::new(1.595_769f32) * (Vector::new(0.134_145f32) * x * x + one);
        let of_x = open * (x * slope * (one - open) + one);
        dx[ABSOLUTE_POS] = Vector::cast_from(Vector::<f32, N>::cast_from(dy[ABSOLUTE_POS]) * of_x);
    }
}

/// See [`super::super::swiglu`].
pub fn swiglu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    record([x.into()], |[x], keep| {
        let width = x.width() / 2;
        let mut shape = x.shape();
        shape[D - 1] = width;
        let (count, spec) = (x.count() / 2, OutputSpec::new(shape, x.dtype()));
        let [y] = queue("swiglu", [x.clone()], [spec], move |client, [x], [y]| {
            let size = together(width);
            let (Grid { cubes, units }, dtype) = (Grid::units(client, count / size), dtype_to_storage_type(x.dtype));
            swiglu_kernel::launch(
                client,
                cubes,
                units,
                size,
                x.into_buffer_arg(),
                y.into_buffer_arg(),
                width / size,
                dtype,
            );
        });
        (y, keep.then_some(Swiglu { x }))
    })
}

#[derive(Debug, Clone)]
struct Swiglu {
    x: GpuTensor,
}

impl SavedForBackward<1, GpuTensor> for Swiglu {
    fn gradients(self, dy: GpuTensor, _: [bool; 1]) -> [Option<GpuTensor>; 1] {
        let (width, count, spec) = (dy.width(), dy.count(), OutputSpec::like(&self.x));
        let [dx] = queue("swiglu back", [self.x, dy], [spec], move |client, [x, dy], [dx]| {
            let size = together(width);
            let (Grid { cubes, units }, dtype) = (Grid::units(client, count / size), dtype_to_storage_type(x.dtype));
            swiglu_backward_kernel::launch(
                client,
                cubes,
                units,
                size,
                x.into_buffer_arg(),
                dy.into_buffer_arg(),
                dx.into_buffer_arg(),
                width / size,
                dtype,
            );
        });
        [Some(dx)]
    }
}

#[cube(launch)]
fn swiglu_kernel<F: Float, N: Size>(
    x: &[Vector<F, N>],
    y: &mut [Vector<F, N>],
    width: usize,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < y.len() {
        let at = ABSOLUTE_POS / width * 2 * width + ABSOLUTE_POS % width;
        let gate = Vector::<f32, N>::cast_from(x[at]);
        let up = Vector::<f32, N>::cast_from(x[at + width]);
        y[ABSOLUTE_POS] = Vector::cast_from(gate * sigmoid::<N>(gate) * up);
    }
}

#[cube(launch)]
fn swiglu_backward_kernel<F: Float, N: Size>(
    x: &[Vector<F, N>],
    dy: &[Vector<F, N>],
    dx: &mut [Vector<F, N>],
    width: usize,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < dy.len() {
        let one = Vector::<f32, N>::new(1.0f32);
        let at = ABSOLUTE_POS / width * 2 * width + ABSOLUTE_POS % width;
        let gate = Vector::<f32, N>::cast_from(x[at]);
        let up = Vector::<f32, N>::cast_from(x[at + width]);
        let dy = Vector::<f32, N>::cast_from(dy[ABSOLUTE_POS]);
        let open = sigmoid::<N>(gate);
        dx[at] = Vector::cast_from(dy * up * open * (gate * (one - open) + one));
        dx[at + width] = Vector::cast_from(dy * gate * open);
    }
}
