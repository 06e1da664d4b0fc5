//! A step takes and frees its tensors all the time; the system's allocator gives every page back in between.
#![expect(unsafe_code, reason = "the allocator's crate has no function for its options")]

use std::ffi::{c_int, c_long};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in mimalloc's header: milliseconds after which free pages are given back; below 0 never.
const PURGE_DELAY: c_int = 15;

unsafe extern "C" {
    fn mi_option_set(option: c_int, value: c_long);
}

/// Lets the allocator keep the pages of what was freed: the next step takes as many, and a page that the system gives anew is
/// first filled with zeros. The process stays at its peak, which it would come back to in any case.
pub fn keep_pages() {
    // SAFETY: the function is in the library that the allocator above is linked from, and may be called at any time.
    unsafe { mi_option_set(PURGE_DELAY, -1) };
}
