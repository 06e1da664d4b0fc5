//! Benchmarks as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Benchmark, ExampleFile};
use crate::{
    error::Result,
    files::{NamedFiles, Text},
};

/// A benchmark: the data of a task, or files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkRecipe {
    /// A task's file, or the name of a shipped one, of whose held-out examples the task's fields are looked for; of all where none are held out.
    #[schemars(with = "Option<String>")]
    pub task: Option<Text>,
    /// Files of examples, packed or not: `.jsonl` is JSON lines, `.json` one JSON value, of which every object with
    /// strings is an example, and of other files each line is one; `*` stands for any name.
    #[schemars(with = "Option<Vec<String>>")]
    pub files: Option<Vec<Text>>,
    /// For files of JSON: the keys whose strings are looked for; all by default.
    pub fields: Option<Vec<String>>,
}

impl BenchmarkRecipe {
    /// The benchmark that is asked for.
    ///
    /// # Errors
    /// When it is not said where its examples are, or these are not there.
    pub fn benchmark(&self, name: &Text, files: &NamedFiles<'_>) -> Result<Benchmark> {
        files.check_name(name)?;
        let benchmark = match (&self.task, &self.files) {
            (Some(task), None) if self.fields.is_none() => {
                Benchmark::of_task(name.get_ref().clone(), &files.task(task)?)?
            }
            (None, Some(patterns)) => {
                let files = files.files(patterns)?.into_iter().map(ExampleFile::new).collect::<Result<Vec<_>>>()?;
                Benchmark { name: name.get_ref().clone(), files, fields: self.fields.clone(), rules: None }
            }
            _ => {
                let message = "a benchmark has either a `task`, or `files` and perhaps `fields`";
                return Err(files.fault(name.span(), message).into());
            }
        };
        if benchmark.files.is_empty() {
            return Err(files.fault(name.span(), "a benchmark has one file or more").into());
        }
        Ok(benchmark)
    }
}
