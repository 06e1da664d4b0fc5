//! What kernels ask of a processor: vectors of numbers, and products of bytes.
#![expect(unsafe_code, reason = "instructions take pointers, and are there on some processors alone")]

use half::bf16;

/// The vectors of a kind of processor.
///
/// # Safety
/// All functions are run on such a processor only, and pointers lead to as many numbers as are read or written.
pub unsafe trait Lanes: Copy {
    /// Single-precision numbers.
    type Floats: Copy;
    /// As many whole numbers of 32 bits.
    type Integers: Copy;

    /// Numbers of a vector; they divide those of a line.
    const COUNT: usize;
    /// Rows of a tile, whose sums stay in registers together with two vectors of weights.
    const ROWS: usize;
    /// What [`Self::dot_bytes`] takes for 0 among weights: bytes are stored as 1 to 255, and mean -127 to 127.
    const ZERO: i32;

    /// The same number in all lanes.
    unsafe fn splat(number: f32) -> Self::Floats;
    unsafe fn load(from: *const f32) -> Self::Floats;
    unsafe fn load_bf16(from: *const bf16) -> Self::Floats;
    unsafe fn store(to: *mut f32, numbers: Self::Floats);
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a b + c`, rounded once where the processor can.
    unsafe fn mul_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    unsafe fn splat_integer(number: i32) -> Self::Integers;
    /// In each lane the product of its four bytes of `weights`, less [`Self::ZERO`] each, and the four of `x`, added to `sums`.
    unsafe fn dot_bytes(sums: Self::Integers, weights: *const u8, x: *const i8) -> Self::Integers;
    unsafe fn to_floats(numbers: Self::Integers) -> Self::Floats;
}
