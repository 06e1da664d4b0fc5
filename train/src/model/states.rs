//! Hidden states that something else than the language model's own head reads.

use burn::tensor::{Tensor, TensorData};

use crate::tensor::{Precision, embedding};

/// The states at the last token of each sequence, in single precision. What stands behind it is padding, which it does not attend to.
///
/// # Shapes
/// - `hidden`: `[sequences, time, hidden_size]`, of [`super::Gpt::hidden`]
/// - `lengths`: `[sequences]`, tokens that are not padding, 1 or more
/// - returns: `[sequences, hidden_size]`
#[must_use]
pub fn last_states(hidden: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    let time = hidden.dims()[1];
    let last: Vec<usize> = lengths.iter().enumerate().map(|(sequence, length)| sequence * time + length - 1).collect();
    states_at(Precision::F32.of(hidden), &last)
}

/// The mean of the states of each sequence, in single precision, whatever padding stands behind it.
///
/// # Shapes
/// - `hidden`: `[sequences, time, hidden_size]`, of [`super::Gpt::hidden`]
/// - `lengths`: `[sequences]`, tokens that are not padding, 1 or more
/// - returns: `[sequences, hidden_size]`
#[must_use]
pub fn mean_states(hidden: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    let hidden = Precision::F32.of(hidden);
    let [sequences, time, hidden_size] = hidden.dims();
    let shares = lengths.iter().flat_map(|length| {
        let share = 1.0 / *length as f32;
        (0..time).map(move |place| if place < *length { share } else { 0.0 })
    });
    let shares = TensorData::new(shares.collect::<Vec<f32>>(), [sequences, 1, time]);
    let shares: Tensor<3> = Tensor::from_data(shares, &hidden.device()); // [s, 1, t]
    shares.matmul(hidden).reshape([sequences, hidden_size])
}

/// The states at some places, in the order of the places.
///
/// # Shapes
/// - `hidden`: `[sequences, time, hidden_size]`
/// - `places`: `[places]`, sequence * time + token
/// - returns: `[places, hidden_size]`
#[must_use]
pub fn states_at(hidden: Tensor<3>, places: &[usize]) -> Tensor<2> {
    let [sequences, time, hidden_size] = hidden.dims();
    rows(hidden.reshape([sequences * time, hidden_size]), places)
}

/// Some rows of a matrix: what an embedding does with a table, and as fast, forwards and backwards.
#[must_use]
pub fn rows(x: Tensor<2>, places: &[usize]) -> Tensor<2> {
    let width = x.dims()[1];
    let ids: Vec<i32> = places.iter().map(|place| i32::try_from(*place).expect("a batch has fewer rows")).collect();
    embedding(x, &ids, 1).reshape([ids.len(), width])
}
