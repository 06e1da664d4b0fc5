//! A step of Adafactor: three passes over a parameter, and no memory of its size.
//!
//! ```text
//! gradient -> means of squares of rows and columns -> the size of the update -> the update, scaled down where it is too large
//! ```
//!
//! Source: Shazeer and Stern 2018, algorithms 4 and 5.

use rayon::prelude::*;

use super::{
    ROWS,
    adamw::{CHUNK, sum_of_squares},
    lanes::{sum, sum_of, vectorised},
};

/// A step's constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdafactorStep {
    /// The learning rate.
    pub learning_rate: f32,
    /// The decay rate of the mean of updates, where one is kept.
    pub beta1: f32,
    /// The decay rate of the second moments at this step.
    pub beta2: f32,
    /// Added to squares of gradients.
    pub epsilon: f32,
    /// The largest root mean square of an update, before the learning rate.
    pub clip_threshold: f32,
    /// Where the learning rate is multiplied by the parameter's root mean square: the least that it is multiplied by.
    pub min_scale: Option<f32>,
    /// Decoupled weight decay, times the learning rate.
    pub weight_decay: f32,
    /// The gradient is multiplied by this first: gradient clipping.
    pub gradient_scale: f32,
}

/// An update: `factor` times the gradient of each number, over the root of its second moment.
#[derive(Clone, Copy)]
struct Applied {
    factor: f32,
    kept: f32,
    beta1: f32,
}

impl AdafactorStep {
    /// Updates a matrix and the second moments of its rows and columns; and the mean of updates, where one is kept.
    pub fn apply_factored(
        self,
        parameter: &mut [f32],
        rows: &mut [f32],
        columns: &mut [f32],
        first: Option<&mut [f32]>,
        gradient: &[f32],
    ) {
        let width = columns.len();
        let block = ROWS * width;
        let squares: Vec<(Vec<f32>, Vec<f32>)> =
            gradient.par_chunks(block).map(|rows| squares_of_rows(rows, width, self.gradient_scale)).collect();
        let mut of_columns = vec![0.0; width];
        for (_, sums) in &squares {
            of_columns.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
        let (wide, high) = (width as f32, rows.len() as f32);
        let mean = |moment: &mut f32, mean: f32| {
            *moment = self.beta2.mul_add(*moment, (1.0 - self.beta2) * (mean + self.epsilon));
        };
        rows.iter_mut().zip(squares.iter().flat_map(|(sums, _)| sums)).for_each(|(row, sum)| mean(row, sum / wide));
        columns.iter_mut().zip(of_columns).for_each(|(column, sum)| mean(column, sum / high));

        #[expect(clippy::cast_possible_truncation, reason = "moments are single precision")]
        let of_all = (rows.iter().map(|row| f64::from(*row)).sum::<f64>() / rows.len() as f64) as f32;
        let of_rows: Vec<f32> = rows.iter().map(|row| 1.0 / (row / of_all).sqrt()).collect();
        let of_columns: Vec<f32> = columns.iter().map(|column| 1.0 / column.sqrt()).collect();
        let sizes: Vec<f64> = gradient
            .par_chunks(width)
            .zip(&of_rows)
            .map(|(gradient, row)| f64::from(*row).powi(2) * f64::from(squares_of(gradient, &of_columns)))
            .collect();
        let applied = self.applied(sizes.iter().sum(), parameter);
        let rows = parameter.par_chunks_mut(width).zip(gradient.par_chunks(width)).zip(&of_rows);
        let of_row = |row: &f32| Applied { factor: applied.factor * row, ..applied };
        match first {
            Some(first) => rows.zip(first.par_chunks_mut(width)).for_each(|(((parameter, gradient), row), first)| {
                move_by_mean(of_row(row), parameter, first, gradient, &of_columns);
            }),
            None => rows.for_each(|((parameter, gradient), row)| {
                move_some(of_row(row), parameter, gradient, &of_columns);
            }),
        }
    }

    /// Updates a vector and its second moments; and the mean of updates, where one is kept.
    pub fn apply_whole(self, parameter: &mut [f32], second: &mut [f32], first: Option<&mut [f32]>, gradient: &[f32]) {
        let roots: Vec<f32> = second
            .iter_mut()
            .zip(gradient)
            .map(|(second, gradient)| {
                let gradient = gradient * self.gradient_scale;
                *second = self.beta2.mul_add(*second, (1.0 - self.beta2) * gradient.mul_add(gradient, self.epsilon));
                1.0 / second.sqrt()
            })
            .collect();
        let sizes: Vec<f64> = gradient
            .par_chunks(CHUNK)
            .zip(roots.par_chunks(CHUNK))
            .map(|(gradient, roots)| f64::from(squares_of(gradient, roots)))
            .collect();
        let applied = self.applied(sizes.iter().sum(), parameter);
        match first {
            Some(first) => move_by_mean(applied, parameter, first, gradient, &roots),
            None => move_some(applied, parameter, gradient, &roots),
        }
    }

    /// How an update is applied.
    ///
    /// - `size`: the sum of its squares, before the gradient is scaled
    #[expect(clippy::cast_possible_truncation, reason = "parameters are single precision")]
    fn applied(self, size: f64, parameter: &[f32]) -> Applied {
        let count = parameter.len() as f64;
        let rms = (size / count).sqrt() as f32 * self.gradient_scale;
        let rate = match self.min_scale {
            Some(least) => self.learning_rate * ((sum_of_squares(parameter) / count).sqrt() as f32).max(least),
            None => self.learning_rate,
        };
        Applied {
            factor: rate * self.gradient_scale / (rms / self.clip_threshold).max(1.0),
            kept: 1.0 - self.weight_decay * rate,
            beta1: self.beta1,
        }
    }
}

/// The sums of the squares of each row, and those of each column.
fn squares_of_rows(block: &[f32], width: usize, scale: f32) -> (Vec<f32>, Vec<f32>) {
    let mut columns = vec![0.0; width];
    let rows = block.chunks_exact(width).map(|row| add_squares(&mut columns, row, scale)).collect();
    (rows, columns)
}

vectorised! {
    /// Adds the squares of a row to the sums of the columns, and returns their sum.
    fn add_squares(columns: &mut [f32], row: &[f32], scale: f32) -> f32 {
        for (column, x) in columns.iter_mut().zip(row) {
            *column += (x * scale) * (x * scale);
        }
        sum(row, |x| (x * scale) * (x * scale))
    }
}

vectorised! {
    /// The sum of the squares of products.
    fn squares_of(gradient: &[f32], roots: &[f32]) -> f32 {
        sum_of(gradient, roots, |x, root| (x * root) * (x * root))
    }
}

vectorised! {
    fn move_some(applied: Applied, parameter: &mut [f32], gradient: &[f32], roots: &[f32]) -> () {
        let Applied { factor, kept, .. } = applied;
        for (parameter, (x, root)) in parameter.iter_mut().zip(gradient.iter().zip(roots)) {
            *parameter = kept * *parameter - factor * x * root;
        }
    }
}

vectorised! {
    fn move_by_mean(applied: Applied, parameter: &mut [f32], first: &mut [f32], gradient: &[f32], roots: &[f32]) -> () {
        let Applied { factor, kept, beta1 } = applied;
        let numbers = parameter.iter_mut().zip(first);
        for ((parameter, first), (x, root)) in numbers.zip(gradient.iter().zip(roots)) {
            *first = beta1.mul_add(*first, (1.0 - beta1) * (factor * x * root));
            *parameter = kept * *parameter - *first;
        }
    }
}
