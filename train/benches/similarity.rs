//! How fast exact search reads vectors, beside how fast memory can be read at all.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench similarity
//! ```
//!
//! Prints, for a million vectors of some widths, GB/s of adding all their numbers up, of one query's scores, and queries a second where 64 are asked
//! together, as medians of turns that alternate.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{hint::black_box, time::Instant};

use kernels::similarity::dots;
use rayon::prelude::*;

const ROWS: usize = 1_000_000;
const WIDTHS: [usize; 3] = [64, 192, 576];
const TOGETHER: usize = 64;
const TURNS: usize = 7;

fn main() {
    println!("{:>6} {:>12} {:>12} {:>8} {:>12}", "width", "read, GB/s", "search, GB/s", "share", "64, q/s");
    for width in WIDTHS {
        let vectors: Vec<f32> = (0..ROWS * width).into_par_iter().map(number).collect();
        let queries: Vec<f32> = (0..TOGETHER * width).map(|place| number(place + 7)).collect();
        let mut scores = vec![0.0; ROWS * TOGETHER];
        let (mut read, mut search, mut together) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..TURNS {
            read.push(seconds(|| {
                black_box(sum(&vectors));
            }));
            search.push(seconds(|| dots(&vectors, width, &queries[..width], &mut scores[..ROWS])));
        }
        for _ in 0..TURNS / 2 {
            together.push(seconds(|| dots(&vectors, width, &queries, &mut scores)));
        }
        black_box(&scores);
        let bytes = (size_of::<f32>() * ROWS * width) as f64;
        let [read, search] = [read, search].map(|seconds| 1e-9 * bytes / median(seconds));
        let together = TOGETHER as f64 / median(together);
        println!("{width:>6} {read:>12.1} {search:>12.1} {:>8.2} {together:>12.1}", search / read);
    }
}

/// Some number between -1 and 1.
fn number(place: usize) -> f32 {
    let bits = (place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (bits >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

/// The sum of all numbers as bits: nothing but reading, on all threads.
fn sum(vectors: &[f32]) -> u64 {
    let of_piece = |piece: &[f32]| {
        let mut lanes = [0u32; 32];
        for numbers in piece.as_chunks::<32>().0 {
            lanes.iter_mut().zip(numbers).for_each(|(lane, number)| *lane ^= number.to_bits());
        }
        lanes.iter().map(|lane| u64::from(*lane)).sum::<u64>()
    };
    vectors.par_chunks(1 << 18).map(of_piece).sum()
}

fn seconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
