//! What stands in a row, out of the columns of a batch or out of the object of a line.
//!
//! ```text
//! column   lists of any type of Arrow -> texts, or whole numbers; null, or an item that is null: a fault
//! line     list                       -> the same
//! both     `id`, a text or a number   -> a text; none where it is something else
//! ```
//!
//! A fault names the column or the key, and not the row, which the reader knows.
//!
//! Useful for: readers of rows with lists ([`super::labelled_rows`], [`super::preference_rows`]). Not useful for: which columns there have to
//! be.

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, Int64Array, RecordBatch},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use schemas::{
    columns::ID,
    text_columns::{TEXT_TYPES, Texts},
};
use serde_json::{Map, Value};

/// A column `id`.
pub(super) enum Ids {
    Texts(Texts),
    Numbers(Int64Array),
}

impl Ids {
    /// That of a batch, where it has one. An id of another kind is none that could be written down again.
    pub fn of(batch: &RecordBatch) -> Option<Self> {
        let column = batch.column_by_name(ID)?;
        Texts::of(column).map(Self::Texts).or_else(|| numbers(column).map(Self::Numbers))
    }

    /// The id of a row; none for a null.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn at(&self, row: usize) -> Result<Option<String>, String> {
        match self {
            Self::Texts(texts) => {
                let text = texts.at(row).map_err(|error| format!("column `{ID}` is not UTF-8: {error}"))?;
                Ok(text.map(str::to_owned))
            }
            Self::Numbers(ids) => Ok(ids.is_valid(row).then(|| ids.value(row).to_string())),
        }
    }
}

/// The id of a line, taken out of its object.
pub(super) fn id(object: &mut Map<String, Value>) -> Option<String> {
    match object.remove(ID) {
        Some(Value::String(id)) => Some(id),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    }
}

/// What is said of a list where a text is wanted.
const NO_MESSAGES: &str = "as of messages, and texts are wanted: `prompt` holds what comes before the answers, and each of these stands alone";

/// A column of texts, of which none is null.
pub(super) struct TextColumn {
    name: &'static str,
    texts: Texts,
}

impl TextColumn {
    /// That of a batch.
    ///
    /// # Errors
    /// When there is none, or it has no texts.
    pub fn of(batch: &RecordBatch, name: &'static str) -> Result<Self, String> {
        let column = batch.column_by_name(name).ok_or_else(|| format!("column `{name}` is not there"))?;
        if is_list(column.data_type()) {
            return Err(format!("column `{name}` has lists, {NO_MESSAGES}"));
        }
        let texts = Texts::of(column)
            .ok_or_else(|| format!("column `{name}` is of type {}, and not text: {TEXT_TYPES}", column.data_type()))?;
        Ok(Self { name, texts })
    }

    /// The text of a row.
    ///
    /// # Errors
    /// When it is null, or not UTF-8.
    pub fn at(&self, row: usize) -> Result<String, String> {
        let Self { name, texts } = self;
        let text = texts.at(row).map_err(|error| format!("column `{name}` is not UTF-8: {error}"))?;
        text.map(str::to_owned).ok_or_else(|| format!("column `{name}` is null"))
    }
}

/// A column of lists.
pub(super) struct Lists {
    name: &'static str,
    lists: ArrayRef,
}

impl Lists {
    /// That of a batch.
    ///
    /// - `items`: what its items are to be, for the message
    ///
    /// # Errors
    /// When there is none, or it has no lists.
    pub fn of(batch: &RecordBatch, name: &'static str, items: &str) -> Result<Self, String> {
        let lists = batch.column_by_name(name).ok_or_else(|| format!("column `{name}` is not there"))?;
        if !is_list(lists.data_type()) {
            return Err(format!("column `{name}` is of type {}, and not a list of {items}", lists.data_type()));
        }
        Ok(Self { name, lists: ArrayRef::clone(lists) })
    }

    /// Whether a row has no list.
    pub fn is_null(&self, row: usize) -> bool {
        self.lists.is_null(row)
    }

    /// The texts of a row.
    ///
    /// # Errors
    /// When it has no list, or an item is no text.
    pub fn texts(&self, row: usize) -> Result<Vec<String>, String> {
        let (name, items) = (self.name, self.items(row)?);
        let texts = Texts::of(&items).ok_or_else(|| {
            format!("column `{name}` has items of type {}, and not texts: {TEXT_TYPES}", items.data_type())
        })?;
        let text = |item: usize| match texts.at(item) {
            Ok(Some(text)) => Ok(text.to_owned()),
            Ok(None) => Err(format!("item {} of column `{name}` is null", item + 1)),
            Err(error) => Err(format!("item {} of column `{name}` is not UTF-8: {error}", item + 1)),
        };
        (0..items.len()).map(text).collect()
    }

    /// The whole numbers of a row.
    ///
    /// # Errors
    /// When it has no list, or an item is no whole number.
    pub fn whole_numbers(&self, row: usize) -> Result<Vec<i64>, String> {
        let (name, items) = (self.name, self.items(row)?);
        let found = numbers(&items)
            .ok_or_else(|| format!("column `{name}` has items of type {}, and not whole numbers", items.data_type()))?;
        let number = |item: usize| {
            let number = found.is_valid(item).then(|| found.value(item));
            number.ok_or_else(|| format!("item {} of column `{name}` is null", item + 1))
        };
        (0..found.len()).map(number).collect()
    }

    fn items(&self, row: usize) -> Result<ArrayRef, String> {
        let Self { name, lists } = self;
        if lists.is_null(row) {
            return Err(format!("column `{name}` is null"));
        }
        Ok(match lists.data_type() {
            DataType::List(_) => lists.as_list::<i32>().value(row),
            DataType::LargeList(_) => lists.as_list::<i64>().value(row),
            _ => lists.as_fixed_size_list().value(row),
        })
    }
}

/// Whether a column of a type has lists.
pub(super) fn is_list(kind: &DataType) -> bool {
    matches!(kind, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _))
}

/// A column of whole numbers; one of nulls has none.
pub(super) fn numbers(column: &ArrayRef) -> Option<Int64Array> {
    let kind = column.data_type();
    if !kind.is_integer() && *kind != DataType::Null {
        return None;
    }
    Some(cast(column, &DataType::Int64).ok()?.as_primitive::<Int64Type>().clone())
}

/// The text under a key.
///
/// # Errors
/// When there is none.
pub(super) fn text(key: &str, value: Option<Value>) -> Result<String, String> {
    match value {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Array(_)) => Err(format!("`{key}` is a list, {NO_MESSAGES}")),
        Some(other) => Err(format!("`{key}` is {}, and no string", what(&other))),
        None => Err(format!("`{key}` is not there")),
    }
}

/// The texts of a list that stands under a key.
///
/// # Errors
/// When it is no list, or an item is no text.
pub(super) fn texts(key: &str, value: Value) -> Result<Vec<String>, String> {
    let text = |(place, item): (usize, Value)| match item {
        Value::String(text) => Ok(text),
        other => Err(format!("item {} of `{key}` is {}, and no string", place + 1, what(&other))),
    };
    match value {
        Value::Array(items) => items.into_iter().enumerate().map(text).collect(),
        other => Err(format!("`{key}` is {}, and no list of texts", what(&other))),
    }
}

/// The whole numbers of a list that stands under a key.
///
/// # Errors
/// When it is no list, or an item is no whole number.
pub(super) fn whole_numbers(key: &str, value: &Value) -> Result<Vec<i64>, String> {
    let number = |(place, item): (usize, &Value)| {
        item.as_i64().ok_or_else(|| format!("item {} of `{key}` is {}, and no whole number", place + 1, what(item)))
    };
    match value {
        Value::Array(items) => items.iter().enumerate().map(number).collect(),
        other => Err(format!("`{key}` is {}, and no list of whole numbers", what(other))),
    }
}

/// What a value is, in words.
pub(super) fn what(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(_) => "a string".into(),
        other => other.to_string(),
    }
}
