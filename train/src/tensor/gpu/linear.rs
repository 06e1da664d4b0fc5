//! Affine maps.

use burn::tensor::{DType, Tensor};

use super::{
    super::{autodiff::SavedForBackward, precision::like},
    gpu_tensor::{GpuTensor, record},
    sum::sum_of_rows,
};

/// See [`super::super::linear`].
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    match bias {
        Some(bias) => record([x.into(), weight.into(), bias.into()], |[x, weight, bias], keep| {
            let map = Linear::of(x, &weight);
            (map.applied(Some(&bias)), keep.then_some(map))
        }),
        None => record([x.into(), weight.into()], |[x, weight], keep| {
            let map = Linear::of(x, &weight);
            (map.applied(None), keep.then_some(map))
        }),
    }
}

/// Products are of all rows below each other: one of many small matrices would make as many gradients of the weight.
#[derive(Debug, Clone)]
struct Linear {
    x: GpuTensor,
    /// Of the precision of `x`.
    weight: GpuTensor,
}

impl Linear {
    fn of(x: GpuTensor, weight: &GpuTensor) -> Self {
        let weight = GpuTensor::of(like(weight.tensor::<2>(), x.dtype()));
        Self { x, weight }
    }

    fn applied(&self, bias: Option<&GpuTensor>) -> GpuTensor {
        let Self { x, weight } = self;
        let mut shape = x.shape();
        *shape.last_mut().expect("a tensor has a dimension") = weight.width();
        let mut out = x.rows().matmul(weight.tensor());
        if let Some(bias) = bias {
            out = out + like(bias.tensor::<1>(), x.dtype()).unsqueeze();
        }
        GpuTensor::of(out).reshaped(shape)
    }

    fn of_x(&self, dy: &GpuTensor) -> GpuTensor {
        GpuTensor::of(dy.rows().matmul(self.weight.tensor::<2>().transpose())).reshaped(self.x.shape())
    }

    fn of_weight(&self, dy: &GpuTensor) -> GpuTensor {
        GpuTensor::of(like(self.x.rows().transpose().matmul(dy.rows()), DType::F32))
    }
}

impl SavedForBackward<2, GpuTensor> for Linear {
    fn gradients(self, dy: GpuTensor, wanted: [bool; 2]) -> [Option<GpuTensor>; 2] {
        [wanted[0].then(|| self.of_x(&dy)), wanted[1].then(|| self.of_weight(&dy))]
    }
}

impl SavedForBackward<3, GpuTensor> for Linear {
    fn gradients(self, dy: GpuTensor, wanted: [bool; 3]) -> [Option<GpuTensor>; 3] {
        let bias = || sum_of_rows(dy.clone());
        [wanted[0].then(|| self.of_x(&dy)), wanted[1].then(|| self.of_weight(&dy)), wanted[2].then(bias)]
    }
}
