//! Embeddings.

use burn::{
    backend::cubecl::dtype_to_storage_type,
    tensor::{DType, Device, Tensor},
};
use burn_cubecl::cubecl::{self, ir::ElemType, prelude::*};

use super::{
    super::autodiff::SavedForBackward,
    gpu_tensor::{GpuTensor, record},
    queue::{Grid, OutputSpec, queue, row_of_unit},
};

/// See [`super::super::embedding`].
pub fn embedding(table: Tensor<2>, ids: &[i32], batch_size: usize) -> Tensor<3> {
    let device = table.device();
    record([table.into()], |[table], keep| {
        let (width, count) = (table.width(), ids.len());
        let spec = OutputSpec::new([batch_size, count / batch_size, width], table.dtype());
        let vocabulary = table.shape()[0];
        let inputs = [table, GpuTensor::integers(ids.to_vec(), &device)];
        let [out] = queue("rows of a table", inputs, [spec], move |client, [table, ids], [out]| {
            let (Grid { cubes, units }, dtype) = (Grid::rows(client, count), dtype_to_storage_type(table.dtype));
            rows_kernel::launch(
                client,
                cubes,
                units,
                table.into_buffer_arg(),
                ids.into_buffer_arg(),
                out.into_buffer_arg(),
                count,
                width,
                dtype,
            );
        });
        (out, keep.then(|| Embedding { places: Places::of(ids, vocabulary, &device), vocabulary }))
    })
}

#[cube(launch)]
fn rows_kernel<F: Float>(
    table: &[F],
    ids: &[i32],
    out: &mut [F],
    rows: usize,
    width: usize,
    #[define(F)] _dtype: ElemType,
) {
    let row = row_of_unit();
    if row < rows {
        let from = ids[row] as usize * width;
        let mut at = UNIT_POS_X as usize;
        while at < width {
            out[row * width + at] = table[from + at];
            at += CUBE_DIM_X as usize;
        }
    }
}

/// Where each token of a vocabulary stands.
#[derive(Debug, Clone)]
struct Places {
    /// `[vocabulary + 1]`: where each token's places begin.
    firsts: GpuTensor,
    /// `[places]`, in the order of tokens, and in that of the text for each.
    places: GpuTensor,
}

impl Places {
    fn of(ids: &[i32], vocabulary: usize, device: &Device) -> Self {
        let token = |id: &i32| usize::try_from(*id).expect("ids count from 0");
        let mut firsts = vec![0i32; vocabulary + 1];
        for id in ids {
            firsts[token(id) + 1] += 1;
        }
        for at in 0..vocabulary {
            firsts[at + 1] += firsts[at];
        }
        let mut next = firsts.clone();
        let mut places = vec![0; ids.len()];
        for (place, id) in (0i32..).zip(ids) {
            let free = &mut next[token(id)];
            places[usize::try_from(*free).expect("places count from 0")] = place;
            *free += 1;
        }
        Self { firsts: GpuTensor::integers(firsts, device), places: GpuTensor::integers(places, device) }
    }
}

#[derive(Debug, Clone)]
struct Embedding {
    places: Places,
    vocabulary: usize,
}

impl SavedForBackward<1, GpuTensor> for Embedding {
    fn gradients(self, dy: GpuTensor, _: [bool; 1]) -> [Option<GpuTensor>; 1] {
        let Self { places: Places { firsts, places }, vocabulary } = self;
        let width = dy.width();
        let spec = OutputSpec::new([vocabulary, width], DType::F32);
        let inputs = [dy, firsts, places];
        let [dtable] = queue("rows of a table back", inputs, [spec], move |client, [dy, firsts, places], [dtable]| {
            let (Grid { cubes, units }, dtype) =
                (Grid::units(client, vocabulary * width), dtype_to_storage_type(dy.dtype));
            table_kernel::launch(
                client,
                cubes,
                units,
                dy.into_buffer_arg(),
                firsts.into_buffer_arg(),
                places.into_buffer_arg(),
                dtable.into_buffer_arg(),
                width,
                dtype,
            );
        });
        [Some(dtable)]
    }
}

/// Each number of each token's gradient is added up by one unit, in the order of the text.
#[cube(launch)]
fn table_kernel<F: Float>(
    dy: &[F],
    firsts: &[i32],
    places: &[i32],
    dtable: &mut [f32],
    width: usize,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < dtable.len() {
        let (token, column) = (ABSOLUTE_POS / width, ABSOLUTE_POS % width);
        let end = firsts[token + 1] as usize;
        let mut number = firsts[token] as usize;
        let mut sum = f32::new(0.0);
        while number < end {
            sum += f32::cast_from(dy[places[number] as usize * width + column]);
            number += 1;
        }
        dtable[ABSOLUTE_POS] = sum;
    }
}
