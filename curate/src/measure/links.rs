//! The family `links`: what people who linked to a page thought of it.

use std::{collections::HashMap, sync::Arc};

use datafusion::arrow::{
    array::{ArrayRef, Int64Array, StringViewArray},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::family::{Measure, ModelFile, field};
use crate::{
    error::Result,
    files::Version,
    source::each_post,
    text::url_form::{host_of, url_form},
};

/// How posts are found that link to a page.
pub const VERSION: Version = Version::new("measure/links", 1);

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

/// `host` is the page's, without `www.`; `karma` is the highest score of a post that links to the page, and null where none does.
pub fn fields() -> Fields {
    Fields::from(vec![field("host", DataType::Utf8View), field("karma", DataType::Int64)])
}

/// Scores by the hash of the linked page's URL in its one form.
pub struct Links(HashMap<u64, i64>);

impl Links {
    pub fn load(posts: &PostFiles) -> Result<Self> {
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
