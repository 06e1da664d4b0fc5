//! Queries, keys and values of new tokens, put where attention reads them.
#![expect(unsafe_code, reason = "blocks of caches and rows are written by several threads")]

use super::{
    block_shape::{BlockShape, TOKENS},
    elementwise::Panels,
    kernel::line::{Line, WIDE},
};
use crate::rotary::Angles;

/// How the columns of a row are heads.
#[derive(Debug, Clone, Copy)]
pub struct HeadPlaces<'a> {
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// The size of a head.
    pub head_dim: usize,
    /// The blocks of the cache.
    pub shape: BlockShape,
    /// The layer's place among all.
    pub layer: usize,
    /// Rotary positions, where there are such.
    pub angles: Option<&'a Angles>,
}

/// A token, and where its numbers go.
#[derive(Debug, Clone, Copy)]
pub struct TokenPlace<'a> {
    /// Its row.
    pub row: usize,
    /// Its place in the sequence.
    pub position: usize,
    /// The blocks of the sequence.
    pub blocks: &'a [*mut Line],
    /// The queries of the sequence's new tokens, `[kv_heads][head_dim / 16][tokens][heads of a key head]`.
    pub queries: *mut Line,
    /// New tokens.
    pub tokens: usize,
    /// Its place among them.
    pub token: usize,
}

impl HeadPlaces<'_> {
    /// Puts a token's queries, keys and values in their places.
    ///
    /// - `x`: rows of queries, keys and values side by side
    /// - `numbers`: room for the numbers of a row
    ///
    /// # Safety
    /// All places are there, and nobody else writes those of this token.
    pub unsafe fn put(&self, x: Panels, place: TokenPlace<'_>, numbers: &mut Vec<f32>) {
        let Self { heads, kv_heads, head_dim, shape, layer, angles } = *self;
        let (lines, group) = (head_dim.div_ceil(WIDE), heads / kv_heads);
        numbers.resize((heads + 2 * kv_heads) * head_dim, 0.0);
        for (panel, to) in numbers.chunks_mut(WIDE).enumerate() {
            // SAFETY: as the caller says.
            let line = unsafe { x.first.wrapping_add(panel * x.rows + place.row).read() };
            to.copy_from_slice(&line.0[..to.len()]);
        }
        let (turned, values) = numbers.split_at_mut((heads + kv_heads) * head_dim);
        if let Some(angles) = angles {
            angles.turn_row(turned, place.position);
        }
        let (queries, keys) = turned.split_at(heads * head_dim);
        for (head, query) in queries.chunks_exact(head_dim).enumerate() {
            let apart = place.tokens * group;
            let first = place.queries.wrapping_add(head / group * lines * apart + place.token * group + head % group);
            for (line, numbers) in query.chunks(WIDE).enumerate() {
                let mut whole = Line::ZERO;
                whole.0[..numbers.len()].copy_from_slice(numbers);
                // SAFETY: as the caller says.
                unsafe { first.wrapping_add(line * apart).write(whole) };
            }
        }
        let block = place.blocks[place.position / TOKENS];
        let token = place.position % TOKENS;
        let both = keys.chunks_exact(head_dim).zip(values.chunks_exact(head_dim));
        for (head, (key, value)) in both.enumerate() {
            let keys = block.wrapping_add(shape.head(layer, head));
            let column = keys.wrapping_add(token / WIDE * lines * WIDE).cast::<f32>().wrapping_add(token % WIDE);
            for (number, x) in key.iter().enumerate() {
                // SAFETY: as the caller says.
                unsafe { column.wrapping_add(number * WIDE).write(*x) };
            }
            let values = keys.wrapping_add(shape.values() + token).cast::<f32>();
            for (line, numbers) in value.chunks(WIDE).enumerate() {
                let to = values.wrapping_add(line * TOKENS * WIDE);
                // SAFETY: as the caller says.
                unsafe { std::ptr::copy_nonoverlapping(numbers.as_ptr(), to, numbers.len()) };
            }
        }
    }
}
