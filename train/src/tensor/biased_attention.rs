//! Attention whose scores have a bias by the distance between a query and a key.
//!
//! Scores are not kept. The gradient of the bias adds those of scores up along diagonals, each sequence for itself and then all in their order.
//!
//! On a GPU it is computed by burn's operations, with the scores of all heads in memory.

use burn::tensor::Tensor;
use kernels::attention::{backward, forward};

use super::{
    attention::{Heads, backward_inputs, by_framework, dimensions, packed, packed_gradients, parts},
    attention_mask::AttentionMask,
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    distance_bias::{DistanceBias, bias_of},
    dropout::Dropout,
};

/// Self-attention, with queries, keys and values side by side, and a bias of scores.
///
/// # Shapes
/// - `x`: `[batch, time, (num_heads + 2 num_kv_heads) head_dim]`
/// - `bias`: with all distances that the mask lets a query see
/// - `dropout`: of the weights of values, `[batch, num_heads, time, time]`
/// - returns: `[batch, time, num_heads * head_dim]`
#[must_use]
pub fn biased_attention(
    x: Tensor<3>,
    bias: &DistanceBias,
    heads: Heads,
    mask: &AttentionMask,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    if !matches!(route(&x), Route::Cpu) {
        return by_framework(parts(&x, heads), heads, mask, Some(bias), dropout);
    }
    let zero = bias.zero;
    record([x.into(), bias.by_distance.clone().into()], |[x, by_distance], keep| {
        let [rows, time, _] = dimensions(&x);
        let visible = |row, query| mask.visible(row, query, time, time);
        let (out, log_sum_exp) =
            forward(heads, &packed(&x, heads), time, &visible, Some(bias_of(&by_distance, zero, mask)), dropout);
        let out = CpuTensor::new(out, [rows, time, heads.num_heads * heads.head_dim]);
        let mask = mask.clone();
        (out.clone(), keep.then(|| Biased { x, by_distance, zero, out, log_sum_exp, heads, mask, dropout }))
    })
}

#[derive(Debug, Clone)]
struct Biased {
    x: CpuTensor,
    by_distance: CpuTensor,
    zero: usize,
    out: CpuTensor,
    log_sum_exp: Vec<f32>,
    heads: Heads,
    mask: AttentionMask,
    dropout: Option<Dropout>,
}

impl SavedForBackward<2> for Biased {
    fn gradients(self, dout: CpuTensor, _: [bool; 2]) -> [Option<CpuTensor>; 2] {
        let Self { x, by_distance, zero, out, log_sum_exp, heads, mask, dropout } = self;
        let ([rows, time, columns], distances) = (dimensions(&x), by_distance.width());
        let inputs = packed(&x, heads);
        let mut dx = vec![0.0; x.values().len()];
        // a row of numbers for each head of each sequence, so that threads share none
        let mut dbias = vec![0.0; rows * heads.num_heads * distances];
        let sequences = dx.chunks_exact_mut(time * columns).zip(dbias.chunks_exact_mut(heads.num_heads * distances));
        let outputs = sequences.map(|(dx, dbias)| {
            let mut outputs = packed_gradients(dx, columns, heads);
            outputs.bias = dbias.chunks_exact_mut(distances).collect();
            outputs
        });
        let visible = |row, query| mask.visible(row, query, time, time);
        backward(
            heads,
            &backward_inputs(&inputs, &out, &dout, &log_sum_exp, heads),
            outputs.collect(),
            &visible,
            Some(bias_of(&by_distance, zero, &mask)),
            dropout,
        );
        let (sum, others) = dbias.split_at_mut(heads.num_heads * distances);
        for other in others.chunks_exact(sum.len()) {
            sum.iter_mut().zip(other).for_each(|(sum, x)| *sum += x);
        }
        [Some(CpuTensor::new(dx, x.shape())), Some(CpuTensor::new(sum.to_vec(), by_distance.shape()))]
    }
}
