//! Documents in rows of one length.
//!
//! The loss counts on what is no prompt and no padding. A row in which it counts nowhere teaches nothing and can judge nothing: a mean
//! over it is 0/0, and where such rows make a batch, decay and momentum would move the weights without a gradient. So there is none:
//!
//! - concatenated: a row that lies within one prompt is left out
//! - best fit: of a document longer than a row, the last ids are kept, in as many rows as those that count need. So a prompt is cut at
//!   its beginning, and as much of it as fits stands before its completion
//!
//! Both are counted, and said before a training starts. The cut is that of `generate`, and of the field's evaluation harness, for
//! prompts beyond the context. Other trainers cut the end off, and so may lose the completion with all that would count.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Batch, RowsAccount, best_fit::best_fit, tokens::Tokens};
use crate::error::Result;

/// How documents are brought into rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// One after the other, cut wherever a row is full: no padding.
    #[default]
    Concatenated,
    /// Whole, by best-fit-decreasing; only what is longer than a row is cut, a prompt at its beginning: some padding.
    BestFit,
}

/// The rows of a source.
#[derive(Debug)]
pub struct PackedRows {
    tokens: Tokens,
    time: usize,
    /// Attention is masked at the boundaries of documents.
    document_masking: bool,
    layout: Layout,
    account: RowsAccount,
}

#[derive(Debug)]
enum Layout {
    Concatenated {
        /// Where rows are left out: how many stay before, and how many are left out until there, in rising order.
        left_out: Vec<(u64, u64)>,
    },
    /// Pieces of documents, row by row: where each begins, its length, and the number of the first piece of every row.
    BestFit { pieces: Vec<(u64, u32)>, firsts: Vec<usize> },
}

impl PackedRows {
    /// Rows of `time` ids that are to be said. Concatenated, what fills no row at the end is left out.
    pub(super) fn new(tokens: Tokens, time: usize, packing: Packing, document_masking: bool) -> Self {
        let (layout, account) = match packing {
            Packing::Concatenated => concatenated_layout(&tokens, time),
            Packing::BestFit => best_fit_layout(&tokens, time),
        };
        Self { tokens, time, document_masking, layout, account }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.account.rows
    }

    /// What stands in the rows, and what does not.
    #[must_use]
    pub fn account(&self) -> RowsAccount {
        self.account
    }

    /// Adds a row to a batch.
    ///
    /// # Errors
    /// When the ids cannot be read.
    pub fn append(&self, number: u64, batch: &mut Batch) -> Result<()> {
        let row = batch.targets.len();
        match &self.layout {
            Layout::Concatenated { left_out } => {
                let places = left_out.partition_point(|(before, _)| *before <= number);
                let left_out = places.checked_sub(1).map_or(0, |last| left_out[last].1);
                let from = (number + left_out) * self.time as u64;
                self.tokens.append(from, from + self.time as u64, row, self.document_masking, batch)?;
            }
            Layout::BestFit { pieces, firsts } => {
                let number = usize::try_from(number).expect("rows are in memory");
                let last = firsts.get(number + 1).copied().unwrap_or(pieces.len());
                for (from, length) in &pieces[firsts[number]..last] {
                    self.tokens.append(*from, from + u64::from(*length), row, self.document_masking, batch)?;
                }
                self.tokens.pad(row, self.document_masking, batch);
            }
        }
        batch.rows += 1;
        Ok(())
    }
}

fn concatenated_layout(tokens: &Tokens, time: usize) -> (Layout, RowsAccount) {
    let mut account = account_of(tokens, time);
    let time = account.time;
    let all = account.tokens / time;
    let end_of_rows = all * time;
    let mut left_out = Vec::new();
    // nothing counts from `quiet` on until the place that has been reached
    let (mut quiet, mut place) = (0u64, 0u64);
    for (length, prompt) in tokens.lengths().chain([(0, 0)]) {
        let counts_from = place + prompt;
        place += length;
        if counts_from < place || length == 0 {
            // the rows that begin and end there
            let (first, last) = (quiet.div_ceil(time), counts_from.min(end_of_rows) / time);
            if first < last {
                left_out.push((first - account.rows_left_out, account.rows_left_out + last - first));
                account.rows_left_out += last - first;
            }
            account.counted += place.min(end_of_rows) - counts_from.min(end_of_rows);
            quiet = place;
        }
    }
    account.rows = all - account.rows_left_out;
    account.in_rows = account.rows * time;
    account.prompt_tokens = account.rows_left_out * time;
    account.rest = account.tokens - end_of_rows;
    (Layout::Concatenated { left_out }, account)
}

fn best_fit_layout(tokens: &Tokens, time: usize) -> (Layout, RowsAccount) {
    let capacity = u32::try_from(time).expect("a row is short");
    let mut account = account_of(tokens, time);
    let (mut begins, mut lengths) = (Vec::new(), Vec::new());
    let mut end = 0;
    for (length, prompt) in tokens.lengths() {
        end += length;
        let counted = length - prompt;
        let kept = kept_of(length, counted, account.time);
        let mut begin = end - kept;
        while begin < end {
            let piece = u32::try_from(end - begin).map_or(capacity, |left| left.min(capacity));
            begins.push(begin);
            lengths.push(piece);
            begin += u64::from(piece);
        }
        account.in_rows += kept;
        account.counted += counted;
        account.divided += u64::from(kept > account.time);
        account.prompts_cut += u64::from(kept < length);
        account.prompt_tokens += length - kept;
    }
    let rows = best_fit(&lengths, capacity);
    account.rows = rows.len() as u64;
    let (mut pieces, mut firsts) = (Vec::with_capacity(begins.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        firsts.push(pieces.len());
        pieces.extend(row.into_iter().map(|number| (begins[number as usize], lengths[number as usize])));
    }
    (Layout::BestFit { pieces, firsts }, account)
}

fn account_of(tokens: &Tokens, time: usize) -> RowsAccount {
    let (documents, tokens) = (tokens.documents() as u64, tokens.ids());
    RowsAccount { documents, tokens, time: time as u64, ..RowsAccount::default() }
}

/// How many of the last ids of a document best fit keeps: all where they fit into a row, else as many rows of them as those need that
/// count. None where none counts.
fn kept_of(length: u64, counted: u64, time: u64) -> u64 {
    match counted {
        0 => 0,
        _ if length <= time => length,
        _ => (counted.div_ceil(time) * time).min(length),
    }
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
            writer.finish(made.clone(), 0)?;
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
        /// Every id that counts is said once, and so is every other but the beginnings of prompts that are left out, after the id
        /// before it or after the end of a text; loss counts on what is no prompt, somewhere in every row; and where documents are
        /// kept apart, a position looks back to where its own begins. The account says the same of it all.
        #[test]
        fn every_id_is_said_once(
            documents in proptest::collection::vec((1usize..20, 0usize..8), 1..30),
            time in 1usize..9,
            best_fit: bool,
            document_masking: bool,
        ) {
            let documents: Vec<(usize, usize)> =
                documents.into_iter().map(|(length, prompt)| (length, prompt.min(length))).collect();
            let (_folder, tokens) = tokens(&documents).expect("the files can be written");
            let packing = if best_fit { Packing::BestFit } else { Packing::Concatenated };
            let rows = PackedRows::new(tokens, time, packing, document_masking);
            let batch = all_rows(&rows).expect("the files can be read");
            prop_assert_eq!(batch.inputs.len(), batch.rows * time);
            prop_assert_eq!(batch.weights.len(), batch.starts.len());

            // each id's document begins at an id, counts from an id on, and is cut before an id
            let mut about = vec![(0, 0, 0); 1];
            for (length, prompt) in &documents {
                let first = about.len();
                let kept = if best_fit { kept_of(*length as u64, (length - prompt) as u64, time as u64) } else { *length as u64 };
                let cut = first + length - usize::try_from(kept).expect("short");
                about.extend(std::iter::repeat_n((first, first + prompt, cut), *length));
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
                let (first, counts, cut) = about[target];
                let seen = if target == first { 0 } else { target - 1 };
                prop_assert_eq!(batch.inputs[place], i32::try_from(seen).expect("small"));
                prop_assert_eq!(batch.weights[place] > 0.5, target >= counts);
                let piece = if !document_masking {
                    0
                } else if best_fit {
                    // of a document that is cut, best fit may put a later piece anywhere in a row
                    position - i32::try_from((target - cut) % time).expect("short")
                } else {
                    (position - i32::try_from(target - first).expect("short")).max(0)
                };
                prop_assert_eq!(batch.starts[place], piece);
            }
            for weights in batch.weights.chunks(time) {
                prop_assert!(weights.iter().any(|weight| *weight > 0.5), "a row in which nothing counts");
            }
            let ids = about.len() - 1;
            let of_rows = if best_fit { ids } else { ids / time * time };
            for id in (1..=of_rows).filter(|id| !said.contains(id)) {
                prop_assert!(id < about[id].1, "{} counts, and is left out", id);
            }
            let account = rows.account();
            prop_assert_eq!((account.documents, account.tokens), (documents.len() as u64, ids as u64));
            prop_assert_eq!((account.rows, account.in_rows), (batch.rows as u64, said.len() as u64));
            prop_assert_eq!(account.counted, batch.weights.iter().filter(|weight| **weight > 0.5).count() as u64);
            prop_assert_eq!(account.in_rows + account.prompt_tokens + account.rest, account.tokens);
            let padded = batch.targets.len() - said.len();
            prop_assert!((account.padding() * batch.targets.len() as f64 - padded as f64).abs() < 1e-6);
        }
    }

    /// A prompt longer than a row keeps its end, before all of its completion; a completion longer than a row comes into as many rows as
    /// it needs; and concatenated, the rows of a prompt alone go.
    #[test]
    fn what_counts_nowhere_is_left_out() -> Result<()> {
        let long = [(11, 8), (3, 1), (10, 3)];
        let (_folder, best) = tokens(&long)?;
        let rows = PackedRows::new(best, 4, Packing::BestFit, true);
        let mut targets: Vec<Vec<i32>> = all_rows(&rows)?.targets.chunks(4).map(<[i32]>::to_vec).collect();
        targets.sort_unstable();
        assert_eq!(targets, [[8, 9, 10, 11], [12, 13, 14, 0], [17, 18, 19, 20], [21, 22, 23, 24]]);
        let expected = RowsAccount {
            documents: 3,
            tokens: 24,
            rows: 4,
            time: 4,
            in_rows: 15,
            counted: 12,
            divided: 1,
            prompts_cut: 2,
            prompt_tokens: 9,
            ..RowsAccount::default()
        };
        assert_eq!(rows.account(), expected);

        let (_folder, concatenated) = tokens(&long)?;
        let rows = PackedRows::new(concatenated, 4, Packing::Concatenated, true);
        let changed = RowsAccount { divided: 0, prompts_cut: 0, rows_left_out: 2, prompt_tokens: 8, ..expected };
        assert_eq!(rows.account(), RowsAccount { in_rows: 16, ..changed });
        let firsts: Vec<i32> = all_rows(&rows)?.targets.chunks(4).map(|row| row[0]).collect();
        assert_eq!(firsts, [9, 13, 17, 21]);
        Ok(())
    }

    #[test]
    fn targets_are_one_place_further() -> Result<()> {
        let (_folder, tokens) = tokens(&[(3, 2), (6, 0)])?;
        let batch = all_rows(&PackedRows::new(tokens, 4, Packing::Concatenated, true))?;
        assert_eq!((batch.rows, batch.time), (2, 4));
        assert_eq!(batch.inputs, [0, 1, 2, 0, 4, 5, 6, 7]);
        assert_eq!(batch.targets, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(batch.starts, [0, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!(batch.weights, [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        Ok(())
    }
}
