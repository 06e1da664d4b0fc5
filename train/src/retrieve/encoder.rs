//! What gives passages their vectors, as an index knows it: an index knows no model.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What gave the passages of an index their vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderEntry {
    /// The folder of its training.
    pub folder: PathBuf,
    /// Steps that it was trained.
    pub step: u64,
    /// What tells it from all others that give other vectors.
    pub fingerprint: String,
    /// How many numbers a vector has.
    pub width: usize,
}

/// Vectors of texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    /// `[texts, width]`.
    pub numbers: Vec<f32>,
    /// Texts of which the vector is of their beginning, since they are longer than the encoder's context.
    pub cut: usize,
}

/// Gives passages vectors.
pub trait PassageEncoder: fmt::Debug {
    /// What it is.
    fn entry(&self) -> &EncoderEntry;

    /// The vectors of some passages, in their order.
    ///
    /// # Errors
    /// When it cannot read them.
    fn passages(&self, texts: &[&str]) -> Result<Vectors>;
}

impl EncoderEntry {
    /// Makes sure that another is the same.
    ///
    /// # Errors
    /// When its vectors would be others: vectors of two encoders say nothing of each other.
    pub fn hold(&self, other: &Self) -> Result<()> {
        if self.fingerprint == other.fingerprint {
            return Ok(());
        }
        let message = format!(
            "its encoder is another than that of {} after {} steps, which gave the passages of the index their vectors: build an index by it",
            self.folder.display(),
            self.step
        );
        Err(Error::Data { path: other.folder.clone(), message })
    }
}
