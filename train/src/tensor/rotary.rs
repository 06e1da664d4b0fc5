//! Rotary positions.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    precision::like,
};
pub use kernels::rotary::{Angles, RopeScaling};

/// Turns the first `heads` heads of every row by the angles of its position; what stands behind them stays.
///
/// # Shapes
/// - `x`: `[rows, time, columns]`
/// - `positions`: `[rows, time]`
/// - returns: the same as `x`
///
/// Source: Su et al. 2021.
#[must_use]
pub fn rotary(x: Tensor<3>, angles: &Arc<Angles>, positions: &[usize], heads: usize) -> Tensor<3> {
    match route(&x) {
        Route::Cpu => record([x.into()], |[mut x], keep| {
            let columns = x.width();
            angles.turn(x.values_mut(), positions, columns, heads, false);
            (x, keep.then(|| Rotary { angles: Arc::clone(angles), positions: positions.to_vec(), heads }))
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::rotary(x, angles, positions, heads),
        Route::Framework => by_framework(x, angles, positions, heads),
    }
}

#[derive(Debug, Clone)]
struct Rotary {
    angles: Arc<Angles>,
    positions: Vec<usize>,
    heads: usize,
}

impl SavedForBackward<1> for Rotary {
    fn gradients(self, mut dy: CpuTensor, _: [bool; 1]) -> [Option<CpuTensor>; 1] {
        let columns = dy.width();
        self.angles.turn(dy.values_mut(), &self.positions, columns, self.heads, true);
        [Some(dy)]
    }
}

fn by_framework(x: Tensor<3>, angles: &Angles, positions: &[usize], heads: usize) -> Tensor<3> {
    let [rows, time, columns] = x.dims();
    let half = angles.half();
    let width = 2 * half;
    let table = |of: fn(&Angles, usize) -> &[f32]| {
        let values: Vec<f32> = positions.iter().flat_map(|position| of(angles, *position)).copied().collect();
        like(Tensor::<4>::from_data(TensorData::new(values, [rows, time, 1, half]), &x.device()), x.dtype())
    };
    let (cosines, sines) = (table(Angles::cosines), table(Angles::sines)); // [r, t, 1, half]
    let turned = x.clone().slice([0..rows, 0..time, 0..heads * width]).reshape([rows, time, heads, width]);
    let part = |range| turned.clone().slice([0..rows, 0..time, 0..heads, range]);
    let (first, second) = (part(0..half), part(half..width));
    let one = first.clone() * cosines.clone() - second.clone() * sines.clone();
    let other = second * cosines + first * sines;
    let turned = Tensor::cat(vec![one, other], 3).reshape([rows, time, heads * width]);
    if heads * width == columns {
        return turned;
    }
    Tensor::cat(vec![turned, x.slice([0..rows, 0..time, heads * width..columns])], 2)
}
