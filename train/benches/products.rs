//! How fast products of matrices are, ours beside those of the framework.
//!
//! ```text
//! cargo bench --workspace --profile dev --bench products
//! ```
//!
//! Prints, for the affine maps of three models and a wide one, GFLOP/s of `x W`, and of it with both gradients, as median of turns that alternate.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::{error::Error, hint::black_box, time::Instant};

use burn::tensor::{Distribution, Tensor};
use train::{
    device::DeviceName,
    tensor::{Operations, linear, with},
};

/// Rows, inputs and outputs: 4 layers of 128 at 12 x 64 tokens, 6 of 384 at 8 x 256, 12 of 768 at 4 x 128, and one as wide as a
/// vocabulary.
const SHAPES: [(usize, usize, usize); 13] = [
    (768, 128, 384),
    (768, 128, 128),
    (768, 128, 512),
    (768, 512, 128),
    (2048, 384, 1152),
    (2048, 384, 384),
    (2048, 384, 1536),
    (2048, 1536, 384),
    (512, 768, 2304),
    (512, 768, 768),
    (512, 768, 3072),
    (512, 3072, 768),
    (2048, 384, 8192),
];
const TURNS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let device = "cpu".parse::<DeviceName>()?.open()?.autodiff();
    println!("{:<18} {:>8} {:>8} {:>8} {:>8}", "", "x W", "burn's", "with", "burn's");
    for (rows, inputs, outputs) in SHAPES {
        let random = |shape: [usize; 2]| Tensor::<2>::random(shape, Distribution::Default, &device).require_grad();
        let (x, weight) = (random([rows, inputs]), random([inputs, outputs]));
        let forward = || drop(black_box(linear(x.clone().detach(), weight.clone().detach(), None)));
        let both = || drop(black_box(linear(x.clone(), weight.clone(), None).sum().backward()));
        let work = 2e-9 * (rows * inputs * outputs) as f64;
        let [ours, theirs] = medians(&forward).map(|seconds| work / seconds);
        let [ours_both, theirs_both] = medians(&both).map(|seconds| 3.0 * work / seconds);
        let shape = format!("{rows} x {inputs} x {outputs}");
        println!("{shape:<18} {ours:>8.0} {theirs:>8.0} {ours_both:>8.0} {theirs_both:>8.0}");
    }
    Ok(())
}

/// Seconds of `work` with our operations and with those of the framework.
fn medians(work: &impl Fn()) -> [f64; 2] {
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (seconds, operations) in seconds.iter_mut().zip([Operations::Own, Operations::Framework]) {
            let start = Instant::now();
            with(operations, work);
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    seconds.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        seconds[TURNS / 2]
    })
}
