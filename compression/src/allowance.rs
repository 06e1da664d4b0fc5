//! How much memory a file may take to be unpacked.

/// The longest window that zstd's library unpacks, and the program `zstd` writes (`--long=31`), in bytes.
pub const LONGEST_WINDOW: u64 = 1 << 31;

/// A window for which nobody is asked, in bytes: no level of zstd but the last three writes longer ones, and none of xz but the last two.
pub(crate) const SHORT_WINDOW: u64 = 8 << 20;

/// Grants the windows that files were packed with. What it grants is held until it is dropped.
pub trait Allowance: Send {
    /// Asks for a window of `window` bytes, in place of any that was granted before.
    ///
    /// # Errors
    /// The limit that it is over, and how to raise that.
    fn allow(&mut self, window: u64) -> Result<(), Refusal>;
}

/// Why a window is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The longest window that would be, in bytes.
    pub limit: u64,
    /// What to do.
    pub advice: String,
}

/// A limit for each file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaxWindow {
    /// The longest window that is granted, in bytes.
    pub limit: u64,
    /// How to raise it, for the error.
    pub advice: String,
}

impl Default for MaxWindow {
    /// Whatever the library can.
    fn default() -> Self {
        Self { limit: LONGEST_WINDOW, advice: "pack the file anew, by `zstd --long=31` or less".to_owned() }
    }
}

impl Allowance for MaxWindow {
    fn allow(&mut self, window: u64) -> Result<(), Refusal> {
        if window <= self.limit {
            return Ok(());
        }
        Err(Refusal { limit: self.limit, advice: self.advice.clone() })
    }
}
