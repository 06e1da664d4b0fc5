//! Dropout.

use burn::tensor::{Tensor, TensorData};

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    precision::like,
};
pub use kernels::dropout::Dropout;

/// `x` with some of its numbers set to 0 and the others scaled up, as `dropout` says.
#[must_use]
pub fn dropout<const D: usize>(x: Tensor<D>, dropout: Dropout) -> Tensor<D> {
    if dropout.rate == 0.0 {
        return x;
    }
    match route(&x) {
        Route::Cpu => record([x.into()], |[mut x], keep| {
            dropout.apply(x.values_mut());
            (x, keep.then_some(dropout))
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::dropout(x, dropout),
        Route::Framework => {
            let shape = x.dims();
            let mut mask = vec![1.0; shape.iter().product()];
            dropout.apply(&mut mask);
            x.clone() * like(Tensor::from_data(TensorData::new(mask, shape), &x.device()), x.dtype())
        }
    }
}

impl SavedForBackward<1> for Dropout {
    fn gradients(self, mut dy: CpuTensor, _: [bool; 1]) -> [Option<CpuTensor>; 1] {
        self.apply(dy.values_mut());
        [Some(dy)]
    }
}
