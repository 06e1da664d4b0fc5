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
    learn::{Classifier, Score, Scratch},
};

/// How texts are scored; the kind of the classifier has a version of its own.
pub const VERSION: Version = Version::new("measure/score", 2);

/// `score` is the probability of being of the reference, null where the classifier knows too little of the text; `known`, the share of the
/// text's words and n-grams that it knows. Both are rounded to 1e-6.
pub fn fields() -> Fields {
    Fields::from(vec![field("score", DataType::Float64), field("known", DataType::Float64)])
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
        let scores: Vec<Option<Score>> = texts
            .par_iter()
            .map_init(Scratch::default, |scratch, text| text.map(|text| self.0.score(text, scratch)))
            .collect();
        let column = |number: fn(&Score) -> Option<f64>| -> ArrayRef {
            Arc::new(scores.iter().map(|score| score.as_ref().and_then(number)).collect::<Float64Array>())
        };
        vec![column(|score| score.score), column(|score| Some(score.known))]
    }
}
