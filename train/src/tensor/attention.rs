//! Attention.

use burn::tensor::{Bool, Tensor, TensorData, activation::softmax, module, ops::AttentionModuleOptions};
use kernels::{
    attention::{BackwardInputs, InputGradients, Inputs, backward, forward},
    matrix::{Matrix, MatrixMut},
};

#[cfg(feature = "gpu")]
use super::gpu;
use super::{
    attention_mask::AttentionMask,
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    distance_bias::{DistanceBias, bias_of},
    dropout::{self, Dropout},
    kv_cache::LayerKvCache,
    precision::like,
};
pub use kernels::attention::Heads;

/// Self-attention, with queries, keys and values side by side.
///
/// # Shapes
/// - `x`: `[batch, time, (num_heads + 2 num_kv_heads) head_dim]`
/// - returns: `[batch, time, num_heads * head_dim]`
#[must_use]
pub fn attention(x: Tensor<3>, heads: Heads, mask: &AttentionMask) -> Tensor<3> {
    match route(&x) {
        Route::Cpu => record([x.into()], |[x], keep| {
            let [rows, time, _] = dimensions(&x);
            let visible = |row, query| mask.visible(row, query, time, time);
            let (out, log_sum_exp) = forward(heads, &packed(&x, heads), time, &visible, None, None);
            let out = CpuTensor::new(out, [rows, time, heads.num_heads * heads.head_dim]);
            let kept = keep.then(|| Packed { x, out: out.clone(), log_sum_exp, heads, mask: mask.clone() });
            (out, kept)
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::attention(x, heads, mask),
        Route::Framework => by_framework(parts(&x, heads), heads, mask, None, None),
    }
}

/// Queries, keys and values.
pub(super) fn parts(x: &Tensor<3>, heads: Heads) -> [Tensor<3>; 3] {
    let [rows, time, _] = x.dims();
    let (of_queries, of_keys) = (heads.num_heads * heads.head_dim, heads.num_kv_heads * heads.head_dim);
    let part = |from: usize, count: usize| x.clone().slice([0..rows, 0..time, from..from + count]);
    [part(0, of_queries), part(of_queries, of_keys), part(of_queries + of_keys, of_keys)]
}

pub(super) fn dimensions(x: &CpuTensor) -> [usize; 3] {
    x.shape().try_into().expect("three dimensions")
}

/// Queries, keys and values of each sequence of `[batch, time, (num_heads + 2 num_kv_heads) head_dim]`.
pub(super) fn packed(x: &CpuTensor, heads: Heads) -> Vec<Inputs<'_>> {
    let [_, time, columns] = dimensions(x);
    let (of_queries, of_keys) = (heads.num_heads * heads.head_dim, heads.num_kv_heads * heads.head_dim);
    let of_row = |row| {
        let x = Matrix::new(row, columns);
        Inputs {
            queries: x.columns(0..of_queries),
            keys: x.columns(of_queries..of_queries + of_keys),
            values: x.columns(of_queries + of_keys..columns),
        }
    };
    x.values().chunks_exact(time * columns).map(of_row).collect()
}

#[derive(Debug, Clone)]
struct Packed {
    x: CpuTensor,
    out: CpuTensor,
    log_sum_exp: Vec<f32>,
    heads: Heads,
    mask: AttentionMask,
}

impl SavedForBackward<1> for Packed {
    fn gradients(self, dout: CpuTensor, _: [bool; 1]) -> [Option<CpuTensor>; 1] {
        let Self { x, out, log_sum_exp, heads, mask } = self;
        let [_, time, columns] = dimensions(&x);
        let inputs = packed(&x, heads);
        let mut dx = vec![0.0; x.values().len()];
        let outputs = dx.chunks_exact_mut(time * columns).map(|dx| packed_gradients(dx, columns, heads));
        let visible = |row, query| mask.visible(row, query, time, time);
        let inputs = backward_inputs(&inputs, &out, &dout, &log_sum_exp, heads);
        backward(heads, &inputs, outputs.collect(), &visible, None, None);
        [Some(CpuTensor::new(dx, x.shape()))]
    }
}

/// Where the gradients of a sequence go whose queries, keys and values lie side by side.
pub(super) fn packed_gradients(dx: &mut [f32], columns: usize, heads: Heads) -> InputGradients<'_> {
    let mut blocks = MatrixMut::new(dx, columns).into_column_blocks(heads.head_dim);
    InputGradients {
        queries: blocks.by_ref().take(heads.num_heads).collect(),
        keys: blocks.by_ref().take(heads.num_kv_heads).collect(),
        values: blocks.collect(),
        bias: Vec::new(),
    }
}

pub(super) fn backward_inputs<'a>(
    inputs: &[Inputs<'a>],
    out: &'a CpuTensor,
    dout: &'a CpuTensor,
    log_sum_exp: &'a [f32],
    heads: Heads,
) -> Vec<BackwardInputs<'a>> {
    let [_, time, columns] = dimensions(out);
    let rows = out.values().chunks_exact(time * columns).zip(dout.values().chunks_exact(time * columns));
    let rows = rows.zip(log_sum_exp.chunks_exact(time * heads.num_heads)).zip(inputs);
    rows.map(|(((out, dout), log_sum_exp), inputs)| BackwardInputs {
        inputs: *inputs,
        out: Matrix::new(out, columns),
        dout: Matrix::new(dout, columns),
        log_sum_exp: Matrix::new(log_sum_exp, heads.num_heads),
    })
    .collect()
}

/// Cross-attention: queries of one sequence, keys and values of another side by side.
///
/// # Shapes
/// - `x`: `[batch, time, num_heads * head_dim]`; `other`: `[batch, keys, 2 num_kv_heads * head_dim]`
/// - `dropout`: of the weights of values, `[batch, num_heads, time, keys]`
/// - returns: the same as `x`
#[must_use]
pub fn cross_attention(
    x: Tensor<3>,
    other: Tensor<3>,
    heads: Heads,
    mask: &AttentionMask,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    match (route(&x), dropout) {
        (Route::Cpu, _) => record([x.into(), other.into()], |[x, other], keep| {
            let ([_, time, _], [_, keys, _]) = (dimensions(&x), dimensions(&other));
            let visible = |row, query| mask.visible(row, query, time, keys);
            let (out, log_sum_exp) = forward(heads, &cross(&x, &other), time, &visible, None, dropout);
            let out = CpuTensor::new(out, x.shape());
            let mask = mask.clone();
            (out.clone(), keep.then(|| Cross { x, other, out, log_sum_exp, heads, mask, dropout }))
        }),
        #[cfg(feature = "gpu")]
        (Route::Gpu, None) => gpu::cross_attention(x, other, heads, mask),
        _ => {
            let [keys, values] = other.chunk(2, 2).try_into().expect("two halves");
            by_framework([x, keys, values], heads, mask, None, dropout)
        }
    }
}

fn cross<'a>(x: &'a CpuTensor, other: &'a CpuTensor) -> Vec<Inputs<'a>> {
    let ([_, time, columns], [_, keys, key_columns]) = (dimensions(x), dimensions(other));
    let rows = x.values().chunks_exact(time * columns).zip(other.values().chunks_exact(keys * key_columns));
    rows.map(|(x, other)| side_by_side(x, columns, other, key_columns)).collect()
}

/// Queries of one sequence, and keys and values of another side by side.
fn side_by_side<'a>(x: &'a [f32], columns: usize, other: &'a [f32], key_columns: usize) -> Inputs<'a> {
    let other = Matrix::new(other, key_columns);
    Inputs {
        queries: Matrix::new(x, columns),
        keys: other.columns(0..key_columns / 2),
        values: other.columns(key_columns / 2..key_columns),
    }
}

/// Attention of queries to a KV cache, without gradients.
///
/// # Shapes
/// - `x`: `[batch, time, num_heads * head_dim]`; `cache`: of as many sequences
/// - returns: the same as `x`
#[must_use]
pub fn attention_cached(
    x: Tensor<3>,
    cache: &LayerKvCache,
    heads: Heads,
    mask: &AttentionMask,
    bias: Option<&DistanceBias>,
) -> Tensor<3> {
    let stored = match cache {
        LayerKvCache::Device(stored) => {
            let [keys, values] = like(stored.clone(), x.dtype()).chunk(2, 2).try_into().expect("two halves");
            return by_framework([x, keys, values], heads, mask, bias, None);
        }
        LayerKvCache::Own(stored) => stored,
    };
    let x = CpuTensor::of(x);
    let ([rows, time, columns], key_columns) = (dimensions(&x), 2 * heads.num_kv_heads * heads.head_dim);
    let keys = stored.len() / rows / key_columns;
    let of_rows = x.values().chunks_exact(time * columns).zip(stored.chunks_exact(keys * key_columns));
    let inputs: Vec<_> = of_rows.map(|(x, stored)| side_by_side(x, columns, stored, key_columns)).collect();
    let visible = |row, query| mask.visible(row, query, time, keys);
    let by_distance = bias.map(|bias| CpuTensor::of(bias.by_distance.clone()));
    let bias = bias.zip(by_distance.as_ref()).map(|(bias, numbers)| bias_of(numbers, bias.zero, mask));
    let (out, _) = forward(heads, &inputs, time, &visible, bias, None);
    CpuTensor::new(out, x.shape()).into_tensor()
}

#[derive(Debug, Clone)]
struct Cross {
    x: CpuTensor,
    other: CpuTensor,
    out: CpuTensor,
    log_sum_exp: Vec<f32>,
    heads: Heads,
    mask: AttentionMask,
    dropout: Option<Dropout>,
}

impl SavedForBackward<2> for Cross {
    fn gradients(self, dout: CpuTensor, _: [bool; 2]) -> [Option<CpuTensor>; 2] {
        let Self { x, other, out, log_sum_exp, heads, mask, dropout } = self;
        let ([_, time, columns], [_, keys, key_columns]) = (dimensions(&x), dimensions(&other));
        let inputs = cross(&x, &other);
        let (mut dx, mut dother) = (vec![0.0; x.values().len()], vec![0.0; other.values().len()]);
        let rows = dx.chunks_exact_mut(time * columns).zip(dother.chunks_exact_mut(keys * key_columns));
        let outputs = rows.map(|(dx, dother)| {
            let mut blocks = MatrixMut::new(dother, key_columns).into_column_blocks(heads.head_dim);
            InputGradients {
                queries: MatrixMut::new(dx, columns).into_column_blocks(heads.head_dim).collect(),
                keys: blocks.by_ref().take(heads.num_kv_heads).collect(),
                values: blocks.collect(),
                bias: Vec::new(),
            }
        });
        let visible = |row, query| mask.visible(row, query, time, keys);
        let inputs = backward_inputs(&inputs, &out, &dout, &log_sum_exp, heads);
        backward(heads, &inputs, outputs.collect(), &visible, None, dropout);
        [Some(CpuTensor::new(dx, x.shape())), Some(CpuTensor::new(dother, other.shape()))]
    }
}

/// The same by burn's operations, with a mask where one is needed.
///
/// # Shapes
/// - queries `[batch, time, num_heads * head_dim]`, keys and values `[batch, keys, num_kv_heads * head_dim]`
pub(super) fn by_framework(
    [queries, keys, values]: [Tensor<3>; 3],
    heads: Heads,
    mask: &AttentionMask,
    bias: Option<&DistanceBias>,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let ([rows, time, columns], [_, key_time, _]) = (queries.dims(), keys.dims());
    let device = queries.device();
    let split = |x: Tensor<3>, count: usize| {
        let [rows, time, _] = x.dims();
        let x = x.reshape([rows, time, count, heads.head_dim]).swap_dims(1, 2); // [r, h, t, w]
        let each = heads.num_heads / count;
        if each == 1 {
            return x;
        }
        let x: Tensor<5> = x.unsqueeze_dim(2); // [r, h, 1, t, w]
        x.repeat_dim(2, each).reshape([rows, heads.num_heads, time, heads.head_dim])
    };
    let bias = bias.map(|bias| like(bias.of_scores([rows, time, key_time], mask), queries.dtype()));
    // probabilities that are dropped are computed one operation after the other, and want to be told of every mask
    let causal = *mask == AttentionMask::causal() && dropout.is_none();
    let mask = (!causal && *mask != AttentionMask::Full { lengths: None }).then(|| {
        let hidden = (0..rows).flat_map(|row| {
            (0..time).flat_map(move |query| {
                let visible = mask.visible(row, query, time, key_time);
                (0..key_time).map(move |key| !visible.contains(&key))
            })
        });
        let hidden = TensorData::new(hidden.collect::<Vec<bool>>(), [rows, 1, time, key_time]);
        Tensor::<4, Bool>::from_data(hidden, &device).expand([rows, heads.num_heads, time, key_time])
    });
    let (queries, keys, values) =
        (split(queries, heads.num_heads), split(keys, heads.num_kv_heads), split(values, heads.num_kv_heads));
    let scale = (!heads.scaled).then_some(1.0);
    let options = AttentionModuleOptions { scale, is_causal: causal, ..AttentionModuleOptions::default() };
    let seen = match dropout {
        None => module::attention(queries, keys, values, mask, bias, options), // [r, h, t, w]
        Some(dropped) => {
            let scores = queries.matmul(keys.swap_dims(2, 3)) * heads.scale(); // [r, h, t, k]
            let scores = if let Some(bias) = bias { scores + bias } else { scores };
            let scores = if let Some(mask) = mask { scores.mask_fill(mask, f32::NEG_INFINITY) } else { scores };
            dropout::dropout(softmax(scores, 3), dropped).matmul(values)
        }
    };
    seen.swap_dims(1, 2).reshape([rows, time, columns])
}
