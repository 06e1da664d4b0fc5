//! A fastText model that is asked for one label.

use std::{fs::File, io::BufReader, path::Path};

use super::{line_form::LineForm, linear::LinearModel, model::FastTextModel, vocabulary::Buffers};
use crate::error::{Error, Result};

/// A model and what it is asked.
pub struct FastTextClassifier {
    model: LinearModel,
    text: LineForm,
}

/// What is needed from text to text.
#[derive(Default)]
pub struct FastTextBuffers {
    line: String,
    buffers: Buffers,
}

impl FastTextClassifier {
    /// Loads a model, and looks for a label in it.
    ///
    /// # Errors
    /// When the file is no model, or has no such label.
    pub fn load(path: &Path, label: &str, text: LineForm) -> Result<Self> {
        let wrong = |message| Error::Model { path: path.to_owned(), message };
        let file = File::open(path).map_err(Error::file("read", path))?;
        let model = FastTextModel::read(BufReader::new(file)).map_err(wrong)?;
        let Some(number) = model.label(label) else {
            let labels = model.labels().join("`, `");
            return Err(wrong(format!("there is no label `{label}`; there are `{labels}`")));
        };
        let count = model.labels().len();
        match model.linear(number) {
            Some(model) => Ok(Self { model, text }),
            None => Err(wrong(format!(
                "a classifier has two labels under a softmax; this model has {count} labels, or a tree"
            ))),
        }
    }

    /// The log-odds of the label, 0 where no word has a row, and the share of the text's words and n-grams that the model knows.
    #[must_use]
    pub fn read(&self, text: &str, buffers: &mut FastTextBuffers) -> (f64, f64) {
        let FastTextBuffers { line, buffers } = buffers;
        self.text.write(text, line);
        let (log_odds, known) = self.model.read(line, buffers);
        (log_odds.unwrap_or_default(), known)
    }
}
