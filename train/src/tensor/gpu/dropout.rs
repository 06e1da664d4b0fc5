//! Dropout: the same hash as on a processor.

use burn::{backend::cubecl::dtype_to_storage_type, tensor::Tensor};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    super::{dropout::Dropout, recorded::Kept},
    held::{OnGpu, record},
    queue::{Grid, Room, queue},
};

/// See [`super::super::dropout`].
pub fn dropout<const D: usize>(x: Tensor<D>, dropout: Dropout) -> Tensor<D> {
    record([x.into()], |[x], keep| (drop_some(x, dropout), keep.then_some(dropout)))
}

impl Kept<1, OnGpu> for Dropout {
    fn gradients(self, dy: OnGpu, _: [bool; 1]) -> [Option<OnGpu>; 1] {
        [Some(drop_some(dy, self))]
    }
}

fn drop_some(x: OnGpu, dropout: Dropout) -> OnGpu {
    let (count, room) = (x.count(), Room::like(&x));
    let [y] = queue("dropout", [x], [room], move |client, [x], [y]| {
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
