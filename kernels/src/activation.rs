//! What stands between the two maps of a block: GELU and `ReLU`, and `SiLU` or GELU times a second map (`SwiGLU`, GEGLU).

use std::{f32::consts::PI, mem::MaybeUninit};

use rayon::prelude::*;

use super::{
    lanes::{exp, vectorised},
    written::written,
};

/// What stands between the two feed-forward layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// GELU, by its approximation with a hyperbolic tangent (Hendrycks and Gimpel 2016).
    Gelu,
    /// The larger of a number and 0.
    Relu,
    /// A linear layer gated by the SiLU of another (Shazeer 2020).
    SwiGlu,
    /// A linear layer gated by the GELU of another, in the same approximation (Shazeer 2020).
    GeGlu,
}

impl Activation {
    /// Whether the first layer makes a gate beside what is gated.
    #[must_use]
    pub fn is_gated(self) -> bool {
        matches!(self, Self::SwiGlu | Self::GeGlu)
    }

    /// The columns of the first feed-forward layer.
    #[must_use]
    pub fn columns(self, intermediate_size: usize) -> usize {
        if self.is_gated() { 2 * intermediate_size } else { intermediate_size }
    }

    /// The usual intermediate size: 4 times the hidden size; with a gate 8/3 of it, for as many parameters, up to the next multiple of 32.
    ///
    /// Source: Vaswani et al. 2017; Shazeer 2020, section 3; Touvron et al. 2023, section 2.2.
    #[must_use]
    pub fn usual_intermediate_size(self, hidden_size: usize) -> usize {
        if self.is_gated() { (8 * hidden_size).div_ceil(3).next_multiple_of(32) } else { 4 * hidden_size }
    }
}

/// Numbers that a thread takes at a time.
const CHUNK: usize = 8192;

/// The sigmoid of twice GELU's inner polynomial, sqrt(2 / pi) (x + 0.044715 x³), and that polynomial's slope.
///
/// 0.5 (1 + tanh u) is the sigmoid of 2u, for one exponential instead of a hyperbolic tangent.
#[inline(always)]
fn gate(x: f32) -> (f32, f32) {
    let twice_root = 2.0 * (2.0 / PI).sqrt();
    let square = x * x;
    let twice_u = twice_root * x * 0.044_715f32.mul_add(square, 1.0);
    let slope = twice_root * (3.0 * 0.044_715f32).mul_add(square, 1.0);
    (sigmoid(twice_u), slope)
}

#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// GELU of a number.
#[inline(always)]
pub(crate) fn gelu_of(x: f32) -> f32 {
    x * gate(x).0
}

/// The Gaussian error linear unit in GPT-2's approximation, number by number.
///
/// Source: Hendrycks and Gimpel 2016, section 2.
#[must_use]
pub fn gelu(x: &[f32]) -> Vec<f32> {
    written(x.len(), |y| {
        y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| gelu_forward(x, y));
    })
}

vectorised! {
    fn gelu_forward(x: &[f32], y: &mut [MaybeUninit<f32>]) -> () {
        for (y, x) in y.iter_mut().zip(x) {
            y.write(gelu_of(*x));
        }
    }
}

/// The gradient of [`gelu`]'s `x`, in place of `dy`.
pub fn gelu_backward(x: &[f32], dy: &mut [f32]) {
    dy.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(dy, x)| gelu_turn_back(x, dy));
}

vectorised! {
    fn gelu_turn_back(x: &[f32], dy: &mut [f32]) -> () {
        for (dy, x) in dy.iter_mut().zip(x) {
            let (open, slope) = gate(*x);
            *dy *= open * (x * slope).mul_add(1.0 - open, 1.0);
        }
    }
}

/// The larger of each number and 0, in its place.
pub fn relu(x: &mut [f32]) {
    x.par_chunks_mut(CHUNK).for_each(relu_forward);
}

vectorised! {
    fn relu_forward(x: &mut [f32]) -> () {
        for x in x {
            // no number stays none
            *x = if *x < 0.0 { 0.0 } else { *x };
        }
    }
}

/// The gradient of [`relu`]'s `x`, from what came out, in place of `dy`.
pub fn relu_backward(y: &[f32], dy: &mut [f32]) {
    dy.par_chunks_mut(CHUNK).zip(y.par_chunks(CHUNK)).for_each(|(dy, y)| relu_turn_back(y, dy));
}

vectorised! {
    fn relu_turn_back(y: &[f32], dy: &mut [f32]) -> () {
        for (dy, y) in dy.iter_mut().zip(y) {
            *dy = if *y == 0.0 { 0.0 } else { *dy };
        }
    }
}

/// `gelu(gate) up`, where each row has its gates and then its ups.
///
/// # Shapes
/// - `x`: `[rows, 2 width]`
/// - returns: `[rows, width]`
///
/// Source: Shazeer 2020.
#[must_use]
pub fn geglu(x: &[f32], width: usize) -> Vec<f32> {
    written(x.len() / 2, |y| {
        y.par_chunks_mut(width).zip(x.par_chunks(2 * width)).for_each(|(y, x)| geglu_forward(x, y));
    })
}

vectorised! {
    fn geglu_forward(x: &[f32], y: &mut [MaybeUninit<f32>]) -> () {
        let (gates, ups) = x.split_at(y.len());
        for ((y, x), up) in y.iter_mut().zip(gates).zip(ups) {
            y.write(x * gate(*x).0 * up);
        }
    }
}

/// The gradient of [`geglu`]'s `x`.
#[must_use]
pub fn geglu_backward(x: &[f32], dy: &[f32], width: usize) -> Vec<f32> {
    let mut dx = vec![0.0; x.len()];
    let rows = dx.par_chunks_mut(2 * width).zip(x.par_chunks(2 * width)).zip(dy.par_chunks(width));
    rows.for_each(|((dx, x), dy)| geglu_turn_back(x, dy, dx));
    dx
}

vectorised! {
    fn geglu_turn_back(x: &[f32], dy: &[f32], dx: &mut [f32]) -> () {
        let ((gates, ups), (dgates, dups)) = (x.split_at(dy.len()), dx.split_at_mut(dy.len()));
        for ((((dgate, dup), x), up), dy) in dgates.iter_mut().zip(dups).zip(gates).zip(ups).zip(dy) {
            let (open, slope) = gate(*x);
            *dup = dy * x * open;
            *dgate = dy * up * open * (x * slope).mul_add(1.0 - open, 1.0);
        }
    }
}

/// `gate sigmoid(gate) up`, where each row has its gates and then its ups.
///
/// # Shapes
/// - `x`: `[rows, 2 width]`
/// - returns: `[rows, width]`
///
/// Source: Shazeer 2020.
#[must_use]
pub fn swiglu(x: &[f32], width: usize) -> Vec<f32> {
    written(x.len() / 2, |y| {
        y.par_chunks_mut(width).zip(x.par_chunks(2 * width)).for_each(|(y, x)| swiglu_forward(x, y));
    })
}

vectorised! {
    fn swiglu_forward(x: &[f32], y: &mut [MaybeUninit<f32>]) -> () {
        let (gates, ups) = x.split_at(y.len());
        for ((y, gate), up) in y.iter_mut().zip(gates).zip(ups) {
            y.write(gate * sigmoid(*gate) * up);
        }
    }
}

/// The gradient of [`swiglu`]'s `x`.
#[must_use]
pub fn swiglu_backward(x: &[f32], dy: &[f32], width: usize) -> Vec<f32> {
    let mut dx = vec![0.0; x.len()];
    let rows = dx.par_chunks_mut(2 * width).zip(x.par_chunks(2 * width)).zip(dy.par_chunks(width));
    rows.for_each(|((dx, x), dy)| swiglu_turn_back(x, dy, dx));
    dx
}

vectorised! {
    fn swiglu_turn_back(x: &[f32], dy: &[f32], dx: &mut [f32]) -> () {
        let ((gates, ups), (dgates, dups)) = (x.split_at(dy.len()), dx.split_at_mut(dy.len()));
        for ((((dgate, dup), gate), up), dy) in dgates.iter_mut().zip(dups).zip(gates).zip(ups).zip(dy) {
            let open = sigmoid(*gate);
            *dup = dy * gate * open;
            *dgate = dy * up * open * gate.mul_add(1.0 - open, 1.0);
        }
    }
}
