//! The families and what each is made of.

use std::{path::PathBuf, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, StructArray},
        datatypes::{DataType, Field, Fields, Schema},
    },
    logical_expr::Expr,
    prelude::col,
};
use serde::{Deserialize, Serialize};

use super::{
    BandsConfig, OverlapsConfig, PostFiles, UrlFiles, bands, c4_lines, fingerprints, language, links, overlaps, score,
    tokens, urls, words,
};
use crate::{
    error::Result,
    files::Version,
    plan::call,
    text::{c4::LineRules, sameness::Sameness},
};

/// A family of facts: its name and its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Family {
    /// The name, which is its folder below `facts/`.
    pub name: String,
    /// What the facts depend on.
    pub config: FamilyConfig,
}

/// What the facts of a family depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FamilyConfig {
    /// Counts of words, lines and signs.
    Words,
    /// What C4's rules on lines find.
    C4Lines(LineRules),
    /// What lists find in the URL.
    Urls(UrlFiles),
    /// The language, by a fastText model.
    Language(ModelFile),
    /// A hash of the form in which texts are the same.
    Fingerprints(Sameness),
    /// The bands of a MinHash signature.
    Bands(BandsConfig),
    /// Posts that link to the page.
    Links(PostFiles),
    /// N-grams of benchmarks.
    Overlaps(OverlapsConfig),
    /// The score of a classifier that was trained before.
    Score(ModelFile),
    /// The number of tokens, by a `tokenizer.json`.
    Tokens(ModelFile),
}

/// A model or a list on disk. The hash makes facts by another one stale.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelFile {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// Computes the facts of many texts. A model is loaded once for a plan.
pub(super) trait Measure: Send + Sync {
    /// One array for each field; a null text has null facts.
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef>;
}

impl Family {
    /// The family of hashes by which the same texts are found.
    #[must_use]
    pub fn fingerprints(sameness: Sameness) -> Self {
        let name = match sameness {
            Sameness::Exact => "fingerprints",
            Sameness::Normalized => "normalized_fingerprints",
        };
        Self { name: name.into(), config: FamilyConfig::Fingerprints(sameness) }
    }

    /// The family's columns, without the id.
    #[must_use]
    pub fn fields(&self) -> Fields {
        match &self.config {
            FamilyConfig::Words => words::fields(),
            FamilyConfig::C4Lines(_) => c4_lines::fields(),
            FamilyConfig::Urls(_) => urls::fields(),
            FamilyConfig::Language(_) => language::fields(),
            FamilyConfig::Fingerprints(_) => fingerprints::fields(),
            FamilyConfig::Bands(_) => bands::fields(),
            FamilyConfig::Links(_) => links::fields(),
            FamilyConfig::Overlaps(_) => overlaps::fields(),
            FamilyConfig::Score(_) => score::fields(),
            FamilyConfig::Tokens(_) => tokens::fields(),
        }
    }

    /// The version of the code that makes the facts.
    #[must_use]
    pub fn version(&self) -> Version {
        match &self.config {
            FamilyConfig::Words => words::VERSION,
            FamilyConfig::C4Lines(_) => c4_lines::VERSION,
            FamilyConfig::Urls(_) => urls::VERSION,
            FamilyConfig::Language(_) => language::VERSION,
            FamilyConfig::Fingerprints(_) => fingerprints::VERSION,
            FamilyConfig::Bands(_) => bands::VERSION,
            FamilyConfig::Links(_) => links::VERSION,
            FamilyConfig::Overlaps(_) => overlaps::VERSION,
            FamilyConfig::Score(_) => score::VERSION,
            FamilyConfig::Tokens(_) => tokens::VERSION,
        }
    }

    pub(super) fn load(&self) -> Result<Box<dyn Measure>> {
        Ok(match &self.config {
            FamilyConfig::Words => Box::new(words::Words),
            FamilyConfig::C4Lines(rules) => Box::new(c4_lines::C4Lines(*rules)),
            FamilyConfig::Urls(files) => Box::new(urls::Urls::load(files)?),
            FamilyConfig::Language(model) => Box::new(language::Languages::load(&model.path)?),
            FamilyConfig::Fingerprints(sameness) => Box::new(fingerprints::Fingerprints(*sameness)),
            FamilyConfig::Bands(config) => Box::new(bands::Bands::new(*config)),
            FamilyConfig::Links(posts) => Box::new(links::Links::load(posts)?),
            FamilyConfig::Overlaps(config) => Box::new(overlaps::Overlaps::load(config)?),
            FamilyConfig::Score(model) => Box::new(score::Scores::load(&model.path)?),
            FamilyConfig::Tokens(model) => Box::new(tokens::Tokens::load(&model.path)?),
        })
    }

    /// The parameters of MinHash, where it has any.
    #[must_use]
    pub fn bands(&self) -> Option<BandsConfig> {
        match self.config {
            FamilyConfig::Bands(config) => Some(config),
            _ => None,
        }
    }

    /// What overlaps are looked for, where the family holds any.
    #[must_use]
    pub fn overlaps(&self) -> Option<&OverlapsConfig> {
        match &self.config {
            FamilyConfig::Overlaps(config) => Some(config),
            _ => None,
        }
    }

    /// The name of the column of structs that [`Family::expression`] makes.
    #[must_use]
    pub fn column(&self) -> String {
        format!("facts_{}", self.name)
    }

    /// The column of documents that the facts are about.
    #[must_use]
    pub fn subject(&self) -> &'static str {
        match self.config {
            FamilyConfig::Urls(_) | FamilyConfig::Links(_) => "url",
            _ => "text",
        }
    }

    /// The facts of the column that they are about, as structs.
    #[must_use]
    pub fn expression(&self) -> Expr {
        call(self.clone(), vec![col(self.subject())]).alias(self.column())
    }

    /// The columns of the family's files: the id and the facts.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let id = Field::new(schemas::columns::ID, DataType::Utf8View, false);
        Schema::new(std::iter::once(Arc::new(id)).chain(self.fields().iter().cloned()).collect::<Fields>())
    }

    /// The struct type of the facts.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        DataType::Struct(self.fields())
    }

    pub(super) fn structs(&self, columns: Vec<ArrayRef>) -> StructArray {
        StructArray::new(self.fields(), columns, None)
    }
}

pub(super) fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}
