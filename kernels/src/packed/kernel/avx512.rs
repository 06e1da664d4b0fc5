//! Processors with AVX-512 and its products of bytes.
#![expect(unsafe_code, reason = "instructions take pointers, and are there on some processors alone")]

use std::arch::x86_64::{
    __m512, __m512i, _mm256_loadu_si256, _mm512_castsi512_ps, _mm512_cvtepi32_ps, _mm512_cvtepu16_epi32,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_slli_epi32, _mm512_storeu_ps,
};

use half::bf16;

use super::lanes::Lanes;

/// Sixteen numbers.
#[derive(Debug, Clone, Copy)]
pub struct Avx512;

// SAFETY: each function is one instruction, or a few; their caller sees to the processor and the pointers.
unsafe impl Lanes for Avx512 {
    type Floats = __m512;
    type Integers = __m512i;

    const COUNT: usize = 16;
    const ROWS: usize = 12;
    const ZERO: i32 = 0;

    #[inline(always)]
    unsafe fn splat(number: f32) -> __m512 {
        unsafe { _mm512_set1_ps(number) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const bf16) -> __m512 {
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, numbers: __m512) {
        unsafe { _mm512_storeu_ps(to, numbers) }
    }

    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn splat_integer(number: i32) -> __m512i {
        unsafe { _mm512_set1_epi32(number) }
    }

    #[inline(always)]
    unsafe fn dot_bytes(sums: __m512i, weights: *const u8, x: *const i8) -> __m512i {
        unsafe {
            let x = _mm512_set1_epi32(x.cast::<i32>().read_unaligned());
            _mm512_dpbusd_epi32(sums, _mm512_loadu_si512(weights.cast()), x)
        }
    }

    #[inline(always)]
    unsafe fn to_floats(numbers: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(numbers) }
    }
}
