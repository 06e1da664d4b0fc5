//! Products of rows with a weight, and what is done with them while they are at hand.
#![expect(unsafe_code, reason = "tasks write to parts of the same rows")]

use std::ops::Range;

use super::{
    kernel::{
        byte_tile::{ByteFactors, GROUP, byte_tiles},
        lanes::Lanes,
        line::{Line, WIDE},
        processor::{Processor, Work},
        tile::{Factors, Place, tiles},
    },
    matrix::{Matrix, Panels},
    memory::Memory,
    rows::{ByteRows, Rows},
    team::Team,
};
use crate::activation::{Activation, gelu_of, sigmoid};

/// Panels that a thread works on at a time.
const STRIP: usize = 4;

/// Tasks for each thread.
const TASKS: usize = 4;

/// Most rows of a tile.
const MOST_ROWS: usize = 12;

/// An affine map.
#[derive(Debug)]
pub struct Linear {
    /// `[inputs, outputs]`.
    pub weight: Matrix,
    /// One line for each panel.
    pub bias: Option<Vec<Line>>,
}

/// What is done with a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is put there.
    Put,
    /// It is put there, a row after the other.
    PutRows,
    /// It is added to what is there.
    Add,
    /// It goes through an activation. Where that is gated, each panel of gates stands before the panel that it gates.
    Activate(Activation),
}

/// What products are made with.
#[derive(Debug, Clone, Copy)]
pub struct Hands<'a> {
    /// The threads.
    pub team: &'a Team,
    /// What they run on.
    pub processor: Processor,
    /// Where weights are.
    pub memory: &'a Memory,
}

impl Linear {
    /// `x W + b`, and what is done with it.
    ///
    /// # Shapes
    /// - `x`: `[inputs / 16][rows]` lines; of a weight of bytes `bytes` are the same rows, and are read in its place
    /// - `out`: `[outputs / 16][rows]` lines; `[rows][outputs / 16]` for [`Then::PutRows`]; half as many panels where an activation is gated
    pub fn apply(&self, hands: Hands<'_>, x: &Rows, bytes: &ByteRows, then: Then, out: &mut [Line]) {
        let Self { weight, bias } = self;
        let (rows, panels) = (x.rows, weight.panels());
        let is_gated = matches!(then, Then::Activate(activation) if activation.is_gated());
        assert_eq!(out.len(), rows * if is_gated { panels / 2 } else { panels }, "room for a product");
        let place = match then {
            Then::PutRows => Place { first: out.as_mut_ptr(), rows_apart: panels, panels_apart: 1 },
            _ => Place { first: out.as_mut_ptr(), rows_apart: 1, panels_apart: rows },
        };
        let numbers = weight.numbers(hands.memory);
        match numbers {
            Panels::Int8(..) => assert!(
                bytes.lines.len() >= weight.inputs() / WIDE * rows
                    && bytes.scales.len() >= weight.inputs() / GROUP * rows
                    && bytes.sums.len() >= weight.inputs() / GROUP * rows,
                "rows as bytes"
            ),
            _ => assert!(x.lines.len() >= weight.inputs() / WIDE * rows, "rows as wide as a weight is deep"),
        }
        let tall = rows.div_ceil(rows.div_ceil(hands.processor.tile_rows()).max(1)).max(1);
        let threads = hands.team.threads();
        let wide = (panels / (threads * TASKS))
            .next_multiple_of(STRIP)
            .clamp(STRIP, STRIP * if rows > MOST_ROWS { 1 } else { panels });
        let across = panels.div_ceil(wide);
        // rows are shared out where there are not enough panels for all threads
        let down = (threads * TASKS).div_ceil(across).min(rows.div_ceil(tall));
        let high = if across >= threads * 2 { rows } else { rows.div_ceil(down).next_multiple_of(tall) };
        let down = rows.div_ceil(high.max(1));
        let shared = Shared(place);
        hands.team.run(across * down, |_, task| {
            let (first, row) = (task / down * wide, task % down * high);
            hands.processor.run(Strip {
                numbers,
                inputs: weight.inputs(),
                bias: bias.as_deref(),
                x,
                bytes,
                then,
                tall,
                panels: first..panels.min(first + wide),
                rows: row..rows.min(row + high),
                out: shared.get(),
            });
        });
    }
}

/// A place that tasks write different parts of.
#[derive(Clone, Copy)]
struct Shared(Place);

impl Shared {
    fn get(self) -> Place {
        self.0
    }
}

// SAFETY: each task writes its own panels of its own rows.
unsafe impl Sync for Shared {}

/// What a task works out: some panels of some rows.
struct Strip<'a> {
    numbers: Panels<'a>,
    inputs: usize,
    bias: Option<&'a [Line]>,
    x: &'a Rows,
    bytes: &'a ByteRows,
    then: Then,
    tall: usize,
    panels: Range<usize>,
    rows: Range<usize>,
    out: Place,
}

impl Work for Strip<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let mut sums = [Line::ZERO; STRIP * MOST_ROWS];
        for panel in self.panels.clone().step_by(STRIP) {
            let panels = STRIP.min(self.panels.end - panel);
            for row in self.rows.clone().step_by(self.tall) {
                let rows = self.tall.min(self.rows.end - row);
                let out = self.out;
                let first = out.first.wrapping_add(row * out.rows_apart + panel * out.panels_apart);
                // SAFETY: the numbers are there, as was checked, and this task alone writes these.
                unsafe {
                    match self.then {
                        Then::Put | Then::PutRows => self.sums::<L>(panel, panels, row, rows, Place { first, ..out }),
                        Then::Add => {
                            let to = Place { first: sums.as_mut_ptr(), rows_apart: 1, panels_apart: rows };
                            self.sums::<L>(panel, panels, row, rows, to);
                            for (place, sum) in sums[..panels * rows].iter().enumerate() {
                                let to = first.wrapping_add(place / rows * out.panels_apart + place % rows);
                                *to = (*to).with(*sum, |x, y| x + y);
                            }
                        }
                        Then::Activate(activation) => {
                            let to = Place { first: sums.as_mut_ptr(), rows_apart: 1, panels_apart: rows };
                            self.sums::<L>(panel, panels, row, rows, to);
                            self.activate(activation, &sums[..panels * rows], panel, row, rows);
                        }
                    }
                }
            }
        }
    }
}

impl Strip<'_> {
    /// # Safety
    /// The numbers are there, and `to` is written by nobody else.
    #[inline(always)]
    unsafe fn sums<L: Lanes>(&self, panel: usize, panels: usize, row: usize, rows: usize, to: Place) {
        let Self { numbers, inputs, bias, x, bytes, .. } = self;
        let from = match bias {
            Some(bias) => Place::of_panels(bias[panel..panel + panels].as_ptr()),
            None => Place::everywhere(&Line::ZERO),
        };
        let place = panel * inputs;
        // SAFETY: as the caller says.
        unsafe {
            match numbers {
                Panels::F32(weights) => {
                    let factors = Factors {
                        x: x.lines[row..].as_ptr(),
                        x_apart: x.rows,
                        weights: weights[place..].as_ptr().cast::<f32>(),
                        panels_apart: inputs * WIDE,
                        depth: inputs / WIDE,
                    };
                    tiles::<L, f32>(factors, rows, panels, from, to);
                }
                Panels::Bf16(weights) => {
                    let factors = Factors {
                        x: x.lines[row..].as_ptr(),
                        x_apart: x.rows,
                        weights: weights[place * WIDE..].as_ptr(),
                        panels_apart: inputs * WIDE,
                        depth: inputs / WIDE,
                    };
                    tiles::<L, _>(factors, rows, panels, from, to);
                }
                Panels::Int8(weights, scales) => {
                    let groups = inputs / GROUP;
                    let factors = ByteFactors {
                        x: bytes.lines[row..].as_ptr(),
                        x_scales: bytes.scales[row..].as_ptr(),
                        x_sums: bytes.sums[row..].as_ptr(),
                        x_apart: x.rows,
                        weights: weights[place * WIDE..].as_ptr(),
                        scales: scales[place / GROUP * WIDE..].as_ptr(),
                        groups,
                    };
                    byte_tiles::<L>(factors, rows, panels, from, to);
                }
            }
        }
    }

    /// # Safety
    /// This task alone writes these panels of these rows.
    #[inline(always)]
    unsafe fn activate(&self, activation: Activation, sums: &[Line], panel: usize, row: usize, rows: usize) {
        let out = self.out;
        let put = |panel: usize, place: usize, line: Line| {
            // SAFETY: as the caller says.
            unsafe { *out.first.wrapping_add(panel * out.panels_apart + row + place) = line };
        };
        match activation {
            Activation::Gelu | Activation::Relu => {
                for (number, of_panel) in sums.chunks_exact(rows).enumerate() {
                    for (place, line) in of_panel.iter().enumerate() {
                        let line = if activation == Activation::Gelu { line.map(gelu_of) } else { line.map(relu) };
                        put(panel + number, place, line);
                    }
                }
            }
            Activation::SwiGlu | Activation::GeGlu => {
                for (number, pair) in sums.chunks_exact(2 * rows).enumerate() {
                    let (gates, ups) = pair.split_at(rows);
                    for (place, (gate, up)) in gates.iter().zip(ups).enumerate() {
                        let line = if activation == Activation::GeGlu {
                            gate.with(*up, |gate, up| gelu_of(gate) * up)
                        } else {
                            gate.with(*up, |gate, up| gate * sigmoid(gate) * up)
                        };
                        put(panel / 2 + number, place, line);
                    }
                }
            }
        }
    }
}

/// The larger of a number and 0; no number stays none.
#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}
