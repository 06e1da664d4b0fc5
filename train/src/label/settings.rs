//! How labels are collected: what may not change once there are some, or they would be of two kinds.

use std::{collections::BTreeMap, str::FromStr};

use super::{Kind, tables::VERSION};

/// How labels are collected.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelSettings {
    /// What people are asked for.
    pub kind: Kind,
    /// Of every order, and of the answers.
    pub seed: u64,
    /// Where the answers come from that are ranked; none where people write them.
    pub sampling: Option<SamplingSettings>,
}

/// Where the answers come from that are ranked.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingSettings {
    /// What the model is called.
    pub model: String,
    /// SHA-256 of its weights, by which it is known.
    pub fingerprint: String,
    /// Answers to a prompt.
    pub answers: usize,
    /// The most tokens of an answer.
    pub tokens: usize,
    /// Divides the logits.
    pub temperature: f64,
}

/// What is wrong with the settings of a database: a key, and what is wrong with it.
pub type SettingFault = (&'static str, String);

const MODEL: &str = "model";

impl LabelSettings {
    /// Answers to a prompt; 0 where people write them.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.sampling.as_ref().map_or(0, |sampling| sampling.answers)
    }

    /// The rows of the table `meta`.
    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        let Self { kind, seed, sampling } = self;
        let mut rows = vec![("version", VERSION.to_string()), ("kind", kind.to_string()), ("seed", seed.to_string())];
        if let Some(SamplingSettings { model, fingerprint, answers, tokens, temperature }) = sampling {
            rows.extend([
                (MODEL, model.clone()),
                ("fingerprint", fingerprint.clone()),
                ("answers", answers.to_string()),
                ("tokens", tokens.to_string()),
                ("temperature", temperature.to_string()),
            ]);
        }
        rows
    }

    /// What such rows say.
    ///
    /// # Errors
    /// When one is missing, says something else, or is of another version.
    pub(super) fn of_rows(rows: &BTreeMap<String, String>) -> Result<Self, SettingFault> {
        let version: u32 = parsed(rows, "version")?;
        if version != VERSION {
            return Err(("version", format!("it is {version}, and this program reads version {VERSION}")));
        }
        let kind: Kind = parsed(rows, "kind")?;
        let sampling = match kind {
            Kind::Demonstrations => None,
            Kind::Rankings => Some(SamplingSettings {
                model: parsed(rows, MODEL)?,
                fingerprint: parsed(rows, "fingerprint")?,
                answers: parsed(rows, "answers")?,
                tokens: parsed(rows, "tokens")?,
                temperature: parsed(rows, "temperature")?,
            }),
        };
        Ok(Self { kind, seed: parsed(rows, "seed")?, sampling })
    }

    /// What differs from how it was, in words: the model by its weights, whatever it is called.
    pub(super) fn differences(&self, before: &Self) -> Vec<String> {
        let (was, is): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (before.rows().into_iter().collect(), self.rows().into_iter().collect());
        let keys = was.keys().chain(is.keys().filter(|key| !was.contains_key(*key))).filter(|key| **key != MODEL);
        let of = |rows: &BTreeMap<&str, String>, key: &str| rows.get(key).map_or("nothing", String::as_str).to_owned();
        let differ = keys.filter(|key| was.get(*key) != is.get(*key));
        differ.map(|key| format!("`{key}` was {}, and is {}", of(&was, key), of(&is, key))).collect()
    }
}

fn parsed<T: FromStr>(rows: &BTreeMap<String, String>, key: &'static str) -> Result<T, SettingFault> {
    let value = rows.get(key).ok_or_else(|| (key, "it is not there".to_owned()))?;
    value.parse().map_err(|_| (key, format!("its value is {value:?}, which it cannot be")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> LabelSettings {
        let sampling = SamplingSettings {
            model: "small".into(),
            fingerprint: "ab12".into(),
            answers: 4,
            tokens: 128,
            temperature: 0.7,
        };
        LabelSettings { kind: Kind::Rankings, seed: u64::MAX, sampling: Some(sampling) }
    }

    fn rows(settings: &LabelSettings) -> BTreeMap<String, String> {
        settings.rows().into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    #[test]
    fn settings_are_what_their_rows_say() {
        let demonstrations = LabelSettings { kind: Kind::Demonstrations, seed: 3, sampling: None };
        for settings in [settings(), demonstrations] {
            assert_eq!(LabelSettings::of_rows(&rows(&settings)), Ok(settings));
        }
        let mut other = rows(&settings());
        other.insert("version".into(), "2".into());
        let fault = LabelSettings::of_rows(&other).expect_err("it is another version");
        assert_eq!(fault, ("version", "it is 2, and this program reads version 1".into()));
        other.insert("version".into(), "1".into());
        other.remove("seed");
        assert_eq!(LabelSettings::of_rows(&other).expect_err("it has no seed").0, "seed");
    }

    /// A model that was moved is the same one.
    #[test]
    fn what_differs_is_named() {
        let (was, mut is) = (settings(), settings());
        let sampling = is.sampling.as_mut().expect("it has some");
        (sampling.model, sampling.answers) = ("elsewhere".into(), 5);
        assert_eq!(is.differences(&was), ["`answers` was 4, and is 5"]);
        assert!(was.differences(&was).is_empty());
    }
}
