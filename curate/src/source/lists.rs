//! Lists: a word a line.

use std::{
    fs::File,
    io::{self, BufRead as _},
    path::Path,
};

use super::raw::Unpacked;

/// The bytes of a file, unpacked where it is gzip or zstd.
///
/// # Errors
/// When its first bytes cannot be read.
pub fn unpacked(file: File) -> io::Result<Box<dyn io::BufRead + Send>> {
    Ok(Unpacked::open(file)?.bytes)
}

/// The lines of a file, plain or packed as gzip or zstd, without blank ones and those that begin with `#`.
///
/// # Errors
/// When the file cannot be read or unpacked, or is not UTF-8.
pub fn read_list(path: &Path) -> io::Result<Vec<String>> {
    let mut words = Vec::new();
    for line in Unpacked::open(File::open(path)?)?.bytes.lines() {
        let line = line?;
        let word = line.trim();
        if !word.is_empty() && !word.starts_with('#') {
            words.push(word.to_owned());
        }
    }
    Ok(words)
}
