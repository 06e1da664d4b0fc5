//! A bias of scores by the distance between a query and a key.
//!
//! ```text
//! query 2, keys 0 to 3:   distances -2 -1 0 1   ->   the numbers of each head at these places, added to its scores
//! ```
//!
//! It is a row of numbers for each head, and no matrix for each pair of places: along a diagonal of the scores it is one number.
//!
//! Source: Raffel et al. 2020, section 2.1, for relative position biases.

use burn::tensor::{Int, Tensor, TensorData};
use kernels::{attention::Bias, matrix::Matrix};

use super::{attention_mask::AttentionMask, autodiff::CpuTensor};

/// What is added to the scores of attention.
#[derive(Debug, Clone)]
pub struct DistanceBias {
    /// `[num_heads, distances]`, in rising order: the place of a key minus that of its query.
    pub by_distance: Tensor<2>,
    /// Where distance 0 stands.
    pub zero: usize,
}

impl DistanceBias {
    /// `[batch, num_heads, time, keys]`; what the mask hides may be any number.
    pub(super) fn of_scores(&self, [rows, time, keys]: [usize; 3], mask: &AttentionMask) -> Tensor<4> {
        let [heads, distances] = self.by_distance.dims();
        let past = mask.past().map_or_else(|| vec![0], <[usize]>::to_vec);
        let place = |query: usize, key: usize| (self.zero + key).saturating_sub(query).min(distances - 1);
        let places = past
            .iter()
            .flat_map(|past| (0..time).flat_map(move |query| (0..keys).map(move |key| place(past + query, key))));
        let places: Vec<i32> = places.map(|place| i32::try_from(place).expect("a context is short")).collect();
        let count = places.len();
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &self.by_distance.device());
        let of_heads = self.by_distance.clone().select(1, places); // [h, p t k]
        let of_rows = of_heads.reshape([heads, past.len(), time, keys]).swap_dims(0, 1);
        of_rows.expand([rows, heads, time, keys])
    }
}

/// A bias as kernels take it.
pub(super) fn bias_of<'a>(by_distance: &'a CpuTensor, zero: usize, mask: &'a AttentionMask) -> Bias<'a> {
    let by_distance = Matrix::new(by_distance.values(), by_distance.width());
    Bias { by_distance, zero, past: mask.past() }
}
