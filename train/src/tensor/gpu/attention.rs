//! Attention, a block of queries at a time: products of matrices with a softmax between them, over the keys that the block attends to.
//!
//! Source: Dao et al. 2022 (FlashAttention) for what is saved and what is made again.

use std::{cell::RefCell, ops::Range, sync::Arc};

use burn::tensor::{DType, Device, Tensor};

use super::{
    super::{attention::Heads, attention_mask::AttentionMask, autodiff::SavedForBackward, precision::like},
    gpu_tensor::{GpuTensor, record},
    softmax::{Block, dots, softmax, softmax_back},
};

/// Scores that exist at a time, if that are 64 queries or more.
const SCORES: usize = 1 << 26;

/// See [`super::super::attention`].
pub fn attention(x: Tensor<3>, heads: Heads, mask: &AttentionMask) -> Tensor<3> {
    let ([rows, time, _], device) = (x.dims(), x.device());
    let task = Task { heads, rows, time, keys: time, visible: VisibleKeys::of(mask, [rows, time, time], &device) };
    record([x.into()], |[x], keep| {
        let (out, log_sum_exp) = task.forward(&Parts::side_by_side(&x, heads));
        (out.clone(), keep.then(|| Packed { task, x, out, log_sum_exp }))
    })
}

/// See [`super::super::cross_attention`].
pub fn cross_attention(x: Tensor<3>, other: Tensor<3>, heads: Heads, mask: &AttentionMask) -> Tensor<3> {
    let ([rows, time, _], [_, keys, _], device) = (x.dims(), other.dims(), x.device());
    let task = Task { heads, rows, time, keys, visible: VisibleKeys::of(mask, [rows, time, keys], &device) };
    record([x.into(), other.into()], |[x, other], keep| {
        let (out, log_sum_exp) = task.forward(&Parts::cross(&x, &other, heads));
        (out.clone(), keep.then(|| Cross { task, x, other, out, log_sum_exp }))
    })
}

/// The keys that each query attends to.
#[derive(Debug, Clone)]
struct VisibleKeys {
    /// `[batch, time]`.
    intervals: Arc<[Range<usize>]>,
    /// The same on the device, `[batch * time * 2]`.
    there: GpuTensor,
}

impl VisibleKeys {
    /// The intervals of a mask for `[batch, time, keys]`. The blocks of a model share a few of them in each step.
    fn of(mask: &AttentionMask, shape: [usize; 3], device: &Device) -> Self {
        type Known = (AttentionMask, [usize; 3], Device, VisibleKeys);
        /// Full and with a sliding window, for training and for evaluation.
        const KNOWN: usize = 4;
        thread_local! {
            static LAST: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
        }
        LAST.with_borrow_mut(|last| {
            let known = last.iter().find(|known| known.0 == *mask && known.1 == shape && known.2 == *device);
            if let Some((.., visible)) = known {
                return visible.clone();
            }
            let [rows, time, keys] = shape;
            let of_row = |row| (0..time).map(move |query| mask.visible(row, query, time, keys));
            let intervals: Arc<[Range<usize>]> = (0..rows).flat_map(of_row).collect();
            let ends = intervals.iter().flat_map(|interval| [interval.start, interval.end]);
            let ends = ends.map(|end| i32::try_from(end).expect("a context is short")).collect();
            let visible = Self { intervals, there: GpuTensor::integers(ends, device) };
            last.truncate(KNOWN - 1);
            last.insert(0, (mask.clone(), shape, device.clone(), visible.clone()));
            visible
        })
    }
}

/// Queries `[batch, num_heads, time, head_dim]`; keys and values `[batch * num_kv_heads, keys, head_dim]`.
struct Parts {
    queries: Tensor<4>,
    keys: Tensor<3>,
    values: Tensor<3>,
}

impl Parts {
    fn side_by_side(x: &GpuTensor, heads: Heads) -> Self {
        let (of_queries, of_keys) = (heads.num_heads * heads.head_dim, heads.num_kv_heads * heads.head_dim);
        let part = |from: usize, count: usize| columns(x, from..from + count);
        Self::of([part(0, of_queries), part(of_queries, of_keys), part(of_queries + of_keys, of_keys)], heads)
    }

    fn cross(x: &GpuTensor, other: &GpuTensor, heads: Heads) -> Self {
        let of_keys = heads.num_kv_heads * heads.head_dim;
        Self::of([x.tensor(), columns(other, 0..of_keys), columns(other, of_keys..2 * of_keys)], heads)
    }

    fn of([queries, keys, values]: [Tensor<3>; 3], heads: Heads) -> Self {
        let joined = |x: Tensor<4>| {
            let [rows, count, time, width] = x.dims();
            x.reshape([rows * count, time, width])
        };
        Self {
            queries: by_heads(queries, heads.head_dim),
            keys: joined(by_heads(keys, heads.head_dim)),
            values: joined(by_heads(values, heads.head_dim)),
        }
    }
}

fn columns(x: &GpuTensor, columns: Range<usize>) -> Tensor<3> {
    let x = x.tensor::<3>();
    let [rows, time, _] = x.dims();
    x.slice([0..rows, 0..time, columns])
}

/// `[batch, time, heads * head_dim]` as `[batch, heads, time, head_dim]`.
fn by_heads(x: Tensor<3>, width: usize) -> Tensor<4> {
    let [rows, time, columns] = x.dims();
    x.reshape([rows, time, columns / width, width]).swap_dims(1, 2)
}

/// The other way.
fn by_time(x: Tensor<4>) -> Tensor<3> {
    let [rows, heads, time, width] = x.dims();
    x.swap_dims(1, 2).reshape([rows, time, heads * width])
}

#[derive(Debug, Clone)]
struct Task {
    heads: Heads,
    rows: usize,
    time: usize,
    keys: usize,
    visible: VisibleKeys,
}

impl Task {
    /// Blocks of queries, and the keys that any query of each attends to.
    fn blocks(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + '_ {
        let Self { heads, rows, time, keys, .. } = *self;
        let half = time.div_ceil(2).next_power_of_two();
        let affordable = (SCORES / (rows * heads.num_heads * keys)).max(1);
        let size = (1 << affordable.ilog2()).clamp(64, 512).min(half.max(64));
        (0..time).step_by(size).map(move |first| {
            let queries = first..(first + size).min(time);
            let seen =
                (0..rows).flat_map(|row| &self.visible.intervals[row * time + queries.start..row * time + queries.end]);
            let seen = seen.filter(|seen| !seen.is_empty());
            let of_all = seen.fold(keys..0, |all, seen| all.start.min(seen.start)..all.end.max(seen.end));
            (queries, if of_all.is_empty() { 0..1 } else { of_all })
        })
    }

    fn block(&self, queries: &Range<usize>, keys: &Range<usize>) -> Block {
        Block {
            heads: self.heads.num_heads,
            time: self.time,
            first: queries.start,
            queries: queries.len(),
            first_key: keys.start,
            scale: self.heads.scale(),
        }
    }

    /// Some queries of all heads, those that share a key head below each other: `[batch * num_kv_heads, each * queries, head_dim]`.
    fn some(&self, x: &Tensor<4>, queries: &Range<usize>) -> Tensor<3> {
        let Self { heads, rows, .. } = *self;
        let some = x.clone().slice([0..rows, 0..heads.num_heads, queries.clone(), 0..heads.head_dim]);
        some.reshape([rows * heads.num_kv_heads, heads.num_heads / heads.num_kv_heads * queries.len(), heads.head_dim])
    }

    fn some_keys(&self, x: &Tensor<3>, keys: &Range<usize>) -> Tensor<3> {
        let Self { heads, rows, .. } = *self;
        x.clone().slice([0..rows * heads.num_kv_heads, keys.clone(), 0..heads.head_dim])
    }

    /// What [`Self::some`] makes, back as `[batch, queries, num_heads * head_dim]`.
    fn back(&self, x: Tensor<3>, queries: &Range<usize>) -> Tensor<3> {
        let Self { heads, rows, .. } = *self;
        by_time(x.reshape([rows, heads.num_heads, queries.len(), heads.head_dim]))
    }

    /// What comes out, `[batch, time, num_heads * head_dim]`, and the log-sum-exp of the scores of each block.
    fn forward(&self, parts: &Parts) -> (GpuTensor, Vec<GpuTensor>) {
        let of_block = |(queries, keys): (Range<usize>, Range<usize>)| {
            let block = self.block(&queries, &keys);
            let scores = self.some(&parts.queries, &queries).matmul(self.some_keys(&parts.keys, &keys).transpose());
            let [powers, log_sum_exp] = softmax(GpuTensor::of(scores), self.visible.there.clone(), block);
            let out = powers.into_tensor::<3>().matmul(self.some_keys(&parts.values, &keys));
            (self.back(out, &queries), log_sum_exp)
        };
        let (out, log_sum_exp) = self.blocks().map(of_block).unzip();
        (GpuTensor::of(Tensor::cat(out, 1)), log_sum_exp)
    }

    /// The gradients of queries, keys and values, `[batch, time or keys, heads * head_dim]` each.
    fn backward(&self, parts: &Parts, log_sum_exp: Vec<GpuTensor>, out: GpuTensor, dout: GpuTensor) -> [Tensor<3>; 3] {
        let Self { heads, rows, keys: all_keys, .. } = *self;
        let (dtype, device) = (out.dtype(), parts.keys.device());
        let dots = dots(out, dout.clone(), heads.head_dim);
        let dout = by_heads(dout.into_tensor(), heads.head_dim); // [b, h, t, d]
        let zeros = || Tensor::<3>::zeros([rows * heads.num_kv_heads, all_keys, heads.head_dim], (&device, DType::F32));
        let (mut dqueries, mut dkeys, mut dvalues) = (Vec::new(), zeros(), zeros());
        for ((queries, keys), log_sum_exp) in self.blocks().zip(log_sum_exp) {
            let block = self.block(&queries, &keys);
            let (of_queries, of_keys) = (self.some(&parts.queries, &queries), self.some_keys(&parts.keys, &keys));
            let dout = self.some(&dout, &queries);
            let scores = GpuTensor::of(of_queries.clone().matmul(of_keys.clone().transpose()));
            let of_powers = GpuTensor::of(dout.clone().matmul(self.some_keys(&parts.values, &keys).transpose()));
            let given = [scores, of_powers, self.visible.there.clone(), log_sum_exp, dots.clone()];
            let [powers, of_scores] = softmax_back(given, block).map(GpuTensor::into_tensor::<3>);
            dqueries.push(self.back(of_scores.clone().matmul(of_keys), &queries));
            dkeys = self.added(dkeys, of_scores.transpose().matmul(of_queries), &keys);
            dvalues = self.added(dvalues, powers.transpose().matmul(dout), &keys);
        }
        let of_keys =
            |x: Tensor<3>| by_time(like(x, dtype).reshape([rows, heads.num_kv_heads, all_keys, heads.head_dim]));
        [Tensor::cat(dqueries, 1), of_keys(dkeys), of_keys(dvalues)]
    }

    /// A block's share added to the gradients of its keys.
    fn added(&self, sum: Tensor<3>, share: Tensor<3>, keys: &Range<usize>) -> Tensor<3> {
        let share = like(share, DType::F32);
        if keys.len() == self.keys {
            return sum + share;
        }
        let places = [0..self.rows * self.heads.num_kv_heads, keys.clone(), 0..self.heads.head_dim];
        let share = sum.clone().slice(places.clone()) + share;
        sum.slice_assign(places, share)
    }
}

#[derive(Debug, Clone)]
struct Packed {
    task: Task,
    x: GpuTensor,
    out: GpuTensor,
    log_sum_exp: Vec<GpuTensor>,
}

impl SavedForBackward<1, GpuTensor> for Packed {
    fn gradients(self, dout: GpuTensor, _: [bool; 1]) -> [Option<GpuTensor>; 1] {
        let Self { task, x, out, log_sum_exp } = self;
        let parts = Parts::side_by_side(&x, task.heads);
        let gradients = task.backward(&parts, log_sum_exp, out, dout);
        [Some(GpuTensor::of(Tensor::cat(gradients.into(), 2)))]
    }
}

#[derive(Debug, Clone)]
struct Cross {
    task: Task,
    x: GpuTensor,
    other: GpuTensor,
    out: GpuTensor,
    log_sum_exp: Vec<GpuTensor>,
}

impl SavedForBackward<2, GpuTensor> for Cross {
    fn gradients(self, dout: GpuTensor, _: [bool; 2]) -> [Option<GpuTensor>; 2] {
        let Self { task, x, other, out, log_sum_exp } = self;
        let parts = Parts::cross(&x, &other, task.heads);
        let [queries, keys, values] = task.backward(&parts, log_sum_exp, out, dout);
        [Some(GpuTensor::of(queries)), Some(GpuTensor::of(Tensor::cat(vec![keys, values], 2)))]
    }
}
