//! The family `language`.

use std::{path::Path, sync::Arc};

use datafusion::arrow::{
    array::{ArrayRef, Float64Array, StringViewArray},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;

use super::family::{Measure, field};
use crate::{
    error::Result,
    files::Version,
    learn::{
        Buffers,
        language::{Identified, LanguageModel},
    },
};

/// How languages are told by a model.
pub const VERSION: Version = Version::new("measure/language", 1);

pub fn fields() -> Fields {
    Fields::from(vec![field("language", DataType::Utf8View), field("probability", DataType::Float64)])
}

pub struct Languages(LanguageModel);

impl Languages {
    pub fn load(path: &Path) -> Result<Self> {
        Ok(Self(LanguageModel::load(path)?))
    }
}

impl Measure for Languages {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let identified: Vec<Option<Identified>> = texts
            .par_iter()
            .map_init(Buffers::default, |buffers, text| text.and_then(|text| self.0.identify(text, buffers)))
            .collect();
        let languages = identified.iter().map(|found| found.as_ref().map(|found| found.language.as_str()));
        let probabilities = identified.iter().map(|found| found.as_ref().map(|found| found.probability));
        vec![Arc::new(languages.collect::<StringViewArray>()), Arc::new(probabilities.collect::<Float64Array>())]
    }
}
