//! What a policy answered when it was judged: `answers/step-00000100.jsonl`, a line for each prompt of the validation data.
//!
//! A step that is taken again, by a training that went back, is written again.
//!
//! Useful for: reading what became of a policy, and whether it deserves its rewards. Not useful for: figures; these stand in `metrics.jsonl`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::json_rows;
use crate::error::{Error, Result};

/// An answer with what it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct JudgedAnswer {
    /// The prompt.
    pub prompt: String,
    /// The answer.
    pub answer: String,
    /// Its score, with what a missing end costs.
    pub reward: f64,
    /// What `[gold_reward]` gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gold_reward: Option<f64>,
    /// Its KL divergence from the reference, in nats.
    pub kl: f64,
    /// Whether the policy ended it.
    pub ended: bool,
}

/// Writes the answers after a step.
///
/// - `out`: the folder of the training
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(out: &Path, step: u64, answers: &[JudgedAnswer]) -> Result<()> {
    let folder = folder(out);
    fs::create_dir_all(&folder).map_err(Error::file("make the folder", &folder))?;
    json_rows::write(&path(out, step), answers)
}

/// The answers after a step; none where it was not judged then.
///
/// # Errors
/// When the file cannot be read, or is another.
pub(super) fn read(out: &Path, step: u64) -> Result<Vec<JudgedAnswer>> {
    json_rows::read(&path(out, step))
}

fn folder(out: &Path) -> PathBuf {
    out.join("answers")
}

fn path(out: &Path, step: u64) -> PathBuf {
    folder(out).join(format!("step-{step:08}.jsonl"))
}
