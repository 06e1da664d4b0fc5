//! Dot products of some vectors with many: exact search.
//!
//! Each is a sum in an order of its own, whatever stands beside it and however many threads there are; on processors of one kind the same.
//!
//! Cost: for one query the time in which memory is read; for more, each part of the vectors is read from a cache.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::ROWS;

/// Vectors that a thread takes at a time, for one query.
const PIECE: usize = 4096;

/// Queries that a thread takes at a time.
const GROUP: usize = 8;

/// Sums side by side: as many as a processor takes to add one.
const REGISTERS: usize = 4;

/// The dot products of queries and vectors.
///
/// # Shapes
/// - `vectors`: `[rows, width]`; `queries`: `[queries, width]`
/// - `scores`: `[queries, rows]`, which are written
pub fn dots(vectors: &[f32], width: usize, queries: &[f32], scores: &mut [f32]) {
    let rows = vectors.len() / width;
    assert_eq!(scores.len(), queries.len() / width * rows, "each query has a score for each vector");
    if rows == 0 {
        return;
    }
    if queries.len() == width {
        let pieces = scores.par_chunks_mut(PIECE).zip(vectors.par_chunks(PIECE * width));
        pieces.for_each(|(scores, vectors)| some_dots(vectors, width, queries, scores));
    } else {
        let groups = scores.par_chunks_mut(GROUP * rows).zip(queries.par_chunks(GROUP * width));
        groups.for_each(|(scores, queries)| some_dots(vectors, width, queries, scores));
    }
}

/// The dot products of a query and some of the vectors, on this thread: the same bits as those of [`dots`].
///
/// # Shapes
/// - `vectors`: `[rows, width]`; `query`: `[width]`
/// - `some`: which of the rows; `scores`: of each of these, which are written
pub fn dots_of(vectors: &[f32], query: &[f32], some: &[u32], scores: &mut [f32]) {
    Arch::new().dispatch(DotsOf { vectors, query, some, scores });
}

/// The dot products of a query and some vectors.
struct DotsOf<'a> {
    vectors: &'a [f32],
    query: &'a [f32],
    some: &'a [u32],
    scores: &'a mut [f32],
}

impl WithSimd for DotsOf<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { vectors, query, some, scores } = self;
        let width = query.len();
        for (row, score) in some.iter().zip(scores) {
            *score = dot(simd, &vectors[*row as usize * width..][..width], query);
        }
    }
}

/// The dot products of a few queries, on one thread.
struct SomeDots<'a> {
    vectors: &'a [f32],
    width: usize,
    queries: &'a [f32],
    scores: &'a mut [f32],
}

impl WithSimd for SomeDots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { vectors, width, queries, scores } = self;
        let rows = vectors.len() / width;
        for (block, vectors) in vectors.chunks(ROWS * width).enumerate() {
            for (query, scores) in queries.chunks_exact(width).zip(scores.chunks_exact_mut(rows)) {
                for (vector, score) in vectors.chunks_exact(width).zip(&mut scores[block * ROWS..]) {
                    *score = dot(simd, vector, query);
                }
            }
        }
    }
}

/// The sum of the products of two rows: in registers side by side, and what is left of the rows in one of them.
///
/// It is written out: a compiler that is given an array of sums, which are added up at the end, takes them one by one.
#[inline(always)]
fn dot<S: Simd>(simd: S, x: &[f32], y: &[f32]) -> f32 {
    let ((x, x_rest), (y, y_rest)) = (S::as_simd_f32s(x), S::as_simd_f32s(y));
    let mut sums = [simd.splat_f32s(0.0); REGISTERS];
    let ((x, x_last), (y, y_last)) = (x.as_chunks::<REGISTERS>(), y.as_chunks::<REGISTERS>());
    for (x, y) in x.iter().zip(y) {
        for register in 0..REGISTERS {
            sums[register] = simd.mul_add_f32s(x[register], y[register], sums[register]);
        }
    }
    for (x, y) in x_last.iter().zip(y_last) {
        sums[0] = simd.mul_add_f32s(*x, *y, sums[0]);
    }
    if !x_rest.is_empty() {
        sums[1] = simd.mul_add_f32s(simd.partial_load_f32s(x_rest), simd.partial_load_f32s(y_rest), sums[1]);
    }
    let [one, two, three, four] = sums;
    simd.reduce_sum_f32s(simd.add_f32s(simd.add_f32s(one, two), simd.add_f32s(three, four)))
}

fn some_dots(vectors: &[f32], width: usize, queries: &[f32], scores: &mut [f32]) {
    Arch::new().dispatch(SomeDots { vectors, width, queries, scores });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each is the sum of its products, and the same bits whatever goes beside it.
        #[test]
        fn dots_are_sums_of_products(rows in 0usize..100, width in 1usize..70, queries in 1usize..20, seed in 0u32..1000) {
            let numbers = |count: usize, from: u32| -> Vec<f32> {
                (0..count).zip(from..).map(|(_, number)| (number.wrapping_mul(2_654_435_761) >> 20) as f32 / 2048.0 - 1.0).collect()
            };
            let (vectors, asked) = (numbers(rows * width, seed), numbers(queries * width, seed + 77));
            let mut scores = vec![f32::NAN; queries * rows];
            dots(&vectors, width, &asked, &mut scores);
            for (query, scores) in asked.chunks(width).zip(scores.chunks(rows.max(1))) {
                let mut alone = vec![f32::NAN; rows];
                dots(&vectors, width, query, &mut alone);
                prop_assert_eq!(&alone[..], scores);
                let few: Vec<u32> = (0..u32::try_from(rows).unwrap()).rev().step_by(3).collect();
                let mut some = vec![f32::NAN; few.len()];
                dots_of(&vectors, query, &few, &mut some);
                prop_assert!(few.iter().zip(&some).all(|(row, score)| scores[*row as usize].to_bits() == score.to_bits()));
                for (vector, score) in vectors.chunks(width).zip(scores) {
                    let expected: f64 = vector.iter().zip(query).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
                    prop_assert!((f64::from(*score) - expected).abs() < 1e-4, "{} is not {}", score, expected);
                }
            }
        }
    }
}
