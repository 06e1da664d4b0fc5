//! A pass of some rows through all blocks: a row is a new token of some sequence.
#![expect(unsafe_code, reason = "tasks write different parts of the same rows and blocks")]

use std::ops::Range;

use kernels::packed::{
    BlockShape, Line, Processor, WIDE,
    attention::{self, Attend, CHUNK, HeadPlace, Layer, Queries, Scratch, Sums},
    elementwise::{Norm, Normalise, Panels, Quantise},
    heads::{HeadPlaces, TokenPlace},
    product::{Hands, Linear, Then},
    rows::{ByteRows, Rows},
    team::Team,
};

use super::weights::{Block, Weights};
use crate::{
    model::{Architecture, NormPlace},
    tensor::Angles,
};

/// Rows up to which the caller does alone what is a fraction of a microsecond for each.
const FEW: usize = 4;

/// Rows that a task takes of what is done with each by itself.
const SOME: usize = 8;

/// What is the same for all passes.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    pub architecture: &'a Architecture,
    pub weights: &'a Weights,
    pub angles: Option<&'a Angles>,
    pub shape: BlockShape,
    pub processor: Processor,
    pub team: &'a Team,
    /// Whether weights are bytes.
    pub has_bytes: bool,
}

/// New tokens of a sequence that are part of a pass.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The first one's row.
    pub row: usize,
    /// The first one's place in the sequence.
    pub position: usize,
    /// Their number.
    pub count: usize,
    /// The places of the sequence's blocks, among all.
    pub blocks: Range<usize>,
}

/// Memory of a pass, which is used again.
#[derive(Debug, Default)]
pub struct Workspace {
    pub pieces: Vec<Piece>,
    /// The places of all sequences' blocks.
    pub blocks: Places,
    /// `[rows]`.
    pub tokens: Vec<u32>,
    /// Rows whose logits are wanted.
    pub wanted: Vec<usize>,
    x: Rows,
    normed: Rows,
    bytes: ByteRows,
    mixed: Rows,
    queries: Vec<Line>,
    attended: Rows,
    inside: Rows,
    jobs: Vec<Job>,
    partial: Partial,
    threads: Vec<Thread>,
    logits: Vec<Line>,
}

/// Places of blocks, which a pass may write for as long as it has their caches.
#[derive(Debug, Default)]
pub struct Places(pub Vec<*mut Line>);

// SAFETY: between passes it is empty.
unsafe impl Send for Places {}

/// Memory of a thread.
#[derive(Debug, Default)]
struct Thread {
    numbers: Vec<f32>,
    scratch: Scratch,
    largest: Vec<f32>,
    sum: Vec<f32>,
    values: Vec<Line>,
}

/// What a task of attention does.
#[derive(Debug, Clone, Copy)]
struct Job {
    piece: usize,
    head: usize,
    /// The first of its queries among those of the piece.
    first: usize,
    count: usize,
    /// One chunk, and where its sums go among the partial ones; all chunks where there is none.
    chunk: Option<(usize, usize)>,
}

/// Sums of single chunks.
#[derive(Debug, Default)]
struct Partial {
    largest: Vec<f32>,
    sum: Vec<f32>,
    values: Vec<Line>,
    /// The pieces and heads whose chunks have sums here: the first of these, and how many there are.
    merges: Vec<(usize, usize, usize, usize)>,
}

/// A pointer that tasks share.
#[derive(Clone, Copy)]
struct Shared<T>(T);

impl<T: Copy> Shared<T> {
    fn get(&self) -> T {
        self.0
    }
}

// SAFETY: each task writes its own part of what it points to.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Shared<T> {}

impl Model<'_> {
    fn hands(&self) -> Hands<'_> {
        Hands { team: self.team, processor: self.processor, memory: &self.weights.memory }
    }

    /// The last hidden states of all rows, in the workspace; keys and values are in their blocks.
    pub fn run(&self, workspace: &mut Workspace) {
        let rows = workspace.tokens.len();
        let Architecture { hidden_size, intermediate_size, .. } = *self.architecture;
        workspace.x.resize(rows, hidden_size);
        workspace.normed.resize(rows, hidden_size);
        workspace.mixed.resize(rows, self.architecture.attention_columns());
        workspace.attended.resize(rows, self.architecture.query_columns());
        workspace.inside.resize(rows, intermediate_size);
        let queries = rows * self.architecture.num_heads * self.architecture.head_dim.div_ceil(WIDE);
        workspace.queries.resize(queries, Line::ZERO);
        workspace.threads.resize_with(self.team.threads(), Thread::default);
        // what stands behind the last column is 0 throughout
        let behind = self.architecture.query_columns() / WIDE * rows;
        workspace.attended.lines[behind..].fill(Line::ZERO);
        if self.has_bytes {
            let widest = hidden_size.max(intermediate_size).max(self.architecture.query_columns());
            workspace.bytes.resize(rows, widest);
        }
        self.share_out(workspace);
        self.embed(workspace);
        for (layer, block) in self.weights.blocks.iter().enumerate() {
            self.block(workspace, block, layer);
        }
    }

    fn block(&self, workspace: &mut Workspace, block: &Block, layer: usize) {
        let is_post = self.architecture.norm_place == NormPlace::Post;
        if !is_post {
            self.normalise(workspace, &block.attention_norm, false);
        }
        {
            let Workspace { x, normed, bytes, mixed, .. } = workspace;
            let x = if is_post { &*x } else { &*normed };
            if self.has_bytes {
                self.quantise(x, bytes);
            }
            block.input.apply(self.hands(), x, bytes, Then::Put, &mut mixed.lines);
        }
        self.place_heads(workspace, layer);
        self.attend(workspace, layer);
        self.add(workspace, &block.output, true);
        if is_post {
            self.normalise(workspace, &block.attention_norm, true);
        } else {
            self.normalise(workspace, &block.feed_forward_norm, false);
        }
        {
            let Workspace { x, normed, bytes, inside, .. } = workspace;
            let x = if is_post { &*x } else { &*normed };
            if self.has_bytes {
                self.quantise(x, bytes);
            }
            let then = Then::Activate(self.architecture.feed_forward);
            block.up.apply(self.hands(), x, bytes, then, &mut inside.lines);
        }
        self.add(workspace, &block.down, false);
        if is_post {
            self.normalise(workspace, &block.feed_forward_norm, true);
        }
    }

    /// Adds a layer's product to the residual stream: that of attention, or of feed-forward layers.
    fn add(&self, workspace: &mut Workspace, linear: &Linear, is_attention: bool) {
        let Workspace { x, bytes, attended, inside, .. } = workspace;
        let from = if is_attention { &*attended } else { &*inside };
        if self.has_bytes {
            self.quantise(from, bytes);
        }
        linear.apply(self.hands(), from, bytes, Then::Add, &mut x.lines);
    }

    /// Runs work on ranges of rows.
    fn by_rows(&self, rows: usize, work: impl Fn(usize, Range<usize>) + Sync) {
        if rows <= FEW {
            return work(0, 0..rows);
        }
        self.team.run(rows.div_ceil(SOME), |thread, task| work(thread, task * SOME..rows.min((task + 1) * SOME)));
    }

    /// The norm of the residual stream, in its place or beside it.
    fn normalise(&self, workspace: &mut Workspace, norm: &Norm, in_place: bool) {
        let Workspace { x, normed, .. } = workspace;
        let rows = x.rows;
        let from = Panels { first: x.lines.as_mut_ptr(), rows };
        let to = if in_place { from } else { Panels { first: normed.lines.as_mut_ptr(), rows } };
        let places = Shared((from, to));
        let processor = self.processor;
        self.by_rows(rows, |_, rows| {
            let (from, to) = places.get();
            let normalise = Normalise { norm, from, picked: None, to, rows, factor: 1.0 };
            // SAFETY: this task alone has these rows.
            unsafe { normalise.run(processor) };
        });
    }

    fn quantise(&self, x: &Rows, bytes: &mut ByteRows) {
        let from = Panels { first: x.lines.as_ptr().cast_mut(), rows: x.rows };
        let to = Shared((from, bytes.lines.as_mut_ptr(), bytes.scales.as_mut_ptr(), bytes.sums.as_mut_ptr()));
        let processor = self.processor;
        self.by_rows(x.rows, |_, rows| {
            let (from, bytes, scales, sums) = to.get();
            let quantise = Quantise { from, panels: x.lines.len() / x.rows, bytes, scales, sums, rows };
            // SAFETY: this task alone has these rows.
            unsafe { quantise.run(processor) };
        });
    }

    /// The embeddings of tokens and of their positions.
    fn embed(&self, workspace: &mut Workspace) {
        let Workspace { x, tokens, pieces, .. } = workspace;
        let width = self.architecture.hidden_size;
        let weights = self.weights;
        let table = weights.tokens.as_ref().unwrap_or(&weights.head.weight);
        let to = Shared(Panels { first: x.lines.as_mut_ptr(), rows: x.rows });
        self.by_rows(x.rows, |_, rows| {
            for row in rows {
                let token = tokens[row] as usize;
                let piece = pieces.partition_point(|piece| piece.row <= row) - 1;
                let position = pieces[piece].position + row - pieces[piece].row;
                let positions = weights.positions.as_ref().map(|table| &table[position * width..][..width]);
                for panel in 0..width.div_ceil(WIDE) {
                    let mut line = Line::ZERO;
                    for (lane, number) in line.0.iter_mut().enumerate().take(width - panel * WIDE) {
                        let column = panel * WIDE + lane;
                        *number = table.at(&weights.memory, column, token);
                        if let Some(positions) = positions {
                            *number += positions[column];
                        }
                    }
                    let Panels { first, rows } = to.get();
                    // SAFETY: the row is there, and this task alone writes it.
                    unsafe { first.wrapping_add(panel * rows + row).write(line) };
                }
            }
        });
    }

    fn place_heads(&self, workspace: &mut Workspace, layer: usize) {
        let Architecture { num_heads: heads, num_kv_heads: kv_heads, head_dim, .. } = *self.architecture;
        let places = HeadPlaces { heads, kv_heads, head_dim, shape: self.shape, layer, angles: self.angles };
        let Workspace { mixed, queries, pieces, blocks, threads, .. } = workspace;
        let lines = heads * head_dim.div_ceil(WIDE);
        let x = Panels { first: mixed.lines.as_mut_ptr(), rows: mixed.rows };
        let shared = Shared((x, queries.as_mut_ptr(), threads.as_mut_ptr(), blocks.0.as_slice()));
        self.by_rows(mixed.rows, |thread, rows| {
            let (x, queries, threads, blocks) = shared.get();
            for row in rows {
                let piece = &pieces[pieces.partition_point(|piece| piece.row <= row) - 1];
                let token = row - piece.row;
                let place = TokenPlace {
                    row,
                    position: piece.position + token,
                    blocks: &blocks[piece.blocks.clone()],
                    queries: queries.wrapping_add(piece.row * lines),
                    tokens: piece.count,
                    token,
                };
                // SAFETY: a thread has its own memory, and this task alone writes what belongs to the token.
                unsafe { places.put(x, place, &mut (*threads.wrapping_add(thread)).numbers) };
            }
        });
    }

    /// What attention has to do is the same in all layers.
    fn share_out(&self, workspace: &mut Workspace) {
        let Architecture { num_heads: heads, num_kv_heads: kv_heads, head_dim, .. } = *self.architecture;
        let (group, lines) = (heads / kv_heads, head_dim.div_ceil(WIDE));
        let Workspace { pieces, jobs, partial, .. } = workspace;
        jobs.clear();
        partial.merges.clear();
        let mut sums = 0;
        for (number, piece) in pieces.iter().enumerate() {
            let chunks = (piece.position + piece.count).div_ceil(CHUNK);
            for head in 0..kv_heads {
                let job = Job { piece: number, head, first: 0, count: piece.count, chunk: None };
                if piece.count == 1 && chunks > 1 {
                    partial.merges.push((number, head, sums, chunks));
                    jobs.extend((0..chunks).map(|chunk| Job { chunk: Some((chunk, sums + chunk)), ..job }));
                    sums += chunks;
                } else {
                    let count = (attention::ROWS / group).max(1);
                    // those that take longest come first
                    let firsts = (0..piece.count).step_by(count).rev();
                    jobs.extend(firsts.map(|first| Job { first, count: count.min(piece.count - first), ..job }));
                }
            }
        }
        partial.largest.resize(sums * group, 0.0);
        partial.sum.resize(sums * group, 0.0);
        partial.values.resize(sums * group * lines, Line::ZERO);
    }

    fn attend(&self, workspace: &mut Workspace, layer: usize) {
        let Architecture { num_heads, num_kv_heads, head_dim, context_length, sliding_window, .. } = *self.architecture;
        let (group, lines) = (num_heads / num_kv_heads, head_dim.div_ceil(WIDE));
        let of_layer = Layer {
            shape: self.shape,
            number: layer,
            head_dim,
            group,
            scale: self.architecture.heads().scale(),
            window: sliding_window.filter(|window| window.is_in(layer)).map(|window| window.tokens),
            distances: self.weights.distances.as_deref(),
            context_length,
            tall: self.processor.tile_rows(),
        };
        let Workspace { queries, pieces, blocks, threads, attended, jobs, partial, .. } = workspace;
        let rows = attended.rows;
        let Partial { largest, sum, values, merges } = partial;
        let partial = Sums { largest: largest.as_mut_ptr(), sum: sum.as_mut_ptr(), values: values.as_mut_ptr() };
        let shared = Shared((
            queries.as_ptr(),
            blocks.0.as_slice(),
            threads.as_mut_ptr(),
            attended.lines.as_mut_ptr().cast::<f32>(),
        ));
        let partial = Shared(partial);
        let processor = self.processor;
        self.team.run(jobs.len(), |thread, task| {
            let (queries, blocks, threads, out) = shared.get();
            let Job { piece, head, first, count, chunk } = jobs[task];
            let piece = &pieces[piece];
            let apart = piece.count * group;
            let queries =
                queries.wrapping_add((piece.row * num_kv_heads * group + head * apart) * lines + first * group);
            let blocks = &blocks[piece.blocks.clone()];
            let position = piece.position + first;
            let queries = Queries { blocks, head, position, count, first: queries, apart };
            // SAFETY: a thread has its own memory.
            let Thread { scratch, largest, sum, values, .. } = unsafe { &mut *threads.wrapping_add(thread) };
            if let Some((chunk, number)) = chunk {
                let (sums, chunks) = (partial.get().further(number, group, lines), chunk..chunk + 1);
                let attend = Attend { layer: of_layer, queries, chunks, sums, scratch };
                // SAFETY: this task alone has the chunk.
                return unsafe { attend.run(processor) };
            }
            let count = count * group;
            if largest.len() < count || values.len() < count * lines {
                largest.resize(count, 0.0);
                sum.resize(count, 0.0);
                values.resize(count * lines, Line::ZERO);
            }
            let sums = Sums { largest: largest.as_mut_ptr(), sum: sum.as_mut_ptr(), values: values.as_mut_ptr() };
            let chunks = of_layer.chunks(position..position + count / group);
            let attend = Attend { layer: of_layer, queries, chunks, sums, scratch };
            // SAFETY: the sums are this thread's.
            unsafe { attend.run(processor) };
            for row in 0..count {
                let to = HeadPlace {
                    first: out,
                    rows,
                    row: piece.row + first + row / group,
                    head: head * group + row % group,
                };
                // SAFETY: this task alone has these heads of these rows.
                unsafe { sums.put(row, count, head_dim, to) };
            }
        });
        self.team.run(merges.len(), |_, task| {
            let (_, _, _, out) = shared.get();
            let (piece, head, first, chunks) = merges[task];
            let sums = partial.get().further(first, group, lines);
            // SAFETY: this task alone has these chunks.
            unsafe { sums.merge_chunks(processor, chunks, group, lines) };
            for row in 0..group {
                let to = HeadPlace { first: out, rows, row: pieces[piece].row, head: head * group + row };
                // SAFETY: as above.
                unsafe { sums.put(row, group, head_dim, to) };
            }
        });
    }

    /// Calls `take` with the logits, `[vocab_size]`, of each row that is wanted.
    pub fn logits(&self, workspace: &mut Workspace, vocab_size: usize, mut take: impl FnMut(usize, &[f32])) {
        /// Rows whose logits are there at a time.
        const ROWS: usize = 64;
        let weights = self.weights;
        let Workspace { x, normed, bytes, logits, wanted, .. } = workspace;
        let panels = weights.head.weight.panels();
        let factor =
            if self.architecture.scale_logits { 1.0 / (self.architecture.hidden_size as f32).sqrt() } else { 1.0 };
        let (processor, panels_of_row) = (self.processor, self.architecture.hidden_size.div_ceil(WIDE));
        for (number, picked) in wanted.chunks(ROWS).enumerate() {
            let rows = picked.len();
            normed.resize(rows, self.architecture.hidden_size);
            let from = Panels { first: x.lines.as_mut_ptr(), rows: x.rows };
            let to = Panels { first: normed.lines.as_mut_ptr(), rows };
            let places = Shared((from, to));
            self.by_rows(rows, |_, rows| {
                let (from, to) = places.get();
                match &weights.norm {
                    Some(norm) => {
                        let normalise = Normalise { norm, from, picked: Some(picked), to, rows, factor };
                        // SAFETY: this task alone has these rows.
                        unsafe { normalise.run(processor) };
                    }
                    None => {
                        for row in rows {
                            for panel in 0..panels_of_row {
                                // SAFETY: the rows are there, and this task alone writes these.
                                unsafe {
                                    let line = from.first.wrapping_add(panel * from.rows + picked[row]).read();
                                    to.first.wrapping_add(panel * to.rows + row).write(line.map(|x| x * factor));
                                }
                            }
                        }
                    }
                }
            });
            if self.has_bytes {
                self.quantise(normed, bytes);
            }
            logits.resize(rows * panels, Line::ZERO);
            weights.head.apply(self.hands(), normed, bytes, Then::PutRows, logits);
            for (row, logits) in logits.chunks_exact(panels).enumerate() {
                take(number * ROWS + row, &Line::numbers(logits)[..vocab_size]);
            }
        }
    }
}
