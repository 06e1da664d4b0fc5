//! The words and labels of a model.

use std::{collections::HashMap, io::Read};

use xxhash_rust::xxh3::Xxh3Builder;

use super::fields::{Fields, Wrong, count};

/// Rows of words. Names come from the model's file, so that nobody can choose them to collide.
pub type Words = HashMap<Box<[u8]>, u32, Xxh3Builder>;

/// Words, labels with their counts, and the n-grams that were kept.
pub struct Dictionary {
    pub words: Words,
    /// Without `__label__`.
    pub labels: Vec<String>,
    /// How often each label occurs.
    pub counts: Vec<i64>,
    /// Buckets of n-grams that have a row, each with its row; none where every bucket has one.
    pub kept: Option<Vec<(u32, u32)>>,
}

impl Dictionary {
    /// Reads them.
    ///
    /// # Errors
    /// When the file is cut short, a label is not UTF-8, or there is none.
    pub fn read(file: &mut Fields<impl Read>) -> Result<Self, Wrong> {
        let size = count(file.i32()?)?;
        let (_words, _labels, _tokens) = (file.i32()?, file.i32()?, file.i64()?);
        let kept_size = file.i64()?;
        let mut dictionary = Self { words: Words::default(), labels: Vec::new(), counts: Vec::new(), kept: None };
        for _ in 0..size {
            let (name, times) = (file.name()?, file.i64()?);
            if file.bytes(1)?[0] == 0 {
                let row = u32::try_from(dictionary.words.len()).map_err(|_| "too many words".to_owned())?;
                dictionary.words.insert(name.into(), row);
            } else {
                let name = String::from_utf8(name).map_err(|_| "a label is not UTF-8".to_owned())?;
                dictionary.labels.push(name.strip_prefix("__label__").unwrap_or(&name).to_owned());
                dictionary.counts.push(times);
            }
        }
        if dictionary.labels.is_empty() {
            return Err("the model has no label".into());
        }
        if let Ok(kept_size) = usize::try_from(kept_size) {
            let pairs = (0..kept_size).map(|_| Ok((file.i32()?.cast_unsigned(), file.i32()?.cast_unsigned())));
            dictionary.kept = Some(pairs.collect::<Result<_, Wrong>>()?);
        }
        Ok(dictionary)
    }
}
