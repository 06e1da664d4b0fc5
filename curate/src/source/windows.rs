//! The memory that packed files need to be unpacked, beside their buffers.

use std::{fmt, sync::Arc};

use compression::{Allowance, LONGEST_WINDOW, Refusal};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use schemas::size::Size;

/// The longest windows that files are unpacked with, and what their memory is counted in.
///
/// Reddit's dumps are packed with windows of 2 GiB (`zstd --long=31`), which whoever reads them holds. Of the memory of a plan, half
/// may be windows, in equal parts for the files that are read at once.
#[derive(Clone)]
pub struct Windows {
    memory: Option<usize>,
    files: usize,
    pool: Option<Arc<dyn MemoryPool>>,
}

impl fmt::Debug for Windows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Windows").field("limit", &self.limit()).finish_non_exhaustive()
    }
}

impl Default for Windows {
    /// Whatever can be unpacked.
    fn default() -> Self {
        Self { memory: None, files: 1, pool: None }
    }
}

impl Windows {
    /// Half of `memory` bytes, for `files` files at once.
    #[must_use]
    pub fn within(memory: usize, files: usize) -> Self {
        Self { memory: Some(memory), files: files.max(1), pool: None }
    }

    /// The same, counted among what `pool` gives.
    #[must_use]
    pub fn counted_in(&self, pool: &Arc<dyn MemoryPool>) -> Self {
        Self { pool: Some(Arc::clone(pool)), ..self.clone() }
    }

    /// The longest window of a file, in bytes.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.memory.map_or(LONGEST_WINDOW, |memory| (memory / 2 / self.files) as u64)
    }

    /// The memory that a window of `window` bytes asks for, where `files` files are read at once.
    #[must_use]
    pub fn memory_for(window: u64, files: usize) -> Size {
        let whole = bytes(window).saturating_mul(2 * files.max(1));
        // sizes are written with whole numbers
        Size(whole.next_multiple_of(if whole < 1 << 30 { 1 << 20 } else { 1 << 30 }))
    }

    /// For one file.
    pub(super) fn allowance(&self) -> Box<dyn Allowance> {
        let reservation = self.pool.as_ref().map(|pool| MemoryConsumer::new("window of a packed file").register(pool));
        Box::new(Counted { windows: self.clone(), reservation })
    }
}

/// A number of bytes in memory.
fn bytes(window: u64) -> usize {
    usize::try_from(window).unwrap_or(usize::MAX)
}

/// An allowance that is counted while it is held.
struct Counted {
    windows: Windows,
    reservation: Option<MemoryReservation>,
}

impl Allowance for Counted {
    fn allow(&mut self, window: u64) -> Result<(), Refusal> {
        let Windows { files, .. } = self.windows;
        let limit = self.windows.limit();
        let needed = Windows::memory_for(window, files);
        let fits = window <= limit;
        let granted =
            fits && self.reservation.as_mut().is_none_or(|reservation| reservation.try_resize(bytes(window)).is_ok());
        if granted {
            return Ok(());
        }
        let advice = if fits {
            "other stages hold the rest of --memory; give more".to_owned()
        } else if self.windows.memory.is_none() {
            "no more can be unpacked: pack the file anew, by `zstd --long=31` or less".to_owned()
        } else if files == 1 {
            format!("half of --memory; give --memory {needed} or more")
        } else {
            format!(
                "half of --memory, shared by the {files} files that are read at once; give --memory {needed} or fewer --threads"
            )
        };
        Err(Refusal { limit, advice })
    }
}
