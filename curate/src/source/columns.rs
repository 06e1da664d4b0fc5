//! Rows with names: which of them hold what, and the document that they make.

use schemas::identity::DocumentId;
use serde::{Deserialize, Serialize};

use super::row::Row;
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
