//! Attention of new tokens to the blocks of their sequences' caches.
//!
//! ```text
//! chunk of 256 keys, counted from a sequence's start:
//!     scores = scale Q Kᵀ -> powers of what they lie above their largest, and the sum -> times V
//! chunks are merged in their order
//! ```
//!
//! A query's chunks are the same whatever else is computed beside it, and so are its bits: queries that come one by one leave their chunks to
//! several threads, which merge them afterwards; of many queries a thread has some, with all their chunks.
//!
//! Source: Milakov and Gimelshein 2018 (online softmax); Dao et al. 2023 (Flash-Decoding) for chunks on several threads.
#![expect(unsafe_code, reason = "blocks of caches and rows are read and written by several threads")]

use std::ops::Range;

use super::{
    block_shape::{BlockShape, TOKENS},
    kernel::{
        lanes::Lanes,
        line::{Line, WIDE},
        processor::{Processor, Work},
        tile::{Factors, Place, tiles},
    },
};
use crate::lanes::exp;

/// Keys of a chunk.
pub const CHUNK: usize = 256;

/// Panels of a chunk's keys.
const PANELS: usize = CHUNK / WIDE;

/// Queries times heads of a key head that a thread works on at a time, about.
pub const ROWS: usize = 48;

/// What is the same for all queries of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// The blocks of the cache.
    pub shape: BlockShape,
    /// The layer's place among all.
    pub number: usize,
    /// The size of a head.
    pub head_dim: usize,
    /// Query heads of each key head.
    pub group: usize,
    /// What the product of a query and a key is multiplied by.
    pub scale: f32,
    /// Keys that a query attends to, itself among them.
    pub window: Option<usize>,
    /// `[num_heads][context_length]`: what is added to a score, by how far a key stands before its query.
    pub distances: Option<&'a [f32]>,
    /// Numbers of a head in `distances`.
    pub context_length: usize,
    /// Rows of a tile.
    pub tall: usize,
}

/// Some queries of a sequence that are next to each other, for the heads of one key head.
#[derive(Debug, Clone, Copy)]
pub struct Queries<'a> {
    /// The places of the sequence's blocks.
    pub blocks: &'a [*mut Line],
    /// The key head.
    pub head: usize,
    /// The first query's place in the sequence.
    pub position: usize,
    /// Their number.
    pub count: usize,
    /// The first one's first line, `[head_dim / 16][apart]`; of each query a line for each of its heads.
    pub first: *const Line,
    /// Lines from one of a query to its next.
    pub apart: usize,
}

/// What is known of some queries so far: `[rows]`, a row for each query and head.
#[derive(Debug, Clone, Copy)]
pub struct Sums {
    /// The largest score.
    pub largest: *mut f32,
    /// The sum of powers.
    pub sum: *mut f32,
    /// `[head_dim / 16][rows]`: values times powers.
    pub values: *mut Line,
}

impl Sums {
    /// Those of a chunk so many further, where chunks of as many rows and lines stand behind each other.
    #[must_use]
    pub fn further(self, chunks: usize, rows: usize, lines: usize) -> Self {
        Self {
            largest: self.largest.wrapping_add(chunks * rows),
            sum: self.sum.wrapping_add(chunks * rows),
            values: self.values.wrapping_add(chunks * rows * lines),
        }
    }

    /// Adds the sums of the chunks that stand behind a first one to its own, in their order.
    ///
    /// # Safety
    /// There are so many chunks, and nobody else writes to the first or any of the others.
    pub unsafe fn merge_chunks(self, processor: Processor, chunks: usize, rows: usize, lines: usize) {
        processor.run(Merge { sums: self, chunks, rows, lines });
    }

    /// Puts what a row, one of `rows`, has attended to among the columns of a head.
    ///
    /// # Safety
    /// The sums and the head are there, and nobody else writes its columns.
    pub unsafe fn put(self, row: usize, rows: usize, head_dim: usize, to: HeadPlace) {
        // SAFETY: as the caller says.
        unsafe {
            let scale = 1.0 / self.sum.wrapping_add(row).read();
            for line in 0..head_dim.div_ceil(WIDE) {
                let numbers = self.values.wrapping_add(line * rows + row).read();
                for (lane, number) in numbers.0.into_iter().enumerate().take(head_dim - line * WIDE) {
                    let column = to.head * head_dim + line * WIDE + lane;
                    let place = (column / WIDE * to.rows + to.row) * WIDE + column % WIDE;
                    to.first.wrapping_add(place).write(number * scale);
                }
            }
        }
    }
}

struct Merge {
    sums: Sums,
    chunks: usize,
    rows: usize,
    lines: usize,
}

impl Work for Merge {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { sums, chunks, rows, lines } = self;
        for chunk in 1..chunks {
            let later = sums.further(chunk, rows, lines);
            for row in 0..rows {
                // SAFETY: as the caller of `merge_chunks` says.
                unsafe { merge(sums, row, rows, later, row, rows, lines) };
            }
        }
    }
}

/// Where the columns of a head stand among rows in panels.
#[derive(Debug, Clone, Copy)]
pub struct HeadPlace {
    /// The first number of the first row.
    pub first: *mut f32,
    /// The rows that there are.
    pub rows: usize,
    /// The row.
    pub row: usize,
    /// The head.
    pub head: usize,
}

impl Layer<'_> {
    /// Lines of a head.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.head_dim.div_ceil(WIDE)
    }

    /// The keys that a query attends to.
    fn visible(&self, position: usize) -> Range<usize> {
        self.window.map_or(0, |window| (position + 1).saturating_sub(window))..position + 1
    }

    /// The chunks of some queries' keys.
    #[must_use]
    pub fn chunks(&self, positions: Range<usize>) -> Range<usize> {
        self.visible(positions.start).start / CHUNK..positions.end.div_ceil(CHUNK)
    }
}

/// All chunks of some queries, or one: `sums` is written, and `scratch` is anything.
pub struct Attend<'a> {
    /// The layer.
    pub layer: Layer<'a>,
    /// The queries.
    pub queries: Queries<'a>,
    /// Which chunks of the keys.
    pub chunks: Range<usize>,
    /// What is written.
    pub sums: Sums,
    /// Memory of this thread.
    pub scratch: &'a mut Scratch,
}

/// Memory of a thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// `[PANELS][rows]`.
    scores: Vec<Line>,
    /// A chunk's sums.
    largest: Vec<f32>,
    sum: Vec<f32>,
    values: Vec<Line>,
}

impl Scratch {
    /// Makes room for so many rows of so many lines.
    pub fn resize(&mut self, rows: usize, lines: usize) {
        if self.largest.len() < rows || self.values.len() < rows * lines {
            self.scores.resize(PANELS * rows, Line::ZERO);
            self.largest.resize(rows, 0.0);
            self.sum.resize(rows, 0.0);
            self.values.resize(rows * lines, Line::ZERO);
        }
    }

    fn sums(&mut self) -> Sums {
        let Self { largest, sum, values, .. } = self;
        Sums { largest: largest.as_mut_ptr(), sum: sum.as_mut_ptr(), values: values.as_mut_ptr() }
    }
}

impl Attend<'_> {
    /// Writes the sums.
    ///
    /// # Safety
    /// Queries, blocks and sums are there, and nobody else writes to the sums.
    pub unsafe fn run(self, processor: Processor) {
        processor.run(self);
    }
}

impl Work for Attend<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { layer, queries, chunks, sums, scratch } = self;
        let (rows, lines) = (queries.count * layer.group, layer.lines());
        scratch.resize(rows, lines);
        for (number, chunk) in chunks.enumerate() {
            // SAFETY: the queries are there, and so is what is written, which nobody else reaches.
            unsafe {
                if number == 0 {
                    attend::<L>(&layer, queries, chunk, &mut scratch.scores, sums);
                } else {
                    let of_chunk = scratch.sums();
                    attend::<L>(&layer, queries, chunk, &mut scratch.scores, of_chunk);
                    for row in 0..rows {
                        merge(sums, row, rows, of_chunk, row, rows, lines);
                    }
                }
            }
        }
    }
}

/// A chunk of some queries' keys.
///
/// # Safety
/// All places are there, and nobody else writes to `sums`.
#[inline(always)]
unsafe fn attend<L: Lanes>(layer: &Layer<'_>, queries: Queries<'_>, chunk: usize, scores: &mut [Line], sums: Sums) {
    let Queries { blocks, head, position, count, .. } = queries;
    let (rows, lines) = (count * layer.group, layer.lines());
    let scores = &mut scores[..PANELS * rows];
    // the keys that some of the queries attend to, up to whole blocks
    let keys = layer.visible(position).start.max(chunk * CHUNK)..(position + count).min((chunk + 1) * CHUNK);
    let blocks = if keys.is_empty() { &[] } else { &blocks[keys.start / TOKENS..keys.end.div_ceil(TOKENS)] };
    let first_key = keys.start / TOKENS * TOKENS;
    let panels = blocks.len() * TOKENS / WIDE;
    let of_head = layer.shape.head(layer.number, head);
    for row in (0..rows).step_by(layer.tall) {
        let high = layer.tall.min(rows - row);
        for (block, place) in blocks.iter().enumerate() {
            let factors = Factors {
                x: queries.first.wrapping_add(row),
                x_apart: queries.apart,
                weights: place.wrapping_add(of_head).cast_const().cast::<f32>(),
                panels_apart: lines * WIDE * WIDE,
                depth: lines,
            };
            let first = scores[block * TOKENS / WIDE * rows + row..].as_mut_ptr();
            let to = Place { first, rows_apart: 1, panels_apart: rows };
            // SAFETY: blocks have keys for all their tokens, and scores are this thread's.
            unsafe { tiles::<L, f32>(factors, high, TOKENS / WIDE, Place::everywhere(&Line::ZERO), to) };
        }
    }
    for row in 0..rows {
        let position = position + row / layer.group;
        let visible = layer.visible(position);
        let (first, last) = (visible.start.max(first_key), visible.end.min(first_key + panels * WIDE));
        let visible = if first < last { first - first_key..last - first_key } else { 0..0 };
        let bias = layer.distances.map(|distances| {
            let of_head = &distances[(head * layer.group + row % layer.group) * layer.context_length..];
            // the place of the chunk's first key, and those before it
            (of_head, position.wrapping_sub(first_key))
        });
        let (largest, sum) = softmax(&mut scores[row..], rows, panels, visible, layer.scale, bias);
        // SAFETY: the row is one of the sums'.
        unsafe {
            sums.largest.wrapping_add(row).write(largest);
            sums.sum.wrapping_add(row).write(sum);
        }
    }
    if blocks.is_empty() {
        // SAFETY: the rows are the sums'.
        unsafe { std::slice::from_raw_parts_mut(sums.values, lines * rows).fill(Line::ZERO) };
    }
    for row in (0..rows).step_by(layer.tall) {
        let high = layer.tall.min(rows - row);
        let to = Place { first: sums.values.wrapping_add(row), rows_apart: 1, panels_apart: rows };
        let mut from = Place::everywhere(&Line::ZERO);
        for (block, place) in blocks.iter().enumerate() {
            let factors = Factors {
                x: scores[block * TOKENS / WIDE * rows + row..].as_ptr(),
                x_apart: rows,
                weights: place.wrapping_add(of_head + layer.shape.values()).cast_const().cast::<f32>(),
                panels_apart: TOKENS * WIDE,
                depth: TOKENS / WIDE,
            };
            // SAFETY: blocks have values for all their tokens, zeros where there is none yet, and the sums are this thread's.
            unsafe { tiles::<L, f32>(factors, high, lines, from, to) };
            from = to;
        }
    }
}

/// Scores of a row, one of `apart` in each panel, become powers of what they lie above the largest that is visible; others become 0. Returns
/// that one and the powers' sum.
#[inline(always)]
fn softmax(
    scores: &mut [Line],
    apart: usize,
    panels: usize,
    visible: Range<usize>,
    scale: f32,
    bias: Option<(&[f32], usize)>,
) -> (f32, f32) {
    let mut largest = Line::of(f32::NEG_INFINITY);
    for panel in 0..panels {
        let line = &mut scores[panel * apart];
        let first = panel * WIDE;
        *line = line.map(|score| score * scale);
        if let Some((distances, query)) = bias {
            for (lane, score) in line.0.iter_mut().enumerate() {
                // what is hidden may get any number
                *score += distances.get(query.wrapping_sub(first + lane)).copied().unwrap_or(0.0);
            }
        }
        if first < visible.start || first + WIDE > visible.end {
            for (lane, score) in line.0.iter_mut().enumerate() {
                let is_visible = first + lane >= visible.start && first + lane < visible.end;
                *score = if is_visible { *score } else { f32::NEG_INFINITY };
            }
        }
        largest = largest.with(*line, |largest, x| if x > largest { x } else { largest });
    }
    let largest = largest.largest();
    if visible.is_empty() {
        (0..panels).for_each(|panel| scores[panel * apart] = Line::ZERO);
        return (f32::NEG_INFINITY, 0.0);
    }
    let mut sum = Line::ZERO;
    for panel in 0..panels {
        let line = &mut scores[panel * apart];
        *line = line.map(|score| exp(score - largest));
        sum = sum.with(*line, |sum, x| sum + x);
    }
    (largest, sum.sum())
}

/// Adds a later chunk's sums of a row to those of the chunks before it.
///
/// # Safety
/// All places are there, and nobody else writes to `sums`.
#[inline(always)]
unsafe fn merge(sums: Sums, row: usize, apart: usize, chunk: Sums, from: usize, from_apart: usize, lines: usize) {
    // SAFETY: as the caller says.
    unsafe {
        let (before, later) = (sums.largest.wrapping_add(row).read(), chunk.largest.wrapping_add(from).read());
        // all of it is hidden
        if chunk.sum.wrapping_add(from).read() == 0.0 {
            return;
        }
        let largest = if later > before { later } else { before };
        // 0 where there was nothing before
        let (of_before, of_later) = (exp(before - largest), exp(later - largest));
        let sum = sums.sum.wrapping_add(row);
        *sum = (*sum).mul_add(of_before, chunk.sum.wrapping_add(from).read() * of_later);
        sums.largest.wrapping_add(row).write(largest);
        for line in 0..lines {
            let to = sums.values.wrapping_add(line * apart + row);
            let more = chunk.values.wrapping_add(line * from_apart + from).read();
            *to = (*to).with(more, |before, later| before.mul_add(of_before, later * of_later));
        }
    }
}
