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
    learn::{Features, HashedModel},
};

/// `score` is the probability of being of the reference, rounded to 1e-6.
pub fn fields() -> Fields {
    Fields::from(vec![field("score", DataType::Float64)])
}

pub struct Scores(HashedModel);

impl Scores {
    pub fn load(path: &Path) -> Result<Self> {
        Ok(Self(HashedModel::load(path)?))
    }
}

impl Measure for Scores {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let scores: Vec<Option<f64>> = texts
            .par_iter()
            .map_init(Features::default, |buffer, text| text.map(|text| self.0.score(text, buffer)))
            .collect();
        vec![Arc::new(Float64Array::from(scores))]
    }
}
