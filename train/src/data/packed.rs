//! Documents in rows of one length.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Batch, best_fit::best_fit, tokens::Tokens};
use crate::error::Result;

/// How documents are brought into rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// One after the other, cut wherever a row is full: no padding.
    #[default]
    Concatenated,
    /// Whole, by best-fit-decreasing; only what is longer than a row is cut: some padding.
    BestFit,
}

/// The rows of a source.
#[derive(Debug)]
pub struct PackedRows {
    tokens: Tokens,
    time: usize,
    /// Positions do not look across documents.
    apart: bool,
    layout: Layout,
}

#[derive(Debug)]
enum Layout {
    Concatenated {
        rows: u64,
    },
    /// Pieces of documents, row by row: where each begins, its length, and the number of the first piece of every row.
    BestFit {
        pieces: Vec<(u64, u32)>,
        firsts: Vec<usize>,
    },
}

impl PackedRows {
    /// Rows of `time` ids that are to be said. Concatenated, what fills no row at the end is left out.
    pub(super) fn new(tokens: Tokens, time: usize, packing: Packing, across_documents: bool) -> Self {
        let layout = match packing {
            Packing::Concatenated => Layout::Concatenated { rows: tokens.ids() / time as u64 },
            Packing::BestFit => best_fit_layout(&tokens, time),
        };
        Self { tokens, time, apart: !across_documents, layout }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u64 {
        match &self.layout {
            Layout::Concatenated { rows } => *rows,
            Layout::BestFit { firsts, .. } => firsts.len() as u64,
        }
    }

    /// The ids of the documents, in all.
    #[must_use]
    pub fn ids(&self) -> u64 {
        self.tokens.ids()
    }

    /// Documents, in all.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.tokens.documents()
    }

    /// The share of positions that are padding, in `0.0..1.0`.
    #[must_use]
    pub fn padding(&self) -> f64 {
        match &self.layout {
            Layout::Concatenated { .. } => 0.0,
            Layout::BestFit { firsts, .. } => {
                1.0 - self.tokens.ids() as f64 / (firsts.len() as f64 * self.time as f64).max(1.0)
            }
        }
    }

    /// Adds a row to a batch.
    ///
    /// # Errors
    /// When the ids cannot be read.
    pub fn append(&self, number: u64, batch: &mut Batch) -> Result<()> {
        let row = batch.targets.len();
        match &self.layout {
            Layout::Concatenated { .. } => {
                let from = number * self.time as u64;
                self.tokens.append(from, from + self.time as u64, row, self.apart, batch)?;
            }
            Layout::BestFit { pieces, firsts } => {
                let number = usize::try_from(number).expect("rows are in memory");
                let last = firsts.get(number + 1).copied().unwrap_or(pieces.len());
                for (from, length) in &pieces[firsts[number]..last] {
                    self.tokens.append(*from, from + u64::from(*length), row, self.apart, batch)?;
                }
                self.tokens.pad(row, self.apart, batch);
            }
        }
        batch.rows += 1;
        Ok(())
    }
}

fn best_fit_layout(tokens: &Tokens, time: usize) -> Layout {
    let capacity = u32::try_from(time).expect("a row is short");
    let (mut begins, mut lengths) = (Vec::new(), Vec::new());
    let mut begin = 0;
    for length in tokens.lengths() {
        let end = begin + length;
        while begin < end {
            let piece = u32::try_from(end - begin).map_or(capacity, |left| left.min(capacity));
            begins.push(begin);
            lengths.push(piece);
            begin += u64::from(piece);
        }
    }
    let rows = best_fit(&lengths, capacity);
    let (mut pieces, mut firsts) = (Vec::with_capacity(begins.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        firsts.push(pieces.len());
        pieces.extend(row.into_iter().map(|number| (begins[number as usize], lengths[number as usize])));
    }
    Layout::BestFit { pieces, firsts }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::data::token_file::{Made, TokenFile, TokenFileWriter};

    const END: u32 = 0;

    /// Documents of lengths with prompts, in two files; their ids count up from 1, so that each tells its place.
    fn tokens(documents: &[(usize, usize)]) -> Result<(tempfile::TempDir, Tokens)> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let made = Made { tokenizer: String::new(), source: String::new() };
        let mut next = 1;
        let mut files = Vec::new();
        for (number, half) in [&documents[..documents.len() / 2], &documents[documents.len() / 2..]].iter().enumerate()
        {
            let path = folder.path().join(number.to_string());
            let mut writer = TokenFileWriter::create(&path, 1 << 16)?;
            for (length, prompt) in *half {
                let ids: Vec<u32> = (next..).take(*length).collect();
                writer.push(&ids, *prompt, 0)?;
                next += u32::try_from(*length).expect("short");
            }
            writer.finish(made.clone())?;
            files.push(TokenFile::open(&path, &made)?);
        }
        Ok((folder, Tokens::new(&files, None, END)))
    }

    fn all_rows(rows: &PackedRows) -> Result<Batch> {
        let mut batch = Batch::empty(rows.time);
        (0..rows.rows()).try_for_each(|number| rows.append(number, &mut batch))?;
        Ok(batch)
    }

    proptest! {
        /// Every id is said once, after the id before it or after the end of a text; loss counts on what is no prompt; and
        /// where documents are kept apart, a position looks back to where its own begins.
        #[test]
        fn every_id_is_said_once(
            documents in proptest::collection::vec((1usize..20, 0usize..8), 1..30),
            time in 1usize..9,
            best_fit: bool,
            across: bool,
        ) {
            let documents: Vec<(usize, usize)> =
                documents.into_iter().map(|(length, prompt)| (length, prompt.min(length))).collect();
            let (_folder, tokens) = tokens(&documents).expect("the files can be written");
            let packing = if best_fit { Packing::BestFit } else { Packing::Concatenated };
            let rows = PackedRows::new(tokens, time, packing, across);
            let batch = all_rows(&rows).expect("the files can be read");
            prop_assert_eq!(batch.inputs.len(), batch.rows * time);
            prop_assert_eq!(batch.weights.len(), batch.starts.len());

            // each id's document begins at an id, and counts from an id on
            let mut about = vec![(0, 0); 1];
            for (length, prompt) in &documents {
                let first = about.len();
                about.extend(std::iter::repeat_n((first, first + prompt), *length));
            }
            let mut said = BTreeSet::new();
            for place in 0..batch.targets.len() {
                let target = usize::try_from(batch.targets[place]).expect("an id");
                let position = i32::try_from(place % time).expect("short");
                if target == 0 {
                    prop_assert!(best_fit, "only best fit pads");
                    prop_assert!(batch.weights[place] < 0.5);
                    continue;
                }
                prop_assert!(said.insert(target), "{} is said twice", target);
                let (first, counts) = about[target];
                let seen = if target == first { 0 } else { target - 1 };
                prop_assert_eq!(batch.inputs[place], i32::try_from(seen).expect("small"));
                prop_assert_eq!(batch.weights[place] > 0.5, target >= counts);
                let back = i32::try_from(target - first).expect("short");
                let piece = if across || position < back && !best_fit { 0 } else { position - back };
                // of a document that is cut, best fit may put a later piece anywhere in a row
                if best_fit && !across && back >= i32::try_from(time).expect("short") {
                    let back = back % i32::try_from(time).expect("short");
                    prop_assert_eq!(batch.starts[place], position - back);
                } else {
                    prop_assert_eq!(batch.starts[place], piece);
                }
            }
            let expected = if best_fit { about.len() - 1 } else { batch.rows * time };
            prop_assert_eq!(said.len(), expected);
            let padded = batch.targets.len() - said.len();
            prop_assert!((rows.padding() * batch.targets.len() as f64 - padded as f64).abs() < 1e-6);
        }
    }

    #[test]
    fn targets_are_one_place_further() -> Result<()> {
        let (_folder, tokens) = tokens(&[(3, 2), (6, 0)])?;
        let batch = all_rows(&PackedRows::new(tokens, 4, Packing::Concatenated, false))?;
        assert_eq!((batch.rows, batch.time), (2, 4));
        assert_eq!(batch.inputs, [0, 1, 2, 0, 4, 5, 6, 7]);
        assert_eq!(batch.targets, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(batch.starts, [0, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!(batch.weights, [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        Ok(())
    }
}
