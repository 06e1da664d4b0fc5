//! TOML that people write: read once, checked before any work starts, and every error names path, line and column.
//!
//! Values keep their place in the text (wrap them in [`Spanned`]), so that a fault which only shows later, such as a
//! reference to something that does not exist, can still point at the line that holds it.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::de::DeserializeOwned;
pub use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::{byte_order_mark::without_mark, renamed::instead};

/// A TOML file, held in memory.
#[derive(Debug, Clone)]
pub struct TomlFile {
    path: PathBuf,
    text: String,
}

/// Why a file could not be used, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TomlError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error(transparent)]
    Fault(#[from] Box<TomlFault>),
    /// A key that the command line sets is not one that the file could have.
    #[error("--set {key}={value}: {message}")]
    Set {
        /// The key, with dots.
        key: String,
        /// The value as it was given.
        value: String,
        /// What is wrong with it.
        message: String,
    },
}

/// A fault at a place in a file. Displays as `path:line:column: message` with the line below it.
#[derive(Debug)]
pub struct TomlFault {
    path: PathBuf,
    line: usize,
    column: usize,
    width: usize,
    excerpt: String,
    message: String,
}

impl std::error::Error for TomlFault {}

impl fmt::Display for TomlFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, width, excerpt, message } = self;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(formatter, "{}:{line}:{column}: {message}", path.display())?;
        writeln!(formatter, "{gutter} |")?;
        writeln!(formatter, "{number} | {excerpt}")?;
        write!(formatter, "{gutter} | {}{}", " ".repeat(column - 1), "^".repeat(*width))
    }
}

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

impl TomlFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is not UTF-8.
    pub fn read(path: &Path) -> Result<Self, TomlError> {
        let failed = |source| TomlError::Read { path: path.to_owned(), source };
        let invalid = |message| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        let bytes = std::fs::read(path).map_err(failed)?;
        let text = without_mark(&bytes).map_err(invalid)?;
        let text = std::str::from_utf8(text).map_err(|error| {
            let line = text[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            invalid(format!("line {line} is not UTF-8"))
        })?;
        Ok(Self { path: path.to_owned(), text: text.to_owned() })
    }

    /// Takes text as if it had been read from `path`.
    #[must_use]
    pub fn from_text(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that relative paths in the file start from.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Parses the file into `T`, with `settings` in place of what the file says.
    ///
    /// # Errors
    /// A syntax error, an unknown key, a value of the wrong type: with its line and column.
    pub fn parse<T: DeserializeOwned>(&self, settings: &[Setting]) -> Result<T, TomlError> {
        self.apply(settings).map_err(|fault| self.blame(&fault, settings, |prefix| self.apply::<T>(prefix).err()))
    }

    fn apply<T: DeserializeOwned>(&self, settings: &[Setting]) -> Result<T, Refusal> {
        let lines: Vec<String> = settings.iter().map(|setting| format!("value = {}", setting.value)).collect();
        let mut root = DeTable::parse(&self.text)?;
        for (setting, line) in settings.iter().zip(&lines) {
            replace(root.get_mut(), &setting.key, parse_value(line, &setting.value))?;
        }
        Ok(T::deserialize(Deserializer::from(root))?)
    }

    /// Lays a refusal to the first setting without which it would not be, or to the file.
    fn blame(
        &self,
        last: &Refusal,
        settings: &[Setting],
        refusal: impl Fn(&[Setting]) -> Option<Refusal>,
    ) -> TomlError {
        for count in 0..settings.len() {
            match (refusal(&settings[..count]), count) {
                (None, _) => {}
                (Some(own), 0) => return self.located(&own),
                (Some(fault), _) => return settings[count - 1].refused(&fault),
            }
        }
        match settings.last() {
            Some(setting) => setting.refused(last),
            None => self.located(last),
        }
    }

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

    fn located(&self, refusal: &Refusal) -> TomlError {
        match refusal {
            Refusal::Toml(error) => self.fault(error.span().unwrap_or(0..0), said(error)),
            Refusal::Key(message) => self.fault(0..0, message.clone()),
        }
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

    fn refused(&self, refusal: &Refusal) -> TomlError {
        let message = match refusal {
            Refusal::Toml(error) => said(error),
            Refusal::Key(message) => message.clone(),
        };
        TomlError::Set { key: self.key.join("."), value: self.value.clone(), message }
    }
}

/// What an error says, without its place.
fn said(error: &toml::de::Error) -> String {
    let message = error.message().trim_end();
    instead(message).unwrap_or_else(|| message.to_owned())
}

/// Why a text with settings is not a `T`, before it is known which of the two is to blame.
enum Refusal {
    Toml(toml::de::Error),
    Key(String),
}

impl From<toml::de::Error> for Refusal {
    fn from(error: toml::de::Error) -> Self {
        Self::Toml(error)
    }
}

/// Puts `value` in its place, with the span of what it replaces, so that a later fault points at that line.
fn replace<'a>(root: &mut DeTable<'a>, key: &'a [String], value: DeValue<'a>) -> Result<(), Refusal> {
    let Some((last, tables)) = key.split_last() else {
        return Err(Refusal::Key("the key is empty".into()));
    };
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
fn parse_value<'a>(line: &'a str, text: &'a str) -> DeValue<'a> {
    DeTable::parse(line)
        .ok()
        .and_then(|table| table.into_inner().into_iter().next())
        .map_or_else(|| DeValue::String(text.into()), |(_, value)| value.into_inner())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        threshold: f64,
        #[serde(default)]
        names: Vec<String>,
        #[serde(default)]
        inner: Inner,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        words: Option<u32>,
    }

    fn set(key: &str, value: &str) -> Setting {
        Setting { key: key.split('.').map(str::to_owned).collect(), value: value.into() }
    }

    #[test]
    fn an_unknown_key_is_shown_in_its_line() {
        let file = TomlFile::from_text("a/recipe.toml", "threshold = 0.5\n\n[inner]\nwrods = 3\n");
        let error = file.parse::<Config>(&[]).expect_err("`wrods` is no key");
        assert_eq!(
            error.to_string(),
            "a/recipe.toml:4:1: unknown field `wrods`, expected `words`\n  |\n4 | wrods = 3\n  | ^^^^^"
        );
    }

    #[test]
    fn a_fault_of_a_value_is_shown_where_it_was_set() {
        let file = TomlFile::from_text("recipe.toml", "threshold = 0.5\n[inner]\nwords = 0\n");
        let place = |key: &str, settings: &[Setting]| {
            let error = file.fault_of(key, settings, "too few").to_string();
            error.lines().next().map(str::to_owned)
        };
        assert_eq!(place("inner.words", &[]).as_deref(), Some("recipe.toml:3:9: too few"));
        assert_eq!(
            place("inner.lines", &[]).as_deref(),
            Some("recipe.toml:2:1: too few"),
            "the table without the value"
        );
        assert_eq!(place("inner.words", &[set("inner.words", "0")]).as_deref(), Some("--set inner.words=0: too few"));
        let table = [set("inner", "{ words = 0 }")];
        assert_eq!(place("inner.words", &table).as_deref(), Some("--set inner={ words = 0 }: too few"));
    }

    #[test]
    fn a_setting_replaces_what_the_file_says() -> Result<(), TomlError> {
        let file = TomlFile::from_text("recipe.toml", "threshold = 0.5\n[inner]\nwords = 3\n");
        let settings = [set("threshold", "0.75"), set("inner.words", "9"), set("names", "[\"a\", \"b c\"]")];
        let config: Config = file.parse(&settings)?;
        assert!((config.threshold - 0.75).abs() < f64::EPSILON);
        assert_eq!(config.inner.words, Some(9));
        assert_eq!(config.names, ["a", "b c"]);
        Ok(())
    }

    /// Windows' editors put a mark before the first key; it moves no column. What is not UTF-8 is named.
    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_key() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("recipe.toml");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("the folder can be written");
            TomlFile::read(&path).and_then(|file| file.parse::<Config>(&[])).map_err(|error| error.to_string())
        };
        assert!(read(b"\xef\xbb\xbfthreshold = 0.5\r\nnames = []\r\n").is_ok());
        let error = read(b"\xef\xbb\xbfthreshhold = 0.5\n").expect_err("it is no key");
        assert!(error.contains("recipe.toml:1:1: unknown field"), "{error}");
        let error = read(b"\xff\xfet\0h\0").expect_err("it is no UTF-8");
        assert!(error.contains("recipe.toml: by its byte order mark it is in UTF-16LE"), "{error}");
        let error = read(b"threshold = 0.5\n# caf\xe9\n").expect_err("it is Latin-1");
        assert!(error.contains("recipe.toml: line 2 is not UTF-8"), "{error}");
    }

    #[test]
    fn a_setting_of_an_unknown_key_is_refused() {
        let file = TomlFile::from_text("recipe.toml", "threshold = 0.5\n");
        assert!(file.parse::<Config>(&[set("treshold", "1")]).is_err());
        let error = file.parse::<Config>(&[set("outer.words", "1")]).expect_err("there is no such table");
        assert_eq!(error.to_string(), "--set outer.words=1: there is no table `outer`");
    }
}
