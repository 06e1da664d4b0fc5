//! Memory for weights, in pages as large as there are.
//!
//! A token reads all weights once, and a processor looks up each page that it reads: with pages of 4 KiB that takes as long as the reading.
#![expect(unsafe_code, reason = "bytes become the numbers that were put there")]

use std::{fmt, ops::Range};

use memmap2::MmapMut;

/// Where each part of memory begins: at a line of the cache.
const APART: usize = 64;

/// Memory for weights.
pub struct Memory {
    pages: MmapMut,
    taken: usize,
}

/// A part of the memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part(Range<usize>);

/// Numbers that any bytes are.
///
/// # Safety
/// All bytes are numbers, and `APART` is enough for their alignment.
pub unsafe trait Number: Copy {}

// SAFETY: all bytes are numbers.
unsafe impl Number for u8 {}
// SAFETY: all bytes are numbers.
unsafe impl Number for half::bf16 {}
// SAFETY: all bytes are numbers.
unsafe impl Number for super::kernel::line::Line {}

impl Memory {
    /// Zeros, of so many bytes.
    ///
    /// # Panics
    /// When the system has no such memory.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let pages = MmapMut::map_anon(bytes.max(1)).expect("the system has memory for the weights");
        // a system that does not know them has others
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage);
        Self { pages, taken: 0 }
    }

    /// The bytes that a part takes of so many numbers.
    #[must_use]
    pub fn bytes<T>(count: usize) -> usize {
        (count * size_of::<T>()).next_multiple_of(APART)
    }

    /// The next part, for so many numbers.
    ///
    /// # Panics
    /// When there is no room left.
    pub fn take<T: Number>(&mut self, count: usize) -> Part {
        let first = self.taken;
        self.taken += Self::bytes::<T>(count);
        assert!(self.taken <= self.pages.len(), "parts of {} bytes do not fit into {}", self.taken, self.pages.len());
        Part(first..first + count * size_of::<T>())
    }

    /// The numbers of a part.
    #[must_use]
    pub fn numbers<T: Number>(&self, part: &Part) -> &[T] {
        let bytes = &self.pages[part.0.clone()];
        // SAFETY: parts begin where lines do, and all bytes are numbers.
        let (before, numbers, after) = unsafe { bytes.align_to::<T>() };
        assert!(before.is_empty() && after.is_empty(), "a part is of whole numbers");
        numbers
    }

    /// The same to be written.
    pub fn numbers_mut<T: Number>(&mut self, part: &Part) -> &mut [T] {
        let bytes = &mut self.pages[part.0.clone()];
        // SAFETY: as above.
        let (before, numbers, after) = unsafe { bytes.align_to_mut::<T>() };
        assert!(before.is_empty() && after.is_empty(), "a part is of whole numbers");
        numbers
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Memory({} bytes)", self.pages.len())
    }
}
