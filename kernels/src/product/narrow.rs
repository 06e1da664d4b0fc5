//! Products with so few rows, columns or steps that packing does not pay: those of the library `gemm`, which reads rows where they
//! are.
#![expect(unsafe_code, reason = "the library takes pointers")]

use rayon::prelude::*;

use super::super::matrix::{Matrix, MatrixMut};

/// Multiplications from which on a product is shared out among threads; how a narrow one of fewer is, its library decides.
pub const WORTH_SHARING: usize = 1 << 21;

/// Columns that a thread gets at least.
const LEAST_COLUMNS: usize = 128;

/// Columns of a thread are a multiple of it, as registers and lines of the cache like them.
const STEP: usize = 64;

/// Puts `factor * a b` into `out`, added to what is there where `add` says so.
pub fn multiply(out: &mut MatrixMut<'_>, threads: usize, add: bool, factor: f32, a: Matrix<'_>, b: Matrix<'_>) {
    let (rows, columns) = out.size();
    if threads == 1 {
        return here(out, gemm::Parallelism::None, add, factor, a, b);
    }
    if columns < threads * LEAST_COLUMNS || rows * a.size().1 * columns < WORTH_SHARING {
        return here(out, gemm::Parallelism::Rayon(0), add, factor, a, b);
    }
    let wide = columns.div_ceil(threads).next_multiple_of(STEP);
    let blocks: Vec<_> = out.rows(0..rows).into_blocks(rows, wide).collect();
    blocks.into_par_iter().for_each(|(_, columns, mut block)| {
        here(&mut block, gemm::Parallelism::None, add, factor, a, b.columns(columns));
    });
}

fn here(out: &mut MatrixMut<'_>, threads: gemm::Parallelism, add: bool, factor: f32, a: Matrix<'_>, b: Matrix<'_>) {
    let (rows, columns) = out.size();
    assert_eq!((rows, a.size().1, columns), (a.size().0, b.size().0, b.size().1), "sizes of factors and product");
    if rows == 0 || columns == 0 {
        return;
    }
    let stride = |stride: usize| isize::try_from(stride).expect("strides of memory are small");
    let ((a_rows, a_columns), (b_rows, b_columns)) = (a.strides(), b.strides());
    // SAFETY: the sizes fit; factors lie within their slices, as `Matrix` sees to, and the product within that which it was made of.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            a.size().1,
            out.as_mut_ptr(),
            1,
            stride(out.row_stride()),
            add,
            a.as_ptr(),
            stride(a_columns),
            stride(a_rows),
            b.as_ptr(),
            stride(b_columns),
            stride(b_rows),
            1.0,
            factor,
            false,
            false,
            false,
            threads,
        );
    }
}
