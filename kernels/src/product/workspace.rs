//! Memory for panels, kept by each thread.

use std::{cell::Cell, thread::LocalKey};

/// Bytes of a line of the cache: what registers are loaded from should lie within one.
const LINE: usize = 64;

/// Numbers of such a line.
const NUMBERS: usize = LINE / size_of::<f32>();

thread_local! {
    static PANEL: Buffer = const { Cell::new(Vec::new()) };
    static ROWS: Buffer = const { Cell::new(Vec::new()) };
    static COLUMNS: Buffer = const { Cell::new(Vec::new()) };
}

type Buffer = Cell<Vec<f32>>;

/// Memory of this thread. A product that runs while another waits gets memory of its own.
pub struct Workspace {
    numbers: Vec<f32>,
    buffer: &'static LocalKey<Buffer>,
}

impl Workspace {
    /// For panels of rows.
    pub fn of_rows() -> Self {
        Self { numbers: ROWS.take(), buffer: &ROWS }
    }

    /// For a panel of rows.
    pub fn of_panel() -> Self {
        Self { numbers: PANEL.take(), buffer: &PANEL }
    }

    /// For panels of columns.
    pub fn of_columns() -> Self {
        Self { numbers: COLUMNS.take(), buffer: &COLUMNS }
    }

    /// So many numbers from the start of a line on; what stands there is anything.
    pub fn numbers(&mut self, count: usize) -> &mut [f32] {
        if self.numbers.len() < count + NUMBERS {
            self.numbers = Vec::new(); // given back before more is asked for
            self.numbers = vec![0.0; count + NUMBERS];
        }
        let skipped = self.numbers.as_ptr().align_offset(LINE).min(NUMBERS);
        &mut self.numbers[skipped..][..count]
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.buffer.set(std::mem::take(&mut self.numbers));
    }
}
