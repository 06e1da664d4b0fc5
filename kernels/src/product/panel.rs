//! Panels: what a tile reads, side by side in memory.
//!
//! A panel holds some lines of a matrix (rows of the first factor, columns of the second) step by step: `[depth, wide]`. Lines that
//! are not there are zeros.

use super::{
    super::{lanes::vectorised, matrix::Matrix},
    prefetch::prefetch,
};

/// Steps that are copied for all panels at a time: what one line of the cache holds.
const STEPS: usize = 16;

/// Steps ahead at which lines are asked for; at the end of a panel, those of the next one.
const AHEAD: usize = 2 * STEPS;

/// Lines and steps that are transposed at a time.
const BLOCK: usize = 4;

vectorised! {
    /// Packs the rows of `lines` into panels that are `wide`.
    pub fn pack(lines: Matrix<'_>, wide: usize, to: &mut [f32]) -> () {
        match wide {
            32 => pack_panels::<32>(lines, to),
            16 => pack_panels::<16>(lines, to),
            12 => pack_panels::<12>(lines, to),
            8 => pack_panels::<8>(lines, to),
            6 => pack_panels::<6>(lines, to),
            2 => pack_panels::<2>(lines, to),
            _ => unreachable!("no tile has a panel {wide} wide"),
        }
    }
}

#[inline(always)]
fn pack_panels<const WIDE: usize>(lines: Matrix<'_>, to: &mut [f32]) {
    let (count, depth) = lines.size();
    debug_assert_eq!(to.len(), count.div_ceil(WIDE) * WIDE * depth);
    let whole = count / WIDE;
    let (panels, rest) = to.split_at_mut(whole * WIDE * depth);
    if lines.adjacent_columns() {
        for (panel, to) in panels.chunks_exact_mut(WIDE * depth).enumerate() {
            transpose::<WIDE>(lines.rows(panel * WIDE..(panel + 1) * WIDE), to);
        }
    } else {
        copy::<WIDE>(lines, panels);
    }
    if !rest.is_empty() {
        let lines = lines.rows(whole * WIDE..count);
        for (step, to) in rest.chunks_exact_mut(WIDE).enumerate() {
            for (line, to) in to.iter_mut().enumerate() {
                *to = if line < count - whole * WIDE { lines.at(line, step) } else { 0.0 };
            }
        }
    }
}

/// Lines whose numbers lie side by side: columns become rows.
#[inline(always)]
fn transpose<const WIDE: usize>(lines: Matrix<'_>, to: &mut [f32]) {
    let depth = lines.size().1;
    let whole = depth / BLOCK * BLOCK;
    let whole_blocks = WIDE / BLOCK * BLOCK;
    for start in (0..whole).step_by(STEPS) {
        let end = whole.min(start + STEPS);
        let later = start + AHEAD;
        let later = if later < depth { later } else { later - depth + WIDE * lines.strides().0 };
        let to = &mut to[start * WIDE..end * WIDE];
        for first in (0..whole_blocks).step_by(BLOCK) {
            let row = [lines.row(first), lines.row(first + 1), lines.row(first + 2), lines.row(first + 3)];
            for row in row {
                prefetch(row.as_ptr().wrapping_add(later));
            }
            let [a, b, c, d] = row;
            let (a, b) = (&a[start..end].as_chunks::<BLOCK>().0, &b[start..end].as_chunks::<BLOCK>().0);
            let (c, d) = (&c[start..end].as_chunks::<BLOCK>().0, &d[start..end].as_chunks::<BLOCK>().0);
            let blocks = a.iter().zip(*b).zip(c.iter().zip(*d)).zip(to.chunks_exact_mut(WIDE * BLOCK));
            for (((a, b), (c, d)), to) in blocks {
                transpose_block::<WIDE>([a, b, c, d], &mut to[first..]);
            }
        }
        for line in whole_blocks..WIDE {
            for (to, from) in to[line..].iter_mut().step_by(WIDE).zip(&lines.row(line)[start..end]) {
                *to = *from;
            }
        }
    }
    for step in whole..depth {
        for (line, to) in to[step * WIDE..][..WIDE].iter_mut().enumerate() {
            *to = lines.at(line, step);
        }
    }
}

/// Lines that lie side by side.
#[inline(always)]
fn copy<const WIDE: usize>(lines: Matrix<'_>, panels: &mut [f32]) {
    let depth = lines.size().1;
    let steps = lines.transposed();
    for start in (0..depth).step_by(STEPS) {
        let end = depth.min(start + STEPS);
        for (panel, to) in panels.chunks_exact_mut(WIDE * depth).enumerate() {
            for (step, to) in (start..end).zip(to[start * WIDE..end * WIDE].as_chunks_mut::<WIDE>().0) {
                let from = &steps.row(step)[panel * WIDE..][..WIDE];
                prefetch(from.as_ptr().wrapping_add(STEPS * steps.strides().0));
                prefetch(from.as_ptr().wrapping_add(STEPS * steps.strides().0 + WIDE - 1));
                to.copy_from_slice(from);
            }
        }
    }
}

/// Rows as columns, put so far apart. In plain Rust it compiles to a load and a store for each number, which takes longer.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "the compiler does not see that every processor of the kind has the instructions")]
fn transpose_block<const APART: usize>(rows: [&[f32; BLOCK]; BLOCK], to: &mut [f32]) {
    use std::arch::x86_64::{
        _mm_loadu_ps, _mm_movehl_ps, _mm_movelh_ps, _mm_storeu_ps, _mm_unpackhi_ps, _mm_unpacklo_ps,
    };
    let to = &mut to[..(BLOCK - 1) * APART + BLOCK];
    // SAFETY: these are instructions of SSE, which belongs to x86-64; they read and write four numbers, which are there.
    unsafe {
        let [a, b, c, d] = [
            _mm_loadu_ps(rows[0].as_ptr()),
            _mm_loadu_ps(rows[1].as_ptr()),
            _mm_loadu_ps(rows[2].as_ptr()),
            _mm_loadu_ps(rows[3].as_ptr()),
        ];
        let (low_ab, high_ab) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        let (low_cd, high_cd) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        let to = to.as_mut_ptr();
        _mm_storeu_ps(to, _mm_movelh_ps(low_ab, low_cd));
        _mm_storeu_ps(to.add(APART), _mm_movehl_ps(low_cd, low_ab));
        _mm_storeu_ps(to.add(2 * APART), _mm_movelh_ps(high_ab, high_cd));
        _mm_storeu_ps(to.add(3 * APART), _mm_movehl_ps(high_cd, high_ab));
    }
}

/// Rows as columns, put so far apart.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn transpose_block<const APART: usize>(rows: [&[f32; BLOCK]; BLOCK], to: &mut [f32]) {
    for (column, to) in to.chunks_mut(APART).take(BLOCK).enumerate() {
        for (to, row) in to.iter_mut().zip(rows) {
            *to = row[column];
        }
    }
}
