//! Dot products of some vectors with many: exact search.
//!
//! Each is a sum in an order of its own, whatever stands beside it and however many threads there are.
//!
//! Cost: for one query the time in which memory is read; for more, each part of the vectors is read from a cache.

use rayon::prelude::*;

use super::{
    ROWS,
    lanes::{sum_of, vectorised},
};

/// Vectors that a thread takes at a time, for one query.
const PIECE: usize = 4096;

/// Queries that a thread takes at a time.
const GROUP: usize = 8;

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

vectorised! {
    fn some_dots(vectors: &[f32], width: usize, queries: &[f32], scores: &mut [f32]) -> () {
        let rows = vectors.len() / width;
        for (block, vectors) in vectors.chunks(ROWS * width).enumerate() {
            for (query, scores) in queries.chunks_exact(width).zip(scores.chunks_exact_mut(rows)) {
                for (vector, score) in vectors.chunks_exact(width).zip(&mut scores[block * ROWS..]) {
                    *score = sum_of(vector, query, |x, y| x * y);
                }
            }
        }
    }
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
                for (vector, score) in vectors.chunks(width).zip(scores) {
                    let expected: f64 = vector.iter().zip(query).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
                    prop_assert!((f64::from(*score) - expected).abs() < 1e-4, "{} is not {}", score, expected);
                }
            }
        }
    }
}
