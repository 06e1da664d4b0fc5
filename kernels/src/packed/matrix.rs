//! A weight as it is held: in panels, in one of the formats.

use half::bf16;
use rayon::prelude::*;

use super::{
    WeightFormat,
    kernel::{
        byte_tile::GROUP,
        line::{Line, WIDE},
    },
    memory::{Memory, Part},
};

/// A weight in panels: see `kernel`.
#[derive(Debug)]
pub struct Matrix {
    format: WeightFormat,
    /// Up to whole lines, or groups of bytes.
    inputs: usize,
    /// Panels of outputs.
    panels: usize,
    weights: Part,
    /// Of bytes, `[panels][groups][16]`.
    scales: Part,
}

/// The numbers of a weight.
#[derive(Debug, Clone, Copy)]
pub enum Panels<'a> {
    /// `[panels][inputs]`.
    F32(&'a [Line]),
    /// `[panels][inputs][16]`.
    Bf16(&'a [bf16]),
    /// `[panels][inputs / 4][16][4]`, and `[panels][groups][16]`.
    Int8(&'a [u8], &'a [bf16]),
}

impl Matrix {
    /// The memory that one takes.
    #[must_use]
    pub fn bytes(format: WeightFormat, inputs: usize, outputs: usize) -> usize {
        let (inputs, panels) = (padded(format, inputs), outputs.div_ceil(WIDE));
        let count = panels * inputs;
        match format {
            WeightFormat::F32 => Memory::bytes::<Line>(count),
            WeightFormat::Bf16 => Memory::bytes::<bf16>(count * WIDE),
            WeightFormat::Int8 => Memory::bytes::<u8>(count * WIDE) + Memory::bytes::<bf16>(count / GROUP * WIDE),
        }
    }

    /// One of `[inputs, outputs]`: `line` gives the numbers of an input for the outputs of a panel, zeros behind the last.
    pub fn pack(
        memory: &mut Memory,
        format: WeightFormat,
        [inputs, outputs]: [usize; 2],
        line: impl Fn(usize, usize) -> Line + Sync,
    ) -> Self {
        let (whole, panels) = (padded(format, inputs), outputs.div_ceil(WIDE));
        let line = |input: usize, panel: usize| if input < inputs { line(input, panel) } else { Line::ZERO };
        let count = panels * whole;
        let mut scales = Part::default();
        let weights = match format {
            WeightFormat::F32 => {
                let weights = memory.take::<Line>(count);
                let to = memory.numbers_mut::<Line>(&weights).par_chunks_mut(whole);
                to.enumerate().for_each(|(panel, to)| {
                    to.iter_mut().enumerate().for_each(|(input, to)| *to = line(input, panel));
                });
                weights
            }
            WeightFormat::Bf16 => {
                let weights = memory.take::<bf16>(count * WIDE);
                let to = memory.numbers_mut::<bf16>(&weights).par_chunks_mut(whole * WIDE);
                to.enumerate().for_each(|(panel, to)| {
                    for (input, to) in to.as_chunks_mut::<WIDE>().0.iter_mut().enumerate() {
                        *to = line(input, panel).0.map(bf16::from_f32);
                    }
                });
                weights
            }
            WeightFormat::Int8 => {
                let weights = memory.take::<u8>(count * WIDE);
                scales = memory.take::<bf16>(count / GROUP * WIDE);
                let of_scales: Vec<bf16> = memory
                    .numbers_mut::<u8>(&weights)
                    .par_chunks_mut(GROUP * WIDE)
                    .enumerate()
                    .flat_map_iter(|(group, to)| {
                        let (panel, first) = (group / (whole / GROUP), group % (whole / GROUP) * GROUP);
                        bytes(to, |input| line(first + input, panel))
                    })
                    .collect();
                memory.numbers_mut::<bf16>(&scales).copy_from_slice(&of_scales);
                weights
            }
        };
        Self { format, inputs: whole, panels, weights, scales }
    }

    /// Inputs, up to whole lines or groups.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Panels of outputs.
    #[must_use]
    pub fn panels(&self) -> usize {
        self.panels
    }

    /// Its numbers.
    #[must_use]
    pub fn numbers<'m>(&self, memory: &'m Memory) -> Panels<'m> {
        match self.format {
            WeightFormat::F32 => Panels::F32(memory.numbers(&self.weights)),
            WeightFormat::Bf16 => Panels::Bf16(memory.numbers(&self.weights)),
            WeightFormat::Int8 => Panels::Int8(memory.numbers(&self.weights), memory.numbers(&self.scales)),
        }
    }

    /// The weight of an input for an output.
    #[must_use]
    pub fn at(&self, memory: &Memory, input: usize, output: usize) -> f32 {
        let (panel, lane) = (output / WIDE, output % WIDE);
        let line = panel * self.inputs + input;
        match self.numbers(memory) {
            Panels::F32(lines) => lines[line].0[lane],
            Panels::Bf16(numbers) => numbers[line * WIDE + lane].to_f32(),
            Panels::Int8(bytes, scales) => {
                let byte = bytes[line / 4 * 4 * WIDE + lane * 4 + input % 4];
                (f32::from(byte) - 128.0) * scales[line / GROUP * WIDE + lane].to_f32()
            }
        }
    }
}

fn padded(format: WeightFormat, inputs: usize) -> usize {
    inputs.next_multiple_of(if format == WeightFormat::Int8 { GROUP } else { WIDE })
}

/// Writes a group of a panel, `[GROUP / 4][16][4]`, and returns its scales, `[16]`.
fn bytes(to: &mut [u8], line: impl Fn(usize) -> Line) -> [bf16; WIDE] {
    let lines: [Line; GROUP] = std::array::from_fn(line);
    let largest = lines.iter().fold(Line::ZERO, |largest, line| largest.with(*line, |largest, x| largest.max(x.abs())));
    let broken = lines.iter().fold(Line::ZERO, |sum, line| sum.with(*line, |sum, x| sum + x * 0.0));
    // a weight that is no number is one in bytes, too
    let scales = largest.with(broken, |largest, broken| largest + broken).0.map(|largest| up(largest / 127.0));
    let inverse = Line(scales.map(|scale| if scale.to_f32() > 0.0 { 1.0 / scale.to_f32() } else { 0.0 }));
    for (quad, to) in to.chunks_exact_mut(4 * WIDE).enumerate() {
        for (place, line) in lines[quad * 4..][..4].iter().enumerate() {
            let bytes = line.with(inverse, |x, inverse| (x * inverse).clamp(-127.0, 127.0) + 128.5);
            for (lane, byte) in bytes.0.into_iter().enumerate() {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 255")]
                let byte = byte as u8;
                to[lane * 4 + place] = byte;
            }
        }
    }
    scales
}

/// The least number of 16 bits that is not below one of single precision, which is not below 0; none for none.
fn up(number: f32) -> bf16 {
    if number.is_nan() {
        return bf16::NAN;
    }
    let low = bf16::from_bits((number.to_bits() >> 16) as u16);
    if low.to_f32() < number { bf16::from_bits(low.to_bits() + 1) } else { low }
}
