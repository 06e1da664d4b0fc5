//! Norms of rows: layer norm, and the root mean square norm, which takes no mean away and adds no bias.
//!
//! Source: Ba et al. 2016; Zhang and Sennrich 2019.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::{
    ROWS,
    lanes::{sum, sum_of, vectorised},
    linear::add_rows,
    written::written,
};

/// What is saved of a row: its mean (0 for the root mean square) and one over its deviation.
pub type Moment = [f32; 2];

/// `(x - mean) / deviation * gain + bias`; without a bias, `x / root mean square * gain`.
///
/// # Shapes
/// - `x`: `[rows, width]`; `gain`, `bias`: `[width]`
/// - returns: the same as `x`, and `[rows]` moments
#[must_use]
pub fn forward(x: &[f32], gain: &[f32], bias: Option<&[f32]>, epsilon: f32) -> (Vec<f32>, Vec<Moment>) {
    let width = gain.len();
    let mut moments = vec![[0.0; 2]; x.len() / width];
    let y = written(x.len(), |y| {
        let chunks = y.par_chunks_mut(ROWS * width).zip(x.par_chunks(ROWS * width)).zip(moments.par_chunks_mut(ROWS));
        chunks.for_each(|((y, x), moments)| rows_forward(x, gain, bias, epsilon, y, moments));
    });
    (y, moments)
}

vectorised! {
    fn rows_forward(
        x: &[f32], gain: &[f32], bias: Option<&[f32]>, epsilon: f32, y: &mut [MaybeUninit<f32>],
        moments: &mut [Moment],
    ) -> () {
        let width = gain.len();
        for ((y, x), moment) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(moments) {
            *moment = row_forward(x, gain, bias, epsilon, y);
        }
    }
}

#[inline(always)]
fn row_forward(x: &[f32], gain: &[f32], bias: Option<&[f32]>, epsilon: f32, y: &mut [MaybeUninit<f32>]) -> Moment {
    let width = x.len() as f32;
    let mean = if bias.is_some() { sum(x, |x| x) / width } else { 0.0 };
    let variance = sum(x, |x| (x - mean) * (x - mean)) / width;
    let scale = 1.0 / (variance + epsilon).sqrt();
    match bias {
        Some(bias) => {
            for (((y, x), gain), bias) in y.iter_mut().zip(x).zip(gain).zip(bias) {
                y.write(((x - mean) * scale).mul_add(*gain, *bias));
            }
        }
        None => {
            for ((y, x), gain) in y.iter_mut().zip(x).zip(gain) {
                y.write(x * scale * gain);
            }
        }
    }
    [mean, scale]
}

/// The gradients of `x`, `gain` and, where the norm has one, `bias`.
#[must_use]
pub fn backward(
    dy: &[f32],
    x: &[f32],
    gain: &[f32],
    moments: &[Moment],
    has_bias: bool,
) -> (Vec<f32>, Vec<f32>, Option<Vec<f32>>) {
    let width = gain.len();
    let mut dx = vec![0.0; x.len()];
    let sums: Vec<(Vec<f32>, Vec<f32>)> = dx
        .par_chunks_mut(ROWS * width)
        .zip(dy.par_chunks(ROWS * width))
        .zip(x.par_chunks(ROWS * width))
        .zip(moments.par_chunks(ROWS))
        .map(|(((dx, dy), x), moments)| {
            let (mut dgain, mut dbias) = (vec![0.0; width], vec![0.0; width]);
            rows_backward(dy, x, gain, moments, has_bias, dx, &mut dgain, &mut dbias);
            (dgain, dbias)
        })
        .collect();
    let (mut dgain, mut dbias) = (vec![0.0; width], vec![0.0; width]);
    for (of_gain, of_bias) in &sums {
        add_rows(&mut dgain, of_gain);
        add_rows(&mut dbias, of_bias);
    }
    (dx, dgain, has_bias.then_some(dbias))
}

vectorised! {
    #[expect(clippy::too_many_arguments, reason = "two passes over the same rows at once")]
    fn rows_backward(
        dy: &[f32], x: &[f32], gain: &[f32], moments: &[Moment], has_bias: bool, dx: &mut [f32], dgain: &mut [f32],
        dbias: &mut [f32],
    ) -> () {
        let width = gain.len();
        let rows = dx.chunks_exact_mut(width).zip(dy.chunks_exact(width)).zip(x.chunks_exact(width));
        for (((dx, dy), x), moment) in rows.zip(moments) {
            row_backward(dy, x, gain, *moment, has_bias, dx, (&mut *dgain, &mut *dbias));
        }
    }
}

/// With n = (x - mean) scale and g = dy gain: dx = scale (g - mean(g) - n mean(g n)); the root mean square has no mean(g).
#[inline(always)]
fn row_backward(
    dy: &[f32],
    x: &[f32],
    gain: &[f32],
    [mean, scale]: Moment,
    has_bias: bool,
    dx: &mut [f32],
    (dgain, dbias): (&mut [f32], &mut [f32]),
) {
    let width = x.len() as f32;
    for (((((dx, dy), x), gain), dgain), dbias) in dx.iter_mut().zip(dy).zip(x).zip(gain).zip(dgain).zip(dbias) {
        let normed = (x - mean) * scale;
        *dgain = dy.mul_add(normed, *dgain);
        *dbias += dy;
        *dx = dy * gain;
    }
    let mean_g = if has_bias { sum(dx, |g| g) / width } else { 0.0 };
    let mean_gn = sum_of(dx, x, |g, x| g * (x - mean)) * scale / width;
    for (dx, x) in dx.iter_mut().zip(x) {
        let normed = (x - mean) * scale;
        *dx = scale * (*dx - mean_g - normed * mean_gn);
    }
}
