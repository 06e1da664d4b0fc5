//! A model and a batch in, a loss out. Nothing here steps.

use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Mean cross-entropy of the next token, over all positions.
///
/// # Shapes
/// - `logits`: `[batch, time, vocabulary]`, before softmax
/// - `targets`: `[batch, time]`, token ids
///
/// Returns `[1]`, in nats a token.
#[must_use]
pub fn next_token_loss(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    let [batch, time, vocabulary] = logits.dims();
    let log_probs = log_softmax(logits.reshape([batch * time, vocabulary]), 1); // [b*t, v]
    let of_targets = log_probs.gather(1, targets.reshape([batch * time, 1])); // [b*t, 1]
    of_targets.mean().neg()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_loss_is_that_of_the_definition() {
        let device = Device::flex();
        let logits = Tensor::<1>::from_floats([1.0, 2.0, 0.5, -1.0, 0.0, 3.0], &device).reshape([1, 2, 3]);
        let targets = Tensor::<1, Int>::from_data([1, 0], &device).reshape([1, 2]);
        let of = |row: [f64; 3], target: usize| row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[target];
        let expected = f64::midpoint(of([1.0, 2.0, 0.5], 1), of([-1.0, 0.0, 3.0], 0));
        let loss = f64::from(next_token_loss(logits, targets).into_scalar::<f32>());
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
    }
}
