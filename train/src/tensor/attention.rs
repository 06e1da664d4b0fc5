//! Attention.

use std::{ops::Range, sync::Arc};

use burn::tensor::{Bool, Tensor, TensorData, module, ops::AttentionModuleOptions};

#[cfg(feature = "gpu")]
use super::gpu;
pub use super::kernel::attention::Heads;
use super::{
    autodiff::{CpuTensor, SavedForBackward, record},
    choice::{Route, route},
    kernel::{
        attention::{BackwardInputs, InputGradients, Inputs, backward, forward},
        matrix::{Matrix, MatrixMut},
    },
    kv_cache::LayerKvCache,
    precision::like,
};

/// Which keys each query attends to: an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttentionMask {
    /// Itself and what comes before it.
    Causal {
        /// A sliding window: no further back than this many keys, itself among them (Child et al. 2019).
        window: Option<usize>,
        /// `[batch, time]`: the first key of each query, such as the start of its document.
        starts: Option<Arc<[i32]>>,
        /// `[batch]`: how many keys stand before the first query, as in a KV cache.
        past: Option<Arc<[usize]>>,
    },
    /// Everything, both ways.
    Full {
        /// `[batch]`: how many keys each sequence has; behind them stands padding.
        lengths: Option<Arc<[usize]>>,
    },
}

impl AttentionMask {
    /// Itself and everything before it.
    #[must_use]
    pub fn causal() -> Self {
        Self::Causal { window: None, starts: None, past: None }
    }

    /// The keys that query `query` of sequence `batch` attends to; `queries` and `keys` say how many of each a sequence has.
    pub(super) fn visible(&self, batch: usize, query: usize, queries: usize, keys: usize) -> Range<usize> {
        match self {
            Self::Causal { window, starts, past } => {
                let first = starts
                    .as_ref()
                    .map_or(0, |starts| usize::try_from(starts[batch * queries + query]).expect("places count from 0"));
                let end = past.as_ref().map_or(0, |past| past[batch]) + query + 1;
                first.max(window.map_or(0, |window| end.saturating_sub(window))).min(end)..end
            }
            Self::Full { lengths } => 0..lengths.as_ref().map_or(keys, |lengths| lengths[batch]),
        }
    }
}

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
            let (out, log_sum_exp) = forward(heads, &packed(&x, heads), time, &visible);
            let out = CpuTensor::new(out, [rows, time, heads.num_heads * heads.head_dim]);
            let kept = keep.then(|| Packed { x, out: out.clone(), log_sum_exp, heads, mask: mask.clone() });
            (out, kept)
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::attention(x, heads, mask),
        Route::Framework => {
            let [rows, time, _] = x.dims();
            let (of_queries, of_keys) = (heads.num_heads * heads.head_dim, heads.num_kv_heads * heads.head_dim);
            let part = |from: usize, count: usize| x.clone().slice([0..rows, 0..time, from..from + count]);
            let parts = [part(0, of_queries), part(of_queries, of_keys), part(of_queries + of_keys, of_keys)];
            by_framework(parts, heads, mask)
        }
    }
}

fn dimensions(x: &CpuTensor) -> [usize; 3] {
    x.shape().try_into().expect("three dimensions")
}

/// Queries, keys and values of each sequence of `[batch, time, (num_heads + 2 num_kv_heads) head_dim]`.
fn packed(x: &CpuTensor, heads: Heads) -> Vec<Inputs<'_>> {
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
        let outputs = dx.chunks_exact_mut(time * columns).map(|dx| {
            let mut blocks = MatrixMut::new(dx, columns).into_column_blocks(heads.head_dim);
            InputGradients {
                queries: blocks.by_ref().take(heads.num_heads).collect(),
                keys: blocks.by_ref().take(heads.num_kv_heads).collect(),
                values: blocks.collect(),
            }
        });
        let visible = |row, query| mask.visible(row, query, time, time);
        backward(heads, &backward_inputs(&inputs, &out, &dout, &log_sum_exp, heads), outputs.collect(), &visible);
        [Some(CpuTensor::new(dx, x.shape()))]
    }
}

fn backward_inputs<'a>(
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
/// - returns: the same as `x`
#[must_use]
pub fn cross_attention(x: Tensor<3>, other: Tensor<3>, heads: Heads, mask: &AttentionMask) -> Tensor<3> {
    match route(&x) {
        Route::Cpu => record([x.into(), other.into()], |[x, other], keep| {
            let ([_, time, _], [_, keys, _]) = (dimensions(&x), dimensions(&other));
            let visible = |row, query| mask.visible(row, query, time, keys);
            let (out, log_sum_exp) = forward(heads, &cross(&x, &other), time, &visible);
            let out = CpuTensor::new(out, x.shape());
            let kept = keep.then(|| Cross { x, other, out: out.clone(), log_sum_exp, heads, mask: mask.clone() });
            (out, kept)
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::cross_attention(x, other, heads, mask),
        Route::Framework => {
            let [keys, values] = other.chunk(2, 2).try_into().expect("two halves");
            by_framework([x, keys, values], heads, mask)
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
pub fn attention_cached(x: Tensor<3>, cache: &LayerKvCache, heads: Heads, mask: &AttentionMask) -> Tensor<3> {
    let stored = match cache {
        LayerKvCache::Device(stored) => {
            let [keys, values] = like(stored.clone(), x.dtype()).chunk(2, 2).try_into().expect("two halves");
            return by_framework([x, keys, values], heads, mask);
        }
        LayerKvCache::Own(stored) => stored,
    };
    let x = CpuTensor::of(x);
    let ([rows, time, columns], key_columns) = (dimensions(&x), 2 * heads.num_kv_heads * heads.head_dim);
    let keys = stored.len() / rows / key_columns;
    let of_rows = x.values().chunks_exact(time * columns).zip(stored.chunks_exact(keys * key_columns));
    let inputs: Vec<_> = of_rows.map(|(x, stored)| side_by_side(x, columns, stored, key_columns)).collect();
    let visible = |row, query| mask.visible(row, query, time, keys);
    let (out, _) = forward(heads, &inputs, time, &visible);
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
}

impl SavedForBackward<2> for Cross {
    fn gradients(self, dout: CpuTensor, _: [bool; 2]) -> [Option<CpuTensor>; 2] {
        let Self { x, other, out, log_sum_exp, heads, mask } = self;
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
            }
        });
        let visible = |row, query| mask.visible(row, query, time, keys);
        backward(heads, &backward_inputs(&inputs, &out, &dout, &log_sum_exp, heads), outputs.collect(), &visible);
        [Some(CpuTensor::new(dx, x.shape())), Some(CpuTensor::new(dother, other.shape()))]
    }
}

/// The same by burn's operations, with a mask where one is needed.
///
/// # Shapes
/// - queries `[batch, time, num_heads * head_dim]`, keys and values `[batch, keys, num_kv_heads * head_dim]`
fn by_framework([queries, keys, values]: [Tensor<3>; 3], heads: Heads, mask: &AttentionMask) -> Tensor<3> {
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
    let causal = *mask == AttentionMask::causal();
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
    let options = AttentionModuleOptions { is_causal: causal, ..AttentionModuleOptions::default() };
    let (queries, keys, values) =
        (split(queries, heads.num_heads), split(keys, heads.num_kv_heads), split(values, heads.num_kv_heads));
    let seen = module::attention(queries, keys, values, mask, None, options); // [r, h, t, w]
    seen.swap_dims(1, 2).reshape([rows, time, columns])
}
