//! The family `links`: what people who linked to a page thought of it.

use std::{collections::HashMap, sync::Arc};

use datafusion::arrow::{
    array::{ArrayRef, Int64Array, StringViewArray},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    Asked, ModelFile,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::Result,
    files::{Text, Version},
    source::each_post,
    text::url_form::{host_of, url_form},
};

/// Posts that link to pages: JSON lines, packed or not, each with a URL and a score.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkFacts {
    /// The files.
    #[schemars(with = "Vec<String>")]
    pub posts: Vec<Text>,
    /// The key of the URL.
    #[serde(default = "url_key")]
    pub url: String,
    /// The key of the score.
    #[serde(default = "score_key")]
    pub score: String,
}

fn url_key() -> String {
    "url".into()
}

fn score_key() -> String {
    "score".into()
}

/// Files of posts, as JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PostFiles {
    /// The files.
    pub files: Vec<ModelFile>,
    /// The key of the URL that a post links to.
    pub url: String,
    /// The key of its score.
    pub score: String,
}

/// Scores by the hash of the linked page's URL in its one form.
pub struct Links(HashMap<u64, i64>);

impl FactFamily for Links {
    type Config = PostFiles;

    const VERSION: Version = Version::new("measure/links", 1);

    const SUBJECT: &'static str = "url";

    fn name(_: &PostFiles) -> &'static str {
        "links"
    }

    /// `host` is the page's, without `www.`; `karma` is the highest score of a post that links to the page, and null where none does.
    fn fields() -> Fields {
        Fields::from(vec![field("host", DataType::Utf8View), field("karma", DataType::Int64)])
    }

    fn asked(asked: &Asked<'_>) -> Result<Vec<PostFiles>> {
        let Some(LinkFacts { posts, url, score }) = &asked.facts.links else { return Ok(vec![]) };
        let files = ModelFile::all_named(posts, asked.files)?;
        Ok(vec![PostFiles { files, url: url.clone(), score: score.clone() }])
    }

    fn description(posts: &PostFiles) -> String {
        format!("{} files of posts", posts.files.len())
    }

    fn load(posts: &PostFiles) -> Result<Self> {
        let mut links: HashMap<u64, i64> = HashMap::new();
        for file in &posts.files {
            each_post(&file.path, &posts.url, &posts.score, |url, score| {
                if let Some(form) = url_form(url) {
                    let highest = links.entry(xxh3_64(form.as_bytes())).or_insert(score);
                    *highest = score.max(*highest);
                }
            })?;
        }
        Ok(Self(links))
    }
}

impl Measure for Links {
    fn measure(&self, urls: &[Option<&str>]) -> Vec<ArrayRef> {
        let forms: Vec<Option<String>> = urls.par_iter().map(|url| url_form(url.as_ref()?)).collect();
        let karma = |form: &Option<String>| self.0.get(&xxh3_64(form.as_ref()?.as_bytes())).copied();
        let hosts: StringViewArray = forms.iter().map(|form| form.as_deref().map(host_of)).collect();
        vec![Arc::new(hosts), Arc::new(forms.iter().map(karma).collect::<Int64Array>())]
    }
}
