//! A tile of a product: rows times columns that fit into the registers of a processor.
//!
//! A tile's sums stay in registers over all of a depth; every step takes one column of a panel of rows, and one row of a panel of
//! columns. Registers decide its size: 12 x 2 vectors where there are 32 of them, 6 x 2 where there are 16.
#![expect(
    unsafe_code,
    reason = "sums stay in registers only if nothing but stores to places known to be good follows them"
)]

use pulp::{Simd, WithSimd};

use super::{super::matrix::MatrixMut, prefetch::prefetch};

/// Vectors that a tile is wide.
const VECTORS: usize = 2;

/// Steps ahead at which a panel of columns is asked for: it streams from the second cache, whose answer takes so long.
const AHEAD: usize = 8;

/// What tiles are made for.
#[derive(Debug, Clone, Copy)]
pub enum Processor {
    /// The processor at hand, with all that it can do.
    Here,
    /// One with AVX2.
    #[cfg(all(test, target_arch = "x86_64"))]
    Avx2(pulp::x86::V3),
    /// Any.
    #[cfg(test)]
    Plain,
}

impl Processor {
    /// Runs what is made for it.
    pub fn run<W: WithSimd>(self, work: W) -> W::Output {
        match self {
            Self::Here => pulp::Arch::new().dispatch(work),
            #[cfg(all(test, target_arch = "x86_64"))]
            Self::Avx2(simd) => Simd::vectorize(simd, work),
            #[cfg(test)]
            Self::Plain => pulp::Scalar.vectorize(work),
        }
    }
}

/// Rows and columns of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub rows: usize,
    pub columns: usize,
}

impl Size {
    /// The largest one of any processor.
    const LARGEST: Self = Self { rows: 12, columns: VECTORS * 16 };

    /// That of a processor.
    pub fn of(processor: Processor) -> Self {
        struct Ask;
        impl WithSimd for Ask {
            type Output = Size;

            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> Size {
                Size { rows: if many_registers::<S>() { 12 } else { 6 }, columns: VECTORS * S::F32_LANES }
            }
        }
        processor.run(Ask)
    }
}

const fn many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

/// Products of packed panels, put where they belong: what [`Processor::run`] takes.
pub struct Work<'a, 'b> {
    /// Panels of rows: for each, the rows of a tile, step by step.
    pub a: &'a [f32],
    /// Panels of columns: for each, the columns of a tile, step by step.
    pub b: &'a [f32],
    /// What both sum over.
    pub depth: usize,
    /// Whether the product is added to what is there.
    pub add: bool,
    /// What the product is multiplied by.
    pub factor: f32,
    /// Where it goes; the last tiles of a row or column may stand over.
    pub out: MatrixMut<'b>,
}

impl WithSimd for Work<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if many_registers::<S>() { self.tiles::<S, 12, 8, 4>(simd) } else { self.tiles::<S, 6, 4, 2>(simd) }
    }
}

impl Work<'_, '_> {
    /// Tiles of `FULL` rows; the last ones may have `HIGH` or `LOW`.
    #[inline(always)]
    fn tiles<S: Simd, const FULL: usize, const HIGH: usize, const LOW: usize>(self, simd: S) {
        let Self { a, b, depth, add, factor, mut out } = self;
        let (rows, columns) = out.size();
        let full = VECTORS * S::F32_LANES;
        let mut over = [0.0; Size::LARGEST.rows * Size::LARGEST.columns];
        for (a, row) in a.chunks_exact(depth * FULL).zip((0..rows).step_by(FULL)) {
            let a = a.as_chunks::<FULL>().0;
            let high = FULL.min(rows - row);
            for (b, column) in b.chunks_exact(depth * full).zip((0..columns).step_by(full)) {
                let b = S::as_simd_f32s(b).0.as_chunks::<VECTORS>().0;
                let wide = full.min(columns - column);
                let mut block = out.block(row..row + high, column..column + wide);
                let fits = high == FULL && wide == full;
                let place = if fits {
                    Place { first: block.as_mut_ptr(), apart: block.row_stride() * size_of::<f32>(), add, factor }
                } else {
                    Place { first: over.as_mut_ptr(), apart: full * size_of::<f32>(), add: false, factor }
                };
                // SAFETY: the block has room for a tile, or `over` has.
                unsafe {
                    match (high, wide > S::F32_LANES) {
                        (high, true) if high > HIGH => tile::<S, FULL, FULL, 2>(simd, a, b, place),
                        (high, true) if high > LOW => tile::<S, FULL, HIGH, 2>(simd, a, b, place),
                        (_, true) => tile::<S, FULL, LOW, 2>(simd, a, b, place),
                        (high, false) if high > HIGH => tile::<S, FULL, FULL, 1>(simd, a, b, place),
                        (high, false) if high > LOW => tile::<S, FULL, HIGH, 1>(simd, a, b, place),
                        (_, false) => tile::<S, FULL, LOW, 1>(simd, a, b, place),
                    }
                }
                if !fits {
                    put(&over, full, add, &mut block);
                }
            }
        }
    }
}

/// Puts what there is room for of a tile that stands over.
fn put(tile: &[f32], wide: usize, add: bool, block: &mut MatrixMut<'_>) {
    let ((rows, columns), apart) = (block.size(), block.row_stride());
    for (row, numbers) in (0..rows).zip(tile.chunks_exact(wide)) {
        for (column, number) in numbers[..columns].iter().enumerate() {
            // SAFETY: the place lies within the block. What is there is read only if it is to be added to.
            unsafe {
                let to = block.as_mut_ptr().add(row * apart + column);
                to.write(if add { to.read() + number } else { *number });
            }
        }
    }
}

/// Where a tile goes, and how.
#[derive(Clone, Copy)]
struct Place {
    first: *mut f32,
    /// Bytes from a row to the next.
    apart: usize,
    add: bool,
    factor: f32,
}

/// Writes a block out for each row and vector of a tile, so that sums have constant places, which are registers. Whether a loop is
/// unrolled early enough for that is a compiler's mood.
macro_rules! each_sum {
    ($row:ident, $vector:ident, $body:block) => {
        each_sum!(@rows $row, $vector, $body, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    (@rows $row:ident, $vector:ident, $body:block, $($number:literal)*) => {
        $({
            let $row: usize = $number;
            if $row < ROWS {
                let $vector: usize = 0;
                $body
                let $vector: usize = 1;
                if $vector < ACROSS $body
            }
        })*
    };
}

/// `ROWS` rows of a panel of `PANEL` times the first `ACROSS` vectors of a panel of columns.
///
/// # Safety
/// `place` has room for so many rows and vectors, which nobody else reaches, and numbers there if it is to be added to.
#[inline(always)]
unsafe fn tile<S: Simd, const PANEL: usize, const ROWS: usize, const ACROSS: usize>(
    simd: S,
    a: &[[f32; PANEL]],
    b: &[[S::f32s; VECTORS]],
    place: Place,
) {
    let to = |row: usize, vector: usize| {
        place.first.wrapping_byte_add(row.wrapping_mul(place.apart)).cast::<S::f32s>().wrapping_add(vector)
    };
    each_sum!(row, vector, { prefetch(to(row, vector).cast()) });
    let mut sums = [[simd.splat_f32s(0.0); ACROSS]; ROWS];
    for (a, b) in a.iter().zip(b) {
        let later = std::ptr::from_ref(b).wrapping_add(AHEAD).cast::<S::f32s>();
        for vector in 0..ACROSS {
            prefetch(later.wrapping_add(vector).cast());
        }
        each_sum!(row, vector, {
            sums[row][vector] = simd.mul_add_f32s(simd.splat_f32s(a[row]), b[vector], sums[row][vector]);
        });
    }
    let factor = simd.splat_f32s(place.factor);
    // SAFETY: there is room, as the caller says.
    unsafe {
        if place.add {
            each_sum!(row, vector, {
                let to = to(row, vector);
                to.write_unaligned(simd.add_f32s(to.read_unaligned(), simd.mul_f32s(sums[row][vector], factor)));
            });
        } else {
            each_sum!(row, vector, { to(row, vector).write_unaligned(simd.mul_f32s(sums[row][vector], factor)) });
        }
    }
}
