//! Attention of queries to an interval of keys each, without the scores of a whole head ever being stored.
//!
//! ```text
//! a block of queries:  scores = scale Q Kᵀ -> softmax over the keys that each query attends to -> times V
//! ```
//!
//! Scores exist for `QUERIES` queries at a time; the backward pass computes them again from each query's log-sum-exp.
//! A query attends to one interval of keys, which covers all that is wanted: causal, a sliding window, within a document, both ways.
//!
//! Probabilities may be dropped before they weigh values: by a hash of their places in `[batch, heads, time, keys]`, so that the backward pass
//! finds the same ones.
//!
//! Source: Dao et al. 2022 (FlashAttention) for what is saved and what is made again; Child et al. 2019 for sliding windows.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    dropout::Dropout,
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
    /// Whether products of queries and keys are divided by the root of that size.
    pub scaled: bool,
}

impl Heads {
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
        if self.scaled { 1.0 / (self.head_dim as f32).sqrt() } else { 1.0 }
    }
}

/// The keys that a query attends to: of sequence `batch`, at place `query`.
pub trait KeyRange: Fn(usize, usize) -> Range<usize> + Sync {}

impl<F: Fn(usize, usize) -> Range<usize> + Sync> KeyRange for F {}

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

/// What is added to scores: a number for each head and each distance from a query to a key.
#[derive(Debug, Clone, Copy)]
pub struct Bias<'a> {
    /// `[num_heads, distances]`.
    pub by_distance: Matrix<'a>,
    /// Where distance 0 stands; what a query looks back to stands before it.
    pub zero: usize,
    /// `[batch]`: how many keys stand before the first query.
    pub past: Option<&'a [usize]>,
}

impl<'a> Bias<'a> {
    /// The places of some keys, seen from query `query` of sequence `batch`.
    fn places(self, (batch, query): (usize, usize), keys: &Range<usize>) -> Range<usize> {
        let first = self.zero + keys.start - self.past.map_or(0, |past| past[batch]) - query;
        first..first + keys.len()
    }

    fn of(self, head: usize, query: (usize, usize), keys: &Range<usize>) -> &'a [f32] {
        &self.by_distance.row(head)[self.places(query, keys)]
    }
}

/// What is dropped of the probabilities of a head.
#[derive(Debug, Clone, Copy)]
struct Dropped {
    dropout: Dropout,
    /// The place of the head's first probability among all.
    first: usize,
    /// Keys of a sequence.
    keys: usize,
}

impl Dropped {
    /// - `time`, `keys`: of a sequence
    fn of(dropout: Dropout, heads: Heads, (batch, head): (usize, usize), time: usize, keys: usize) -> Self {
        Self { dropout, first: (batch * heads.num_heads + head) * time * keys, keys }
    }

    /// Drops some of a query's probabilities for the keys from `first_key` on, or of what is multiplied with them.
    fn apply(self, row: &mut [f32], query: usize, first_key: usize) {
        self.dropout.apply_to_row(row, self.first + query * self.keys + first_key);
    }
}

/// Where the gradients of a sequence go: the same shapes, cut into heads.
pub struct InputGradients<'a> {
    /// One for each query head.
    pub queries: Vec<MatrixMut<'a>>,
    /// One for each key head.
    pub keys: Vec<MatrixMut<'a>>,
    /// One for each key head.
    pub values: Vec<MatrixMut<'a>>,
    /// One for each query head, `[distances]`, where scores have a bias; otherwise none.
    pub bias: Vec<&'a mut [f32]>,
}

/// The keys that a block of queries attends to together.
fn visible_to_block(key_range: &impl KeyRange, batch: usize, queries: Range<usize>) -> Range<usize> {
    let all = queries.map(|query| key_range(batch, query)).filter(|keys| !keys.is_empty());
    all.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end)).unwrap_or(0..0)
}

/// What attention gives for every sequence: `[batch, time, heads * width]`, and the log-sum-exp of every query's scores,
/// `[batch, time, heads]`.
///
/// `time` is that of the queries; a query that attends to nothing gets zeros.
pub fn forward(
    heads: Heads,
    inputs: &[Inputs<'_>],
    time: usize,
    key_range: &impl KeyRange,
    bias: Option<Bias<'_>>,
    dropout: Option<Dropout>,
) -> (Vec<f32>, Vec<f32>) {
    let columns = heads.num_heads * heads.head_dim;
    let mut out = vec![0.0; inputs.len() * time * columns];
    let mut log_sum_exp = vec![0.0; inputs.len() * time * heads.num_heads];
    let blocks = out
        .par_chunks_mut(time * columns)
        .zip(log_sum_exp.par_chunks_mut(time * heads.num_heads))
        .enumerate()
        .flat_map(|(batch, (out, log_sum_exp))| {
            let of_block =
                out.par_chunks_mut(QUERIES * columns).zip(log_sum_exp.par_chunks_mut(QUERIES * heads.num_heads));
            of_block.enumerate().map(move |(block, (out, log_sum_exp))| (batch, block * QUERIES, out, log_sum_exp))
        });
    blocks.for_each_init(Vec::new, |scores, (batch, first, out, log_sum_exp)| {
        let count = out.len() / columns;
        let keys = visible_to_block(key_range, batch, first..first + count);
        let Inputs { queries, keys: all_keys, values } = inputs[batch];
        for (head, mut out) in MatrixMut::new(out, columns).into_column_blocks(heads.head_dim).enumerate() {
            let of_key = heads.columns(heads.key_of(head));
            let queries = queries.rows(first..first + count).columns(heads.columns(head));
            if keys.is_empty() {
                log_sum_exp.iter_mut().skip(head).step_by(heads.num_heads).for_each(|sum| *sum = f32::NEG_INFINITY);
                continue;
            }
            let block_keys = all_keys.rows(keys.clone()).columns(of_key.clone());
            let dropped = dropout.map(|dropout| Dropped::of(dropout, heads, (batch, head), time, all_keys.size().0));
            scores.resize(count * keys.len(), 0.0);
            MatrixMut::new(scores, keys.len()).product_here(false, heads.scale(), queries, block_keys.transposed());
            for (query, scores) in scores.chunks_exact_mut(keys.len()).enumerate() {
                let seen = key_range(batch, first + query);
                let visible = within(&keys, seen.clone());
                if let Some(bias) = bias.filter(|_| !seen.is_empty()) {
                    add(&mut scores[visible.clone()], bias.of(head, (batch, first + query), &seen), 1.0);
                }
                log_sum_exp[query * heads.num_heads + head] = softmax(scores, visible.clone());
                if let Some(dropped) = dropped {
                    dropped.apply(&mut scores[visible], first + query, seen.start);
                }
            }
            let probabilities = Matrix::new(scores, keys.len());
            out.product_here(false, 1.0, probabilities, values.rows(keys.clone()).columns(of_key));
        }
    });
    (out, log_sum_exp)
}

/// An interval of keys as places among those of a block.
fn within(block: &Range<usize>, keys: Range<usize>) -> Range<usize> {
    if keys.is_empty() { 0..0 } else { keys.start - block.start..keys.end - block.start }
}

/// Scores become probabilities within `visible` and 0 elsewhere. Returns their log-sum-exp.
fn softmax(scores: &mut [f32], visible: Range<usize>) -> f32 {
    scores[..visible.start].fill(0.0);
    scores[visible.end..].fill(0.0);
    if visible.is_empty() { f32::NEG_INFINITY } else { softmax_of(&mut scores[visible]) }
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

vectorised! {
    /// Adds `factor` times one row to another.
    fn add(to: &mut [f32], row: &[f32], factor: f32) -> () {
        for (to, x) in to.iter_mut().zip(row) {
            *to = x.mul_add(factor, *to);
        }
    }
}

/// What the backward pass needs of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct BackwardInputs<'a> {
    /// What went in.
    pub inputs: Inputs<'a>,
    /// What came out, `[time, heads * width]`.
    pub out: Matrix<'a>,
    /// Its gradient.
    pub dout: Matrix<'a>,
    /// Log-sum-exp of scores, `[time, heads]`.
    pub log_sum_exp: Matrix<'a>,
}

/// The gradients of queries, keys, values and of the bias, added to what stands in `outputs`, which are zeros at first.
pub fn backward(
    heads: Heads,
    inputs: &[BackwardInputs<'_>],
    outputs: Vec<InputGradients<'_>>,
    key_range: &impl KeyRange,
    bias: Option<Bias<'_>>,
    dropout: Option<Dropout>,
) {
    let each = heads.num_heads / heads.num_kv_heads;
    // one task for each key head: the query heads that attend to it add to the same gradients
    let tasks: Vec<_> = outputs
        .into_iter()
        .enumerate()
        .flat_map(|(batch, InputGradients { queries, keys, values, bias })| {
            let (mut queries, mut bias) = (queries.into_iter(), bias.into_iter());
            let with_queries = keys.into_iter().zip(values).enumerate();
            with_queries
                .map(move |(head, (dkeys, dvalues))| {
                    let dqueries: Vec<_> = queries.by_ref().take(each).map(|queries| (queries, bias.next())).collect();
                    (batch, head, dqueries, dkeys, dvalues)
                })
                .collect::<Vec<_>>()
        })
        .collect();
    tasks.into_par_iter().for_each_init(
        Workspace::default,
        |workspace, (batch, head, dqueries, mut dkeys, mut dvalues)| {
            for (number, (mut queries, dbias)) in dqueries.into_iter().enumerate() {
                let of = (batch, head * each + number);
                let (time, keys) = (inputs[batch].out.size().0, inputs[batch].inputs.keys.size().0);
                let outputs = HeadGradients {
                    queries: &mut queries,
                    keys: &mut dkeys,
                    values: &mut dvalues,
                    bias: bias.zip(dbias),
                    dropped: dropout.map(|dropout| Dropped::of(dropout, heads, of, time, keys)),
                };
                head_backward(heads, &inputs[batch], of, outputs, key_range, workspace);
            }
        },
    );
}

#[derive(Default)]
struct Workspace {
    probabilities: Vec<f32>,
    dscores: Vec<f32>,
}

/// Where the gradients of a query head go.
struct HeadGradients<'a, 'm> {
    queries: &'a mut MatrixMut<'m>,
    keys: &'a mut MatrixMut<'m>,
    values: &'a mut MatrixMut<'m>,
    /// The bias, and where its gradient goes.
    bias: Option<(Bias<'a>, &'a mut [f32])>,
    /// What was dropped of its probabilities.
    dropped: Option<Dropped>,
}

/// With P the probabilities and D (delta) the sum of dout * out for each query: dV = Pᵀ dout, dP = dout Vᵀ, dS = P (dP - D) scale,
/// dQ = dS K, dK = dSᵀ Q; and of the bias dS / scale, added up along diagonals. Where some of P were dropped, values were weighed by what was
/// left: dV and dP are of these, and D is as it was.
fn head_backward(
    heads: Heads,
    inputs: &BackwardInputs<'_>,
    (batch, head): (usize, usize),
    outputs: HeadGradients<'_, '_>,
    key_range: &impl KeyRange,
    workspace: &mut Workspace,
) {
    let BackwardInputs { inputs, out, dout, log_sum_exp } = *inputs;
    let HeadGradients { queries: dqueries, keys: dkeys, values: dvalues, mut bias, dropped } = outputs;
    let time = out.size().0;
    let (columns, of_key) = (heads.columns(head), heads.columns(heads.key_of(head)));
    for first in (0..time).step_by(QUERIES) {
        let block = first..time.min(first + QUERIES);
        let keys = visible_to_block(key_range, batch, block.clone());
        if keys.is_empty() {
            continue;
        }
        let queries = inputs.queries.rows(block.clone()).columns(columns.clone());
        let block_keys = inputs.keys.rows(keys.clone()).columns(of_key.clone());
        let block_values = inputs.values.rows(keys.clone()).columns(of_key.clone());
        let (out, dout) =
            (out.rows(block.clone()).columns(columns.clone()), dout.rows(block.clone()).columns(columns.clone()));

        let Workspace { probabilities, dscores } = workspace;
        probabilities.resize(block.len() * keys.len(), 0.0);
        dscores.resize(block.len() * keys.len(), 0.0);
        MatrixMut::new(probabilities, keys.len()).product_here(false, heads.scale(), queries, block_keys.transposed());
        MatrixMut::new(dscores, keys.len()).product_here(false, 1.0, dout, block_values.transposed());
        let rows = probabilities.chunks_exact_mut(keys.len()).zip(dscores.chunks_exact_mut(keys.len()));
        for (query, (probabilities, dscores)) in rows.enumerate() {
            let seen = key_range(batch, first + query);
            let visible = within(&keys, seen.clone());
            let log_sum_exp = log_sum_exp.row(first + query)[head];
            let (out, dout) = (out.row(query), dout.row(query));
            for row in [&mut *probabilities, &mut *dscores] {
                row[..visible.start].fill(0.0);
                row[visible.end..].fill(0.0);
            }
            let (probabilities, dscores) = (&mut probabilities[visible.clone()], &mut dscores[visible]);
            if let Some((bias, _)) = bias.as_ref().filter(|_| !seen.is_empty()) {
                add(probabilities, bias.of(head, (batch, first + query), &seen), 1.0);
            }
            if let Some(dropped) = dropped {
                dropped.apply(dscores, first + query, seen.start);
            }
            row_backward(probabilities, dscores, out, dout, log_sum_exp, heads.scale());
            if let Some(dropped) = dropped {
                dropped.apply(probabilities, first + query, seen.start);
            }
            if let Some((bias, dbias)) = bias.as_mut().filter(|_| !seen.is_empty()) {
                add(&mut dbias[bias.places((batch, first + query), &seen)], dscores, 1.0 / heads.scale());
            }
        }
        let (probabilities, dscores) = (Matrix::new(probabilities, keys.len()), Matrix::new(dscores, keys.len()));
        dvalues.rows(keys.clone()).product_here(true, 1.0, probabilities.transposed(), dout);
        dkeys.rows(keys).product_here(true, 1.0, dscores.transposed(), queries);
        dqueries.rows(block).product_here(false, 1.0, dscores, block_keys);
    }
}

vectorised! {
    /// Scores become probabilities, and the gradients of probabilities those of scores.
    fn row_backward(
        probabilities: &mut [f32], dscores: &mut [f32], out: &[f32], dout: &[f32], log_sum_exp: f32, scale: f32,
    ) -> () {
        let delta = sum_of(out, dout, |x, y| x * y);
        for (probability, dscore) in probabilities.iter_mut().zip(dscores) {
            *probability = exp(*probability - log_sum_exp);
            *dscore = *probability * (*dscore - delta) * scale;
        }
    }
}
