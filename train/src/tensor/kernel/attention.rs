//! Attention of queries to an interval of keys each, without the scores of a whole head ever being stored.
//!
//! ```text
//! a block of queries:  scores = scale Q Kᵀ -> softmax over what each query sees -> times V
//! ```
//!
//! Scores exist for [`QUERIES`] queries at a time; the backward pass makes them again from the logarithm of each query's sum.
//! That each query sees one interval of keys covers all that is wanted: causal, banded, within a document, both ways.
//!
//! Source: Dao et al. 2022 (FlashAttention) for what is saved and what is made again; Child et al. 2019 for bands.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    lanes::{exp, largest, sum, sum_of, vectorised},
    matrix::{Matrix, MatrixMut},
};

/// Queries whose scores exist at a time.
const QUERIES: usize = 64;

/// How many heads lie side by side in a row, and their size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Query heads.
    pub num_heads: usize,
    /// Key and value heads; they divide the query heads.
    pub num_kv_heads: usize,
    /// The size of a head.
    pub head_dim: usize,
}

impl Heads {
    /// The heads of a hidden size.
    #[must_use]
    pub fn of(hidden_size: usize, num_heads: usize, num_kv_heads: usize) -> Self {
        Self { num_heads, num_kv_heads, head_dim: hidden_size / num_heads }
    }

    /// The key head that a query head attends to.
    fn key_of(self, query: usize) -> usize {
        query / (self.num_heads / self.num_kv_heads)
    }

    fn columns(self, head: usize) -> Range<usize> {
        head * self.head_dim..(head + 1) * self.head_dim
    }

    /// What the product of a query and a key is multiplied by.
    #[must_use]
    pub fn scale(self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }
}

/// Which keys a query sees: of sequence `batch`, at place `query`.
pub trait Sight: Fn(usize, usize) -> Range<usize> + Sync {}

impl<F: Fn(usize, usize) -> Range<usize> + Sync> Sight for F {}

/// The queries, keys and values of a sequence: `[time, heads * width]` each.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Queries.
    pub queries: Matrix<'a>,
    /// Keys.
    pub keys: Matrix<'a>,
    /// Values.
    pub values: Matrix<'a>,
}

/// Where the gradients of a sequence go: the same shapes, cut into heads.
pub struct Outputs<'a> {
    /// One for each head of queries.
    pub queries: Vec<MatrixMut<'a>>,
    /// One for each head of keys.
    pub keys: Vec<MatrixMut<'a>>,
    /// One for each head of keys.
    pub values: Vec<MatrixMut<'a>>,
}

/// The keys that a block of queries sees together.
fn seen(sight: &impl Sight, batch: usize, queries: Range<usize>) -> Range<usize> {
    let all = queries.map(|query| sight(batch, query)).filter(|keys| !keys.is_empty());
    all.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end)).unwrap_or(0..0)
}

/// What attention gives for every sequence: `[batch, time, heads * width]`, and the logarithm of every query's sum,
/// `[batch, time, heads]`.
///
/// `time` is that of the queries; a query that sees nothing gets zeros.
pub fn forward(heads: Heads, inputs: &[Inputs<'_>], time: usize, sight: &impl Sight) -> (Vec<f32>, Vec<f32>) {
    let columns = heads.num_heads * heads.head_dim;
    let mut out = vec![0.0; inputs.len() * time * columns];
    let mut logarithms = vec![0.0; inputs.len() * time * heads.num_heads];
    let blocks =
        out.par_chunks_mut(time * columns).zip(logarithms.par_chunks_mut(time * heads.num_heads)).enumerate().flat_map(
            |(batch, (out, logarithms))| {
                let of_block =
                    out.par_chunks_mut(QUERIES * columns).zip(logarithms.par_chunks_mut(QUERIES * heads.num_heads));
                of_block.enumerate().map(move |(block, (out, logarithms))| (batch, block * QUERIES, out, logarithms))
            },
        );
    blocks.for_each_init(Vec::new, |scores, (batch, first, out, logarithms)| {
        let count = out.len() / columns;
        let keys = seen(sight, batch, first..first + count);
        let Inputs { queries, keys: all_keys, values } = inputs[batch];
        for (head, mut out) in MatrixMut::new(out, columns).into_column_blocks(heads.head_dim).enumerate() {
            let of_key = heads.columns(heads.key_of(head));
            let queries = queries.rows(first..first + count).columns(heads.columns(head));
            if keys.is_empty() {
                logarithms.iter_mut().skip(head).step_by(heads.num_heads).for_each(|sum| *sum = f32::NEG_INFINITY);
                continue;
            }
            let seen_keys = all_keys.rows(keys.clone()).columns(of_key.clone());
            scores.resize(count * keys.len(), 0.0);
            MatrixMut::new(scores, keys.len()).product_here(false, heads.scale(), queries, seen_keys.transposed());
            for (query, scores) in scores.chunks_exact_mut(keys.len()).enumerate() {
                let sees = within(&keys, sight(batch, first + query));
                logarithms[query * heads.num_heads + head] = softmax(scores, sees);
            }
            let probabilities = Matrix::new(scores, keys.len());
            out.product_here(false, 1.0, probabilities, values.rows(keys.clone()).columns(of_key));
        }
    });
    (out, logarithms)
}

/// An interval of keys as places among those that a block sees.
fn within(block: &Range<usize>, keys: Range<usize>) -> Range<usize> {
    if keys.is_empty() { 0..0 } else { keys.start - block.start..keys.end - block.start }
}

/// Scores become probabilities within `sees` and 0 elsewhere. Returns the logarithm of their sum.
fn softmax(scores: &mut [f32], sees: Range<usize>) -> f32 {
    scores[..sees.start].fill(0.0);
    scores[sees.end..].fill(0.0);
    if sees.is_empty() { f32::NEG_INFINITY } else { softmax_of(&mut scores[sees]) }
}

vectorised! {
    fn softmax_of(scores: &mut [f32]) -> f32 {
        let largest = largest(scores);
        for x in &mut *scores {
            *x = exp(*x - largest);
        }
        let sum = sum(scores, |x| x);
        let scale = 1.0 / sum;
        for x in &mut *scores {
            *x *= scale;
        }
        largest + sum.ln()
    }
}

/// What the backward pass is given of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What went in.
    pub inputs: Inputs<'a>,
    /// What came out, `[time, heads * width]`.
    pub out: Matrix<'a>,
    /// Its gradient.
    pub dout: Matrix<'a>,
    /// The logarithms of sums, `[time, heads]`.
    pub logarithms: Matrix<'a>,
}

/// The gradients of queries, keys and values, added to what stands in `outputs`, which are zeros at first.
pub fn backward(heads: Heads, given: &[Given<'_>], outputs: Vec<Outputs<'_>>, sight: &impl Sight) {
    let each = heads.num_heads / heads.num_kv_heads;
    // one task for each head of keys: the heads of queries that look at it add to the same gradients
    let tasks: Vec<_> = outputs
        .into_iter()
        .enumerate()
        .flat_map(|(batch, Outputs { queries, keys, values })| {
            let mut queries = queries.into_iter();
            let with_queries = keys.into_iter().zip(values).enumerate();
            with_queries
                .map(move |(head, (dkeys, dvalues))| {
                    let dqueries: Vec<_> = queries.by_ref().take(each).collect();
                    (batch, head, dqueries, dkeys, dvalues)
                })
                .collect::<Vec<_>>()
        })
        .collect();
    tasks.into_par_iter().for_each_init(
        Scratch::default,
        |scratch, (batch, head, dqueries, mut dkeys, mut dvalues)| {
            for (number, mut dqueries) in dqueries.into_iter().enumerate() {
                let of = (batch, head * each + number);
                head_backward(heads, &given[batch], of, (&mut dqueries, &mut dkeys, &mut dvalues), sight, scratch);
            }
        },
    );
}

#[derive(Default)]
struct Scratch {
    probabilities: Vec<f32>,
    dscores: Vec<f32>,
}

/// With P the probabilities and D the sum of dout * out for each query: dV = Pᵀ dout, dP = dout Vᵀ, dS = P (dP - D) scale,
/// dQ = dS K, dK = dSᵀ Q.
fn head_backward(
    heads: Heads,
    given: &Given<'_>,
    (batch, head): (usize, usize),
    (dqueries, dkeys, dvalues): (&mut MatrixMut<'_>, &mut MatrixMut<'_>, &mut MatrixMut<'_>),
    sight: &impl Sight,
    scratch: &mut Scratch,
) {
    let Given { inputs, out, dout, logarithms } = *given;
    let time = out.size().0;
    let (columns, of_key) = (heads.columns(head), heads.columns(heads.key_of(head)));
    for first in (0..time).step_by(QUERIES) {
        let block = first..time.min(first + QUERIES);
        let keys = seen(sight, batch, block.clone());
        if keys.is_empty() {
            continue;
        }
        let queries = inputs.queries.rows(block.clone()).columns(columns.clone());
        let seen_keys = inputs.keys.rows(keys.clone()).columns(of_key.clone());
        let seen_values = inputs.values.rows(keys.clone()).columns(of_key.clone());
        let (out, dout) =
            (out.rows(block.clone()).columns(columns.clone()), dout.rows(block.clone()).columns(columns.clone()));

        let Scratch { probabilities, dscores } = scratch;
        probabilities.resize(block.len() * keys.len(), 0.0);
        dscores.resize(block.len() * keys.len(), 0.0);
        MatrixMut::new(probabilities, keys.len()).product_here(false, heads.scale(), queries, seen_keys.transposed());
        MatrixMut::new(dscores, keys.len()).product_here(false, 1.0, dout, seen_values.transposed());
        let rows = probabilities.chunks_exact_mut(keys.len()).zip(dscores.chunks_exact_mut(keys.len()));
        for (query, (probabilities, dscores)) in rows.enumerate() {
            let sees = within(&keys, sight(batch, first + query));
            let logarithm = logarithms.row(first + query)[head];
            let (out, dout) = (out.row(query), dout.row(query));
            for row in [&mut *probabilities, &mut *dscores] {
                row[..sees.start].fill(0.0);
                row[sees.end..].fill(0.0);
            }
            let (probabilities, dscores) = (&mut probabilities[sees.clone()], &mut dscores[sees]);
            row_backward(probabilities, dscores, out, dout, logarithm, heads.scale());
        }
        let (probabilities, dscores) = (Matrix::new(probabilities, keys.len()), Matrix::new(dscores, keys.len()));
        dvalues.rows(keys.clone()).product_here(true, 1.0, probabilities.transposed(), dout);
        dkeys.rows(keys).product_here(true, 1.0, dscores.transposed(), queries);
        dqueries.rows(block).product_here(false, 1.0, dscores, seen_keys);
    }
}

vectorised! {
    /// Scores become probabilities, and the gradients of probabilities those of scores.
    fn row_backward(
        probabilities: &mut [f32], dscores: &mut [f32], out: &[f32], dout: &[f32], logarithm: f32, scale: f32,
    ) -> () {
        let given_away = sum_of(out, dout, |x, y| x * y);
        for (probability, dscore) in probabilities.iter_mut().zip(dscores) {
            *probability = exp(*probability - logarithm);
            *dscore = *probability * (*dscore - given_away) * scale;
        }
    }
}
