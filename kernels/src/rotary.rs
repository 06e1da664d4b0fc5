//! Rotary positions: pairs of numbers of a head, turned by an angle that grows with the position.
//!
//! Number `i` of a head's first half is paired with number `i` of its second half, as Llama's published weights have it.
//!
//! Source: Su et al. 2021.

use std::f64::consts::PI;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lanes::vectorised;

/// How rotary angles are scaled, so that a model that was trained on short texts reads longer ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RopeScaling {
    /// All angles are divided.
    ///
    /// Source: Chen et al. 2023 (position interpolation).
    Linear {
        /// By how much, 1 or more.
        factor: f64,
    },
    /// Low frequencies are divided, high ones stay, and those between are mixed.
    ///
    /// Source: the published code of Llama 3.1, as transformers 5.24.0 has it.
    Llama3 {
        /// By how much low frequencies are divided, 1 or more.
        factor: f64,
        /// Frequencies whose wavelength is above the original context length over this are low.
        low_freq_factor: f64,
        /// Frequencies whose wavelength is below the original context length over this are high.
        high_freq_factor: f64,
        /// The context length before scaling, in tokens.
        original_context_length: usize,
    },
}

impl RopeScaling {
    /// What is wrong with the numbers, if something is.
    #[must_use]
    pub fn fault(self) -> Option<String> {
        let (Self::Linear { factor } | Self::Llama3 { factor, .. }) = self;
        if !(factor >= 1.0 && factor.is_finite()) {
            return Some(format!("`factor` is 1 or more, and not {factor}"));
        }
        match self {
            Self::Llama3 { low_freq_factor: low, high_freq_factor: high, .. } if !(low > 0.0 && low < high) => {
                Some(format!(
                    "`low_freq_factor` is more than 0 and less than `high_freq_factor`, and they are {low} and {high}"
                ))
            }
            Self::Llama3 { original_context_length: 0, .. } => Some("`original_context_length` is 1 or more".into()),
            _ => None,
        }
    }

    /// What an angle for each position, `frequency`, becomes.
    fn scaled(self, frequency: f64) -> f64 {
        match self {
            Self::Linear { factor } => frequency / factor,
            Self::Llama3 { factor, low_freq_factor: low, high_freq_factor: high, original_context_length } => {
                // rotations within the original context
                let rounds = original_context_length as f64 * frequency / (2.0 * PI);
                let stay = ((rounds - low) / (high - low)).clamp(0.0, 1.0);
                (1.0 - stay) * frequency / factor + stay * frequency
            }
        }
    }
}

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
    pub fn new(positions: usize, width: usize, base: f64, scaling: Option<RopeScaling>) -> Self {
        let half = width / 2;
        let frequency = |index: usize| {
            let frequency = base.powf(-2.0 * index as f64 / width as f64);
            scaling.map_or(frequency, |scaling| scaling.scaled(frequency))
        };
        let frequencies: Vec<f64> = (0..half).map(frequency).collect();
        let angles =
            (0..positions).flat_map(|position| frequencies.iter().map(move |frequency| position as f64 * frequency));
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

    /// Turns all heads of a row, in place.
    ///
    /// # Shapes
    /// - `row`: `[heads, width]`
    pub fn turn_row(&self, row: &mut [f32], position: usize) {
        turn_heads(row, self.cosines(position), self.sines(position), 1.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula of transformers, written as it is there: a wave is long, short, or between.
    #[test]
    fn waves_are_stretched_as_transformers_does() {
        let (factor, low, high, original) = (8.0, 1.0, 4.0, 8192.0);
        let scaling =
            RopeScaling::Llama3 { factor, low_freq_factor: low, high_freq_factor: high, original_context_length: 8192 };
        let mut kinds = [0; 3];
        for index in 0..64 {
            let frequency = 500_000f64.powf(-2.0 * f64::from(index) / 128.0);
            let wave = 2.0 * PI / frequency;
            let (kind, expected) = if wave < original / high {
                (0, frequency)
            } else if wave > original / low {
                (1, frequency / factor)
            } else {
                let smooth = (original / wave - low) / (high - low);
                (2, (1.0 - smooth) * frequency / factor + smooth * frequency)
            };
            kinds[kind] += 1;
            assert!((scaling.scaled(frequency) / expected - 1.0).abs() < 1e-12, "{index}");
        }
        assert!(kinds.iter().all(|count| *count > 0), "{kinds:?}");
        let linear = RopeScaling::Linear { factor: 2.0 };
        let (stretched, plain) = (Angles::new(9, 4, 100.0, Some(linear)), Angles::new(9, 4, 100.0, None));
        assert_eq!((stretched.cosines(8), stretched.sines(8)), (plain.cosines(4), plain.sines(4)));
        assert!(linear.fault().is_none() && RopeScaling::Linear { factor: 0.0 }.fault().is_some());
    }
}
