//! The family `urls`: what lists find in the URL of a document.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, StringViewArray, UInt32Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Asked, ModelFile,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::{Error, Result},
    files::{Text, Version},
    source::read_list,
    text::urls::{self, UrlBuffers, UrlLists, UrlMatcher},
};

/// Lists of domains and words: files, packed or not, with a domain or word a line; lines that begin with `#`
/// are comments.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UrlFacts {
    /// Domains; what lies below one counts as well.
    #[schemars(with = "Vec<String>")]
    pub domains: Vec<Text>,
    /// Words, between punctuation, of which one is enough.
    #[schemars(with = "Vec<String>")]
    pub words: Vec<Text>,
    /// Words of which one is not enough.
    #[schemars(with = "Vec<String>")]
    pub soft_words: Vec<Text>,
    /// Parts of words, found in a URL without `-` and `.`.
    #[schemars(with = "Vec<String>")]
    pub parts: Vec<Text>,
}

/// Files of lists, plain or packed as gzip or zstd: a domain or word a line; lines that begin with `#` are comments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UrlFiles {
    /// Domains.
    pub domains: Vec<ModelFile>,
    /// Words of which one is enough.
    pub words: Vec<ModelFile>,
    /// Words of which one is not enough.
    pub soft_words: Vec<ModelFile>,
    /// Parts of words.
    pub parts: Vec<ModelFile>,
}

impl UrlFiles {
    fn all(&self) -> impl Iterator<Item = &ModelFile> {
        [&self.domains, &self.words, &self.soft_words, &self.parts].into_iter().flatten()
    }
}

/// What lists find in URLs.
pub struct Urls(UrlMatcher);

impl FactFamily for Urls {
    type Config = UrlFiles;

    const VERSION: Version = Version::new("measure/urls", 1);

    const SUBJECT: &'static str = "url";

    fn name(_: &UrlFiles) -> &'static str {
        "urls"
    }

    fn fields() -> Fields {
        Fields::from(vec![
            field("domain", DataType::Utf8View),
            field("words", DataType::UInt32),
            field("soft_words", DataType::UInt32),
            field("parts", DataType::UInt32),
        ])
    }

    fn asked(asked: &Asked<'_>) -> Result<Vec<UrlFiles>> {
        let Some(UrlFacts { domains, words, soft_words, parts }) = &asked.facts.urls else { return Ok(vec![]) };
        Ok(vec![UrlFiles {
            domains: ModelFile::all_named(domains, asked.files)?,
            words: ModelFile::all_named(words, asked.files)?,
            soft_words: ModelFile::all_named(soft_words, asked.files)?,
            parts: ModelFile::all_named(parts, asked.files)?,
        }])
    }

    fn description(files: &UrlFiles) -> String {
        files.all().map(|file| file.path.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    fn load(files: &UrlFiles) -> Result<Self> {
        let UrlFiles { domains, words, soft_words, parts } = files;
        let lists = UrlLists {
            domains: read(domains)?,
            words: read(words)?,
            soft_words: read(soft_words)?,
            parts: read(parts)?,
        };
        UrlMatcher::new(&lists).map(Self).map_err(|error| {
            let path = [words, soft_words, parts].into_iter().flatten().next().map(|file| file.path.clone());
            Error::File { action: "use the list", path: path.unwrap_or_default(), source: std::io::Error::other(error) }
        })
    }
}

fn read(files: &[ModelFile]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for file in files {
        all.extend(read_list(&file.path)?.into_iter().map(|line| line.to_ascii_lowercase()));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

impl Measure for Urls {
    fn measure(&self, urls: &[Option<&str>]) -> Vec<ArrayRef> {
        let find = |buffers: &mut UrlBuffers, url: Option<&str>| url.map(|url| self.0.find(url, buffers));
        let found: Vec<Option<urls::UrlFacts>> = urls.par_iter().copied().map_init(UrlBuffers::default, find).collect();
        let count = |pick: fn(&urls::UrlFacts) -> u32| -> ArrayRef {
            Arc::new(found.iter().map(|facts| facts.as_ref().map(pick)).collect::<UInt32Array>())
        };
        let domains: StringViewArray = found.iter().map(|facts| facts.and_then(|facts| facts.domain)).collect();
        vec![Arc::new(domains), count(|facts| facts.words), count(|facts| facts.soft_words), count(|facts| facts.parts)]
    }
}
