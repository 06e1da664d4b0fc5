//! Attention.

use std::{ops::Range, sync::Arc};

use burn::tensor::{Bool, Tensor, TensorData, module, ops::AttentionModuleOptions};

#[cfg(feature = "gpu")]
use super::gpu;
pub use super::kernel::attention::Heads;
use super::{
    choice::{Route, route},
    kernel::{
        attention::{Given, Inputs, Outputs, backward, forward},
        matrix::{Matrix, MatrixMut},
    },
    kv_cache::LayerKvCache,
    precision::like,
    recorded::{Kept, Numbers, record},
};

/// Which keys each query sees: an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Itself and what comes before it.
    Back {
        /// No further back than this many keys, itself among them (the bands of Child et al. 2019).
        band: Option<usize>,
        /// `[rows, time]`: the first place that each query may look at, such as the start of its document.
        starts: Option<Arc<[i32]>>,
        /// `[rows]`: how many keys stand before the first query.
        before: Option<Arc<[usize]>>,
    },
    /// Everything, both ways.
    All {
        /// `[rows]`: how many keys there are in each row; behind them stands padding.
        lengths: Option<Arc<[usize]>>,
    },
}

impl Sight {
    /// Itself and everything before it.
    #[must_use]
    pub fn back() -> Self {
        Self::Back { band: None, starts: None, before: None }
    }

    /// The keys that query `query` of row `row` sees; `queries` and `keys` say how many of each a row has.
    pub(super) fn of(&self, row: usize, query: usize, queries: usize, keys: usize) -> Range<usize> {
        match self {
            Self::Back { band, starts, before } => {
                let first = starts
                    .as_ref()
                    .map_or(0, |starts| usize::try_from(starts[row * queries + query]).expect("places count from 0"));
                let end = before.as_ref().map_or(0, |before| before[row]) + query + 1;
                first.max(band.map_or(0, |band| end.saturating_sub(band))).min(end)..end
            }
            Self::All { lengths } => 0..lengths.as_ref().map_or(keys, |lengths| lengths[row]),
        }
    }
}

/// Attention within rows that have their queries, keys and values side by side.
///
/// # Shapes
/// - `x`: `[rows, time, (queries + 2 keys) width]`, with the numbers of `heads`
/// - returns: `[rows, time, queries * width]`
#[must_use]
pub fn attention(x: Tensor<3>, heads: Heads, sight: &Sight) -> Tensor<3> {
    match route(&x) {
        Route::Processor => record([x.into()], |[x], keep| {
            let [rows, time, _] = dimensions(&x);
            let sees = |row, query| sight.of(row, query, time, time);
            let (out, logarithms) = forward(heads, &packed(&x, heads), time, &sees);
            let out = Numbers::new(out, [rows, time, heads.num_heads * heads.head_dim]);
            let kept = keep.then(|| Packed { x, out: out.clone(), logarithms, heads, sight: sight.clone() });
            (out, kept)
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::attention(x, heads, sight),
        Route::Framework => {
            let [rows, time, _] = x.dims();
            let (of_queries, of_keys) = (heads.num_heads * heads.head_dim, heads.num_kv_heads * heads.head_dim);
            let part = |from: usize, count: usize| x.clone().slice([0..rows, 0..time, from..from + count]);
            let parts = [part(0, of_queries), part(of_queries, of_keys), part(of_queries + of_keys, of_keys)];
            by_framework(parts, heads, sight)
        }
    }
}

fn dimensions(x: &Numbers) -> [usize; 3] {
    x.shape().try_into().expect("three dimensions")
}

/// Queries, keys and values of each row of `[rows, time, (queries + 2 keys) width]`.
fn packed(x: &Numbers, heads: Heads) -> Vec<Inputs<'_>> {
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
    x: Numbers,
    out: Numbers,
    logarithms: Vec<f32>,
    heads: Heads,
    sight: Sight,
}

impl Kept<1> for Packed {
    fn gradients(self, dout: Numbers, _: [bool; 1]) -> [Option<Numbers>; 1] {
        let Self { x, out, logarithms, heads, sight } = self;
        let [_, time, columns] = dimensions(&x);
        let inputs = packed(&x, heads);
        let mut dx = vec![0.0; x.values().len()];
        let outputs = dx.chunks_exact_mut(time * columns).map(|dx| {
            let mut blocks = MatrixMut::new(dx, columns).into_column_blocks(heads.head_dim);
            Outputs {
                queries: blocks.by_ref().take(heads.num_heads).collect(),
                keys: blocks.by_ref().take(heads.num_kv_heads).collect(),
                values: blocks.collect(),
            }
        });
        let sees = |row, query| sight.of(row, query, time, time);
        backward(heads, &given(&inputs, &out, &dout, &logarithms, heads), outputs.collect(), &sees);
        [Some(Numbers::new(dx, x.shape()))]
    }
}

fn given<'a>(
    inputs: &[Inputs<'a>],
    out: &'a Numbers,
    dout: &'a Numbers,
    logarithms: &'a [f32],
    heads: Heads,
) -> Vec<Given<'a>> {
    let [_, time, columns] = dimensions(out);
    let rows = out.values().chunks_exact(time * columns).zip(dout.values().chunks_exact(time * columns));
    let rows = rows.zip(logarithms.chunks_exact(time * heads.num_heads)).zip(inputs);
    rows.map(|(((out, dout), logarithms), inputs)| Given {
        inputs: *inputs,
        out: Matrix::new(out, columns),
        dout: Matrix::new(dout, columns),
        logarithms: Matrix::new(logarithms, heads.num_heads),
    })
    .collect()
}

/// Attention to another sequence: queries of one, keys and values of the other side by side.
///
/// # Shapes
/// - `x`: `[rows, time, queries * width]`; `other`: `[rows, keys, 2 keys * width]`
/// - returns: the same as `x`
#[must_use]
pub fn attention_across(x: Tensor<3>, other: Tensor<3>, heads: Heads, sight: &Sight) -> Tensor<3> {
    match route(&x) {
        Route::Processor => record([x.into(), other.into()], |[x, other], keep| {
            let ([_, time, _], [_, keys, _]) = (dimensions(&x), dimensions(&other));
            let sees = |row, query| sight.of(row, query, time, keys);
            let (out, logarithms) = forward(heads, &across(&x, &other), time, &sees);
            let out = Numbers::new(out, x.shape());
            let kept = keep.then(|| Across { x, other, out: out.clone(), logarithms, heads, sight: sight.clone() });
            (out, kept)
        }),
        #[cfg(feature = "gpu")]
        Route::Gpu => gpu::attention_across(x, other, heads, sight),
        Route::Framework => {
            let [keys, values] = other.chunk(2, 2).try_into().expect("two halves");
            by_framework([x, keys, values], heads, sight)
        }
    }
}

fn across<'a>(x: &'a Numbers, other: &'a Numbers) -> Vec<Inputs<'a>> {
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

/// Attention of queries to what a cache holds, without gradients.
///
/// # Shapes
/// - `x`: `[rows, time, queries * width]`; `cache`: `rows` rows
/// - returns: the same as `x`
#[must_use]
pub fn attention_cached(x: Tensor<3>, cache: &LayerKvCache, heads: Heads, sight: &Sight) -> Tensor<3> {
    let stored = match cache {
        LayerKvCache::Device(stored) => {
            let [keys, values] = like(stored.clone(), x.dtype()).chunk(2, 2).try_into().expect("two halves");
            return by_framework([x, keys, values], heads, sight);
        }
        LayerKvCache::Own(stored) => stored,
    };
    let x = Numbers::of(x);
    let ([rows, time, columns], key_columns) = (dimensions(&x), 2 * heads.num_kv_heads * heads.head_dim);
    let keys = stored.len() / rows / key_columns;
    let of_rows = x.values().chunks_exact(time * columns).zip(stored.chunks_exact(keys * key_columns));
    let inputs: Vec<_> = of_rows.map(|(x, stored)| side_by_side(x, columns, stored, key_columns)).collect();
    let sees = |row, query| sight.of(row, query, time, keys);
    let (out, _) = forward(heads, &inputs, time, &sees);
    Numbers::new(out, x.shape()).into_tensor()
}

#[derive(Debug, Clone)]
struct Across {
    x: Numbers,
    other: Numbers,
    out: Numbers,
    logarithms: Vec<f32>,
    heads: Heads,
    sight: Sight,
}

impl Kept<2> for Across {
    fn gradients(self, dout: Numbers, _: [bool; 2]) -> [Option<Numbers>; 2] {
        let Self { x, other, out, logarithms, heads, sight } = self;
        let ([_, time, columns], [_, keys, key_columns]) = (dimensions(&x), dimensions(&other));
        let inputs = across(&x, &other);
        let (mut dx, mut dother) = (vec![0.0; x.values().len()], vec![0.0; other.values().len()]);
        let rows = dx.chunks_exact_mut(time * columns).zip(dother.chunks_exact_mut(keys * key_columns));
        let outputs = rows.map(|(dx, dother)| {
            let mut blocks = MatrixMut::new(dother, key_columns).into_column_blocks(heads.head_dim);
            Outputs {
                queries: MatrixMut::new(dx, columns).into_column_blocks(heads.head_dim).collect(),
                keys: blocks.by_ref().take(heads.num_kv_heads).collect(),
                values: blocks.collect(),
            }
        });
        let sees = |row, query| sight.of(row, query, time, keys);
        backward(heads, &given(&inputs, &out, &dout, &logarithms, heads), outputs.collect(), &sees);
        [Some(Numbers::new(dx, x.shape())), Some(Numbers::new(dother, other.shape()))]
    }
}

/// The same by burn's operations, with a mask where one is needed.
///
/// # Shapes
/// - queries `[rows, time, queries * width]`, keys and values `[rows, keys, keys * width]`
fn by_framework([queries, keys, values]: [Tensor<3>; 3], heads: Heads, sight: &Sight) -> Tensor<3> {
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
    let causal = *sight == Sight::back();
    let mask = (!causal && *sight != Sight::All { lengths: None }).then(|| {
        let hidden = (0..rows).flat_map(|row| {
            (0..time).flat_map(move |query| {
                let sees = sight.of(row, query, time, key_time);
                (0..key_time).map(move |key| !sees.contains(&key))
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
