//! Rows of a table.

use burn::tensor::{Int, Tensor, TensorData, module};

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    choice::{Route, route},
    kernel::embedding as kernel,
    recorded::{Kept, Numbers, record},
};

/// The rows of `table` that `ids` name.
///
/// # Shapes
/// - `table`: `[vocabulary, width]`
/// - `ids`: `[rows, time]`, given with their `rows`
/// - returns: `[rows, time, width]`
#[must_use]
pub fn embedding(table: Tensor<2>, ids: &[i32], rows: usize) -> Tensor<3> {
    let time = ids.len() / rows;
    match route(&table) {
        Route::Processor => record([table.into()], |[table], keep| {
            let width = table.width();
            let out = Numbers::new(kernel::forward(table.values(), ids, width), [rows, time, width]);
            (out, keep.then(|| Embedding { ids: ids.to_vec(), table: table.shape() }))
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::embedding(table, ids, rows),
        Route::Framework => {
            let ids = Tensor::<2, Int>::from_data(TensorData::new(ids.to_vec(), [rows, time]), &table.device());
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

impl Kept<1> for Embedding {
    fn gradients(self, dy: Numbers, _: [bool; 1]) -> [Option<Numbers>; 1] {
        let mut dtable = vec![0.0; self.table.iter().product()];
        kernel::backward(dy.values(), &self.ids, dy.width(), &mut dtable);
        [Some(Numbers::new(dtable, self.table))]
    }
}
