//! Posts that link to pages, each with what people thought of it.

use std::path::Path;

use serde_json::Value;

use super::{each_line, json_line};
use crate::error::Result;

/// Gives `take` the URL and the score of every post of a file of JSON lines, plain or packed as gzip or zstd. Posts without a URL are
/// passed over; one without a score, or with another than a whole number, is an error.
///
/// # Errors
/// When the file cannot be read, or a line is no post.
pub fn each_post(path: &Path, url: &str, score: &str, mut take: impl FnMut(&str, i64)) -> Result<()> {
    each_line(path, |_, line| {
        let post: Value = json_line(line)?;
        if let Some(link) = post.get(url).and_then(Value::as_str) {
            let points = post.get(score).and_then(Value::as_i64);
            take(link, points.ok_or_else(|| format!("the post has no whole number `{score}`"))?);
        }
        Ok(())
    })
}
