//! Affine maps.

use burn::tensor::{DType, Tensor};

use super::{
    super::{precision::like, recorded::Kept},
    held::{OnGpu, record},
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
    x: OnGpu,
    /// Of the precision of `x`.
    weight: OnGpu,
}

impl Linear {
    fn of(x: OnGpu, weight: &OnGpu) -> Self {
        let weight = OnGpu::of(like(weight.tensor::<2>(), x.dtype()));
        Self { x, weight }
    }

    fn applied(&self, bias: Option<&OnGpu>) -> OnGpu {
        let Self { x, weight } = self;
        let mut shape = x.shape();
        *shape.last_mut().expect("a tensor has a dimension") = weight.width();
        let mut out = x.rows().matmul(weight.tensor());
        if let Some(bias) = bias {
            out = out + like(bias.tensor::<1>(), x.dtype()).unsqueeze();
        }
        OnGpu::of(out).reshaped(shape)
    }

    fn of_x(&self, dy: &OnGpu) -> OnGpu {
        OnGpu::of(dy.rows().matmul(self.weight.tensor::<2>().transpose())).reshaped(self.x.shape())
    }

    fn of_weight(&self, dy: &OnGpu) -> OnGpu {
        OnGpu::of(like(self.x.rows().transpose().matmul(dy.rows()), DType::F32))
    }
}

impl Kept<2, OnGpu> for Linear {
    fn gradients(self, dy: OnGpu, wanted: [bool; 2]) -> [Option<OnGpu>; 2] {
        [wanted[0].then(|| self.of_x(&dy)), wanted[1].then(|| self.of_weight(&dy))]
    }
}

impl Kept<3, OnGpu> for Linear {
    fn gradients(self, dy: OnGpu, wanted: [bool; 3]) -> [Option<OnGpu>; 3] {
        let bias = || sum_of_rows(dy.clone());
        [wanted[0].then(|| self.of_x(&dy)), wanted[1].then(|| self.of_weight(&dy)), wanted[2].then(bias)]
    }
}
