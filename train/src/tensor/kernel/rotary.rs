//! Rotary positions: pairs of numbers of a head, turned by an angle that grows with the position.
//!
//! Number `i` of a head's first half is paired with number `i` of its second half, as Llama's published weights have it.
//!
//! Source: Su et al. 2021.

use rayon::prelude::*;

use super::lanes::vectorised;

/// The cosine and sine of each position's angles: `base` to the power of `-2 i / width`, times the position.
#[derive(Debug, Clone)]
pub struct Angles {
    /// `[positions, width / 2]`.
    cosines: Vec<f32>,
    /// The same.
    sines: Vec<f32>,
    half: usize,
}

impl Angles {
    /// The angles of positions `0..positions` for heads of `width`, an even number.
    #[must_use]
    pub fn new(positions: usize, width: usize, base: f64) -> Self {
        let half = width / 2;
        let angles = (0..positions).flat_map(|position| {
            (0..half).map(move |index| position as f64 * base.powf(-2.0 * index as f64 / width as f64))
        });
        #[expect(clippy::cast_possible_truncation, reason = "numbers of a model are single precision")]
        let (cosines, sines) = angles.map(|angle: f64| (angle.cos() as f32, angle.sin() as f32)).unzip();
        Self { cosines, sines, half }
    }

    /// Half the width of a head.
    #[must_use]
    pub fn half(&self) -> usize {
        self.half
    }

    /// Cosines and sines of all positions, `[positions, width / 2]` each.
    #[must_use]
    pub fn tables(&self) -> [&[f32]; 2] {
        [&self.cosines, &self.sines]
    }

    /// The cosines of a position, `[width / 2]`.
    #[must_use]
    pub fn cosines(&self, position: usize) -> &[f32] {
        &self.cosines[position * self.half..][..self.half]
    }

    /// The sines of a position, `[width / 2]`.
    #[must_use]
    pub fn sines(&self, position: usize) -> &[f32] {
        &self.sines[position * self.half..][..self.half]
    }

    /// Turns the first `heads` heads of every row, in place; back again where `back` says so.
    ///
    /// # Shapes
    /// - `x`: `[rows, columns]`, of which the heads take the first
    /// - `positions`: `[rows]`
    pub fn turn(&self, x: &mut [f32], positions: &[usize], columns: usize, heads: usize, back: bool) {
        let half = self.half;
        x.par_chunks_mut(columns).zip(positions).for_each(|(row, position)| {
            let (cosines, sines) = (self.cosines(*position), self.sines(*position));
            let sign = if back { -1.0 } else { 1.0 };
            turn_heads(&mut row[..heads * 2 * half], cosines, sines, sign);
        });
    }
}

vectorised! {
    fn turn_heads(row: &mut [f32], cosines: &[f32], sines: &[f32], sign: f32) -> () {
        let half = cosines.len();
        for head in row.chunks_exact_mut(2 * half) {
            let (first, second) = head.split_at_mut(half);
            for (((one, other), cosine), sine) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
                let (x, y, sine) = (*one, *other, sign * sine);
                *one = x * cosine - y * sine;
                *other = y * cosine + x * sine;
            }
        }
    }
}
