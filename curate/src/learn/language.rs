//! Which language a text is in, by a fastText model.
//!
//! Plain models are read by the crate `fasttext`, which is wrong about quantized ones; for those there is a reader of our
//! own, which gives the original's labels. Which one is used is told by the file.

use std::{fs::File, io::BufReader, path::Path};

use super::quantized::{Buffers, QuantizedModel};
use crate::error::{Error, Result};

/// A loaded model.
pub struct LanguageModel(Kind);

enum Kind {
    Plain(Box<fasttext::FastText>),
    Quantized(Box<QuantizedModel>),
}

/// A language and how sure the model is of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Identified {
    /// The model's label without `__label__`, such as `en`.
    pub language: String,
    /// Between 0 and 1.
    pub probability: f64,
}

impl LanguageModel {
    /// Loads a model, plain (`.bin`) or quantized (`.ftz`).
    ///
    /// # Errors
    /// When the file cannot be read, or is no fastText model.
    pub fn load(path: &Path) -> Result<Self> {
        let open = || File::open(path).map(BufReader::new).map_err(Error::file("read", path));
        match QuantizedModel::read(open()?) {
            Ok(model) => Ok(Self(Kind::Quantized(Box::new(model)))),
            Err(wrong) => match fasttext::FastText::load(&mut open()?) {
                Ok(model) if !model.is_quant() => Ok(Self(Kind::Plain(Box::new(model)))),
                _ => Err(Error::Model { path: path.to_owned(), message: wrong }),
            },
        }
    }

    /// The most likely language of `text`; none where it has no token that the model knows. Line breaks count as spaces.
    #[must_use]
    pub fn identify(&self, text: &str, buffers: &mut Buffers) -> Option<Identified> {
        let (label, probability) = match &self.0 {
            Kind::Plain(model) => {
                let line = text.replace(['\n', '\r'], " ");
                let prediction = model.predict(&line, 1, 0.0).into_iter().next()?;
                (prediction.label.strip_prefix("__label__").unwrap_or(&prediction.label).to_owned(), prediction.prob)
            }
            Kind::Quantized(model) => {
                let (label, probability) = model.identify(text, buffers)?;
                (label.to_owned(), probability)
            }
        };
        let probability = (f64::from(probability).clamp(0.0, 1.0) * 1e6).round() / 1e6;
        Some(Identified { language: label, probability })
    }
}
