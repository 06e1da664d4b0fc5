//! Any processor.
#![expect(unsafe_code, reason = "instructions take pointers, and are there on some processors alone")]

use half::bf16;

use super::{lanes::Lanes, line::WIDE};

/// Sixteen numbers, of which the compiler makes what vectors there are.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

/// Whether the compiler may count on products that are added with one rounding: without such an instruction each is a call.
const FUSED: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

// SAFETY: there is nothing that a processor could lack; the pointers are the caller's.
unsafe impl Lanes for Plain {
    type Floats = [f32; WIDE];
    type Integers = [i32; WIDE];

    const COUNT: usize = WIDE;
    const ROWS: usize = 4;
    const ZERO: i32 = 128;

    #[inline(always)]
    unsafe fn splat(number: f32) -> [f32; WIDE] {
        [number; WIDE]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; WIDE] {
        unsafe { from.cast::<[f32; WIDE]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const bf16) -> [f32; WIDE] {
        unsafe { from.cast::<[bf16; WIDE]>().read_unaligned() }.map(|x| f32::from_bits(u32::from(x.to_bits()) << 16))
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, numbers: [f32; WIDE]) {
        unsafe { to.cast::<[f32; WIDE]>().write_unaligned(numbers) }
    }

    #[inline(always)]
    unsafe fn mul(a: [f32; WIDE], b: [f32; WIDE]) -> [f32; WIDE] {
        std::array::from_fn(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    unsafe fn mul_add(a: [f32; WIDE], b: [f32; WIDE], c: [f32; WIDE]) -> [f32; WIDE] {
        std::array::from_fn(|lane| if FUSED { a[lane].mul_add(b[lane], c[lane]) } else { a[lane] * b[lane] + c[lane] })
    }

    #[inline(always)]
    unsafe fn splat_integer(number: i32) -> [i32; WIDE] {
        [number; WIDE]
    }

    #[inline(always)]
    unsafe fn dot_bytes(sums: [i32; WIDE], weights: *const u8, x: *const i8) -> [i32; WIDE] {
        let (weights, x) = unsafe { (weights.cast::<[[u8; 4]; WIDE]>().read(), x.cast::<[i8; 4]>().read()) };
        let product = |lane: usize| -> i32 {
            (0..4).map(|byte| (i32::from(weights[lane][byte]) - 128) * i32::from(x[byte])).sum()
        };
        std::array::from_fn(|lane| sums[lane] + product(lane))
    }

    #[inline(always)]
    unsafe fn to_floats(numbers: [i32; WIDE]) -> [f32; WIDE] {
        numbers.map(|number| number as f32)
    }
}
