//! Affine maps.

use burn::tensor::{Tensor, module};
use kernels::linear as kernel;

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    precision::like,
};

/// `x W + b`.
///
/// # Shapes
/// - `x`: `[..., inputs]`; `weight`: `[inputs, outputs]`; `bias`: `[outputs]`
/// - returns: `[..., outputs]`
#[must_use]
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    match route(&x) {
        Route::Cpu => match bias {
            Some(bias) => record([x.into(), weight.into(), bias.into()], |[x, weight, bias], keep| {
                let out = forward(&x, &weight, Some(&bias));
                (out, keep.then_some(Linear { x, weight }))
            }),
            None => record([x.into(), weight.into()], |[x, weight], keep| {
                let out = forward(&x, &weight, None);
                (out, keep.then_some(Linear { x, weight }))
            }),
        },
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::linear(x, weight, bias),
        Route::Framework => {
            let dtype = x.dtype();
            module::linear(x, like(weight, dtype), bias.map(|bias| like(bias, dtype)))
        }
    }
}

fn forward(x: &CpuTensor, weight: &CpuTensor, bias: Option<&CpuTensor>) -> CpuTensor {
    let outputs = weight.width();
    let mut shape = x.shape();
    *shape.last_mut().expect("a tensor has a dimension") = outputs;
    CpuTensor::new(kernel::forward(x.values(), weight.values(), bias.map(CpuTensor::values), outputs), shape)
}

#[derive(Debug, Clone)]
struct Linear {
    x: CpuTensor,
    weight: CpuTensor,
}

impl Linear {
    fn of_x(&self, dy: &CpuTensor) -> CpuTensor {
        CpuTensor::new(kernel::backward_x(dy.values(), self.weight.values(), dy.width()), self.x.shape())
    }

    fn of_weight(&self, dy: &CpuTensor) -> CpuTensor {
        let (inputs, outputs) = (self.x.width(), dy.width());
        CpuTensor::new(kernel::backward_weight(self.x.values(), dy.values(), inputs, outputs), [inputs, outputs])
    }
}

impl SavedForBackward<2> for Linear {
    fn gradients(self, dy: CpuTensor, wanted: [bool; 2]) -> [Option<CpuTensor>; 2] {
        [wanted[0].then(|| self.of_x(&dy)), wanted[1].then(|| self.of_weight(&dy))]
    }
}

impl SavedForBackward<3> for Linear {
    fn gradients(self, dy: CpuTensor, wanted: [bool; 3]) -> [Option<CpuTensor>; 3] {
        let bias = || CpuTensor::new(kernel::backward_bias(dy.values(), dy.width()), [dy.width()]);
        [wanted[0].then(|| self.of_x(&dy)), wanted[1].then(|| self.of_weight(&dy)), wanted[2].then(bias)]
    }
}
