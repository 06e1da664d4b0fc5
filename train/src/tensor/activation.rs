//! What stands between the two maps of a block.

use burn::tensor::{Tensor, activation};
use kernels::activation as kernel;

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
};

/// The Gaussian error linear unit in GPT-2's approximation.
///
/// Source: Hendrycks and Gimpel 2016, section 2.
#[must_use]
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match route(&x) {
        Route::Cpu => record([x.into()], |[x], keep| {
            let y = CpuTensor::new(kernel::gelu(x.values()), x.shape());
            (y, keep.then_some(Gelu { x }))
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::gelu(x),
        Route::Framework => activation::gelu_approximate(x),
    }
}

#[derive(Debug, Clone)]
struct Gelu {
    x: CpuTensor,
}

impl SavedForBackward<1> for Gelu {
    fn gradients(self, mut dy: CpuTensor, _: [bool; 1]) -> [Option<CpuTensor>; 1] {
        kernel::gelu_backward(self.x.values(), dy.values_mut());
        [Some(dy)]
    }
}

/// The larger of a number and 0.
#[must_use]
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !matches!(route(&x), Route::Cpu) {
        return activation::relu(x);
    }
    record([x.into()], |[mut x], keep| {
        kernel::relu(x.values_mut());
        let kept = keep.then(|| Relu { y: x.clone() });
        (x, kept)
    })
}

#[derive(Debug, Clone)]
struct Relu {
    y: CpuTensor,
}

impl SavedForBackward<1> for Relu {
    fn gradients(self, mut dy: CpuTensor, _: [bool; 1]) -> [Option<CpuTensor>; 1] {
        kernel::relu_backward(self.y.values(), dy.values_mut());
        [Some(dy)]
    }
}

/// `gelu(gate) up`, where each row has its gates and then its ups, with [`gelu`]'s approximation.
///
/// # Shapes
/// - `x`: `[..., 2 width]`
/// - returns: `[..., width]`
///
/// Source: Shazeer 2020.
#[must_use]
pub fn geglu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !matches!(route(&x), Route::Cpu) {
        let [gates, ups] = x.chunk(2, D - 1).try_into().expect("two halves");
        return activation::gelu_approximate(gates) * ups;
    }
    record([x.into()], |[x], keep| {
        let width = x.width() / 2;
        let mut shape = x.shape();
        shape[D - 1] = width;
        let y = CpuTensor::new(kernel::geglu(x.values(), width), shape);
        (y, keep.then_some(Geglu { x }))
    })
}

#[derive(Debug, Clone)]
struct Geglu {
    x: CpuTensor,
}

impl SavedForBackward<1> for Geglu {
    fn gradients(self, dy: CpuTensor, _: [bool; 1]) -> [Option<CpuTensor>; 1] {
        let dx = kernel::geglu_backward(self.x.values(), dy.values(), dy.width());
        [Some(CpuTensor::new(dx, self.x.shape()))]
    }
}

/// `gate sigmoid(gate) up`, where each row has its gates and then its ups.
///
/// # Shapes
/// - `x`: `[..., 2 width]`
/// - returns: `[..., width]`
///
/// Source: Shazeer 2020.
#[must_use]
pub fn swiglu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match route(&x) {
        Route::Cpu => record([x.into()], |[x], keep| {
            let width = x.width() / 2;
            let mut shape = x.shape();
            shape[D - 1] = width;
            let y = CpuTensor::new(kernel::swiglu(x.values(), width), shape);
            (y, keep.then_some(Swiglu { x }))
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::swiglu(x),
        Route::Framework => {
            let [gates, ups] = x.chunk(2, D - 1).try_into().expect("two halves");
            activation::silu(gates) * ups
        }
    }
}

#[derive(Debug, Clone)]
struct Swiglu {
    x: CpuTensor,
}

impl SavedForBackward<1> for Swiglu {
    fn gradients(self, dy: CpuTensor, _: [bool; 1]) -> [Option<CpuTensor>; 1] {
        let dx = kernel::swiglu_backward(self.x.values(), dy.values(), dy.width());
        [Some(CpuTensor::new(dx, self.x.shape()))]
    }
}
