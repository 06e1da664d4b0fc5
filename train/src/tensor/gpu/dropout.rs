//! Dropout: the same hash as on a processor.

use burn::{backend::cubecl::dtype_to_storage_type, tensor::Tensor};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    super::{autodiff::SavedForBackward, dropout::Dropout},
    gpu_tensor::{GpuTensor, record},
    queue::{Grid, OutputSpec, queue},
};

/// See [`super::super::dropout`].
pub fn dropout<const D: usize>(x: Tensor<D>, dropout: Dropout) -> Tensor<D> {
    record([x.into()], |[x], keep| (drop_some(x, dropout), keep.then_some(dropout)))
}

impl SavedForBackward<1, GpuTensor> for Dropout {
    fn gradients(self, dy: GpuTensor, _: [bool; 1]) -> [Option<GpuTensor>; 1] {
        [Some(drop_some(dy, self))]
    }
}

fn drop_some(x: GpuTensor, dropout: Dropout) -> GpuTensor {
    let (count, spec) = (x.count(), OutputSpec::like(&x));
    let [y] = queue("dropout", [x], [spec], move |client, [x], [y]| {
        let (Grid { cubes, units }, dtype) = (Grid::units(client, count), dtype_to_storage_type(x.dtype));
        let (low, high) = (dropout.key as u32, (dropout.key >> 32) as u32);
        dropout_kernel::launch(
            client,
            cubes,
            units,
            x.into_buffer_arg(),
            y.into_buffer_arg(),
            low,
            high,
            dropout.threshold(),
            1.0 / (1.0 - dropout.rate),
            dtype,
        );
    });
    y
}

#[cube(launch)]
fn dropout_kernel<F: Float>(
    x: &[F],
    y: &mut [F],
    low: u32,
    high: u32,
    threshold: u32,
    scale: f32,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < y.len() {
        let mut bits = ABSOLUTE_POS as u32 ^ low;
        bits = (bits ^ (bits >> 16u32)) * 0x7FEB_352Du32;
        bits = (bits ^ (bits >> 15u32)) * 0x846C_A68Bu32;
        bits ^= (bits >> 16u32) ^ high;
        bits = (bits ^ (bits >> 16u32)) * 0x7FEB_352Du32;
        bits = (bits ^ (bits >> 15u32)) * 0x846C_A68Bu32;
        bits ^= bits >> 16u32;
        let mut out = f32::new(0.0);
        if bits >= threshold {
            out = f32::cast_from(x[ABSOLUTE_POS]) * scale;
        }
        y[ABSOLUTE_POS] = F::cast_from(out);
    }
}
