//! Matrices made nearly orthogonal.

use burn::tensor::Tensor;
use kernels::adamw::sum_of_squares;

use super::{
    autodiff::CpuTensor,
    choice::{Route, route},
    head, linear,
};

/// The coefficients of the polynomial: they raise small singular values as fast as can be, and leave all between 0.7 and 1.2.
const COEFFICIENTS: [f32; 3] = [3.4445, -4.7750, 2.0315];
/// How often it is applied.
const STEPS: usize = 5;
/// The least norm that is divided by.
const LEAST: f32 = 1e-7;

/// A matrix with the singular vectors of `x`, and singular values near 1: five steps of Newton's and Schulz's iteration
/// `a X + (b X Xᵀ + c (X Xᵀ)²) X`.
///
/// # Shapes
/// - `x`: `[rows, columns]`, without gradients; so is what is returned
///
/// Source: Jordan et al. 2024 (Muon).
#[must_use]
pub fn orthogonalized(x: Tensor<2>) -> Tensor<2> {
    let [rows, columns] = x.dims();
    if rows > columns {
        return orthogonalized(x.transpose()).transpose();
    }
    let [a, b, c] = COEFFICIENTS;
    let mut x = of_norm_one(x); // [r, c]
    for _ in 0..STEPS {
        let gram = head(x.clone(), x.clone()); // [r, r]
        let polynomial = gram.clone() * b + linear(gram.clone(), gram, None) * c; // [r, r]
        x = x.clone() * a + linear(polynomial, x, None);
    }
    x
}

/// The same divided by its norm, so that no singular value is above 1.
fn of_norm_one(x: Tensor<2>) -> Tensor<2> {
    if let Route::Cpu = route(&x) {
        let x = CpuTensor::of(x);
        #[expect(clippy::cast_possible_truncation, reason = "a norm in single precision")]
        let norm = sum_of_squares(x.values()).sqrt() as f32;
        return x.into_tensor::<2>() / norm.max(LEAST);
    }
    let norm = x.clone().square().sum().sqrt().clamp_min(LEAST);
    x / norm.reshape([1, 1])
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::random::Stream;

    /// Rows of the smaller side are nearly of length 1 and nearly at right angles, whichever side that is.
    #[test]
    fn singular_values_are_near_one() {
        for shape in [[12, 40], [40, 12], [1, 9]] {
            let stream = Stream::new(1, "a matrix");
            #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
            let values: Vec<f32> =
                (0..shape[0] * shape[1]).map(|place| 1e-3 * stream.normal(place as u64) as f32).collect();
            let x = orthogonalized(Tensor::from_data(TensorData::new(values, shape), &Device::flex()));
            assert_eq!(x.dims(), shape);
            let x = if shape[0] > shape[1] { x.transpose() } else { x };
            let side = x.dims()[0];
            let gram: Vec<f32> = x.clone().matmul(x.transpose()).into_data().try_to_vec().expect("single precision");
            for (place, value) in gram.into_iter().enumerate() {
                let expected = if place % (side + 1) == 0 { 1.0 } else { 0.0 };
                assert!((value - expected).abs() < 0.6, "{shape:?}: {value} at {place}");
            }
        }
    }
}
