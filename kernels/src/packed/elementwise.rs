//! What is done with each row by itself: norms, and bytes in the place of numbers.
#![expect(unsafe_code, reason = "tasks write different rows of the same panels")]

use std::ops::Range;

use super::kernel::{
    byte_tile::{ByteLine, GROUP},
    lanes::Lanes,
    line::{Line, WIDE},
    processor::{Processor, Work},
};

/// A norm: layer norm, or, without a bias, the root mean square norm.
#[derive(Debug, Default)]
pub struct Norm {
    /// Zeros behind the last column.
    pub gain: Vec<Line>,
    /// The same.
    pub bias: Option<Vec<Line>>,
    /// Columns.
    pub width: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

/// Lines of some rows in panels.
#[derive(Debug, Clone, Copy)]
pub struct Panels {
    /// Of the first row and panel.
    pub first: *mut Line,
    /// The rows that there are.
    pub rows: usize,
}

impl Panels {
    #[inline(always)]
    fn at(self, row: usize, panel: usize) -> *mut Line {
        self.first.wrapping_add(panel * self.rows + row)
    }
}

/// Writes rows of a norm, which may take the place of those that they are made of.
pub struct Normalise<'a> {
    /// The norm.
    pub norm: &'a Norm,
    /// What it is the norm of.
    pub from: Panels,
    /// For each row that is written that which it is made of; the same where none are given.
    pub picked: Option<&'a [usize]>,
    /// Where it goes.
    pub to: Panels,
    /// The rows that are written.
    pub rows: Range<usize>,
    /// What they are multiplied by afterwards.
    pub factor: f32,
}

impl Normalise<'_> {
    /// Writes them.
    ///
    /// # Safety
    /// The rows are there, and nobody else writes, or reads what is written.
    pub unsafe fn run(self, processor: Processor) {
        processor.run(self);
    }
}

impl Work for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { norm, from, picked, to, rows, factor } = self;
        let Norm { gain, bias, width, epsilon } = norm;
        for row in rows {
            let source = picked.map_or(row, |picked| picked[row]);
            // SAFETY: the rows are there, and this task alone writes these.
            let x = |panel: usize| unsafe { from.at(source, panel).read() };
            let put = |panel: usize, line: Line| unsafe { to.at(row, panel).write(line) };
            let mut mean = 0.0;
            if bias.is_some() {
                let mut sum = Line::ZERO;
                (0..gain.len()).for_each(|panel| sum = sum.with(x(panel), |sum, x| sum + x));
                mean = sum.sum() / *width as f32;
            }
            let mut squares = Line::ZERO;
            for panel in 0..gain.len() {
                let mut line = x(panel).map(|x| x - mean);
                // what stands behind the last column does not count
                line.0[WIDE.min(width - panel * WIDE)..].fill(0.0);
                squares = squares.with(line, |sum, x| x.mul_add(x, sum));
            }
            let scale = 1.0 / (squares.sum() / *width as f32 + epsilon).sqrt();
            for (panel, gain) in gain.iter().enumerate() {
                let line = x(panel).with(*gain, |x, gain| (x - mean) * scale * gain);
                let line = bias.as_ref().map_or(line, |bias| line.with(bias[panel], |x, bias| x + bias));
                put(panel, line.map(|x| x * factor));
            }
        }
    }
}

/// Writes rows as bytes: see `kernel::byte_tile`.
pub struct Quantise {
    /// What becomes bytes.
    pub from: Panels,
    /// Lines of a row.
    pub panels: usize,
    /// `[inputs / 16][rows]`
    pub bytes: *mut ByteLine,
    /// `[groups][rows]`
    pub scales: *mut f32,
    /// `[groups][rows]`
    pub sums: *mut i32,
    /// The rows that are written.
    pub rows: Range<usize>,
}

impl Quantise {
    /// Writes them.
    ///
    /// # Safety
    /// The rows are there, and nobody else writes, or reads what is written.
    pub unsafe fn run(self, processor: Processor) {
        processor.run(self);
    }
}

impl Work for Quantise {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        /// 1.5 * 2^23: adding it leaves the nearest whole number in the low bits.
        const ROUND: f32 = 12_582_912.0;
        let Self { from, panels, bytes, scales, sums, rows } = self;
        let each = GROUP / WIDE;
        for row in rows {
            for group in 0..panels.div_ceil(each) {
                // SAFETY: the rows are there, and this task alone writes these.
                let lines: [Line; GROUP / WIDE] = std::array::from_fn(|line| match group * each + line {
                    panel if panel < panels => unsafe { from.at(row, panel).read() },
                    _ => Line::ZERO,
                });
                let largest = lines.iter().fold(Line::ZERO, |largest, line| {
                    largest.with(*line, |largest, x| if x.abs() > largest { x.abs() } else { largest })
                });
                let largest = largest.largest();
                // 0, or no number: bytes could not say that one of them is none
                let broken = lines.iter().fold(Line::ZERO, |sum, line| sum.with(*line, |sum, x| x.mul_add(0.0, sum)));
                let broken = broken.sum();
                let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
                let mut sum = [0i32; WIDE];
                for (line, numbers) in lines.iter().enumerate() {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_possible_wrap,
                        reason = "the low bits are the byte"
                    )]
                    let rounded = numbers.0.map(|x| x.mul_add(inverse, ROUND).to_bits() as u8 as i8);
                    for (sum, byte) in sum.iter_mut().zip(rounded) {
                        *sum += i32::from(byte);
                    }
                    // SAFETY: as above.
                    unsafe { bytes.wrapping_add((group * each + line) * from.rows + row).write(rounded) };
                }
                // SAFETY: as above.
                unsafe {
                    scales.wrapping_add(group * from.rows + row).write(largest / 127.0 + broken);
                    sums.wrapping_add(group * from.rows + row).write(sum.iter().sum());
                }
            }
        }
    }
}
