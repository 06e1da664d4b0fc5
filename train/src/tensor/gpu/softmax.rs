//! Scores of a block of queries: their softmax, and its way back.
//!
//! A row of scores is one query of one head: `((row * heads + head) * queries + query)`. It attends to an interval of the keys.

use burn::{backend::cubecl::dtype_to_storage_type, tensor::DType};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    gpu_tensor::GpuTensor,
    queue::{Grid, OutputSpec, largest_of_plane, queue, row_of_unit, sum_over_plane, turns},
};

/// Which scores a block has.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// Query heads.
    pub heads: usize,
    /// Queries of a sequence, of which the block has some.
    pub time: usize,
    /// The block's first query.
    pub first: usize,
    /// How many queries it has.
    pub queries: usize,
    /// The first key that is scored.
    pub first_key: usize,
    /// What a product is multiplied by before its power is taken.
    pub scale: f32,
}

/// The softmax of each row over the keys that its query attends to, and its log-sum-exp.
///
/// # Shapes
/// - `scores`: `[..., keys]`; `visible`: `[batch * time * 2]`, the first key and the one behind the last
/// - returns: the same as `scores`, and `[batch * num_heads * queries]`
pub fn softmax(scores: GpuTensor, visible: GpuTensor, block: Block) -> [GpuTensor; 2] {
    let keys = scores.width();
    let rows = scores.count() / keys;
    let specs = [OutputSpec::like(&scores), OutputSpec::new([rows], DType::F32)];
    queue("softmax", [scores, visible], specs, move |client, [scores, visible], [out, log_sum_exp]| {
        let (Grid { cubes, units }, dtype) = (Grid::rows(client, rows), dtype_to_storage_type(scores.dtype));
        let Block { heads, time, first, queries, first_key, scale } = block;
        softmax_kernel::launch(
            client,
            cubes,
            units,
            scores.into_buffer_arg(),
            visible.into_buffer_arg(),
            out.into_buffer_arg(),
            log_sum_exp.into_buffer_arg(),
            rows,
            keys,
            heads,
            time,
            first,
            queries,
            first_key,
            scale,
            units.x,
            dtype,
        );
    })
}

/// The interval of columns that a row of scores attends to.
#[cube]
fn interval(
    visible: &[i32],
    row: usize,
    heads: usize,
    time: usize,
    first: usize,
    queries: usize,
    first_key: usize,
) -> (usize, usize) {
    let place = (row / (heads * queries) * time + first + row % queries) * 2;
    let mut from = visible[place] as usize;
    let mut end = visible[place + 1] as usize;
    // no query of the block attends to what lies before its first key, but for queries that attend to nothing
    if from < first_key {
        from = first_key;
    }
    if end < from {
        end = from;
    }
    (from - first_key, end - first_key)
}

#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "a kernel takes numbers one by one")]
fn softmax_kernel<F: Float>(
    scores: &[F],
    visible: &[i32],
    out: &mut [F],
    log_sum_exp: &mut [f32],
    rows: usize,
    keys: usize,
    heads: usize,
    time: usize,
    first: usize,
    queries: usize,
    first_key: usize,
    scale: f32,
    #[comptime] plane: u32,
    #[define(F)] _dtype: ElemType,
) {
    let row = row_of_unit();
    if row < rows {
        let (start, step) = (row * keys, CUBE_DIM_X as usize);
        let (from, end) = interval(visible, row, heads, time, first, queries, first_key);
        let mut largest = f32::new(-3.0e38);
        for turn in 0..turns(end - from, step) {
            let at = from + turn * step + UNIT_POS_X as usize;
            if at < end {
                let score = f32::cast_from(scores[start + at]) * scale;
                if score > largest {
                    largest = score;
                }
            }
        }
        let largest = largest_of_plane(largest, plane);
        let mut sum = f32::new(0.0);
        for turn in 0..turns(end - from, step) {
            let at = from + turn * step + UNIT_POS_X as usize;
            if at < end {
                sum += (f32::cast_from(scores[start + at]) * scale - largest).exp();
            }
        }
        let sum = sum_over_plane(sum, plane);
        let mut at = UNIT_POS_X as usize;
        while at < keys {
            let mut power = f32::new(0.0);
            if at >= from && at < end {
                power = (f32::cast_from(scores[start + at]) * scale - largest).exp() / sum;
            }
            out[start + at] = F::cast_from(power);
            at += step;
        }
        if UNIT_POS_X == 0 {
            log_sum_exp[row] = largest + sum.ln();
        }
    }
}

/// The softmax again, and the gradient of the scores.
///
/// # Shapes
/// - `scores`, `of_out`: `[..., keys]`, the products as they were, and the gradient of their softmax
/// - `log_sum_exp`: as [`softmax`] gave them; `dots`: `[batch * time * num_heads]`, of what came out of the attention and its gradient
/// - returns: twice the same as `scores`
pub fn softmax_back([scores, of_out, visible, log_sum_exp, dots]: [GpuTensor; 5], block: Block) -> [GpuTensor; 2] {
    let keys = scores.width();
    let rows = scores.count() / keys;
    let specs = [OutputSpec::like(&scores), OutputSpec::like(&scores)];
    let inputs = [scores, of_out, visible, log_sum_exp, dots];
    queue(
        "softmax back",
        inputs,
        specs,
        move |client, [scores, of_out, visible, log_sum_exp, dots], [out, of_scores]| {
            let (Grid { cubes, units }, dtype) = (Grid::rows(client, rows), dtype_to_storage_type(scores.dtype));
            let Block { heads, time, first, queries, first_key, scale } = block;
            softmax_back_kernel::launch(
                client,
                cubes,
                units,
                scores.into_buffer_arg(),
                of_out.into_buffer_arg(),
                visible.into_buffer_arg(),
                log_sum_exp.into_buffer_arg(),
                dots.into_buffer_arg(),
                out.into_buffer_arg(),
                of_scores.into_buffer_arg(),
                rows,
                keys,
                heads,
                time,
                first,
                queries,
                first_key,
                scale,
                dtype,
            );
        },
    )
}

#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "a kernel takes numbers one by one")]
fn softmax_back_kernel<F: Float>(
    scores: &[F],
    of_out: &[F],
    visible: &[i32],
    log_sum_exp: &[f32],
    dots: &[f32],
    out: &mut [F],
    of_scores: &mut [F],
    rows: usize,
    keys: usize,
    heads: usize,
    time: usize,
    first: usize,
    queries: usize,
    first_key: usize,
    scale: f32,
    #[define(F)] _dtype: ElemType,
) {
    let row = row_of_unit();
    if row < rows {
        let start = row * keys;
        let (from, end) = interval(visible, row, heads, time, first, queries, first_key);
        let query = row / (heads * queries) * time + first + row % queries;
        let (lse, dot) = (log_sum_exp[row], dots[query * heads + row / queries % heads]);
        let mut at = UNIT_POS_X as usize;
        while at < keys {
            let mut power = f32::new(0.0);
            let mut slope = f32::new(0.0);
            if at >= from && at < end {
                power = (f32::cast_from(scores[start + at]) * scale - lse).exp();
                slope = power * (f32::cast_from(of_out[start + at]) - dot) * scale;
            }
            out[start + at] = F::cast_from(power);
            of_scores[start + at] = F::cast_from(slope);
            at += CUBE_DIM_X as usize;
        }
    }
}

/// The dot product of each row of `width` of two tensors of one shape, `[rows]`, in single precision.
pub fn dots(one: GpuTensor, other: GpuTensor, width: usize) -> GpuTensor {
    let rows = one.count() / width;
    let [out] =
        queue("dots", [one, other], [OutputSpec::new([rows], DType::F32)], move |client, [one, other], [out]| {
            let (Grid { cubes, units }, dtype) = (Grid::rows(client, rows), dtype_to_storage_type(one.dtype));
            dots_kernel::launch(
                client,
                cubes,
                units,
                one.into_buffer_arg(),
                other.into_buffer_arg(),
                out.into_buffer_arg(),
                rows,
                width,
                units.x,
                dtype,
            );
        });
    out
}

#[cube(launch)]
fn dots_kernel<F: Float>(
    one: &[F],
    other: &[F],
    out: &mut [f32],
    rows: usize,
    width: usize,
    #[comptime] plane: u32,
    #[define(F)] _dtype: ElemType,
) {
    let row = row_of_unit();
    if row < rows {
        let (mut sum, step) = (f32::new(0.0), CUBE_DIM_X as usize);
        for turn in 0..turns(width, step) {
            let at = turn * step + UNIT_POS_X as usize;
            if at < width {
                sum += f32::cast_from(one[row * width + at]) * f32::cast_from(other[row * width + at]);
            }
        }
        let sum = sum_over_plane(sum, plane);
        if UNIT_POS_X == 0 {
            out[row] = sum;
        }
    }
}
