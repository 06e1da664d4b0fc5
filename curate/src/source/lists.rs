//! Files of lines: lists of words, and whatever else has something on each line.

use std::{
    fs::File,
    io::{self, BufRead as _, Read},
    path::Path,
};

use schemas::byte_order_mark::without_mark;

use super::{raw::Unpacked, windows::Windows};
use crate::error::{Error, Result};

/// The bytes of a file, unpacked where it is packed.
///
/// # Errors
/// When its first bytes cannot be read.
pub fn unpacked(file: File) -> io::Result<compression::Unpacked<Box<dyn Read + Send>>> {
    Ok(Unpacked::open(file, &Windows::default())?.bytes)
}

/// Gives `take` every line of a file that is not blank, with its number, from 1; the file may be packed.
///
/// # Errors
/// When the file cannot be read, a line is not UTF-8, or `take` says what is wrong with one: the error names the file and the line.
pub fn each_line(path: &Path, mut take: impl FnMut(u64, &str) -> std::result::Result<(), String>) -> Result<()> {
    let read = |source| Error::File { action: "read", path: path.to_owned(), source };
    let mut input = unpacked(File::open(path).map_err(read)?).map_err(read)?;
    let mut line = Vec::new();
    let mut number = 0;
    while input.read_until(b'\n', &mut line).map_err(read)? > 0 {
        number += 1;
        let bytes = if number == 1 { without_mark(&line) } else { Ok(&line[..]) };
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes.trim_ascii()).map_err(|error| error.to_string()));
        let taken = text.and_then(|text| if text.is_empty() { Ok(()) } else { take(number, text) });
        taken.map_err(|message| Error::Damaged {
            path: path.to_owned(),
            message: format!("line {number}: {message}"),
        })?;
        line.clear();
    }
    Ok(())
}

/// The lines of a file, packed or not, without blank ones and those that begin with `#`.
///
/// # Errors
/// When the file cannot be read or unpacked, or is not UTF-8.
pub fn read_list(path: &Path) -> Result<Vec<String>> {
    let mut words = Vec::new();
    each_line(path, |_, word| {
        if !word.starts_with('#') {
            words.push(word.to_owned());
        }
        Ok(())
    })?;
    Ok(words)
}
