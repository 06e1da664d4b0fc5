//! The head: logits, and the loss without them.

use burn::tensor::{DType, Int, Tensor, TensorData, activation::log_softmax};
use kernels::{head as kernel, linear};

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    precision::like,
};

/// `x weightᵀ`.
///
/// # Shapes
/// - `x`: `[rows, hidden_size]`; `weight`: `[vocab_size, hidden_size]`
/// - returns: `[rows, vocab_size]`
#[must_use]
pub fn head(x: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    if !matches!(route(&x), Route::Cpu) {
        return logits(x, weight);
    }
    record([x.into(), weight.into()], |[x, weight], keep| {
        let logits = linear::forward_table(x.values(), weight.values(), x.width());
        let logits = CpuTensor::new(logits, [x.shape()[0], weight.shape()[0]]);
        (logits, keep.then_some(Logits { x, weight }))
    })
}

#[derive(Debug, Clone)]
struct Logits {
    x: CpuTensor,
    weight: CpuTensor,
}

impl SavedForBackward<2> for Logits {
    fn gradients(self, dy: CpuTensor, wanted: [bool; 2]) -> [Option<CpuTensor>; 2] {
        let Self { x, weight } = self;
        let (width, vocabulary) = (x.width(), dy.width());
        let of_x = || linear::forward(dy.values(), weight.values(), None, width);
        let of_weight = || linear::backward_weight(dy.values(), x.values(), vocabulary, width);
        [
            wanted[0].then(|| CpuTensor::new(of_x(), x.shape())),
            wanted[1].then(|| CpuTensor::new(of_weight(), weight.shape())),
        ]
    }
}

/// The weighted sum of the cross-entropies of `x weightᵀ`, without a tensor of logits for all rows.
///
/// # Shapes
/// - `x`: `[rows, hidden_size]`; `weight`: `[vocab_size, hidden_size]`
/// - `targets`: `[rows]`, token ids; `weights`: `[rows]`, how much each counts
///
/// Returns `[1]`, in nats times weight.
#[must_use]
pub fn head_loss(x: Tensor<2>, weight: Tensor<2>, targets: &[i32], weights: &[f32]) -> Tensor<1> {
    match route(&x) {
        Route::Cpu => record([x.into(), weight.into()], |[x, weight], keep| {
            let width = x.width();
            let inputs = kernel::HeadInputs { x: x.values(), weight: weight.values(), targets, weights, width };
            let (loss, gradients) = kernel::forward(inputs, keep);
            let kept = gradients.map(|gradients| Loss {
                x: CpuTensor::new(gradients.x, x.shape()),
                weight: CpuTensor::new(gradients.weight, weight.shape()),
            });
            #[expect(clippy::cast_possible_truncation, reason = "a loss is single precision")]
            (CpuTensor::new(vec![loss as f32], [1]), kept)
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::head_loss(x, weight, targets, weights),
        Route::Framework => {
            let rows = targets.len();
            let targets = Tensor::<2, Int>::from_data(TensorData::new(targets.to_vec(), [rows, 1]), &x.device());
            let weights = Tensor::<2>::from_data(TensorData::new(weights.to_vec(), [rows, 1]), &x.device());
            let log_probabilities = log_softmax(logits(x, weight), 1); // [rows, vocabulary]
            (log_probabilities.gather(1, targets) * weights).sum().neg()
        }
    }
}

/// The cross-entropy of each row of `x weightᵀ`, for losses that are no weighted sum of these: on a processor without a tensor of logits for all
/// rows; elsewhere without one where no gradients are taken.
///
/// The backward pass computes the logits once more, by which it keeps nothing but what went in.
///
/// # Shapes
/// - `x`: `[rows, hidden_size]`; `weight`: `[vocab_size, hidden_size]`
/// - `targets`: `[rows]`, token ids
///
/// Returns `[rows]`, in nats.
#[must_use]
pub fn head_losses(x: Tensor<2>, weight: Tensor<2>, targets: &[i32]) -> Tensor<1> {
    if !matches!(route(&x), Route::Cpu) {
        return in_parts(&x, &weight, targets);
    }
    record([x.into(), weight.into()], |[x, weight], keep| {
        let losses = kernel::losses(x.values(), weight.values(), targets, x.width());
        let losses = CpuTensor::new(losses, [targets.len()]);
        (losses, keep.then(|| Losses { x, weight, targets: targets.to_vec() }))
    })
}

/// Logits that burn's operations hold at a time where nothing is kept for gradients: 256 MiB in single precision.
const LOGITS: usize = 1 << 26;

/// The same by burn's operations, some rows at a time.
fn in_parts(x: &Tensor<2>, weight: &Tensor<2>, targets: &[i32]) -> Tensor<1> {
    let ([_, hidden_size], [vocabulary, _]) = (x.dims(), weight.dims());
    let together = (LOGITS / vocabulary).max(1);
    let part = |(number, targets): (usize, &[i32])| {
        let (first, rows) = (number * together, targets.len());
        let x = x.clone().slice([first..first + rows, 0..hidden_size]);
        let targets = Tensor::<2, Int>::from_data(TensorData::new(targets.to_vec(), [rows, 1]), &x.device());
        log_softmax(logits(x, weight.clone()), 1).gather(1, targets).reshape([rows]).neg()
    };
    Tensor::cat(targets.chunks(together).enumerate().map(part).collect(), 0)
}

#[derive(Debug, Clone)]
struct Losses {
    x: CpuTensor,
    weight: CpuTensor,
    targets: Vec<i32>,
}

impl SavedForBackward<2> for Losses {
    fn gradients(self, of_losses: CpuTensor, wanted: [bool; 2]) -> [Option<CpuTensor>; 2] {
        let Self { x, weight, targets } = self;
        let (width, weights) = (x.width(), of_losses.values());
        let inputs = kernel::HeadInputs { x: x.values(), weight: weight.values(), targets: &targets, weights, width };
        let kernel::Gradients { x: of_x, weight: of_weight } = kernel::gradients(inputs, wanted[1]);
        let of_weight = wanted[1].then(|| CpuTensor::new(of_weight, weight.shape()));
        [wanted[0].then(|| CpuTensor::new(of_x, x.shape())), of_weight]
    }
}

/// By burn's operations; in single precision from the logits on.
fn logits(x: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    let dtype = x.dtype();
    like(x.matmul(like(weight, dtype).transpose()), DType::F32)
}

/// The gradients, for a loss whose own gradient is 1.
#[derive(Debug, Clone)]
struct Loss {
    x: CpuTensor,
    weight: CpuTensor,
}

impl SavedForBackward<2> for Loss {
    fn gradients(self, of_loss: CpuTensor, _: [bool; 2]) -> [Option<CpuTensor>; 2] {
        let factor = of_loss.values()[0];
        [self.x, self.weight].map(|mut gradient| {
            #[expect(clippy::float_cmp, reason = "a loss that is not scaled has a gradient of exactly 1")]
            if factor != 1.0 {
                gradient.values_mut().iter_mut().for_each(|x| *x *= factor);
            }
            Some(gradient)
        })
    }
}
