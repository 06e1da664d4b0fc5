//! The keys and values of a block, kept for the queries to come.

use burn::tensor::{Device, Tensor};

use super::{
    autodiff::CpuTensor,
    choice::{Route, route},
    precision::like,
};

/// A KV cache of a block: `[batch, capacity, 2 num_kv_heads * head_dim]`, keys before values.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a model has one for each block")]
pub enum LayerKvCache {
    /// For our own operations on the CPU.
    Own(Vec<f32>),
    /// For burn's operations, and on a GPU.
    Device(Tensor<3>),
}

impl LayerKvCache {
    /// An empty cache of `capacity` keys for each of `batch_size` sequences.
    #[must_use]
    pub fn new(batch_size: usize, capacity: usize, columns: usize, device: &Device) -> Self {
        if matches!(route(&Tensor::<1>::zeros([1], device)), Route::Cpu) {
            Self::Own(vec![0.0; batch_size * capacity * columns])
        } else {
            Self::Device(Tensor::zeros([batch_size, capacity, columns], device))
        }
    }

    /// Writes the first `counts[i]` keys and values of sequence `i` behind the `lengths[i]` that are there.
    ///
    /// # Shapes
    /// - `new`: `[batch, time, 2 num_kv_heads * head_dim]`
    pub fn append(&mut self, new: Tensor<3>, lengths: &[usize], counts: &[usize]) {
        let [rows, time, columns] = new.dims();
        let places = lengths.iter().zip(counts).enumerate();
        match self {
            Self::Own(stored) => {
                let capacity = stored.len() / rows / columns;
                let new = CpuTensor::of(new);
                for (row, (length, count)) in places {
                    let to = (row * capacity + length) * columns..(row * capacity + length + count) * columns;
                    stored[to].copy_from_slice(&new.values()[row * time * columns..][..count * columns]);
                }
            }
            Self::Device(stored) => {
                // the tensor moves: it is written in place where nobody else holds it
                let mut whole = like(std::mem::replace(stored, new.clone()), new.dtype());
                for (row, (length, count)) in places {
                    let of_row = new.clone().slice([row..row + 1, 0..*count, 0..columns]);
                    let to = [row..row + 1, *length..length + count, 0..columns];
                    whole = whole.slice_assign(to, of_row);
                }
                *stored = whole;
            }
        }
    }

    /// Sequence `i` becomes a copy of sequence `order[i]`, of the `before` that there are; others are forgotten.
    pub fn reorder(&mut self, order: &[usize], before: usize) {
        match self {
            Self::Own(stored) => {
                let each = stored.len() / before;
                let copies: Vec<f32> = order.iter().flat_map(|from| &stored[from * each..][..each]).copied().collect();
                *stored = copies;
            }
            Self::Device(stored) => {
                let [_, capacity, columns] = stored.dims();
                let row = |row: &usize| stored.clone().slice([*row..row + 1, 0..capacity, 0..columns]);
                *stored = Tensor::cat(order.iter().map(row).collect(), 0);
            }
        }
    }
}
