//! Rows of hidden states, as products take them: see `kernel`.

use super::kernel::{
    byte_tile::{ByteLine, GROUP},
    line::{Line, WIDE},
};

/// Rows in panels, `[columns / 16][rows][16]`. What stands behind the last column is 0.
#[derive(Debug, Default)]
pub struct Rows {
    /// `[columns / 16][rows]`.
    pub lines: Vec<Line>,
    /// Their number.
    pub rows: usize,
}

impl Rows {
    /// Makes room for rows; what stands there is anything.
    pub fn resize(&mut self, rows: usize, columns: usize) {
        self.rows = rows;
        self.lines.resize(columns.div_ceil(WIDE) * rows, Line::ZERO);
    }
}

/// Rows as bytes, and as they are where weights are not bytes.
#[derive(Debug, Default)]
pub struct ByteRows {
    /// `[inputs / 16][rows]`.
    pub lines: Vec<ByteLine>,
    /// `[groups][rows]`: what a byte stands for.
    pub scales: Vec<f32>,
    /// `[groups][rows]`: sums of bytes.
    pub sums: Vec<i32>,
}

impl ByteRows {
    /// Makes room for rows; what stands there is anything.
    pub fn resize(&mut self, rows: usize, columns: usize) {
        let groups = columns.div_ceil(GROUP);
        self.lines.resize(groups * GROUP / WIDE * rows, [0; WIDE]);
        self.scales.resize(groups * rows, 0.0);
        self.sums.resize(groups * rows, 0);
    }
}
