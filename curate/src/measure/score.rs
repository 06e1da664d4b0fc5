//! The families of scores, one for each classifier.

use std::{path::Path, sync::Arc};

use datafusion::arrow::{
    array::{ArrayRef, Float64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;

use super::family::{Measure, field};
use crate::{
    error::Result,
    files::Version,
    learn::{Classifier, Scratch},
};

/// How texts are scored; the kind of the classifier has a version of its own.
pub const VERSION: Version = Version::new("measure/score", 1);

/// `score` is the probability of being of the reference, rounded to 1e-6.
pub fn fields() -> Fields {
    Fields::from(vec![field("score", DataType::Float64)])
}

pub struct Scores(Classifier);

impl Scores {
    /// Loads the classifier whose `model.json` is at `path`.
    pub fn load(path: &Path) -> Result<Self> {
        Classifier::load(path.parent().unwrap_or(path)).map(Self)
    }
}

impl Measure for Scores {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let scores: Vec<Option<f64>> = texts
            .par_iter()
            .map_init(Scratch::default, |scratch, text| text.map(|text| self.0.score(text, scratch)))
            .collect();
        vec![Arc::new(Float64Array::from(scores))]
    }
}
