//! Rows times columns of numbers, whose sums stay in registers over all inputs.
#![expect(
    unsafe_code,
    reason = "sums stay in registers only if nothing but loads and stores of known places stands between them"
)]
#![expect(clippy::needless_range_loop, reason = "registers are known by their numbers")]

use half::bf16;

use super::{
    lanes::Lanes,
    line::{Line, WIDE},
};

/// What weights are stored as.
///
/// # Safety
/// As for [`Lanes`].
pub unsafe trait Stored: Copy {
    /// A vector of them as single precision.
    unsafe fn load<L: Lanes>(from: *const Self) -> L::Floats;
}

// SAFETY: it is what the processor does.
unsafe impl Stored for f32 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const Self) -> L::Floats {
        // SAFETY: as the caller says.
        unsafe { L::load(from) }
    }
}

// SAFETY: it is what the processor does.
unsafe impl Stored for bf16 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const Self) -> L::Floats {
        // SAFETY: as the caller says.
        unsafe { L::load_bf16(from) }
    }
}

/// Where the lines of a tile stand.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The line of the first row and panel.
    pub first: *mut Line,
    /// Lines from a row to the next.
    pub rows_apart: usize,
    /// Lines from a panel to the next.
    pub panels_apart: usize,
}

/// Where sums begin: places that are read alone.
impl Place {
    /// The same line for all rows and panels.
    pub fn everywhere(line: &Line) -> Self {
        Self { first: std::ptr::from_ref(line).cast_mut(), rows_apart: 0, panels_apart: 0 }
    }

    /// The same lines for all rows.
    pub fn of_panels(lines: *const Line) -> Self {
        Self { first: lines.cast_mut(), rows_apart: 0, panels_apart: 1 }
    }

    /// Where it stands from a panel on.
    pub fn panel(self, panel: usize) -> Self {
        Self { first: self.first.wrapping_add(panel * self.panels_apart), ..self }
    }

    /// A vector of a row.
    #[inline(always)]
    pub fn at<L: Lanes>(self, row: usize, vector: usize) -> *mut f32 {
        let each = WIDE / L::COUNT;
        let line = self.first.wrapping_add(row * self.rows_apart + vector / each * self.panels_apart);
        line.cast::<f32>().wrapping_add(vector % each * L::COUNT)
    }
}

/// Rows of one factor, and panels of the other.
#[derive(Debug, Clone, Copy)]
pub struct Factors<W> {
    /// The first row's first line, `[inputs / 16][rows][16]`.
    pub x: *const Line,
    /// Lines from one of a row to its next: the rows that there are.
    pub x_apart: usize,
    /// The first panel, `[inputs][16]`.
    pub weights: *const W,
    /// Numbers from a panel to the next.
    pub panels_apart: usize,
    /// Inputs, in lines.
    pub depth: usize,
}

/// The products of `R` rows and `A` vectors of columns, added to what stands in `from`, are put `to` their place.
///
/// # Safety
/// All places are there, and nobody else writes to them, or reads what is written.
#[inline(always)]
pub unsafe fn tile<L: Lanes, W: Stored, const R: usize, const A: usize>(factors: Factors<W>, from: Place, to: Place) {
    let Factors { x, x_apart, mut weights, panels_apart, depth } = factors;
    let each = WIDE / L::COUNT;
    // SAFETY: as the caller says.
    unsafe {
        let mut sums = [[L::splat(0.0); A]; R];
        for row in 0..R {
            for vector in 0..A {
                sums[row][vector] = L::load(from.at::<L>(row, vector));
            }
        }
        let mut x = x.cast::<f32>();
        for _ in 0..depth {
            for input in 0..WIDE {
                let mut columns = [L::splat(0.0); A];
                for vector in 0..A {
                    let place = vector / each * panels_apart + vector % each * L::COUNT + input * WIDE;
                    columns[vector] = W::load::<L>(weights.wrapping_add(place));
                }
                for row in 0..R {
                    let number = L::splat(x.wrapping_add(row * WIDE + input).read());
                    for vector in 0..A {
                        sums[row][vector] = L::mul_add(number, columns[vector], sums[row][vector]);
                    }
                }
            }
            weights = weights.wrapping_add(WIDE * WIDE);
            x = x.wrapping_add(x_apart * WIDE);
        }
        for row in 0..R {
            for vector in 0..A {
                L::store(to.at::<L>(row, vector), sums[row][vector]);
            }
        }
    }
}

/// Vectors that a tile of so many rows is wide, where there are so many: as many as registers hold.
const fn across(tall: usize, rows: usize) -> usize {
    match (tall, rows) {
        (12, 1..=6) | (6, 1..=2) => 4,
        (12 | 6, _) => 2,
        _ => 1,
    }
}

/// The same of `rows`, as many as a tile has at most, and so many panels.
///
/// # Safety
/// As above.
#[inline(always)]
pub unsafe fn tiles<L: Lanes, W: Stored>(factors: Factors<W>, rows: usize, panels: usize, from: Place, to: Place) {
    let each = WIDE / L::COUNT;
    let mut panel = 0;
    while panel < panels {
        let left = (panels - panel) * each;
        let most = across(L::ROWS, rows);
        let wide = if left >= 4 && most >= 4 {
            4
        } else if left >= 2 && most >= 2 {
            2
        } else {
            1
        };
        let weights = factors.weights.wrapping_add(panel * factors.panels_apart);
        let factors = Factors { weights, ..factors };
        let (from, to) = (from.panel(panel), to.panel(panel));
        macro_rules! of_rows {
            ($($rows:literal)*) => {
                match (rows, wide) {
                    $(
                        ($rows, 4) => one::<L, W, $rows, 4>(factors, from, to),
                        ($rows, 2) => one::<L, W, $rows, 2>(factors, from, to),
                        ($rows, _) => one::<L, W, $rows, 1>(factors, from, to),
                    )*
                    _ => unreachable!("a tile has fewer rows"),
                }
            };
        }
        // SAFETY: as the caller says.
        unsafe { of_rows!(1 2 3 4 5 6 7 8 9 10 11 12) }
        panel += (wide / each).max(1);
    }
}

/// A tile of a size that the processor has registers for; others do not come up.
#[inline(always)]
unsafe fn one<L: Lanes, W: Stored, const R: usize, const A: usize>(factors: Factors<W>, from: Place, to: Place) {
    if const { R <= L::ROWS && A <= across(L::ROWS, R) && A * L::COUNT >= WIDE } {
        // SAFETY: as the caller says.
        unsafe { tile::<L, W, R, A>(factors, from, to) }
    }
}
