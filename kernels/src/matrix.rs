//! Matrices within slices. The module `product` multiplies them.
#![expect(unsafe_code, reason = "blocks of one matrix are lent to threads side by side")]

use std::{marker::PhantomData, ops::Range};

/// A matrix within a slice. The numbers of its rows lie side by side, or those of its columns.
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
    #[must_use]
    pub fn new(data: &'a [f32], columns: usize) -> Self {
        assert!(columns > 0 && data.len().is_multiple_of(columns), "{} numbers are no rows of {columns}", data.len());
        Self { data, rows: data.len() / columns, columns, row_stride: columns, column_stride: 1 }
    }

    /// Some columns of it.
    #[must_use]
    pub fn columns(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.columns, "columns {range:?} of {}", self.columns);
        let data = if range.is_empty() { &[] } else { &self.data[range.start * self.column_stride..] };
        Self { data, columns: range.len(), ..self }
    }

    /// Some rows of it.
    #[must_use]
    pub fn rows(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.rows, "rows {range:?} of {}", self.rows);
        let data = if range.is_empty() { &[] } else { &self.data[range.start * self.row_stride..] };
        Self { data, rows: range.len(), ..self }
    }

    /// Rows as columns.
    #[must_use]
    pub fn transposed(self) -> Self {
        let Self { data, rows, columns, row_stride, column_stride } = self;
        Self { data, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }

    /// Whether the numbers of a row lie side by side.
    #[must_use]
    pub fn adjacent_columns(self) -> bool {
        self.column_stride == 1
    }

    /// A row whose numbers lie side by side.
    #[must_use]
    pub fn row(self, row: usize) -> &'a [f32] {
        debug_assert!(self.column_stride == 1 && row < self.rows);
        &self.data[row * self.row_stride..][..self.columns]
    }

    /// Rows and columns.
    #[must_use]
    pub fn size(self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// How far apart rows lie, and columns.
    #[must_use]
    pub fn strides(self) -> (usize, usize) {
        (self.row_stride, self.column_stride)
    }

    /// Where the first number lies. All others lie within the slice too.
    #[must_use]
    pub fn as_ptr(self) -> *const f32 {
        self.data.as_ptr()
    }

    /// One number.
    #[inline]
    #[must_use]
    pub fn at(self, row: usize, column: usize) -> f32 {
        debug_assert!(row < self.rows && column < self.columns);
        self.data[row * self.row_stride + column * self.column_stride]
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

    /// A matrix that `fill` writes, row by row, in memory that nobody had to fill with zeros first.
    ///
    /// # Safety
    /// `fill` writes every number, and reads none before.
    pub unsafe fn filled(rows: usize, columns: usize, fill: impl FnOnce(&mut MatrixMut<'_>)) -> Vec<f32> {
        let mut out: Vec<f32> = Vec::with_capacity(rows * columns);
        let first = out.as_mut_ptr();
        fill(&mut MatrixMut { first, rows, columns, row_stride: columns, lent: PhantomData });
        // SAFETY: there is room for so many numbers, and all of them were written.
        unsafe { out.set_len(rows * columns) };
        out
    }

    /// Rows and columns.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// How far apart rows lie.
    #[must_use]
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Where the first number lies.
    pub fn as_mut_ptr(&mut self) -> *mut f32 {
        self.first
    }

    /// Blocks of `width` columns, side by side; they divide the columns.
    pub fn into_column_blocks(self, width: usize) -> impl Iterator<Item = Self> {
        assert!(width > 0 && self.columns.is_multiple_of(width), "{} columns are no blocks of {width}", self.columns);
        let rows = self.rows.max(1);
        self.into_blocks(rows, width).map(|(_, _, block)| block)
    }

    /// Blocks of `high` rows and `wide` columns, with where they stand; the last ones may be smaller.
    pub fn into_blocks(self, high: usize, wide: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>, Self)> {
        let Self { rows, columns, row_stride, .. } = self;
        let starts =
            (0..rows).step_by(high).flat_map(move |row| (0..columns).step_by(wide).map(move |column| (row, column)));
        starts.map(move |(row, column)| {
            let (rows, columns) = (row..rows.min(row + high), column..columns.min(column + wide));
            // blocks share no number, and this one is given away
            let first = self.first.wrapping_add(row * row_stride + column);
            let block = Self { first, rows: rows.len(), columns: columns.len(), row_stride, lent: PhantomData };
            (rows, columns, block)
        })
    }

    /// A block, for as long as this is borrowed.
    pub fn block(&mut self, rows: Range<usize>, columns: Range<usize>) -> MatrixMut<'_> {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        assert!(columns.start <= columns.end && columns.end <= self.columns, "columns {columns:?} of {}", self.columns);
        let first = self.first.wrapping_add(rows.start * self.row_stride + columns.start);
        MatrixMut { first, rows: rows.len(), columns: columns.len(), row_stride: self.row_stride, lent: PhantomData }
    }

    /// Some rows, for as long as this is borrowed.
    pub fn rows(&mut self, range: Range<usize>) -> MatrixMut<'_> {
        self.block(range, 0..self.columns)
    }
}
