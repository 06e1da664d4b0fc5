//! Affine maps of rows, `y = x W + b`.

use rayon::prelude::*;

use super::{
    ROWS,
    lanes::vectorised,
    matrix::{Matrix, MatrixMut},
    product::product,
};

/// `x W + b`.
///
/// # Shapes
/// - `x`: `[rows, inputs]`; `weight`: `[inputs, outputs]`; `bias`: `[outputs]`
/// - returns: `[rows, outputs]`
#[must_use]
pub fn forward(x: &[f32], weight: &[f32], bias: Option<&[f32]>, outputs: usize) -> Vec<f32> {
    let inputs = weight.len() / outputs;
    let (x, weight) = (Matrix::new(x, inputs), Matrix::new(weight, outputs));
    let Some(bias) = bias else { return product(x, weight) };
    // the product is added to the bias, which costs less than a pass of its own afterwards
    let mut y = bias.repeat(x.size().0);
    MatrixMut::new(&mut y, outputs).product(true, 1.0, x, weight);
    y
}

/// `x Wᵀ`, for a table whose rows are the outputs.
///
/// # Shapes
/// - `x`: `[rows, inputs]`; `table`: `[outputs, inputs]`
/// - returns: `[rows, outputs]`
#[must_use]
pub fn forward_table(x: &[f32], table: &[f32], inputs: usize) -> Vec<f32> {
    product(Matrix::new(x, inputs), Matrix::new(table, inputs).transposed())
}

/// The gradient of `x`: `dy Wᵀ`, `[rows, inputs]`.
#[must_use]
pub fn backward_x(dy: &[f32], weight: &[f32], outputs: usize) -> Vec<f32> {
    product(Matrix::new(dy, outputs), Matrix::new(weight, outputs).transposed())
}

/// The gradient of `weight`: `xᵀ dy`, `[inputs, outputs]`.
#[must_use]
pub fn backward_weight(x: &[f32], dy: &[f32], inputs: usize, outputs: usize) -> Vec<f32> {
    product(Matrix::new(x, inputs).transposed(), Matrix::new(dy, outputs))
}

/// The gradient of `bias`: the sum of all rows of `dy`, `[outputs]`.
#[must_use]
pub fn backward_bias(dy: &[f32], outputs: usize) -> Vec<f32> {
    let sums: Vec<Vec<f32>> = dy
        .par_chunks(ROWS * outputs)
        .map(|rows| {
            let mut sum = vec![0.0; outputs];
            add_rows(&mut sum, rows);
            sum
        })
        .collect();
    let mut total = vec![0.0; outputs];
    sums.iter().for_each(|sum| add_rows(&mut total, sum));
    total
}

vectorised! {
    /// Adds rows to one.
    pub(super) fn add_rows(to: &mut [f32], rows: &[f32]) -> () {
        for row in rows.chunks_exact(to.len()) {
            for (to, x) in to.iter_mut().zip(row) {
                *to += x;
            }
        }
    }
}
