//! Processors with AVX2.
#![expect(unsafe_code, reason = "instructions take pointers, and are there on some processors alone")]

use std::arch::x86_64::{
    __m256, __m256i, _mm_loadu_si128, _mm256_abs_epi8, _mm256_add_epi32, _mm256_castsi256_ps, _mm256_cvtepi32_ps,
    _mm256_cvtepu16_epi32, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_sign_epi8, _mm256_slli_epi32, _mm256_storeu_ps, _mm256_xor_si256,
};

use half::bf16;

use super::lanes::Lanes;

/// Eight numbers.
#[derive(Debug, Clone, Copy)]
pub struct Avx2;

// SAFETY: each function is one instruction, or a few; their caller sees to the processor and the pointers.
unsafe impl Lanes for Avx2 {
    type Floats = __m256;
    type Integers = __m256i;

    const COUNT: usize = 8;
    const ROWS: usize = 6;
    const ZERO: i32 = 128;

    #[inline(always)]
    unsafe fn splat(number: f32) -> __m256 {
        unsafe { _mm256_set1_ps(number) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const bf16) -> __m256 {
        unsafe {
            let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
        }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, numbers: __m256) {
        unsafe { _mm256_storeu_ps(to, numbers) }
    }

    #[inline(always)]
    unsafe fn mul(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn splat_integer(number: i32) -> __m256i {
        unsafe { _mm256_set1_epi32(number) }
    }

    #[inline(always)]
    unsafe fn dot_bytes(sums: __m256i, weights: *const u8, x: *const i8) -> __m256i {
        // pairs of products are added in 16 bits, for which both factors have to be 127 or less
        unsafe {
            let weights = _mm256_xor_si256(_mm256_loadu_si256(weights.cast()), _mm256_set1_epi8(-128));
            let x = _mm256_set1_epi32(x.cast::<i32>().read_unaligned());
            let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(weights, x));
            _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }

    #[inline(always)]
    unsafe fn to_floats(numbers: __m256i) -> __m256 {
        unsafe { _mm256_cvtepi32_ps(numbers) }
    }
}
