//! Rows times columns of bytes.
//!
//! A group of inputs has a scale in each row and in each column; within it sums are whole numbers, and exact. Groups are added in their order.
#![expect(
    unsafe_code,
    reason = "sums stay in registers only if nothing but loads and stores of known places stands between them"
)]
#![expect(clippy::needless_range_loop, reason = "registers are known by their numbers")]

use half::bf16;

use super::{lanes::Lanes, line::WIDE, tile::Place};

/// Inputs that share a scale.
pub const GROUP: usize = 64;

/// Bytes of a line.
pub type ByteLine = [i8; WIDE];

/// Rows of one factor, and panels of the other.
#[derive(Debug, Clone, Copy)]
pub struct ByteFactors {
    /// The first row's first line, `[inputs / 16][rows][16]`.
    pub x: *const ByteLine,
    /// `[groups][rows]`.
    pub x_scales: *const f32,
    /// `[groups][rows]`: sums of bytes.
    pub x_sums: *const i32,
    /// Lines from one of a row to its next: the rows that there are.
    pub x_apart: usize,
    /// The first panel, `[inputs / 4][16][4]`: 1 to 255 for -127 to 127.
    pub weights: *const u8,
    /// The first panel's, `[groups][16]`.
    pub scales: *const bf16,
    /// Inputs, in groups.
    pub groups: usize,
}

/// The products of `R` rows and `A` vectors of columns, added to what stands in `from`, are put `to` their place.
///
/// # Safety
/// All places are there, and nobody else writes to them, or reads what is written.
#[inline(always)]
pub unsafe fn byte_tile<L: Lanes, const R: usize, const A: usize>(factors: ByteFactors, from: Place, to: Place) {
    let ByteFactors { x, x_scales, x_sums, x_apart, mut weights, scales, groups } = factors;
    let each = WIDE / L::COUNT;
    // SAFETY: as the caller says.
    unsafe {
        let mut sums = [[L::splat(0.0); A]; R];
        for row in 0..R {
            for vector in 0..A {
                sums[row][vector] = L::load(from.at::<L>(row, vector));
            }
        }
        let mut x = x.cast::<i8>();
        for group in 0..groups {
            let mut whole = [[L::splat_integer(0); A]; R];
            for row in 0..R {
                let sum = x_sums.wrapping_add(group * x_apart + row).read();
                whole[row] = [L::splat_integer((L::ZERO - 128) * sum); A];
            }
            for _ in 0..GROUP / WIDE {
                for quad in 0..WIDE / 4 {
                    for vector in 0..A {
                        let place =
                            vector / each * groups * GROUP * WIDE + vector % each * L::COUNT * 4 + quad * 4 * WIDE;
                        for row in 0..R {
                            let x = x.wrapping_add(row * WIDE + quad * 4);
                            whole[row][vector] = L::dot_bytes(whole[row][vector], weights.wrapping_add(place), x);
                        }
                    }
                }
                weights = weights.wrapping_add(WIDE * WIDE);
                x = x.wrapping_add(x_apart * WIDE);
            }
            for vector in 0..A {
                let place = (vector / each * groups + group) * WIDE + vector % each * L::COUNT;
                let of_columns = L::load_bf16(scales.wrapping_add(place));
                for row in 0..R {
                    let of_row = L::splat(x_scales.wrapping_add(group * x_apart + row).read());
                    let scaled = L::mul(L::to_floats(whole[row][vector]), of_row);
                    sums[row][vector] = L::mul_add(scaled, of_columns, sums[row][vector]);
                }
            }
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
        (12, 1..=3) => 4,
        (12, 4..=6) | (6, _) => 2,
        _ => 1,
    }
}

/// The same of `rows`, as many as a tile has at most, and so many panels.
///
/// # Safety
/// As above.
#[inline(always)]
pub unsafe fn byte_tiles<L: Lanes>(factors: ByteFactors, rows: usize, panels: usize, from: Place, to: Place) {
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
        let weights = factors.weights.wrapping_add(panel * factors.groups * GROUP * WIDE);
        let scales = factors.scales.wrapping_add(panel * factors.groups * WIDE);
        let factors = ByteFactors { weights, scales, ..factors };
        let (from, to) = (from.panel(panel), to.panel(panel));
        macro_rules! of_rows {
            ($($rows:literal)*) => {
                match (rows, wide) {
                    $(
                        ($rows, 4) => one::<L, $rows, 4>(factors, from, to),
                        ($rows, 2) => one::<L, $rows, 2>(factors, from, to),
                        ($rows, _) => one::<L, $rows, 1>(factors, from, to),
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
unsafe fn one<L: Lanes, const R: usize, const A: usize>(factors: ByteFactors, from: Place, to: Place) {
    if const { R <= L::ROWS && A <= across(L::ROWS, R) && A * L::COUNT >= WIDE } {
        // SAFETY: as the caller says.
        unsafe { byte_tile::<L, R, A>(factors, from, to) }
    }
}
