//! Sums of all numbers of a tensor, in one order: burn may add by atomic operations, in the order in which units come.

use burn::{
    backend::cubecl::dtype_to_storage_type,
    tensor::{DType, Tensor},
};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    gpu_tensor::GpuTensor,
    queue::{Grid, OutputSpec, queue, row_of_unit, sum_over_plane, turns},
};

/// Numbers that a plane adds up.
const CHUNK: usize = 4096;

/// The sum of all numbers, `[1]`, in single precision.
pub fn sum(x: GpuTensor) -> GpuTensor {
    added(x, false)
}

/// The sum of the squares of all numbers, `[1]`, in single precision.
pub fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    added(GpuTensor::of(x), true).into_tensor()
}

/// Sums of chunks, and then of those.
fn added(x: GpuTensor, squares: bool) -> GpuTensor {
    let count = x.count();
    let parts = count.div_ceil(CHUNK).max(1);
    let [sums] = queue("sums", [x], [OutputSpec::new([parts], DType::F32)], move |client, [x], [sums]| {
        let (Grid { cubes, units }, dtype) = (Grid::rows(client, parts), dtype_to_storage_type(x.dtype));
        sums_kernel::launch(
            client,
            cubes,
            units,
            x.into_buffer_arg(),
            sums.into_buffer_arg(),
            count,
            CHUNK,
            squares,
            units.x,
            dtype,
        );
    });
    if parts == 1 { sums } else { added(sums, false) }
}

#[cube(launch)]
fn sums_kernel<F: Float>(
    x: &[F],
    sums: &mut [f32],
    count: usize,
    #[comptime] chunk: usize,
    #[comptime] squares: bool,
    #[comptime] plane: u32,
    #[define(F)] _dtype: ElemType,
) {
    let part = row_of_unit();
    if part < sums.len() {
        let (start, step) = (part * chunk, CUBE_DIM_X as usize);
        let mut sum = f32::new(0.0);
        for turn in 0..turns(chunk, step) {
            let place = turn * step + UNIT_POS_X as usize;
            if place < chunk && start + place < count {
                let number = f32::cast_from(x[start + place]);
                if comptime!(squares) {
                    sum += number * number;
                } else {
                    sum += number;
                }
            }
        }
        let sum = sum_over_plane(sum, plane);
        if UNIT_POS_X == 0 {
            sums[part] = sum;
        }
    }
}

/// Rows that a unit adds up, number by number.
pub const ROWS: usize = 64;

/// The sum of all rows of `[..., width]`, `[width]`, in single precision.
pub fn sum_of_rows(x: GpuTensor) -> GpuTensor {
    let width = x.width();
    let rows = x.count() / width;
    let parts = rows.div_ceil(ROWS).max(1);
    let [sums] =
        queue("sums of rows", [x], [OutputSpec::new([parts, width], DType::F32)], move |client, [x], [sums]| {
            let (Grid { cubes, units }, dtype) = (Grid::units(client, parts * width), dtype_to_storage_type(x.dtype));
            rows_kernel::launch(
                client,
                cubes,
                units,
                x.into_buffer_arg(),
                sums.into_buffer_arg(),
                rows,
                width,
                ROWS,
                dtype,
            );
        });
    if parts == 1 { sums.reshaped(vec![width]) } else { sum_of_rows(sums) }
}

#[cube(launch)]
fn rows_kernel<F: Float>(
    x: &[F],
    sums: &mut [f32],
    rows: usize,
    width: usize,
    #[comptime] together: usize,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < sums.len() {
        let (column, first) = (ABSOLUTE_POS % width, ABSOLUTE_POS / width * together);
        let mut sum = f32::new(0.0);
        for number in 0..together {
            let row = first + number;
            if row < rows {
                sum += f32::cast_from(x[row * width + column]);
            }
        }
        sums[ABSOLUTE_POS] = sum;
    }
}
