//! The family `urls`: what lists find in the URL of a document.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, StringViewArray, UInt32Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::family::{Measure, ModelFile, field};
use crate::{
    error::{Error, Result},
    files::Version,
    source::read_list,
    text::urls::{UrlBuffers, UrlFacts, UrlLists, UrlMatcher},
};

/// What lists find in URLs.
pub const VERSION: Version = Version::new("measure/urls", 1);

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

pub fn fields() -> Fields {
    Fields::from(vec![
        field("domain", DataType::Utf8View),
        field("words", DataType::UInt32),
        field("soft_words", DataType::UInt32),
        field("parts", DataType::UInt32),
    ])
}

pub struct Urls(UrlMatcher);

impl Urls {
    pub fn load(files: &UrlFiles) -> Result<Self> {
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
        let found: Vec<Option<UrlFacts>> = urls.par_iter().copied().map_init(UrlBuffers::default, find).collect();
        let count = |pick: fn(&UrlFacts) -> u32| -> ArrayRef {
            Arc::new(found.iter().map(|facts| facts.as_ref().map(pick)).collect::<UInt32Array>())
        };
        let domains: StringViewArray = found.iter().map(|facts| facts.and_then(|facts| facts.domain)).collect();
        vec![Arc::new(domains), count(|facts| facts.words), count(|facts| facts.soft_words), count(|facts| facts.parts)]
    }
}
