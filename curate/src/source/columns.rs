//! Rows with names: which of them hold what, and the document that they make.

use std::sync::Arc;

use schemars::JsonSchema;
use schemas::identity::DocumentId;
use serde::{Deserialize, Serialize};

use super::{raw::RawRecord, row::Row};
use crate::archive::Fault;

/// Which keys of an object, or columns of a table, hold what.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Columns {
    /// The text; every row must have it.
    pub text: String,
    /// The user's id.
    pub id: String,
    /// The URL.
    pub url: String,
    /// The date of capture.
    pub date: String,
    /// The title.
    pub title: String,
    /// The language that the row says it is in.
    pub language: String,
}

impl Default for Columns {
    fn default() -> Self {
        let name = |name: &str| name.to_owned();
        Self {
            text: name("text"),
            id: name("id"),
            url: name("url"),
            date: name("date"),
            title: name("title"),
            language: name("language"),
        }
    }
}

/// Which keys of a JSON object, or columns of a table, hold what.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnsRecipe {
    /// The text; `text` by default.
    pub text: Option<String>,
    /// The user's id; `id` by default.
    pub id: Option<String>,
    /// The URL; `url` by default.
    pub url: Option<String>,
    /// The date of capture; `date` by default.
    pub date: Option<String>,
    /// The title; `title` by default.
    pub title: Option<String>,
    /// The language; `language` by default.
    pub language: Option<String>,
}

impl ColumnsRecipe {
    /// The columns, with the default names of those that are not named.
    #[must_use]
    pub fn columns(&self) -> Columns {
        let default = Columns::default();
        let column = |named: &Option<String>, default: String| named.clone().unwrap_or(default);
        Columns {
            text: column(&self.text, default.text),
            id: column(&self.id, default.id),
            url: column(&self.url, default.url),
            date: column(&self.date, default.date),
            title: column(&self.title, default.title),
            language: column(&self.language, default.language),
        }
    }
}

/// The values of a row that are asked for, and no others.
#[derive(Debug, Default, Clone)]
pub struct Picked {
    pub text: Found,
    pub id: Option<String>,
    pub url: Option<String>,
    pub date: Option<String>,
    pub title: Option<String>,
    pub language: Option<String>,
}

/// What was found where the text should be.
#[derive(Debug, Default, Clone)]
pub enum Found {
    #[default]
    Missing,
    Text(String),
}

impl Picked {
    /// Bytes of text that it holds.
    pub fn len(&self) -> usize {
        match &self.text {
            Found::Text(text) => text.len(),
            Found::Missing => 0,
        }
    }

    /// The document that the values make, or what is wrong with them; `text` is the name of the text.
    pub fn document(self, source: &str, row: Row, text: &str) -> Row {
        let row =
            Row { record: self.id, url: self.url, date: self.date, title: self.title, language: self.language, ..row };
        match self.text {
            Found::Text(text) => {
                let key = row.record.as_deref().or(row.url.as_deref()).unwrap_or_default();
                let id = DocumentId::of(source, key, row.date.as_deref().unwrap_or_default(), text.as_bytes());
                Row { id: Some(id), ..row }.with_text(text)
            }
            Found::Missing => row.broken(Fault::JsonField, format!("there is no `{text}`")),
        }
    }
}

/// A row of a table, with the values that are asked for.
#[derive(Debug)]
pub struct TableRow {
    /// Where it begins, or how many rows stand before it.
    pub offset: u64,
    /// Its values.
    pub picked: Picked,
    /// The name of the column that holds the text.
    pub text: Arc<str>,
}

impl RawRecord for TableRow {
    fn size(&self) -> usize {
        self.picked.len()
    }

    fn row(&self, source: &str) -> Row {
        let row = Row { offset: self.offset, bytes: self.picked.len() as u64, ..Row::default() };
        self.picked.clone().document(source, row, &self.text)
    }
}
