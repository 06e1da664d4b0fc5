//! The head and the cross-entropy together: logits exist for some rows at a time, and never for a whole batch.
//!
//! A row's gradient is known as soon as its logits are, so that the forward pass of a training makes the gradients, too, and
//! the backward pass only scales them.
//!
//! Source: Hsu et al. 2024 (Liger), section 3, for the order of work.

use rayon::prelude::*;

use super::{
    lanes::{exp, largest, long_sum, vectorised},
    likelihood::largest_and_sum,
    matrix::{Matrix, MatrixMut},
    product::product,
};

/// Logits that are held at a time: 64 MiB.
const LOGITS: usize = 1 << 24;

/// What goes in.
#[derive(Debug, Clone, Copy)]
pub struct HeadInputs<'a> {
    /// `[rows, hidden_size]`.
    pub x: &'a [f32],
    /// `[vocab_size, hidden_size]`.
    pub weight: &'a [f32],
    /// `[rows]`: the token that should come.
    pub targets: &'a [i32],
    /// `[rows]`: how much a row's loss counts.
    pub weights: &'a [f32],
    /// Numbers in a row.
    pub width: usize,
}

/// The gradients of `x` and `weight`.
#[derive(Debug)]
pub struct Gradients {
    /// `[rows, hidden_size]`.
    pub x: Vec<f32>,
    /// `[vocab_size, hidden_size]`.
    pub weight: Vec<f32>,
}

/// The sum of weighted losses, in nats, and its gradients where they are asked for.
#[must_use]
pub fn forward(inputs: HeadInputs<'_>, with_gradients: bool) -> (f64, Option<Gradients>) {
    run(inputs, with_gradients, with_gradients)
}

/// The gradients of the sum of weighted losses; that of `weight` is empty where it is not asked for.
#[must_use]
pub fn gradients(inputs: HeadInputs<'_>, of_weight: bool) -> Gradients {
    run(inputs, true, of_weight).1.expect("they were asked for")
}

fn run(inputs: HeadInputs<'_>, with_gradients: bool, of_weight: bool) -> (f64, Option<Gradients>) {
    let HeadInputs { x, weight, targets, weights, width } = inputs;
    let vocabulary = weight.len() / width;
    let together = (LOGITS / vocabulary).clamp(1, targets.len().max(1));
    let mut gradients = with_gradients.then(|| Gradients { x: Vec::new(), weight: Vec::new() });
    let mut total = 0.0;
    let parts = x.chunks(together * width).zip(targets.chunks(together)).zip(weights.chunks(together));
    for (part, ((x, targets), weights)) in parts.enumerate() {
        let (x, table) = (Matrix::new(x, width), Matrix::new(weight, width));
        let mut logits = product(x, table.transposed());
        let losses: Vec<f64> = logits
            .par_chunks_mut(vocabulary)
            .zip(targets)
            .zip(weights)
            .map(|((logits, target), weight)| {
                let target = usize::try_from(*target).expect("ids count from 0");
                row(logits, target, *weight, with_gradients)
            })
            .collect();
        total += losses.iter().sum::<f64>();
        if let Some(gradients) = &mut gradients {
            let logits = Matrix::new(&logits, vocabulary);
            let of_x = product(logits, table);
            if part == 0 {
                gradients.x = of_x;
            } else {
                gradients.x.extend(of_x);
            }
            if of_weight && part == 0 {
                gradients.weight = product(logits.transposed(), x);
            } else if of_weight {
                MatrixMut::new(&mut gradients.weight, width).product(true, 1.0, logits.transposed(), x);
            }
        }
    }
    (total, gradients)
}

/// The loss of each row, in nats, whatever its weight; nothing is kept for gradients.
///
/// Those of a function of these losses are [`forward`]'s, with the function's own gradients as weights.
///
/// - returns: `[rows]`
#[must_use]
pub fn losses(x: &[f32], weight: &[f32], targets: &[i32], width: usize) -> Vec<f32> {
    let vocabulary = weight.len() / width;
    let together = (LOGITS / vocabulary).clamp(1, targets.len().max(1));
    let mut losses = Vec::with_capacity(targets.len());
    for (x, targets) in x.chunks(together * width).zip(targets.chunks(together)) {
        let logits = product(Matrix::new(x, width), Matrix::new(weight, width).transposed());
        let of_rows = logits.par_chunks(vocabulary).zip(targets).map(|(logits, target)| {
            let of_target = logits[usize::try_from(*target).expect("ids count from 0")];
            let (largest, sum) = largest_and_sum(logits);
            #[expect(clippy::cast_possible_truncation, reason = "a loss is single precision")]
            let loss = (sum.ln() + f64::from(largest) - f64::from(of_target)) as f32;
            loss
        });
        losses.par_extend(of_rows);
    }
    losses
}

/// The loss of a row; its logits become their own gradients where those are asked for.
fn row(logits: &mut [f32], target: usize, weight: f32, with_gradients: bool) -> f64 {
    if weight == 0.0 {
        if with_gradients {
            logits.fill(0.0);
        }
        return 0.0;
    }
    let of_target = logits[target];
    let (largest, sum) = if with_gradients { softmax(logits, weight) } else { largest_and_sum(logits) };
    if with_gradients {
        logits[target] -= weight;
    }
    f64::from(weight) * (sum.ln() + f64::from(largest) - f64::from(of_target))
}

vectorised! {
    /// The largest logit, and the sum of the powers of what the others lie below it; the logits become their softmax times `weight`.
    fn softmax(logits: &mut [f32], weight: f32) -> (f32, f64) {
        let largest = largest(logits);
        for x in &mut *logits {
            *x = exp(*x - largest);
        }
        let sum = long_sum(logits, |x| x);
        #[expect(clippy::cast_possible_truncation, reason = "gradients are single precision")]
        let scale = weight / sum as f32;
        for x in &mut *logits {
            *x *= scale;
        }
        (largest, sum)
    }
}
