//! Affine maps with low-rank updates of some of their columns: LoRA.
//!
//! Source: Hu et al. 2021.

use std::{ops::Range, sync::Arc};

use burn::tensor::Tensor;
use kernels::{linear as kernel, low_rank::LowRankUpdates};

use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    dropout::{Dropout, dropout},
    linear::linear,
};

/// Low-rank updates of some ranges of columns: `scale (x A) B` is added to each.
#[derive(Debug, Clone)]
pub struct LowRank {
    /// `[inputs, ranges * rank]`: `A` of all ranges side by side.
    pub a: Tensor<2>,
    /// `[rank, columns of all ranges]`: `B` of all ranges side by side.
    pub b: Tensor<2>,
    /// The columns of each update, one range or more: none stands in two.
    pub ranges: Arc<[Range<usize>]>,
    /// What updates are multiplied by.
    pub scale: f32,
    /// What is dropped of `x` on its way to `A`.
    pub dropout: Option<Dropout>,
}

/// `x W + b`, and on the columns of each range `scale (x A) B` more.
///
/// # Shapes
/// - `x`: `[..., inputs]`; `weight`: `[inputs, outputs]`; `bias`: `[outputs]`
/// - returns: `[..., outputs]`
#[must_use]
pub fn adapted_linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    low_rank: LowRank,
) -> Tensor<D> {
    match route(&x) {
        Route::Cpu => {
            let LowRank { a, b, ranges, scale, dropout } = low_rank;
            let updates = Updates { ranges, scale, dropout };
            match bias {
                Some(bias) => record(
                    [x.into(), weight.into(), a.into(), b.into(), bias.into()],
                    |[x, weight, a, b, bias], keep| {
                        let (out, low) = updates.forward(&x, &weight, &a, &b, Some(&bias));
                        (out, keep.then_some(AdaptedLinear { x, weight, a, b, low, updates }))
                    },
                ),
                None => record([x.into(), weight.into(), a.into(), b.into()], |[x, weight, a, b], keep| {
                    let (out, low) = updates.forward(&x, &weight, &a, &b, None);
                    (out, keep.then_some(AdaptedLinear { x, weight, a, b, low, updates }))
                }),
            }
        }
        #[cfg(feature = "gpu")]
        Route::Gpu => composed(x, weight, bias, low_rank),
        Route::Framework => composed(x, weight, bias, low_rank),
    }
}

/// Adds low-rank updates to a weight: `W + scale A B` on the columns of each range.
///
/// # Shapes
/// - `weight`: `[inputs, outputs]`; `a`: `[inputs, ranges * rank]`; `b`: `[rank, columns of all ranges]`
pub fn merge_low_rank(weight: &mut [f32], outputs: usize, [a, b]: [&[f32]; 2], ranges: &[Range<usize>], scale: f32) {
    LowRankUpdates { a, b, ranges, scale, dropout: None }.merge(weight, outputs);
}

/// The same of several operations.
fn composed<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>, low_rank: LowRank) -> Tensor<D> {
    let LowRank { a, b, ranges, scale, dropout: drop } = low_rank;
    let (mut shape, outputs, rank) = (x.dims(), weight.dims()[1], b.dims()[0]);
    let inputs = shape[D - 1];
    let rows = shape.iter().product::<usize>() / inputs;
    shape[D - 1] = outputs;
    let x = x.reshape([rows, inputs]);
    let mut y = linear(x.clone(), weight, bias); // [rows, outputs]
    let x = match drop {
        Some(drop) => dropout(x, drop),
        None => x,
    };
    let low = linear(x, a, None); // [rows, ranges * rank]
    let mut from = 0;
    for (number, columns) in ranges.iter().enumerate() {
        let low = low.clone().slice([0..rows, number * rank..(number + 1) * rank]);
        let b = b.clone().slice([0..rank, from..from + columns.len()]);
        from += columns.len();
        let places = [0..rows, columns.clone()];
        let updated = y.clone().slice(places.clone()) + linear(low, b, None) * scale;
        y = y.slice_assign(places, updated);
    }
    y.reshape(shape)
}

/// What is no tensor of the updates.
#[derive(Debug, Clone)]
struct Updates {
    ranges: Arc<[Range<usize>]>,
    scale: f32,
    dropout: Option<Dropout>,
}

impl Updates {
    fn of<'a>(&'a self, a: &'a CpuTensor, b: &'a CpuTensor) -> LowRankUpdates<'a> {
        let Self { ranges, scale, dropout } = self;
        LowRankUpdates { a: a.values(), b: b.values(), ranges, scale: *scale, dropout: *dropout }
    }

    /// What comes out, and `x A`.
    fn forward(
        &self,
        x: &CpuTensor,
        weight: &CpuTensor,
        a: &CpuTensor,
        b: &CpuTensor,
        bias: Option<&CpuTensor>,
    ) -> (CpuTensor, Vec<f32>) {
        let outputs = weight.width();
        let mut shape = x.shape();
        *shape.last_mut().expect("a tensor has a dimension") = outputs;
        let mut y = kernel::forward(x.values(), weight.values(), bias.map(CpuTensor::values), outputs);
        let low = self.of(a, b).forward(x.values(), &mut y, outputs);
        (CpuTensor::new(y, shape), low)
    }
}

#[derive(Debug, Clone)]
struct AdaptedLinear {
    x: CpuTensor,
    weight: CpuTensor,
    a: CpuTensor,
    b: CpuTensor,
    /// `x A`, `[rows, ranges * rank]`.
    low: Vec<f32>,
    updates: Updates,
}

impl AdaptedLinear {
    /// The gradients of `x`, `weight`, `a` and `b`.
    fn backward(&self, dy: &CpuTensor, wanted: [bool; 4]) -> [Option<CpuTensor>; 4] {
        let Self { x, weight, a, b, low, updates } = self;
        let (updates, outputs) = (updates.of(a, b), dy.width());
        let [of_x, of_weight, of_a, of_b] = wanted;
        let d_low = if of_x || of_a { updates.backward_low(dy.values(), outputs) } else { Vec::new() };
        let dx = of_x.then(|| {
            let mut dx = kernel::backward_x(dy.values(), weight.values(), outputs);
            updates.backward_x(&d_low, &mut dx);
            CpuTensor::new(dx, x.shape())
        });
        let d_weight = of_weight.then(|| {
            let of_weight = kernel::backward_weight(x.values(), dy.values(), x.width(), outputs);
            CpuTensor::new(of_weight, weight.shape())
        });
        let da = of_a.then(|| CpuTensor::new(updates.backward_a(x.values(), &d_low), a.shape()));
        let db = of_b.then(|| CpuTensor::new(updates.backward_b(low, dy.values(), outputs), b.shape()));
        [dx, d_weight, da, db]
    }
}

impl SavedForBackward<4> for AdaptedLinear {
    fn gradients(self, dy: CpuTensor, wanted: [bool; 4]) -> [Option<CpuTensor>; 4] {
        self.backward(&dy, wanted)
    }
}

impl SavedForBackward<5> for AdaptedLinear {
    fn gradients(self, dy: CpuTensor, wanted: [bool; 5]) -> [Option<CpuTensor>; 5] {
        let [of_x, of_weight, of_a, of_b, of_bias] = wanted;
        let bias = of_bias.then(|| CpuTensor::new(kernel::backward_bias(dy.values(), dy.width()), [dy.width()]));
        let [x, weight, a, b] = self.backward(&dy, [of_x, of_weight, of_a, of_b]);
        [x, weight, a, b, bias]
    }
}
