//! Posts that link to pages, each with what people thought of it.

use std::path::Path;

use schemas::json_lines::{Field, fields};

use super::each_line;
use crate::error::Result;

/// Gives `take` the URL and the score of every post of a file of JSON lines, packed or not. Posts without a URL are
/// passed over; one without a score, or with another than a whole number, is an error.
///
/// # Errors
/// When the file cannot be read, or a line is no post.
pub fn each_post(path: &Path, url: &str, score: &str, mut take: impl FnMut(&str, i64)) -> Result<()> {
    each_line(path, |_, line| {
        let [link, points] = fields(line.as_bytes(), [url, score]).map_err(|fault| fault.to_string())?;
        match (link, points) {
            (Field::Text(link), Field::Number(points)) if points.is_i64() => {
                take(&link, points.as_i64().unwrap_or_default());
            }
            (Field::Text(_), other) => {
                return Err(format!("the post has no whole number `{score}`: it is {}", other.what()));
            }
            _ => {}
        }
        Ok(())
    })
}
