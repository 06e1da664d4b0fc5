//! Asking for memory ahead of time.
#![expect(unsafe_code, reason = "the hint to a processor takes a pointer")]

/// Asks for a line of the cache ahead of time. Any place will do.
#[inline(always)]
pub fn prefetch(place: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint to a processor has no effect that a program could see, wherever the pointer points.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}
