//! TOML that people write: read once, checked before any work starts, and every error names path, line and column.
//!
//! ```text
//! file, --set KEY=VALUE -> T, or a refusal -> the line that is at fault, or the setting
//! ```
//!
//! Values keep their place in the text (wrap them in [`Spanned`]), so that a fault which only shows later, such as a
//! reference to something that does not exist, can still point at the line that holds it.

mod defaults;
mod fault;
mod places;
mod refusal;
mod setting;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
pub use toml::Spanned;
use toml::de::{DeTable, Deserializer};

pub use self::{
    defaults::Defaults,
    fault::{TomlError, TomlFault},
    setting::Setting,
};
use self::{
    defaults::{add_tables, add_values},
    refusal::Refusal,
    setting::{parse_value, replace},
};
use crate::byte_order_mark::without_mark;

/// A TOML file, held in memory.
#[derive(Debug, Clone)]
pub struct TomlFile {
    path: PathBuf,
    text: String,
    defaults: Vec<Defaults>,
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
        Ok(Self { path: path.to_owned(), text: text.to_owned(), defaults: Vec::new() })
    }

    /// Takes text as if it had been read from `path`.
    #[must_use]
    pub fn from_text(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), defaults: Vec::new() }
    }

    /// The same file with values for what it, and defaults that it has already, do not say.
    #[must_use]
    pub fn with_defaults(mut self, defaults: Defaults) -> Self {
        self.defaults.push(defaults);
        self
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
        let parsed = |defaults: &Defaults| Ok((DeTable::parse(defaults.text)?, defaults.alternatives));
        let defaults = self.defaults.iter().map(parsed).collect::<Result<Vec<_>, Refusal>>()?;
        for (defaults, _) in &defaults {
            add_tables(root.get_mut(), defaults.get_ref());
        }
        for (setting, line) in settings.iter().zip(&lines) {
            replace(root.get_mut(), &setting.key, parse_value(line, &setting.value))?;
        }
        for (defaults, alternatives) in &defaults {
            add_values(root.get_mut(), defaults.get_ref(), "", alternatives);
        }
        Ok(T::deserialize(Deserializer::from(root))?)
    }

    /// Lays a refusal to the first setting without which it would not be, or to the file. What the file lacks, and further settings bring, is
    /// no fault.
    fn blame(
        &self,
        last: &Refusal,
        settings: &[Setting],
        refusal: impl Fn(&[Setting]) -> Option<Refusal>,
    ) -> TomlError {
        let mut lacks = false;
        for count in 0..settings.len() {
            match refusal(&settings[..count]) {
                None => {}
                Some(own) if own.is_lack() && own.message() != last.message() => lacks = true,
                Some(own) if count == 0 || (lacks && own.is_lack()) => return self.refused(&own),
                Some(fault) => return settings[count - 1].refused(&fault),
            }
        }
        match settings.last() {
            Some(setting) if !(lacks && last.is_lack()) => setting.refused(last),
            _ => self.refused(last),
        }
    }

    fn refused(&self, refusal: &Refusal) -> TomlError {
        self.fault(refusal.span(), refusal.message())
    }
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

    /// What the file or a setting says counts; a default that has an alternative there does not.
    #[test]
    fn defaults_are_for_what_is_not_said() -> Result<(), TomlError> {
        let text = "threshold = 0.1\n[inner]\nlines = 3";
        let defaults = Defaults { text, alternatives: &[("inner.words", "inner.lines")] };
        let of = |text: &str| TomlFile::from_text("recipe.toml", text).with_defaults(defaults);
        let words = |text: &str, settings: &[Setting]| -> Result<_, TomlError> {
            #[derive(Deserialize)]
            struct Config {
                threshold: f64,
                inner: toml::Table,
            }
            let Config { threshold, inner } = of(text).parse(settings)?;
            Ok((threshold, inner.get("words").cloned(), inner.get("lines").cloned()))
        };
        let number = |number: i64| Some(toml::Value::from(number));
        assert_eq!(words("", &[])?, (0.1, None, number(3)));
        assert_eq!(words("threshold = 2.0\n[inner]\nwords = 1", &[])?, (2.0, number(1), None));
        assert_eq!(words("", &[set("inner.words", "2")])?, (0.1, number(2), None));
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
        assert!(error.to_string().starts_with("--set outer.words=1: unknown field `outer`, expected"), "{error}");
    }

    /// A table that the file does not have is made at the root; within one it is not.
    #[test]
    fn a_setting_brings_its_table() -> Result<(), TomlError> {
        let file = TomlFile::from_text("recipe.toml", "threshold = 0.5\n");
        let config: Config = file.parse(&[set("inner.words", "9")])?;
        assert_eq!(config.inner.words, Some(9));
        let error = file.parse::<Config>(&[set("inner.lines", "9")]).expect_err("it is no key of the table");
        assert_eq!(error.to_string(), "--set inner.lines=9: unknown field `lines`, expected `words`");
        let error = file.parse::<Config>(&[set("threshold.most", "9")]).expect_err("a number is no table");
        assert_eq!(error.to_string(), "--set threshold.most=9: `threshold` is not a table");
        let error = file.parse::<Config>(&[set("inner.deeper.words", "9")]).expect_err("there is no such table");
        assert_eq!(error.to_string(), "--set inner.deeper.words=9: there is no table `deeper`");
        Ok(())
    }

    /// What a file leaves to settings is no fault of it: what else is wrong is laid to whatever it is in.
    #[test]
    fn what_settings_bring_is_not_missing() -> Result<(), TomlError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Training {
            data: Data,
            steps: u32,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Data {
            mixture: String,
            seed: u32,
        }
        let parsed = |text: &str, settings: &[Setting]| {
            let Training { data: Data { mixture, seed }, steps } =
                TomlFile::from_text("inner.toml", text).parse(settings)?;
            Ok::<_, TomlError>((mixture, seed, steps))
        };
        let brought = [set("data.mixture", "\"a\""), set("data.seed", "3")];
        assert_eq!(parsed("steps = 1\n", &brought)?, ("a".to_owned(), 3, 1));
        let wrong = [set("data.mixture", "7"), set("data.seed", "3")];
        for (text, settings, expected) in [
            ("", &brought[..], "inner.toml:1:1: missing field `steps`"),
            ("stebs = 1\n", &brought[..], "inner.toml:1:1: unknown field `stebs`"),
            ("steps = 1\n", &brought[..1], "inner.toml:1:1: missing field `seed`"),
            ("steps = 1\n", &wrong[..], "--set data.mixture=7: invalid type"),
        ] {
            let error = parsed(text, settings).expect_err("it is refused").to_string();
            assert!(error.starts_with(expected), "{expected}: {error}");
        }
        Ok(())
    }
}
