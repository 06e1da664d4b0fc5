//! Places in a file: of bytes, of keys, of the characters of a string.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Setting, TomlError, TomlFault, TomlFile};

impl TomlFile {
    /// A fault at `span`, a range of bytes in the file.
    pub fn fault(&self, span: Range<usize>, message: impl Into<String>) -> TomlError {
        let start = span.start.min(self.text.len());
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let excerpt = self.text[line_start..].lines().next().unwrap_or_default();
        let column = self.text[line_start..start].chars().count() + 1;
        let shown = excerpt.chars().count();
        let asked = self.text.get(start..span.end.max(start)).map_or(1, |marked| marked.chars().count());
        Box::new(TomlFault {
            path: self.path.clone(),
            line: self.text[..start].matches('\n').count() + 1,
            column,
            width: asked.clamp(1, (shown + 2).saturating_sub(column).max(1)),
            excerpt: excerpt.to_owned(),
            message: message.into(),
        })
        .into()
    }

    /// The line of a byte, from 1.
    #[must_use]
    pub fn line_of(&self, at: usize) -> usize {
        self.text[..at.min(self.text.len())].matches('\n').count() + 1
    }

    /// Where byte `at` of a string's value stands in the file, whose `span` is that of the string with its quotes.
    #[must_use]
    pub fn within_string(&self, span: Range<usize>, at: usize) -> Range<usize> {
        let Some(source) = self.text.get(span.clone()) else { return span };
        let place = StringPlaces::new(source).find(|(value, _)| *value >= at).map_or(0, |(_, place)| place);
        let start = span.start + place;
        start..start + self.text[start..].chars().next().map_or(0, char::len_utf8)
    }

    /// A fault of the value that `key` has, with names from the root and dots between them: of a setting, if one sets it or a
    /// table around it; else at its place in the file, or that of the last table on the way which the file has.
    #[must_use]
    pub fn fault_of(&self, key: &str, settings: &[Setting], message: impl Into<String>) -> TomlError {
        let message = message.into();
        let names: Vec<&str> = key.split('.').collect();
        let sets = |setting: &&Setting| names.iter().zip(&setting.key).all(|(name, set)| name == set);
        if let Some(setting) = settings.iter().rev().filter(|set| set.key.len() <= names.len()).find(sets) {
            return TomlError::Set { key: setting.key.join("."), value: setting.value.clone(), message };
        }
        let mut span = 0..0;
        if let Ok(root) = DeTable::parse(&self.text) {
            let mut table = Some(root.get_ref());
            for name in names {
                let Some((_, value)) = table.and_then(|table| table.iter().find(|(key, _)| *key.get_ref() == name))
                else {
                    break;
                };
                span = value.span();
                table = match value.get_ref() {
                    DeValue::Table(inner) => Some(inner),
                    _ => None,
                };
            }
        }
        self.fault(span, message)
    }
}

/// The characters of a string's value: for each, how many bytes of the value come before it, and where it stands in the source.
///
/// Source: TOML 1.1, "String".
struct StringPlaces<'s> {
    source: &'s str,
    escapes: bool,
    place: usize,
    value: usize,
}

impl<'s> StringPlaces<'s> {
    fn new(source: &'s str) -> Self {
        let escapes = source.starts_with('"');
        let mut place = usize::from(source.starts_with(['"', '\'']));
        if source.starts_with("\"\"\"") || source.starts_with("'''") {
            place = 3;
            // the line break behind the quotes is none of the value
            place += ["\r\n", "\n"].iter().find(|end| source[3..].starts_with(**end)).map_or(0, |end| end.len());
        }
        Self { source, escapes, place, value: 0 }
    }
}

impl Iterator for StringPlaces<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = &self.source[self.place..];
            let character = rest.chars().next()?;
            let found = (self.value, self.place);
            if !self.escapes || character != '\\' {
                self.place += character.len_utf8();
                self.value += character.len_utf8();
                return Some(found);
            }
            let escaped = rest[1..].chars().next()?;
            let digits = match escaped {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                escaped if escaped.is_whitespace() => {
                    // the end of a line that goes on at the next word
                    self.place += rest.len() - rest[1..].trim_start().len();
                    continue;
                }
                _ => 0,
            };
            self.place += 1 + escaped.len_utf8() + digits;
            let code = rest.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
            self.value += code.and_then(char::from_u32).map_or(1, char::len_utf8);
            return Some(found);
        }
    }
}
