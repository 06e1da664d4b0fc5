//! Embeddings.

use burn::tensor::{Int, Tensor, TensorData, module};
use kernels::embedding as kernel;

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
};

/// The rows of `table` that `ids` name.
///
/// # Shapes
/// - `table`: `[vocab_size, hidden_size]`
/// - `ids`: `[batch, time]`, with their `batch_size`
/// - returns: `[batch, time, hidden_size]`
#[must_use]
pub fn embedding(table: Tensor<2>, ids: &[i32], batch_size: usize) -> Tensor<3> {
    let time = ids.len() / batch_size;
    match route(&table) {
        Route::Cpu => record([table.into()], |[table], keep| {
            let width = table.width();
            let out = CpuTensor::new(kernel::forward(table.values(), ids, width), [batch_size, time, width]);
            (out, keep.then(|| Embedding { ids: ids.to_vec(), table: table.shape() }))
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::embedding(table, ids, batch_size),
        Route::Framework => {
            let ids = Tensor::<2, Int>::from_data(TensorData::new(ids.to_vec(), [batch_size, time]), &table.device());
            module::embedding(table, ids)
        }
    }
}

#[derive(Debug, Clone)]
struct Embedding {
    ids: Vec<i32>,
    /// The table's shape.
    table: Vec<usize>,
}

impl SavedForBackward<1> for Embedding {
    fn gradients(self, dy: CpuTensor, _: [bool; 1]) -> [Option<CpuTensor>; 1] {
        let mut dtable = vec![0.0; self.table.iter().product()];
        kernel::backward(dy.values(), &self.ids, dy.width(), &mut dtable);
        [Some(CpuTensor::new(dtable, self.table))]
    }
}
