//! Which language a text is in, by a fastText model.
//!
//! Models are read by a reader of our own, which gives the original's labels, where the crate `fasttext` is wrong about quantized
//! ones; the crate reads plain models of losses that ours does not know.

use std::{fs::File, io::BufReader, path::Path};

use super::fasttext::{Buffers, FastTextModel};
use crate::error::{Error, Result};

/// A loaded model.
pub struct LanguageModel(Kind);

enum Kind {
    Crate(Box<fasttext::FastText>),
    Own(Box<FastTextModel>),
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
        match FastTextModel::read(open()?) {
            Ok(model) => Ok(Self(Kind::Own(Box::new(model)))),
            Err(wrong) => match fasttext::FastText::load(&mut open()?) {
                Ok(model) if !model.is_quant() => Ok(Self(Kind::Crate(Box::new(model)))),
                _ => Err(Error::Model { path: path.to_owned(), message: wrong }),
            },
        }
    }

    /// The most likely language of `text`; none where it has no token that the model knows. Line breaks count as spaces.
    #[must_use]
    pub fn identify(&self, text: &str, buffers: &mut Buffers) -> Option<Identified> {
        let (label, probability) = match &self.0 {
            Kind::Crate(model) => {
                let line = text.replace(['\n', '\r'], " ");
                let prediction = model.predict(&line, 1, 0.0).into_iter().next()?;
                (prediction.label.strip_prefix("__label__").unwrap_or(&prediction.label).to_owned(), prediction.prob)
            }
            Kind::Own(model) => {
                let (label, probability) = model.identify(text, buffers)?;
                (label.to_owned(), probability)
            }
        };
        let probability = (f64::from(probability).clamp(0.0, 1.0) * 1e6).round() / 1e6;
        Some(Identified { language: label, probability })
    }
}
