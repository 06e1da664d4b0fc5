//! What a source of batches remembers, as tensors of a checkpoint: numbers that are the same bits when they are read again.
//!
//! ```text
//! a double     four tensor elements, of 16 bits each
//! ids          one element each: below 2^24, or in two of 16 bits
//! lists        their numbers one after the other, and where each ends
//! ```

use std::collections::BTreeMap;

use crate::model::NamedTensor;

/// Bits of a part of a number: any such part is a single-precision number exactly.
const BITS: u32 = 16;
const MASK: u64 = (1 << BITS) - 1;

/// What is to be remembered.
#[derive(Debug, Default)]
pub(super) struct Memory(Vec<NamedTensor>);

impl Memory {
    /// Adds numbers of single precision.
    pub fn push(&mut self, name: &str, values: Vec<f32>) {
        self.0.push(NamedTensor { name: name.to_owned(), shape: vec![values.len()], values });
    }

    /// Adds a number.
    pub fn push_number(&mut self, name: &str, value: f64) {
        self.push(name, parts(value.to_bits(), 4).collect());
    }

    /// Adds lists of ids.
    pub fn push_ids<'i>(&mut self, name: &str, lists: impl IntoIterator<Item = &'i [u32]>) {
        let (mut ids, mut ends) = (Vec::new(), Vec::new());
        for list in lists {
            ids.extend(list.iter().flat_map(|id| parts(u64::from(*id), 2)));
            ends.extend(parts(ids.len() as u64 / 2, 2));
        }
        self.push(name, ids);
        self.push(&ends_of(name), ends);
    }

    /// All of it.
    pub fn into_tensors(self) -> Vec<NamedTensor> {
        self.0
    }
}

fn ends_of(name: &str) -> String {
    format!("{name}.ends")
}

/// A number in parts, the lowest first.
fn parts(bits: u64, count: u32) -> impl Iterator<Item = f32> {
    (0..count).map(move |part| {
        let part = (bits >> (part * BITS)) & MASK;
        f32::from(u16::try_from(part).expect("it was masked"))
    })
}

/// What was remembered.
#[derive(Debug)]
pub(super) struct Remembered(BTreeMap<String, Vec<f32>>);

impl Remembered {
    pub fn new(tensors: Vec<NamedTensor>) -> Self {
        Self(tensors.into_iter().map(|named| (named.name, named.values)).collect())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Numbers of single precision.
    ///
    /// # Errors
    /// When there are none of that name.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, String> {
        self.0.get(name).cloned().ok_or_else(|| format!("it remembers no `{name}`"))
    }

    /// The same in lists of some lengths.
    ///
    /// # Errors
    /// When there are none of that name, or others.
    pub fn split(&self, name: &str, lengths: &[usize]) -> Result<Vec<Vec<f32>>, String> {
        let values = self.values(name)?;
        if values.len() != lengths.iter().sum::<usize>() {
            return Err(format!("it remembers {} numbers as `{name}`, and not one for each token", values.len()));
        }
        let mut rest = &values[..];
        let list = |length: &usize| {
            let (own, others) = rest.split_at(*length);
            rest = others;
            own.to_vec()
        };
        Ok(lengths.iter().map(list).collect())
    }

    /// A number.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn number(&self, name: &str) -> Result<f64, String> {
        let [value] = whole(&self.values(name)?, 4)[..] else { return Err(format!("`{name}` is no number")) };
        Ok(f64::from_bits(value))
    }

    /// Lists of ids.
    ///
    /// # Errors
    /// When there are none of that name, or they do not fit together.
    pub fn ids(&self, name: &str) -> Result<Vec<Vec<u32>>, String> {
        let fault = || format!("`{name}` are no lists of ids");
        let ids = whole(&self.values(name)?, 2).into_iter().map(|id| u32::try_from(id).map_err(|_| fault()));
        let ids = ids.collect::<Result<Vec<u32>, String>>()?;
        let mut begin = 0;
        let mut lists = Vec::new();
        for end in whole(&self.values(&ends_of(name))?, 2) {
            let end = usize::try_from(end).map_err(|_| fault())?;
            lists.push(ids.get(begin..end).ok_or_else(fault)?.to_vec());
            begin = end;
        }
        if begin == ids.len() { Ok(lists) } else { Err(fault()) }
    }
}

/// Numbers out of parts.
fn whole(parts: &[f32], count: usize) -> Vec<u64> {
    let number = |parts: &[f32]| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "parts have 16 bits")]
        let part = |(place, part): (usize, &f32)| (*part as u64 & MASK) << (BITS as usize * place);
        parts.iter().enumerate().map(part).sum()
    };
    parts.chunks(count).map(number).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// Whatever was remembered comes back bit for bit.
        #[test]
        fn numbers_come_back(number: f64, lists in vec(vec(any::<u32>(), 0..6), 0..5), values in vec(any::<f32>(), 0..9)) {
            let mut memory = Memory::default();
            memory.push_number("number", number);
            memory.push_ids("ids", lists.iter().map(Vec::as_slice));
            memory.push("values", values.clone());
            let found = Remembered::new(memory.into_tensors());
            prop_assert_eq!(found.number("number").expect("it is there").to_bits(), number.to_bits());
            prop_assert_eq!(found.ids("ids").expect("they are there"), lists);
            let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            prop_assert_eq!(bits(found.values("values").expect("they are there")), bits(values.clone()));
            prop_assert!(found.split("values", &[values.len() + 1]).is_err() && found.number("other").is_err());
        }
    }
}
