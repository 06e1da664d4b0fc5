//! Products of matrices.
//!
//! ```text
//! panel      what a tile reads, side by side in memory
//! tile       what the registers hold: rows times columns, summed over a depth
//! workspace  memory for panels
//! prefetch   asking for memory ahead of time
//! narrow     what packing does not pay for
//! ```
//!
//! Both factors are packed into panels, in parts of the depth that leave panels in the caches; blocks of the product are worked out by
//! whichever thread is free, since threads of a shared machine are not equally fast. A number of such a product is summed
//! part by part, in an order that depends on shapes alone.
//!
//! Source: Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication".

mod narrow;
mod panel;
mod prefetch;
mod tile;
mod workspace;

use std::ops::Range;

use rayon::prelude::*;

use super::matrix::{Matrix, MatrixMut};
use narrow::WORTH_SHARING;
use tile::{Processor, Size, Work};
use workspace::Workspace;

/// Rows, columns or depth up to which packing does not pay.
const NARROW: usize = 64;

/// Columns up to which it does not, where rows would have to be transposed.
const NARROW_TRANSPOSED: usize = 128;

/// Most steps of a part of the depth: a panel of rows leaves room in the first cache, as many columns leave room in the second.
const DEPTH: usize = 384;

/// Most columns of a block.
const COLUMNS: usize = 384;

/// Most rows and columns that are packed at a time: their panels take a few megabytes.
const PACKED: usize = 3072;

/// Lines that one task packs, about: where they lie side by side, they are copied in stretches of half a kilobyte.
const LINES: usize = 128;

/// Blocks for each thread, unless they would be too small.
const BLOCKS: usize = 4;

/// Rows and columns of a block that is halved no further.
const SMALL: (usize, usize) = (48, 64);

impl MatrixMut<'_> {
    /// Puts `factor * a b` here, added to what is here where `add` says so. Runs on all threads if it is worth it.
    pub fn product(&mut self, add: bool, factor: f32, a: Matrix<'_>, b: Matrix<'_>) {
        self.multiply(Processor::Here, rayon::current_num_threads(), add, factor, a, b);
    }

    /// The same on this thread.
    pub fn product_here(&mut self, add: bool, factor: f32, a: Matrix<'_>, b: Matrix<'_>) {
        self.multiply(Processor::Here, 1, add, factor, a, b);
    }

    fn multiply(&mut self, processor: Processor, threads: usize, add: bool, factor: f32, a: Matrix<'_>, b: Matrix<'_>) {
        let ((rows, depth), columns) = (a.size(), b.size().1);
        assert_eq!(depth, b.size().0, "{:?} times {:?}", a.size(), b.size());
        assert_eq!((rows, columns), self.size(), "the size of the product");
        if rows.min(columns).min(depth) <= NARROW || (columns <= NARROW_TRANSPOSED && a.adjacent_columns()) {
            return narrow::multiply(self, threads, add, factor, a, b);
        }
        let threads = if rows * depth * columns >= WORTH_SHARING { threads } else { 1 };
        let size = Size::of(processor);
        let (mut a_workspace, mut b_workspace) = (Workspace::of_rows(), Workspace::of_columns());
        for rows in pieces(rows, PACKED, size.rows) {
            for part in pieces(depth, DEPTH, 1) {
                let add = add || part.start > 0;
                let loose = a.rows(rows.clone()).columns(part.clone());
                let a = if columns <= COLUMNS && loose.adjacent_columns() {
                    Rows::Loose(loose)
                } else {
                    Rows::Packed(pack(loose, threads, size.rows, &mut a_workspace))
                };
                for columns in pieces(columns, PACKED, size.columns) {
                    let lines = b.rows(part.clone()).columns(columns.clone()).transposed();
                    let b = pack(lines, threads, size.columns, &mut b_workspace);
                    let part = Part { processor, size, depth: part.len(), a, b, add, factor };
                    part.multiply(threads, self.block(rows.clone(), columns));
                }
            }
        }
    }
}

/// `a b`, row by row, in memory that nobody had to fill with zeros first.
#[expect(unsafe_code, reason = "only who fills memory knows that it is full")]
pub fn product(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    // SAFETY: a product that is not added to anything writes every number, and reads none.
    unsafe { MatrixMut::filled(a.size().0, b.size().1, |out| out.product(false, 1.0, a, b)) }
}

/// Even pieces of so many things, of at most `most`; each but the last is a multiple of `step` long.
fn pieces(count: usize, most: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    let length = count.div_ceil(count.div_ceil(most)).next_multiple_of(step);
    (0..count).step_by(length).map(move |start| start..count.min(start + length))
}

/// Packs lines into panels.
fn pack<'a>(lines: Matrix<'_>, threads: usize, wide: usize, workspace: &'a mut Workspace) -> &'a [f32] {
    let (count, depth) = lines.size();
    let to = workspace.numbers(count.next_multiple_of(wide) * depth);
    if threads == 1 {
        panel::pack(lines, wide, to);
    } else {
        let some = LINES / wide * wide;
        to.par_chunks_mut(some * depth).enumerate().for_each(|(index, to)| {
            let first = index * some;
            panel::pack(lines.rows(first..count.min(first + some)), wide, to);
        });
    }
    to
}

/// A part of the depth.
struct Part<'a> {
    processor: Processor,
    size: Size,
    depth: usize,
    a: Rows<'a>,
    /// Panels of columns.
    b: &'a [f32],
    add: bool,
    factor: f32,
}

/// Rows of the first factor.
#[derive(Clone, Copy)]
enum Rows<'a> {
    /// In panels.
    Packed(&'a [f32]),
    /// As they are. Where a block has all columns, it packs each panel when it needs it, and reads it from the first cache; rows whose
    /// numbers do not lie side by side are better copied in long stretches.
    Loose(Matrix<'a>),
}

impl Part<'_> {
    /// Adds it to the product, or puts it there.
    fn multiply(&self, threads: usize, out: MatrixMut<'_>) {
        let (high, wide) = self.block_size(threads, out.size());
        let blocks = out.into_blocks(high, wide);
        let work = |(rows, columns, out)| self.multiply_block(rows, columns, out);
        if threads == 1 {
            blocks.for_each(work);
        } else {
            blocks.collect::<Vec<_>>().into_par_iter().with_max_len(1).for_each(work);
        }
    }

    /// Rows and columns of a block.
    fn block_size(&self, threads: usize, (rows, columns): (usize, usize)) -> (usize, usize) {
        let loose = matches!(self.a, Rows::Loose(_));
        let (mut high, mut wide) = (rows, COLUMNS.min(columns));
        while threads > 1 && rows.div_ceil(high) * columns.div_ceil(wide) < BLOCKS * threads {
            if high > SMALL.0 && (loose || high >= wide || wide <= SMALL.1) {
                high = (high / 2).next_multiple_of(self.size.rows);
            } else if wide > SMALL.1 && !loose {
                wide = (wide / 2).next_multiple_of(self.size.columns);
            } else {
                break;
            }
        }
        (high, wide)
    }

    fn multiply_block(&self, rows: Range<usize>, columns: Range<usize>, mut out: MatrixMut<'_>) {
        let Self { processor, size, depth, a, b, add, factor } = *self;
        let b = &b[columns.start * depth..columns.end.next_multiple_of(size.columns) * depth];
        match a {
            Rows::Packed(panels) => {
                let a = &panels[rows.start * depth..rows.end.next_multiple_of(size.rows) * depth];
                processor.run(Work { a, b, depth, add, factor, out });
            }
            Rows::Loose(a) => {
                let mut workspace = Workspace::of_panel();
                for first in (0..rows.len()).step_by(size.rows) {
                    let panel = first..rows.len().min(first + size.rows);
                    let a = a.rows(rows.start + panel.start..rows.start + panel.end);
                    let a = pack(a, 1, size.rows, &mut workspace);
                    processor.run(Work { a, b, depth, add, factor, out: out.rows(panel) });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whole numbers, small enough for sums to be exact.
    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|index| ((index * 37 + seed) % 19) as f32 - 9.0).collect()
    }

    fn by_definition(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
        let ((rows, depth), columns) = (a.size(), b.size().1);
        let mut product = vec![0.0; rows * columns];
        for (row, product) in product.chunks_exact_mut(columns).enumerate() {
            for step in 0..depth {
                for (column, product) in product.iter_mut().enumerate() {
                    *product += a.at(row, step) * b.at(step, column);
                }
            }
        }
        product
    }

    fn processors() -> Vec<Processor> {
        #[allow(unused_mut, reason = "only some processors have others")]
        let mut processors = vec![Processor::Here, Processor::Plain];
        #[cfg(target_arch = "x86_64")]
        processors.extend(pulp::x86::V3::try_new().map(Processor::Avx2));
        processors
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Any block of a matrix, read in either direction, multiplies as the definition says, for each kind of processor, on one
        /// thread and on several, and nothing beside it changes. Several parts of the depth, blocks and tiles that stand over, and
        /// narrow products are among them.
        #[test]
        fn a_product_is_that_of_the_definition(
            rows in prop_oneof![1usize..20, 65usize..130],
            depth in prop_oneof![1usize..20, 65usize..90, 380usize..800],
            columns in prop_oneof![1usize..40, 65usize..420],
            skipped in 0usize..3, threads in 1usize..4, add: bool, a_transposed: bool, b_transposed: bool,
        ) {
            let (a, b) = (numbers(rows * (depth + skipped), 11), numbers(depth * columns, 16));
            let a = if a_transposed { Matrix::new(&a, rows).transposed() } else { Matrix::new(&a, depth + skipped) };
            let a = a.columns(skipped..skipped + depth);
            let b = if b_transposed { Matrix::new(&b, depth).transposed() } else { Matrix::new(&b, columns) };
            let product = by_definition(a, b);
            prop_assert_eq!(&super::product(a, b), &product);
            let mut expected = vec![2.0; rows * columns * 2];
            for (expected, product) in expected.chunks_exact_mut(columns * 2).zip(product.chunks_exact(columns)) {
                for (expected, product) in expected.iter_mut().zip(product) {
                    *expected = if add { 2.0 } else { 0.0 } + 0.5 * product;
                }
            }
            for processor in processors() {
                let mut out = vec![2.0; rows * columns * 2];
                let mut blocks = MatrixMut::new(&mut out, columns * 2).into_column_blocks(columns);
                blocks.next().expect("there are two").multiply(processor, threads, add, 0.5, a, b);
                drop(blocks);
                prop_assert_eq!(&out, &expected, "{:?}", processor);
            }
        }
    }

    /// More rows or columns than are packed at a time.
    #[test]
    fn large_products_go_piece_by_piece() {
        for (rows, columns) in [(70, PACKED + 70), (PACKED + 70, 130)] {
            let (a, b) = (numbers(rows * 66, 3), numbers(66 * columns, 5));
            let (a, b) = (Matrix::new(&a, 66), Matrix::new(&b, columns));
            assert_eq!(product(a, b), by_definition(a, b), "{rows} rows, {columns} columns");
        }
    }

    /// The same bits at any number of threads, for rows that are packed before and for such as blocks pack.
    #[test]
    fn threads_do_not_show() {
        let fractions = |count: usize| -> Vec<f32> { numbers(count, 7).iter().map(|number| number / 7.0).collect() };
        for columns in [200, 500] {
            let (a, b) = (fractions(150 * 900), fractions(900 * columns));
            let product = |threads: usize| {
                let mut out = vec![0.0; 150 * columns];
                let (a, b) = (Matrix::new(&a, 900), Matrix::new(&b, columns));
                MatrixMut::new(&mut out, columns).multiply(Processor::Here, threads, false, 1.0, a, b);
                out
            };
            let alone = product(1);
            for threads in [2, 3, 7] {
                assert_eq!(product(threads), alone, "{threads} threads, {columns} columns");
            }
        }
    }
}
