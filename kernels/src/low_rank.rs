//! Low-rank updates of an affine map: `scale (x A) B`, added to some ranges of its columns.
//!
//! ```text
//! x [rows, inputs]    A of all ranges side by side [inputs, ranges * rank]   -> low [rows, ranges * rank], in one product
//! low of a range      B of that range [rank, its columns]                    -> added to these columns of y, where they lie
//! ```
//!
//! Columns without a range cost nothing, and nothing as large as `x` or `y` is made besides them. Where numbers of `x` are dropped, a piece
//! of it at a time is copied.
//!
//! Source: Hu et al. 2021 (LoRA), section 4.1.

use std::ops::Range;

use super::{
    dropout::Dropout,
    matrix::{Matrix, MatrixMut},
    product::product,
};

/// Rows of a piece of which numbers are dropped: some megabytes at the width of large models.
const PIECE: usize = 512;

/// Low-rank updates of some ranges of columns.
#[derive(Debug, Clone, Copy)]
pub struct LowRankUpdates<'a> {
    /// `[inputs, ranges * rank]`.
    pub a: &'a [f32],
    /// `[rank, columns of all ranges]`.
    pub b: &'a [f32],
    /// The columns of each update: none stands in two.
    pub ranges: &'a [Range<usize>],
    /// What updates are multiplied by.
    pub scale: f32,
    /// What is dropped of `x` on its way to `A`.
    pub dropout: Option<Dropout>,
}

/// A range, and where it stands in `low` and in `B`.
struct Place {
    columns: Range<usize>,
    low: Range<usize>,
    b: Range<usize>,
}

impl<'a> LowRankUpdates<'a> {
    /// Columns of `B`.
    fn columns(&self) -> usize {
        self.ranges.iter().map(Range::len).sum()
    }

    fn rank(&self) -> usize {
        self.b.len() / self.columns()
    }

    /// Columns of `A`.
    fn width(&self) -> usize {
        self.rank() * self.ranges.len()
    }

    fn a(&self) -> Matrix<'a> {
        Matrix::new(self.a, self.width())
    }

    fn b(&self) -> Matrix<'a> {
        Matrix::new(self.b, self.columns())
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let (rank, mut from) = (self.rank(), 0);
        self.ranges.iter().enumerate().map(move |(number, columns)| {
            let b = from..from + columns.len();
            from = b.end;
            Place { columns: columns.clone(), low: number * rank..(number + 1) * rank, b }
        })
    }

    /// Adds the updates to `y`. Returns `low`.
    ///
    /// # Shapes
    /// - `x`: `[rows, inputs]`; `y`: `[rows, outputs]`
    /// - returns: `[rows, ranges * rank]`
    pub fn forward(&self, x: &[f32], y: &mut [f32], outputs: usize) -> Vec<f32> {
        let (inputs, width) = (self.a.len() / self.width(), self.width());
        let mut low = vec![0.0; x.len() / inputs * width];
        self.dropped(x, inputs, |rows, x| {
            MatrixMut::new(&mut low, width).rows(rows).product(false, 1.0, x, self.a());
        });
        let rows = low.len() / width;
        for place in self.places() {
            let (low, b) = (Matrix::new(&low, width).columns(place.low), self.b().columns(place.b));
            MatrixMut::new(y, outputs).block(0..rows, place.columns).product(true, self.scale, low, b);
        }
        low
    }

    /// The gradient of `low`: `scale dy Bᵀ`, `[rows, ranges * rank]`.
    #[must_use]
    pub fn backward_low(&self, dy: &[f32], outputs: usize) -> Vec<f32> {
        let (rows, width) = (dy.len() / outputs, self.width());
        let mut d_low = vec![0.0; rows * width];
        for place in self.places() {
            let (dy, b) = (Matrix::new(dy, outputs).columns(place.columns), self.b().columns(place.b));
            MatrixMut::new(&mut d_low, width).block(0..rows, place.low).product(false, self.scale, dy, b.transposed());
        }
        d_low
    }

    /// Adds to the gradient of `x`, `[rows, inputs]`, what comes through the updates.
    pub fn backward_x(&self, d_low: &[f32], dx: &mut [f32]) {
        let (inputs, width) = (self.a.len() / self.width(), self.width());
        let (d_low, a) = (Matrix::new(d_low, width), self.a().transposed());
        let Some(dropout) = self.dropout else {
            return MatrixMut::new(dx, inputs).product(true, 1.0, d_low, a);
        };
        for (number, dx) in dx.chunks_mut(PIECE * inputs).enumerate() {
            let first = number * PIECE;
            let mut through = product(d_low.rows(first..first + dx.len() / inputs), a);
            dropout.apply_from(first * inputs, &mut through);
            dx.iter_mut().zip(&through).for_each(|(dx, through)| *dx += through);
        }
    }

    /// The gradient of `A`: `xᵀ d_low`, `[inputs, ranges * rank]`.
    #[must_use]
    pub fn backward_a(&self, x: &[f32], d_low: &[f32]) -> Vec<f32> {
        let (inputs, width) = (self.a.len() / self.width(), self.width());
        let mut da = vec![0.0; self.a.len()];
        self.dropped(x, inputs, |rows, x| {
            let d_low = Matrix::new(d_low, width).rows(rows);
            MatrixMut::new(&mut da, width).product(true, 1.0, x.transposed(), d_low);
        });
        da
    }

    /// The gradient of `B`: `scale lowᵀ dy`, `[rank, columns of all ranges]`.
    #[must_use]
    pub fn backward_b(&self, low: &[f32], dy: &[f32], outputs: usize) -> Vec<f32> {
        let (low, dy) = (Matrix::new(low, self.width()), Matrix::new(dy, outputs));
        let mut db = vec![0.0; self.b.len()];
        for place in self.places() {
            let (low, dy) = (low.columns(place.low).transposed(), dy.columns(place.columns));
            MatrixMut::new(&mut db, self.columns()).block(0..self.rank(), place.b).product(false, self.scale, low, dy);
        }
        db
    }

    /// Adds the updates to a weight, `[inputs, outputs]`: `W + scale A B` on their columns.
    pub fn merge(&self, weight: &mut [f32], outputs: usize) {
        let inputs = weight.len() / outputs;
        for place in self.places() {
            let (a, b) = (self.a().columns(place.low), self.b().columns(place.b));
            MatrixMut::new(weight, outputs).block(0..inputs, place.columns).product(true, self.scale, a, b);
        }
    }

    /// Gives `work` the rows of `x` without what is dropped, a piece at a time; all at once where nothing is.
    fn dropped(&self, x: &[f32], inputs: usize, mut work: impl FnMut(Range<usize>, Matrix<'_>)) {
        let Some(dropout) = self.dropout else { return work(0..x.len() / inputs, Matrix::new(x, inputs)) };
        let mut piece = Vec::new();
        for (number, x) in x.chunks(PIECE * inputs).enumerate() {
            let first = number * PIECE;
            piece.clear();
            piece.extend_from_slice(x);
            dropout.apply_from(first * inputs, &mut piece);
            work(first..first + x.len() / inputs, Matrix::new(&piece, inputs));
        }
    }
}
