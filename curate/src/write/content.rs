//! What the rows of a mixture are.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::SchemaRef;
use schemas::{
    columns,
    prompt::Demonstrations,
    task::{Form, Task},
};
use serde::{Deserialize, Serialize};

use super::negatives::Negatives;
use crate::{decide::Requirement, text::pairs::MIN_WORDS};

/// Bytes of a word, about, with what stands behind it.
const BYTES_OF_WORD: u64 = 7;

/// What the rows of a mixture are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Documents as they are.
    Text,
    /// Examples of tasks, put into words by their templates.
    Examples(ExamplesContent),
    /// Questions with their passages, made of documents.
    Pairs(PairsContent),
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
    pub negatives: Negatives,
}

/// Questions with their passages, made of documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairsContent {
    /// What of a document is the question.
    pub from: PairsFrom,
    /// Words of a passage, at most.
    pub words: u32,
    /// Passages of other documents, for each question.
    pub negatives: Negatives,
}

/// What of a document is the question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairsFrom {
    /// Its title; the passage is how its text begins.
    Title,
    /// A sentence of one of its passages.
    InverseCloze {
        /// The share of passages that keep their sentence.
        kept: f64,
    },
}

impl PairsFrom {
    /// What a document must have.
    #[must_use]
    pub fn requirement(self) -> Requirement {
        Requirement { title: self == Self::Title, words: MIN_WORDS.into() }
    }
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
            Self::Text | Self::Pairs(_) => vec![String::new()],
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
                1 + u64::from(shown) + u64::from(examples.negatives.count())
            }
            Self::Pairs(pairs) => 1 + u64::from(pairs.negatives.count()),
        }
    }

    /// What a document must have to become a row.
    #[must_use]
    pub fn requirement(&self) -> Option<Requirement> {
        match self {
            Self::Text | Self::Examples(_) => None,
            Self::Pairs(pairs) => Some(pairs.from.requirement()),
        }
    }

    /// The most bytes of a document that a row has, about, where rows are of pieces.
    #[must_use]
    pub fn most_bytes(&self) -> Option<u64> {
        match self {
            Self::Text | Self::Examples(_) => None,
            Self::Pairs(pairs) => Some(BYTES_OF_WORD * u64::from(pairs.words)),
        }
    }

    /// The passages of others that its rows show.
    #[must_use]
    pub fn negatives(&self) -> Negatives {
        match self {
            Self::Text => Negatives::default(),
            Self::Examples(examples) => examples.negatives,
            Self::Pairs(pairs) => pairs.negatives,
        }
    }

    /// The columns of the mixture.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Text => columns::text_mixture(),
            Self::Pairs(_) => columns::pairs_mixture(),
            Self::Examples(examples) => columns::examples_mixture(examples.form().unwrap_or(Form::Completion)),
        }
    }
}
