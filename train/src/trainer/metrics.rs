//! `metrics.jsonl`: one object a line, for steps and for evaluations.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    checkpoint::write_whole,
    error::{Error, Result},
};

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stepped {
    /// Steps that were taken, this one included.
    pub step: u64,
    /// Nats a token, on the step's own batch.
    pub loss: f64,
    /// The learning rate.
    pub learning_rate: f64,
    /// The norm of the gradients before clipping.
    pub gradient_norm: f64,
    /// Seconds since the line before.
    pub seconds: f64,
    /// Tokens a second since the line before.
    pub tokens_per_second: f64,
}

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Steps that were taken.
    pub step: u64,
    /// Nats a token on the validation data.
    pub validation_loss: f64,
    /// The same on the validation data of other mixtures, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_out: BTreeMap<String, f64>,
}

/// The file, and the lines that wait for it.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
    waiting: Vec<u8>,
}

impl Metrics {
    /// The metrics of a training that goes on at `step`: lines of later steps, which will come again, are taken out.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path, step: u64) -> Result<Self> {
        #[derive(Deserialize)]
        struct Line {
            step: u64,
        }
        if let Ok(text) = fs::read_to_string(path) {
            let earlier =
                text.lines().filter(|line| serde_json::from_str::<Line>(line).is_ok_and(|line| line.step <= step));
            // a training that begins anew evaluates at step 0 again
            let kept: String = earlier.filter(|_| step > 0).map(|line| format!("{line}\n")).collect();
            write_whole(path, kept.as_bytes())?;
        }
        Ok(Self { path: path.to_owned(), waiting: Vec::new() })
    }

    /// Adds a line.
    pub fn push(&mut self, line: &impl Serialize) {
        serde_json::to_writer(&mut self.waiting, line).expect("metrics are JSON");
        self.waiting.push(b'\n');
    }

    /// Writes the lines that wait.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(&self.waiting));
        written.map_err(Error::file("write", &self.path))?;
        self.waiting.clear();
        Ok(())
    }
}
