//! What a policy answered when it was judged: `answers/step-00000100.jsonl`, a line for each prompt of the validation data.
//!
//! Those of a way that a training went back from are removed when it ends.
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
    /// What `[gold_reward]` gives it, without that.
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

/// Removes those after other steps than some.
///
/// # Errors
/// When one cannot be removed.
pub(super) fn remove_others(out: &Path, steps: &[u64]) -> Result<()> {
    let kept: Vec<PathBuf> = steps.iter().map(|step| path(out, *step)).collect();
    for entry in fs::read_dir(folder(out)).into_iter().flatten().flatten() {
        let path = entry.path();
        if !kept.contains(&path) {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
    }
    Ok(())
}

fn folder(out: &Path) -> PathBuf {
    out.join("answers")
}

fn path(out: &Path, step: u64) -> PathBuf {
    folder(out).join(format!("step-{step:08}.jsonl"))
}
