//! Keys and values that a block has seen, kept for the queries to come.

use burn::tensor::{Device, Tensor};

use super::{
    choice::{Route, route},
    precision::like,
    recorded::Numbers,
};

/// Room for a number of keys and values in each row: `[rows, capacity, 2 * keys * width]`, keys before values.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a model has one for each block")]
pub enum LayerKvCache {
    /// For operations of our own on the processor.
    Own(Vec<f32>),
    /// For burn's, and on a GPU.
    Device(Tensor<3>),
}

impl LayerKvCache {
    /// Room for `capacity` keys in each of `rows` rows.
    #[must_use]
    pub fn new(rows: usize, capacity: usize, columns: usize, device: &Device) -> Self {
        if matches!(route(&Tensor::<1>::zeros([1], device)), Route::Processor) {
            Self::Own(vec![0.0; rows * capacity * columns])
        } else {
            Self::Device(Tensor::zeros([rows, capacity, columns], device))
        }
    }

    /// Writes the first `counts[row]` keys and values of each row behind the `lengths[row]` that are there.
    ///
    /// # Shapes
    /// - `new`: `[rows, time, 2 * keys * width]`
    pub fn append(&mut self, new: Tensor<3>, lengths: &[usize], counts: &[usize]) {
        let [rows, time, columns] = new.dims();
        let places = lengths.iter().zip(counts).enumerate();
        match self {
            Self::Own(stored) => {
                let capacity = stored.len() / rows / columns;
                let new = Numbers::of(new);
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

    /// Row `number` becomes a copy of row `rows[number]`, of the `before` rows that there are; others are forgotten.
    pub fn reorder(&mut self, rows: &[usize], before: usize) {
        match self {
            Self::Own(stored) => {
                let each = stored.len() / before;
                let copies: Vec<f32> = rows.iter().flat_map(|row| &stored[row * each..][..each]).copied().collect();
                *stored = copies;
            }
            Self::Device(stored) => {
                let [_, capacity, columns] = stored.dims();
                let row = |row: &usize| stored.clone().slice([*row..row + 1, 0..capacity, 0..columns]);
                *stored = Tensor::cat(rows.iter().map(row).collect(), 0);
            }
        }
    }
}
