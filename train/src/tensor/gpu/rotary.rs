//! Rotary positions.

use std::{
    cell::RefCell,
    sync::{Arc, Weak},
};

use burn::{
    backend::cubecl::dtype_to_storage_type,
    tensor::{Device, Tensor},
};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    super::{autodiff::SavedForBackward, rotary::Angles},
    gpu_tensor::{GpuTensor, record},
    queue::{Grid, OutputSpec, queue},
};

/// See [`super::super::rotary`].
pub fn rotary(x: Tensor<3>, angles: &Arc<Angles>, positions: &[usize], heads: usize) -> Tensor<3> {
    let device = x.device();
    let places = positions.iter().map(|place| i32::try_from(*place).expect("a context is short")).collect();
    let [cosines, sines] = tables(angles, &device);
    let turn = Rotary { cosines, sines, positions: GpuTensor::integers(places, &device), half: angles.half(), heads };
    record([x.into()], |[x], keep| (turn.turned(x, false), keep.then(|| turn.clone())))
}

/// Cosines and sines of all positions, `[positions * width / 2]` each, which a model's blocks share.
fn tables(angles: &Arc<Angles>, device: &Device) -> [GpuTensor; 2] {
    type Known = (Weak<Angles>, Device, [GpuTensor; 2]);
    thread_local! {
        static LAST: RefCell<Option<Known>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some((of, on, tables)) if std::ptr::eq(of.as_ptr(), Arc::as_ptr(angles)) && on == device => tables.clone(),
        _ => {
            let [cosines, sines] = angles.tables();
            let tables = [cosines, sines].map(|table| GpuTensor::singles(table.to_vec(), device));
            *last = Some((Arc::downgrade(angles), device.clone(), tables.clone()));
            tables
        }
    })
}

#[derive(Debug, Clone)]
struct Rotary {
    cosines: GpuTensor,
    sines: GpuTensor,
    /// `[rows * time]`.
    positions: GpuTensor,
    half: usize,
    heads: usize,
}

impl Rotary {
    fn turned(&self, x: GpuTensor, back: bool) -> GpuTensor {
        let Self { cosines, sines, positions, half, heads } = self.clone();
        let (count, columns, spec) = (x.count(), x.width(), OutputSpec::like(&x));
        let inputs = [x, cosines, sines, positions];
        let [y] = queue("rotary", inputs, [spec], move |client, [x, cosines, sines, positions], [y]| {
            let (Grid { cubes, units }, dtype) = (Grid::units(client, count), dtype_to_storage_type(x.dtype));
            turn_kernel::launch(
                client,
                cubes,
                units,
                x.into_buffer_arg(),
                cosines.into_buffer_arg(),
                sines.into_buffer_arg(),
                positions.into_buffer_arg(),
                y.into_buffer_arg(),
                columns,
                heads * 2 * half,
                half,
                back,
                dtype,
            );
        });
        y
    }
}

impl SavedForBackward<1, GpuTensor> for Rotary {
    fn gradients(self, dy: GpuTensor, _: [bool; 1]) -> [Option<GpuTensor>; 1] {
        [Some(self.turned(dy, true))]
    }
}

#[cube(launch)]
fn turn_kernel<F: Float>(
    x: &[F],
    cosines: &[f32],
    sines: &[f32],
    positions: &[i32],
    y: &mut [F],
    columns: usize,
    turned: usize,
    half: usize,
    #[comptime] back: bool,
    #[define(F)] _dtype: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < y.len() {
        let (row, column) = (at / columns, at % columns);
        let mut out = f32::cast_from(x[at]);
        if column < turned {
            let place = column % (2 * half);
            let angle = positions[row] as usize * half + place % half;
            let mut sine = sines[angle];
            if comptime!(back) {
                sine = f32::new(0.0) - sine;
            }
            if place < half {
                out = out * cosines[angle] - f32::cast_from(x[at + half]) * sine;
            } else {
                out = out * cosines[angle] + f32::cast_from(x[at - half]) * sine;
            }
        }
        y[at] = F::cast_from(out);
    }
}
