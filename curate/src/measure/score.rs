//! The families of scores, one for each classifier.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, Float64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;

use super::{
    ModelFile,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::Result,
    files::Version,
    learn::{Classifier, Score, Scratch},
};

/// Scores texts by a classifier, whose kind has a version of its own.
pub struct Scores(Classifier);

impl FactFamily for Scores {
    /// The classifier's `model.json`.
    type Config = ModelFile;

    const VERSION: Version = Version::new("measure/score", 2);

    /// That of a classifier's scores begins with it.
    fn name(_: &ModelFile) -> &'static str {
        "score"
    }

    /// `score` is the probability of being of the reference, null where the classifier knows too little of the text; `known`, the share of the
    /// text's words and n-grams that it knows. Both are rounded to 1e-6.
    fn fields() -> Fields {
        Fields::from(vec![field("score", DataType::Float64), field("known", DataType::Float64)])
    }

    fn description(model: &ModelFile) -> String {
        model.path.display().to_string()
    }

    fn load(model: &ModelFile) -> Result<Self> {
        Classifier::load(model.path.parent().unwrap_or(&model.path)).map(Self)
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
