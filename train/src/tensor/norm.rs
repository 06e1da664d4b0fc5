//! Layer norm, and the root mean square norm.

use burn::tensor::{DType, Tensor, module};
use kernels::norm as kernel;

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    precision::like,
};

/// Layer norm of every row, or, without a bias, its root mean square norm.
///
/// # Shapes
/// - `x`: `[..., width]`; `gain`, `bias`: `[width]`
/// - returns: the same as `x`
#[must_use]
pub fn norm<const D: usize>(x: Tensor<D>, gain: Tensor<1>, bias: Option<Tensor<1>>, epsilon: f64) -> Tensor<D> {
    #[expect(clippy::cast_possible_truncation, reason = "numbers of a model are single precision")]
    let single = epsilon as f32;
    match route(&x) {
        Route::Cpu => match bias {
            Some(bias) => record([x.into(), gain.into(), bias.into()], |[x, gain, bias], keep| {
                let (y, moments) = kernel::forward(x.values(), gain.values(), Some(bias.values()), single);
                (CpuTensor::new(y, x.shape()), keep.then_some(Norm { x, gain, moments }))
            }),
            None => record([x.into(), gain.into()], |[x, gain], keep| {
                let (y, moments) = kernel::forward(x.values(), gain.values(), None, single);
                (CpuTensor::new(y, x.shape()), keep.then_some(Norm { x, gain, moments }))
            }),
        },
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::norm(x, gain, bias, single),
        Route::Framework => by_framework(x, gain, bias, epsilon),
    }
}

/// The same by burn's operations, in single precision.
fn by_framework<const D: usize>(x: Tensor<D>, gain: Tensor<1>, bias: Option<Tensor<1>>, epsilon: f64) -> Tensor<D> {
    let dtype = x.dtype();
    let x = like(x, DType::F32);
    let y = match bias {
        Some(bias) => module::layer_norm(x, gain, Some(bias), epsilon),
        None => {
            let scale = (x.clone().square().mean_dim(D - 1) + epsilon).sqrt(); // [..., 1]
            x / scale * gain.unsqueeze()
        }
    };
    like(y, dtype)
}

#[derive(Debug, Clone)]
struct Norm {
    x: CpuTensor,
    gain: CpuTensor,
    moments: Vec<kernel::Moment>,
}

impl Norm {
    fn backward(&self, dy: &CpuTensor, has_bias: bool) -> (CpuTensor, CpuTensor, Option<CpuTensor>) {
        let Self { x, gain, moments } = self;
        let (dx, dgain, dbias) = kernel::backward(dy.values(), x.values(), gain.values(), moments, has_bias);
        let row = |values: Vec<f32>| CpuTensor::new(values, gain.shape());
        (CpuTensor::new(dx, x.shape()), row(dgain), dbias.map(row))
    }
}

impl SavedForBackward<2> for Norm {
    fn gradients(self, dy: CpuTensor, _: [bool; 2]) -> [Option<CpuTensor>; 2] {
        let (dx, dgain, _) = self.backward(&dy, false);
        [Some(dx), Some(dgain)]
    }
}

impl SavedForBackward<3> for Norm {
    fn gradients(self, dy: CpuTensor, _: [bool; 3]) -> [Option<CpuTensor>; 3] {
        let (dx, dgain, dbias) = self.backward(&dy, true);
        [Some(dx), Some(dgain), dbias]
    }
}
