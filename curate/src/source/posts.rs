//! Posts that link to pages, each with what people thought of it.

use std::{fs::File, io::BufRead as _, path::Path};

use serde_json::Value;

use super::raw::Unpacked;
use crate::error::{Error, Result};

/// Gives `take` the URL and the score of every post of a file of JSON lines, plain or packed as gzip or zstd. Posts without a URL are
/// passed over; one without a score, or with another than a number, is an error.
///
/// # Errors
/// When the file cannot be read, or a line is no post.
pub fn each_post(path: &Path, url: &str, score: &str, mut take: impl FnMut(&str, i64)) -> Result<()> {
    let read = |source| Error::File { action: "read", path: path.to_owned(), source };
    let input = Unpacked::open(File::open(path).map_err(read)?).map_err(read)?.bytes;
    for (number, line) in (1u64..).zip(input.lines()) {
        let line = line.map_err(read)?;
        if line.trim().is_empty() {
            continue;
        }
        let wrong =
            |message: String| Error::Damaged { path: path.to_owned(), message: format!("line {number}: {message}") };
        let post: Value = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        let Some(link) = post.get(url).and_then(Value::as_str) else { continue };
        let Some(points) = post.get(score).and_then(Value::as_i64) else {
            return Err(wrong(format!("the post has no whole number `{score}`")));
        };
        take(link, points);
    }
    Ok(())
}
