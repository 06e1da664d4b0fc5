//! Memory that is written without being filled with zeros first.
#![expect(unsafe_code, reason = "a vector cannot know that all of its room was written")]

use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering},
};

static SHOWS_GAPS: AtomicBool = AtomicBool::new(cfg!(test));

/// From now on all room is filled with what is no number first, so that a kernel that leaves one out shows: for tests.
pub fn show_gaps() {
    SHOWS_GAPS.store(true, Ordering::Relaxed);
}

/// A vector of `count` numbers, all of which `write` has to write.
///
/// It is a fault of a kernel to leave one out: see [`show_gaps`].
pub fn written(count: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(count);
    let room = &mut numbers.spare_capacity_mut()[..count];
    if SHOWS_GAPS.load(Ordering::Relaxed) {
        room.fill(MaybeUninit::new(f32::NAN));
    }
    write(room);
    // SAFETY: there is room for so many numbers, and all of them were written.
    unsafe { numbers.set_len(count) };
    numbers
}
