//! Affine maps of rows, `y = x W + b`.

use rayon::prelude::*;

use super::{
    ROWS,
    lanes::vectorised,
    matrix::{Matrix, MatrixMut},
};

/// `x W + b`.
///
/// # Shapes
/// - `x`: `[rows, inputs]`; `weight`: `[inputs, outputs]`; `bias`: `[outputs]`
/// - returns: `[rows, outputs]`
pub fn forward(x: &[f32], weight: &[f32], bias: Option<&[f32]>, outputs: usize) -> Vec<f32> {
    let inputs = weight.len() / outputs;
    let rows = x.len() / inputs;
    let mut y = match bias {
        // the product is added to it, which costs less than a pass of its own afterwards
        Some(bias) => bias.repeat(rows),
        None => vec![0.0; rows * outputs],
    };
    MatrixMut::new(&mut y, outputs).product(bias.is_some(), 1.0, Matrix::new(x, inputs), Matrix::new(weight, outputs));
    y
}

/// `x Wᵀ`, for a table whose rows are the outputs.
///
/// # Shapes
/// - `x`: `[rows, inputs]`; `table`: `[outputs, inputs]`
/// - returns: `[rows, outputs]`
pub fn forward_table(x: &[f32], table: &[f32], inputs: usize) -> Vec<f32> {
    let outputs = table.len() / inputs;
    let mut y = vec![0.0; x.len() / inputs * outputs];
    let (x, table) = (Matrix::new(x, inputs), Matrix::new(table, inputs));
    MatrixMut::new(&mut y, outputs).product(false, 1.0, x, table.transposed());
    y
}

/// The gradient of `x`: `dy Wᵀ`, `[rows, inputs]`.
pub fn backward_x(dy: &[f32], weight: &[f32], outputs: usize) -> Vec<f32> {
    let inputs = weight.len() / outputs;
    let mut dx = vec![0.0; dy.len() / outputs * inputs];
    let (dy, weight) = (Matrix::new(dy, outputs), Matrix::new(weight, outputs));
    MatrixMut::new(&mut dx, inputs).product(false, 1.0, dy, weight.transposed());
    dx
}

/// The gradient of `weight`: `xᵀ dy`, `[inputs, outputs]`.
pub fn backward_weight(x: &[f32], dy: &[f32], inputs: usize, outputs: usize) -> Vec<f32> {
    let mut dw = vec![0.0; inputs * outputs];
    let (x, dy) = (Matrix::new(x, inputs), Matrix::new(dy, outputs));
    MatrixMut::new(&mut dw, outputs).product(false, 1.0, x.transposed(), dy);
    dw
}

/// The gradient of `bias`: the sum of all rows of `dy`, `[outputs]`.
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
