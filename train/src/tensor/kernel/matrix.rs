//! Matrices within slices, and their product.
#![expect(
    unsafe_code,
    reason = "the product's library takes pointers; column blocks of one matrix are lent to threads side by side"
)]

use std::{marker::PhantomData, ops::Range};

use rayon::prelude::*;

/// Multiplications from which on a product is shared out among threads.
const WORTH_SHARING: usize = 1 << 21;

/// Columns that a thread gets at least.
const WIDE: usize = 128;

/// Columns of a thread are a multiple of it, as registers and cache lines like them.
const BLOCK: usize = 64;

/// A matrix within a slice.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// All of `data`, row by row.
    pub fn new(data: &'a [f32], columns: usize) -> Self {
        assert!(columns > 0 && data.len().is_multiple_of(columns), "{} numbers are no rows of {columns}", data.len());
        Self { data, rows: data.len() / columns, columns, row_stride: columns, column_stride: 1 }
    }

    /// Some columns of it.
    pub fn columns(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.columns, "columns {range:?} of {}", self.columns);
        let data = if range.is_empty() { &[] } else { &self.data[range.start * self.column_stride..] };
        Self { data, columns: range.len(), ..self }
    }

    /// Some rows of it.
    pub fn rows(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.rows, "rows {range:?} of {}", self.rows);
        let data = if range.is_empty() { &[] } else { &self.data[range.start * self.row_stride..] };
        Self { data, rows: range.len(), ..self }
    }

    /// Rows as columns.
    pub fn transposed(self) -> Self {
        let Self { data, rows, columns, row_stride, column_stride } = self;
        Self { data, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }

    /// A row whose numbers lie side by side.
    pub fn row(self, row: usize) -> &'a [f32] {
        debug_assert!(self.column_stride == 1 && row < self.rows);
        &self.data[row * self.row_stride..][..self.columns]
    }

    /// Rows and columns.
    pub fn size(self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// How many numbers lie between the first and the last one, both included.
    fn span(self) -> usize {
        if self.rows == 0 || self.columns == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride + 1
    }
}

/// A matrix to write to. The numbers of a row lie side by side; those of others may lie between rows.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    first: *mut f32,
    rows: usize,
    columns: usize,
    row_stride: usize,
    lent: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a `&mut [f32]` with holes, and nobody else reaches the numbers outside the holes.
unsafe impl Send for MatrixMut<'_> {}

impl<'a> MatrixMut<'a> {
    /// All of `data`, row by row.
    pub fn new(data: &'a mut [f32], columns: usize) -> Self {
        assert!(columns > 0 && data.len().is_multiple_of(columns), "{} numbers are no rows of {columns}", data.len());
        let rows = data.len() / columns;
        Self { first: data.as_mut_ptr(), rows, columns, row_stride: columns, lent: PhantomData }
    }

    /// Blocks of `width` columns, side by side; they divide the columns.
    pub fn into_column_blocks(self, width: usize) -> impl Iterator<Item = Self> {
        assert!(width > 0 && self.columns.is_multiple_of(width), "{} columns are no blocks of {width}", self.columns);
        self.cut(width).map(|(_, block)| block)
    }

    /// Blocks of `width` columns with where they stand; the last may be narrower.
    fn cut(self, width: usize) -> impl Iterator<Item = (Range<usize>, Self)> {
        let Self { first, rows, columns, row_stride, lent } = self;
        (0..columns).step_by(width).map(move |start| {
            let end = columns.min(start + width);
            // SAFETY: the block starts within the first row; blocks share no number.
            let first = unsafe { first.add(start) };
            (start..end, Self { first, rows, columns: end - start, row_stride, lent })
        })
    }

    /// Some rows, for as long as this is borrowed.
    pub fn rows(&mut self, range: Range<usize>) -> MatrixMut<'_> {
        assert!(range.start <= range.end && range.end <= self.rows, "rows {range:?} of {}", self.rows);
        // SAFETY: the range lies within the rows; an empty one at the end is never read.
        let first = self.first.wrapping_add(range.start * self.row_stride);
        MatrixMut { first, rows: range.len(), columns: self.columns, row_stride: self.row_stride, lent: PhantomData }
    }

    /// Puts `factor * a b` here, added to what is here where `add` says so. Runs on all threads if it is worth it.
    ///
    /// Few threads get a block of columns each, which is 5 to 20 % faster than what the library shares out among them.
    pub fn product(&mut self, add: bool, factor: f32, a: Matrix<'_>, b: Matrix<'_>) {
        let threads = rayon::current_num_threads();
        let worth_it = a.rows * a.columns * b.columns >= WORTH_SHARING;
        if threads == 1 || !worth_it || self.columns < threads * WIDE {
            return self.product_on(gemm::Parallelism::Rayon(0), add, factor, a, b);
        }
        assert_eq!(b.columns, self.columns, "the size of the product");
        let width = self.columns.div_ceil(threads).next_multiple_of(BLOCK);
        let rows = self.rows;
        let blocks: Vec<_> = self.rows(0..rows).cut(width).collect();
        blocks.into_par_iter().for_each(|(columns, mut block)| block.product_here(add, factor, a, b.columns(columns)));
    }

    /// The same on this thread.
    pub fn product_here(&mut self, add: bool, factor: f32, a: Matrix<'_>, b: Matrix<'_>) {
        self.product_on(gemm::Parallelism::None, add, factor, a, b);
    }

    fn product_on(&mut self, threads: gemm::Parallelism, add: bool, factor: f32, a: Matrix<'_>, b: Matrix<'_>) {
        let (rows, inner, columns) = (a.rows, a.columns, b.columns);
        assert_eq!(inner, b.rows, "{:?} times {:?}", a.size(), b.size());
        assert_eq!((rows, columns), (self.rows, self.columns), "the size of the product");
        assert!(a.span() <= a.data.len() && b.span() <= b.data.len(), "a matrix ends past its slice");
        if rows == 0 || columns == 0 {
            return;
        }
        let stride = |stride: usize| isize::try_from(stride).expect("strides of memory are small");
        // SAFETY: both factors lie within their slices (checked above), the product within the slice that it was made of.
        unsafe {
            gemm::gemm(
                rows,
                columns,
                inner,
                self.first,
                1,
                stride(self.row_stride),
                add,
                a.data.as_ptr(),
                stride(a.column_stride),
                stride(a.row_stride),
                b.data.as_ptr(),
                stride(b.column_stride),
                stride(b.row_stride),
                1.0,
                factor,
                false,
                false,
                false,
                threads,
            );
        }
    }
}

/// `a b`, row by row, in memory that nobody had to fill with zeros first.
pub fn product(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    assert!(a.columns > 0, "a product sums over something");
    let count = a.rows * b.columns;
    let mut out: Vec<f32> = Vec::with_capacity(count);
    let first = out.as_mut_ptr();
    let (rows, columns) = (a.rows, b.columns);
    MatrixMut { first, rows, columns, row_stride: columns, lent: PhantomData }.product(false, 1.0, a, b);
    // SAFETY: there is room for so many numbers, and the product wrote all of them.
    unsafe { out.set_len(count) };
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Any block of a matrix, read in either direction, multiplies as the definition says, and nothing beside it changes.
        #[test]
        fn a_product_is_that_of_the_definition(
            (rows, inner, columns) in (1usize..40, 1usize..20, 1usize..40), skipped in 0usize..3, add: bool, turned: bool,
        ) {
            let number = |index: usize| ((index * 37 + 11) % 19) as f32 - 9.0;
            let a: Vec<f32> = (0..rows * (inner + skipped)).map(number).collect();
            let b: Vec<f32> = (0..inner * columns).map(|index| number(index + 5)).collect();
            let a = Matrix::new(&a, inner + skipped).columns(skipped..skipped + inner);
            let b = if turned { Matrix::new(&b, inner).transposed() } else { Matrix::new(&b, columns) };
            let mut out = vec![2.0; rows * columns * 2];
            let mut blocks = MatrixMut::new(&mut out, columns * 2).into_column_blocks(columns);
            blocks.next().expect("there are two").product(add, 0.5, a, b);
            drop(blocks);
            let alone = super::product(a, b);
            for row in 0..rows {
                for column in 0..columns {
                    let of_b = |depth: usize| b.data[depth * b.row_stride + column * b.column_stride];
                    let sum: f32 = (0..inner).map(|depth| a.row(row)[depth] * of_b(depth)).sum();
                    let expected = if add { 2.0 } else { 0.0 } + 0.5 * sum;
                    prop_assert!((out[row * columns * 2 + column] - expected).abs() < 1e-3);
                    prop_assert!((alone[row * columns + column] - sum).abs() < 1e-3);
                    prop_assert_eq!(out[row * columns * 2 + columns + column].to_bits(), 2.0f32.to_bits());
                }
            }
        }
    }
}
