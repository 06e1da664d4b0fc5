//! The family `language`.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, Float64Array, StringViewArray},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Asked, ModelFile,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::Result,
    files::{Text, Version},
    learn::{
        Buffers,
        language::{Identified, LanguageModel},
    },
};

/// The model that tells languages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageFacts {
    /// A fastText model, `.bin` or `.ftz`.
    #[schemars(with = "String")]
    pub model: Text,
}

/// Tells languages by a model.
pub struct Languages(LanguageModel);

impl FactFamily for Languages {
    type Config = ModelFile;

    const VERSION: Version = Version::new("measure/language", 1);

    fn name(_: &ModelFile) -> &'static str {
        "language"
    }

    fn fields() -> Fields {
        Fields::from(vec![field("language", DataType::Utf8View), field("probability", DataType::Float64)])
    }

    fn asked(asked: &Asked<'_>) -> Result<Vec<ModelFile>> {
        let Some(LanguageFacts { model }) = &asked.facts.language else { return Ok(vec![]) };
        Ok(vec![ModelFile::named(model, asked.files)?])
    }

    fn description(model: &ModelFile) -> String {
        model.path.display().to_string()
    }

    fn load(model: &ModelFile) -> Result<Self> {
        Ok(Self(LanguageModel::load(&model.path)?))
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
