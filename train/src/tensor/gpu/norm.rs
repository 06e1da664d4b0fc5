//! Norms of rows.

use burn::{
    backend::cubecl::dtype_to_storage_type,
    tensor::{DType, Tensor},
};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    super::autodiff::SavedForBackward,
    gpu_tensor::{GpuTensor, record},
    queue::{Grid, OutputSpec, queue, row_of_unit, sum_over_plane, turns},
    sum::{ROWS, sum_of_rows},
};

/// See [`super::super::norm`].
pub fn norm<const D: usize>(x: Tensor<D>, gain: Tensor<1>, bias: Option<Tensor<1>>, epsilon: f32) -> Tensor<D> {
    match bias {
        Some(bias) => record([x.into(), gain.into(), bias.into()], |[x, gain, bias], keep| {
            let [y, moments] = forward(&x, &gain, Some(bias), epsilon);
            (y, keep.then_some(Norm { x, gain, moments, centred: true }))
        }),
        None => record([x.into(), gain.into()], |[x, gain], keep| {
            let [y, moments] = forward(&x, &gain, None, epsilon);
            (y, keep.then_some(Norm { x, gain, moments, centred: false }))
        }),
    }
}

fn forward(x: &GpuTensor, gain: &GpuTensor, bias: Option<GpuTensor>, epsilon: f32) -> [GpuTensor; 2] {
    let (width, centred) = (x.width(), bias.is_some());
    let rows = x.count() / width;
    let bias = bias.unwrap_or_else(|| gain.clone());
    let specs = [OutputSpec::like(x), OutputSpec::new([rows, 2], DType::F32)];
    queue("norm", [x.clone(), gain.clone(), bias], specs, move |client, [x, gain, bias], [y, moments]| {
        let (Grid { cubes, units }, dtype) = (Grid::rows(client, rows), dtype_to_storage_type(x.dtype));
        forward_kernel::launch(
            client,
            cubes,
            units,
            x.into_buffer_arg(),
            gain.into_buffer_arg(),
            bias.into_buffer_arg(),
            y.into_buffer_arg(),
            moments.into_buffer_arg(),
            rows,
            width,
            epsilon,
            centred,
            units.x,
            dtype,
        );
    })
}

#[cube(launch)]
fn forward_kernel<F: Float>(
    x: &[F],
    gain: &[f32],
    bias: &[f32],
    y: &mut [F],
    moments: &mut [f32],
    rows: usize,
    width: usize,
    epsilon: f32,
    #[comptime] centred: bool,
    #[comptime] plane: u32,
    #[define(F)] _dtype: ElemType,
) {
    let row = row_of_unit();
    if row < rows {
        let (start, step) = (row * width, CUBE_DIM_X as usize);
        let count = f32::cast_from(width as u32);
        let mut mean = f32::new(0.0);
        if comptime!(centred) {
            let mut sum = f32::new(0.0);
            for turn in 0..turns(width, step) {
                let at = turn * step + UNIT_POS_X as usize;
                if at < width {
                    sum += f32::cast_from(x[start + at]);
                }
            }
            mean = sum_over_plane(sum, plane) / count;
        }
        let mut squares = f32::new(0.0);
        for turn in 0..turns(width, step) {
            let at = turn * step + UNIT_POS_X as usize;
            if at < width {
                let from_mean = f32::cast_from(x[start + at]) - mean;
                squares += from_mean * from_mean;
            }
        }
        let scale = f32::new(1.0) / (sum_over_plane(squares, plane) / count + epsilon).sqrt();
        let mut at = UNIT_POS_X as usize;
        while at < width {
            let mut out = (f32::cast_from(x[start + at]) - mean) * scale * gain[at];
            if comptime!(centred) {
                out += bias[at];
            }
            y[start + at] = F::cast_from(out);
            at += step;
        }
        if UNIT_POS_X == 0 {
            moments[2 * row] = mean;
            moments[2 * row + 1] = scale;
        }
    }
}

#[derive(Debug, Clone)]
struct Norm {
    x: GpuTensor,
    gain: GpuTensor,
    /// `[rows, 2]`: mean, and one over the deviation.
    moments: GpuTensor,
    centred: bool,
}

impl Norm {
    fn of_x(&self, dy: &GpuTensor) -> GpuTensor {
        let Self { x, gain, moments, centred } = self.clone();
        let width = x.width();
        let rows = x.count() / width;
        let spec = OutputSpec::like(&x);
        let [dx] =
            queue("norm back", [dy.clone(), x, gain, moments], [spec], move |client, [dy, x, gain, moments], [dx]| {
                let (Grid { cubes, units }, dtype) = (Grid::rows(client, rows), dtype_to_storage_type(x.dtype));
                backward_kernel::launch(
                    client,
                    cubes,
                    units,
                    dy.into_buffer_arg(),
                    x.into_buffer_arg(),
                    gain.into_buffer_arg(),
                    moments.into_buffer_arg(),
                    dx.into_buffer_arg(),
                    rows,
                    width,
                    centred,
                    units.x,
                    dtype,
                );
            });
        dx
    }

    /// The gradients of gain and bias, in parts that are still to be added up: `[parts, width]` each.
    fn of_parameters(&self, dy: GpuTensor) -> [GpuTensor; 2] {
        let Self { x, moments, .. } = self.clone();
        let width = x.width();
        let rows = x.count() / width;
        let parts = rows.div_ceil(ROWS);
        let spec = || OutputSpec::new([parts, width], DType::F32);
        queue(
            "norm of parameters",
            [dy, x, moments],
            [spec(), spec()],
            move |client, [dy, x, moments], [gain, bias]| {
                let (Grid { cubes, units }, dtype) =
                    (Grid::units(client, parts * width), dtype_to_storage_type(x.dtype));
                parameters_kernel::launch(
                    client,
                    cubes,
                    units,
                    dy.into_buffer_arg(),
                    x.into_buffer_arg(),
                    moments.into_buffer_arg(),
                    gain.into_buffer_arg(),
                    bias.into_buffer_arg(),
                    rows,
                    width,
                    ROWS,
                    dtype,
                );
            },
        )
    }
}

#[cube(launch)]
fn backward_kernel<F: Float>(
    dy: &[F],
    x: &[F],
    gain: &[f32],
    moments: &[f32],
    dx: &mut [F],
    rows: usize,
    width: usize,
    #[comptime] centred: bool,
    #[comptime] plane: u32,
    #[define(F)] _dtype: ElemType,
) {
    let row = row_of_unit();
    if row < rows {
        let (start, step) = (row * width, CUBE_DIM_X as usize);
        let count = f32::cast_from(width as u32);
        let (mean, scale) = (moments[2 * row], moments[2 * row + 1]);
        let mut sum = f32::new(0.0);
        let mut product = f32::new(0.0);
        for turn in 0..turns(width, step) {
            let at = turn * step + UNIT_POS_X as usize;
            if at < width {
                let of_normed = f32::cast_from(dy[start + at]) * gain[at];
                let normed = (f32::cast_from(x[start + at]) - mean) * scale;
                sum += of_normed;
                product += of_normed * normed;
            }
        }
        let mut of_mean = f32::new(0.0);
        if comptime!(centred) {
            of_mean = sum_over_plane(sum, plane) / count;
        }
        let of_scale = sum_over_plane(product, plane) / count;
        let mut at = UNIT_POS_X as usize;
        while at < width {
            let of_normed = f32::cast_from(dy[start + at]) * gain[at];
            let normed = (f32::cast_from(x[start + at]) - mean) * scale;
            dx[start + at] = F::cast_from((of_normed - of_mean - normed * of_scale) * scale);
            at += step;
        }
    }
}

#[cube(launch)]
fn parameters_kernel<F: Float>(
    dy: &[F],
    x: &[F],
    moments: &[f32],
    gain: &mut [f32],
    bias: &mut [f32],
    rows: usize,
    width: usize,
    #[comptime] together: usize,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < gain.len() {
        let (column, first) = (ABSOLUTE_POS % width, ABSOLUTE_POS / width * together);
        let mut of_gain = f32::new(0.0);
        let mut of_bias = f32::new(0.0);
        for number in 0..together {
            let row = first + number;
            if row < rows {
                let dy = f32::cast_from(dy[row * width + column]);
                of_gain += dy * (f32::cast_from(x[row * width + column]) - moments[2 * row]) * moments[2 * row + 1];
                of_bias += dy;
            }
        }
        gain[ABSOLUTE_POS] = of_gain;
        bias[ABSOLUTE_POS] = of_bias;
    }
}

impl SavedForBackward<2, GpuTensor> for Norm {
    fn gradients(self, dy: GpuTensor, _: [bool; 2]) -> [Option<GpuTensor>; 2] {
        let dx = self.of_x(&dy);
        let [gain, _] = self.of_parameters(dy);
        [Some(dx), Some(sum_of_rows(gain))]
    }
}

impl SavedForBackward<3, GpuTensor> for Norm {
    fn gradients(self, dy: GpuTensor, _: [bool; 3]) -> [Option<GpuTensor>; 3] {
        let dx = self.of_x(&dy);
        let [gain, bias] = self.of_parameters(dy).map(sum_of_rows);
        [Some(dx), Some(gain), Some(bias)]
    }
}
