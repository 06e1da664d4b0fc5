//! What the command line sets in place of what a file says.

use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::{Spanned, TomlError, refusal::Refusal};

/// A key and value from the command line, which replace what the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Names from the root, such as `["classifier", "quality", "words"]`.
    pub key: Vec<String>,
    /// A TOML value; what is not one is taken as a string.
    pub value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.split('.').map(str::to_owned).collect(), value: value.to_owned() })
            }
            _ => Err("expected KEY=VALUE, such as `name=web` or `step.words=50`".into()),
        }
    }
}

impl Setting {
    /// The value as a text: that of a TOML string, with its quotes taken off, or what was given.
    #[must_use]
    pub fn text(&self) -> String {
        let line = format!("value = {}", self.value);
        match parse_value(&line, &self.value) {
            DeValue::String(text) => text.into_owned(),
            _ => self.value.clone(),
        }
    }

    pub(super) fn refused(&self, refusal: &Refusal) -> TomlError {
        TomlError::Set { key: self.key.join("."), value: self.value.clone(), message: refusal.message() }
    }
}

/// Puts `value` in its place, with the span of what it replaces, so that a later fault points at that line. A table of the root that is not
/// there is made; whether there may be one of that name is for the type to say that is parsed.
pub(super) fn replace<'a>(root: &mut DeTable<'a>, key: &'a [String], value: DeValue<'a>) -> Result<(), Refusal> {
    let Some((last, tables)) = key.split_last() else {
        return Err(Refusal::Key("the key is empty".into()));
    };
    if let Some(first) = tables.first()
        && !root.iter().any(|(key, _)| key.get_ref() == first)
    {
        root.insert(Spanned::new(0..0, first.into()), Spanned::new(0..0, DeValue::Table(DeTable::new())));
    }
    let mut table = root;
    for name in tables {
        let inner = table.iter_mut().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value.get_mut());
        table = match inner {
            Some(DeValue::Table(inner)) => inner,
            Some(_) => return Err(Refusal::Key(format!("`{name}` is not a table"))),
            None => return Err(Refusal::Key(format!("there is no table `{name}`"))),
        };
    }
    match table.iter_mut().find(|(key, _)| key.get_ref() == last) {
        Some((_, old)) => *old.get_mut() = value,
        None => {
            table.insert(Spanned::new(0..0, last.into()), Spanned::new(0..0, value));
        }
    }
    Ok(())
}

/// The value in `line`, which says `value = TEXT`; or `text` itself, so that `--set name=web` needs no quotes.
pub(super) fn parse_value<'a>(line: &'a str, text: &'a str) -> DeValue<'a> {
    DeTable::parse(line)
        .ok()
        .and_then(|table| table.into_inner().into_iter().next())
        .map_or_else(|| DeValue::String(text.into()), |(_, value)| value.into_inner())
}
