//! What the rows of a mixture are.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::SchemaRef;
use schemas::{
    columns,
    prompt::Demonstrations,
    task::{Form, Task},
};
use serde::{Deserialize, Serialize};

/// What the rows of a mixture are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Documents as they are.
    Text,
    /// Examples of tasks, put into words by their templates.
    Examples(ExamplesContent),
}

/// Examples of tasks, and how they are put into words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExamplesContent {
    /// The task of each source, with the templates that are wanted.
    pub tasks: BTreeMap<String, Task>,
    /// Whether each copy of an example goes through one template, which it draws, and not through all.
    pub sample_template: bool,
    /// Examples with their answers, before each prompt.
    pub demonstrations: Option<Demonstrations>,
    /// For retrieval: passages of other examples, for each question.
    pub negatives: u32,
}

impl ExamplesContent {
    /// The form of the rows, which all templates have; nothing where there are none, which a recipe does not pass.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        self.tasks.values().flat_map(|task| &task.templates).map(|template| template.parts.form()).next()
    }
}

impl Content {
    /// The names of the templates of a source; one empty name for plain text.
    #[must_use]
    pub fn templates(&self, source: &str) -> Vec<String> {
        match self {
            Self::Text => vec![String::new()],
            Self::Examples(examples) => {
                let templates = examples.tasks.get(source).map_or(&[][..], |task| &task.templates);
                templates.iter().map(|template| template.name.clone()).collect()
            }
        }
    }

    /// How many templates each copy of a document of a source goes through.
    #[must_use]
    pub fn templates_of_copy(&self, source: &str) -> u64 {
        match self {
            Self::Examples(examples) if !examples.sample_template => self.templates(source).len() as u64,
            _ => 1,
        }
    }

    /// About how many times as long as its document a row is.
    #[must_use]
    pub fn growth(&self) -> u64 {
        match self {
            Self::Text => 1,
            Self::Examples(examples) => {
                let shown = examples.demonstrations.as_ref().map_or(0, |demonstrations| demonstrations.max);
                u64::from(1 + shown + examples.negatives)
            }
        }
    }

    /// The columns of the mixture.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Text => columns::text_mixture(),
            Self::Examples(examples) => columns::examples_mixture(examples.form().unwrap_or(Form::Completion)),
        }
    }
}
