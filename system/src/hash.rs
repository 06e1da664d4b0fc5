//! Hashes of files, as manifests and checkpoints hold them.

use std::{fs::File, io::Read as _, path::Path};

use sha2::{Digest as _, Sha256};

use crate::error::{FileError, Result};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, as 64 hexadecimal digits.
    pub sha256: String,
}

/// Bytes as they come, hashed and counted.
#[derive(Debug, Default)]
pub struct Hasher {
    hash: Sha256,
    bytes: u64,
}

impl Hasher {
    /// Takes some more.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The size and the hash of all of them.
    #[must_use]
    pub fn finish(self) -> Written {
        Written { bytes: self.bytes, sha256: hex(&self.hash.finalize()) }
    }
}

/// Size and SHA-256 of a file as it is; the file is never in memory as a whole.
///
/// # Errors
/// When it cannot be read.
pub fn hash_file(path: &Path) -> Result<Written> {
    let mut file = File::open(path).map_err(FileError::of("read", path))?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).map_err(FileError::of("read", path))? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// SHA-256, as 64 hexadecimal digits.
///
/// ```
/// assert_eq!(system::sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
/// ```
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
