//! The head and the cross-entropy together: logits exist for some rows at a time.
//!
//! As on a processor, the forward pass of a training makes the gradients, and the backward pass only scales them.

use burn::{
    backend::cubecl::dtype_to_storage_type,
    tensor::{DType, Tensor},
};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    super::{autodiff::SavedForBackward, precision::like},
    gpu_tensor::{GpuTensor, record},
    queue::{Grid, OutputSpec, largest_of_plane, queue, row_of_unit, sum_over_plane, turns},
    sum::sum,
};

/// Logits that exist at a time.
const LOGITS: usize = 1 << 27;

/// Rows of logits are filled up to a multiple of this: burn gives products of matrices rows that begin at multiples of 512 bytes, and a
/// kernel that takes them row by row would have them copied.
const ALIGNED: usize = 256;

/// See [`super::super::head_loss`].
pub fn head_loss(x: Tensor<2>, weight: Tensor<2>, targets: &[i32], weights: &[f32]) -> Tensor<1> {
    let device = x.device();
    let (targets, weights) =
        (GpuTensor::integers(targets.to_vec(), &device), GpuTensor::singles(weights.to_vec(), &device));
    record([x.into(), weight.into()], |[x, weight], keep| {
        let (dtype, vocabulary, width) = (x.dtype(), weight.shape()[0], x.width());
        let table: Tensor<2> = like(weight.into_tensor(), dtype); // [v, w]
        let padded = vocabulary.next_multiple_of(ALIGNED);
        let padding = Tensor::zeros([padded - vocabulary, width], (&device, dtype)).inner();
        let table = if padded == vocabulary { table } else { Tensor::cat(vec![table, padding], 0) }; // [p, w]
        let (x, rows) = (x.tensor::<2>(), x.shape()[0]);
        let together = (LOGITS / padded).clamp(1, rows.max(1));
        let (mut losses, mut of_x, mut of_weight) = (Vec::new(), Vec::new(), None);
        for first in (0..rows).step_by(together) {
            let x = x.clone().slice([first..(first + together).min(rows), 0..width]);
            let logits = GpuTensor::of(x.clone().matmul(table.clone().transpose()));
            let [loss, of_logits] = cross_entropy([logits, targets.clone(), weights.clone()], vocabulary, first, keep);
            losses.push(loss.into_tensor::<1>());
            if keep {
                let of_logits: Tensor<2> = of_logits.into_tensor();
                of_x.push(of_logits.clone().matmul(table.clone()));
                let share = like(of_logits.transpose().matmul(x), DType::F32);
                of_weight = Some(match of_weight {
                    Some(sum) => sum + share,
                    None => share,
                });
            }
        }
        let loss = sum(GpuTensor::of(Tensor::cat(losses, 0)));
        let kept = of_weight.map(|weight: Tensor<2>| Loss {
            x: GpuTensor::of(Tensor::cat(of_x, 0)),
            weight: GpuTensor::of(weight.slice([0..vocabulary, 0..width])),
        });
        (loss, kept)
    })
}

/// The gradients, for a loss whose own gradient is 1.
#[derive(Debug, Clone)]
struct Loss {
    x: GpuTensor,
    weight: GpuTensor,
}

impl SavedForBackward<2, GpuTensor> for Loss {
    fn gradients(self, of_loss: GpuTensor, _: [bool; 2]) -> [Option<GpuTensor>; 2] {
        let of_loss: Tensor<2> = of_loss.tensor::<1>().reshape([1, 1]);
        let scaled = |x: GpuTensor| {
            let factor = like(of_loss.clone(), x.dtype());
            Some(GpuTensor::of(x.into_tensor::<2>() * factor))
        };
        [scaled(self.x), scaled(self.weight)]
    }
}

/// The weighted loss of each row, and the gradients of its logits where they are asked for.
///
/// # Shapes
/// - `logits`: `[rows, padded]`, of which the first `vocabulary` of each row count
/// - `targets`, `weights`: of all rows, of which these are those from `first` on
/// - returns: `[rows]`, and the same as `logits`, or `[1]` where no gradients are asked for
fn cross_entropy(
    [logits, targets, weights]: [GpuTensor; 3],
    vocabulary: usize,
    first: usize,
    gradients: bool,
) -> [GpuTensor; 2] {
    let padded = logits.width();
    let rows = logits.count() / padded;
    let spec = if gradients { OutputSpec::like(&logits) } else { OutputSpec::new([1], logits.dtype()) };
    let specs = [OutputSpec::new([rows], DType::F32), spec];
    queue("cross-entropy", [logits, targets, weights], specs, move |client, inputs, [losses, of_logits]| {
        let [logits, targets, weights] = inputs;
        let (Grid { cubes, units }, dtype) = (Grid::rows(client, rows), dtype_to_storage_type(logits.dtype));
        cross_entropy_kernel::launch(
            client,
            cubes,
            units,
            logits.into_buffer_arg(),
            targets.into_buffer_arg(),
            weights.into_buffer_arg(),
            losses.into_buffer_arg(),
            of_logits.into_buffer_arg(),
            rows,
            vocabulary,
            padded,
            first,
            gradients,
            units.x,
            dtype,
        );
    })
}

#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "a kernel takes numbers one by one")]
fn cross_entropy_kernel<F: Float>(
    logits: &[F],
    targets: &[i32],
    weights: &[f32],
    losses: &mut [f32],
    of_logits: &mut [F],
    rows: usize,
    vocabulary: usize,
    padded: usize,
    first: usize,
    #[comptime] gradients: bool,
    #[comptime] plane: u32,
    #[define(F)] _dtype: ElemType,
) {
    let row = row_of_unit();
    if row < rows {
        let (start, step) = (row * padded, CUBE_DIM_X as usize);
        let (target, weight) = (targets[first + row] as usize, weights[first + row]);
        let mut largest = f32::new(-3.0e38);
        for turn in 0..turns(vocabulary, step) {
            let at = turn * step + UNIT_POS_X as usize;
            if at < vocabulary {
                let logit = f32::cast_from(logits[start + at]);
                if logit > largest {
                    largest = logit;
                }
            }
        }
        let largest = largest_of_plane(largest, plane);
        let mut sum = f32::new(0.0);
        for turn in 0..turns(vocabulary, step) {
            let at = turn * step + UNIT_POS_X as usize;
            if at < vocabulary {
                sum += (f32::cast_from(logits[start + at]) - largest).exp();
            }
        }
        let sum = sum_over_plane(sum, plane);
        if UNIT_POS_X == 0 {
            losses[row] = weight * (sum.ln() + largest - f32::cast_from(logits[start + target]));
        }
        if comptime!(gradients) {
            let scale = weight / sum;
            let mut at = UNIT_POS_X as usize;
            while at < padded {
                let mut slope = f32::new(0.0);
                if at < vocabulary {
                    slope = (f32::cast_from(logits[start + at]) - largest).exp() * scale;
                }
                if at == target {
                    slope -= weight;
                }
                of_logits[start + at] = F::cast_from(slope);
                at += step;
            }
        }
    }
}
