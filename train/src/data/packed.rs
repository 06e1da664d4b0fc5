//! Documents packed into sequences of one length.
//!
//! The loss is taken on what is neither prompt nor padding. A sequence without loss teaches nothing and evaluates nothing: a mean over it
//! is 0/0, and a batch of such sequences would move the weights by decay and momentum without a gradient. So there is none:
//!
//! - concatenated: a sequence that lies within one prompt is left out
//! - best fit: of a document longer than a sequence, the last ids are kept, in as many sequences as its completion needs. So a prompt is
//!   truncated at its beginning, and as much of it as fits stands before its completion
//!
//! Both are counted, and shown before a training starts. The truncation is that of `generate`, and of the field's evaluation harness, for
//! prompts beyond the context. Other trainers truncate the end, and so may lose the completion with all of its loss.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Batch, PackingStats, best_fit::best_fit, tokens::Tokens};
use crate::error::Result;

/// How documents are packed into sequences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// One after the other, split wherever a sequence is full: no padding.
    #[default]
    Concatenated,
    /// Whole, by best-fit-decreasing; only what is longer than a sequence is split, and a prompt truncated at its beginning: some padding.
    BestFit,
}

/// The sequences of a source.
#[derive(Debug)]
pub struct PackedSequences {
    tokens: Tokens,
    sequence_length: usize,
    /// Attention is masked at the boundaries of documents.
    document_masking: bool,
    layout: Layout,
    stats: PackingStats,
}

#[derive(Debug)]
enum Layout {
    Concatenated {
        /// Where sequences are dropped: how many stay before, and how many are dropped until there, in rising order.
        dropped: Vec<(u64, u64)>,
    },
    /// Pieces of documents, sequence by sequence: where each begins, its length, and the number of the first piece of every sequence.
    BestFit { pieces: Vec<(u64, u32)>, firsts: Vec<usize> },
}

impl PackedSequences {
    /// Sequences of `sequence_length` target ids. Concatenated, what fills no sequence at the end is left out.
    pub(super) fn new(tokens: Tokens, sequence_length: usize, packing: Packing, document_masking: bool) -> Self {
        let (layout, stats) = match packing {
            Packing::Concatenated => concatenated_layout(&tokens, sequence_length),
            Packing::BestFit => best_fit_layout(&tokens, sequence_length),
        };
        Self { tokens, sequence_length, document_masking, layout, stats }
    }

    /// How many sequences there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.stats.sequences
    }

    /// What the sequences hold, and what they leave out.
    #[must_use]
    pub fn stats(&self) -> PackingStats {
        self.stats
    }

    /// Adds a sequence to a batch.
    ///
    /// # Errors
    /// When the ids cannot be read.
    pub fn append(&self, number: u64, batch: &mut Batch) -> Result<()> {
        let start = batch.targets.len();
        match &self.layout {
            Layout::Concatenated { dropped } => {
                let places = dropped.partition_point(|(before, _)| *before <= number);
                let dropped = places.checked_sub(1).map_or(0, |last| dropped[last].1);
                let from = (number + dropped) * self.sequence_length as u64;
                self.tokens.append(from, from + self.sequence_length as u64, start, self.document_masking, batch)?;
            }
            Layout::BestFit { pieces, firsts } => {
                let number = usize::try_from(number).expect("sequences are in memory");
                let last = firsts.get(number + 1).copied().unwrap_or(pieces.len());
                for (from, length) in &pieces[firsts[number]..last] {
                    self.tokens.append(*from, from + u64::from(*length), start, self.document_masking, batch)?;
                }
                self.tokens.pad(start, self.document_masking, batch);
            }
        }
        batch.batch_size += 1;
        Ok(())
    }
}

fn concatenated_layout(tokens: &Tokens, sequence_length: usize) -> (Layout, PackingStats) {
    let mut stats = stats_of(tokens, sequence_length);
    let length = stats.sequence_length;
    let all = stats.tokens / length;
    let end_of_sequences = all * length;
    let mut dropped = Vec::new();
    // there is no loss from `quiet` on until the place that has been reached
    let (mut quiet, mut place) = (0u64, 0u64);
    for (document, prompt) in tokens.lengths().chain([(0, 0)]) {
        let loss_from = place + prompt;
        place += document;
        if loss_from < place || document == 0 {
            // the sequences that begin and end there
            let (first, last) = (quiet.div_ceil(length), loss_from.min(end_of_sequences) / length);
            if first < last {
                dropped.push((first - stats.dropped_sequences, stats.dropped_sequences + last - first));
                stats.dropped_sequences += last - first;
            }
            stats.loss_tokens += place.min(end_of_sequences) - loss_from.min(end_of_sequences);
            quiet = place;
        }
    }
    stats.sequences = all - stats.dropped_sequences;
    stats.packed_tokens = stats.sequences * length;
    stats.dropped_tokens = stats.dropped_sequences * length;
    stats.remainder = stats.tokens - end_of_sequences;
    (Layout::Concatenated { dropped }, stats)
}

fn best_fit_layout(tokens: &Tokens, sequence_length: usize) -> (Layout, PackingStats) {
    let capacity = u32::try_from(sequence_length).expect("a sequence is short");
    let mut stats = stats_of(tokens, sequence_length);
    let (mut begins, mut lengths) = (Vec::new(), Vec::new());
    let mut end = 0;
    for (length, prompt) in tokens.lengths() {
        end += length;
        let completion = length - prompt;
        let kept = kept_tokens(length, completion, stats.sequence_length);
        let mut begin = end - kept;
        while begin < end {
            let piece = u32::try_from(end - begin).map_or(capacity, |left| left.min(capacity));
            begins.push(begin);
            lengths.push(piece);
            begin += u64::from(piece);
        }
        stats.packed_tokens += kept;
        stats.loss_tokens += completion;
        stats.split_documents += u64::from(kept > stats.sequence_length);
        stats.truncated_prompts += u64::from(kept < length);
        stats.dropped_tokens += length - kept;
    }
    let sequences = best_fit(&lengths, capacity);
    stats.sequences = sequences.len() as u64;
    let (mut pieces, mut firsts) = (Vec::with_capacity(begins.len()), Vec::with_capacity(sequences.len()));
    for sequence in sequences {
        firsts.push(pieces.len());
        pieces.extend(sequence.into_iter().map(|number| (begins[number as usize], lengths[number as usize])));
    }
    (Layout::BestFit { pieces, firsts }, stats)
}

fn stats_of(tokens: &Tokens, sequence_length: usize) -> PackingStats {
    let (documents, tokens) = (tokens.documents() as u64, tokens.ids());
    PackingStats { documents, tokens, sequence_length: sequence_length as u64, ..PackingStats::default() }
}

/// How many of the last ids of a document best fit keeps: all where they fit into a sequence, else as many sequences of them as its
/// completion needs. None without a completion.
fn kept_tokens(length: u64, completion: u64, sequence_length: u64) -> u64 {
    match completion {
        0 => 0,
        _ if length <= sequence_length => length,
        _ => (completion.div_ceil(sequence_length) * sequence_length).min(length),
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

    fn whole(packed: &PackedSequences) -> Result<Batch> {
        let mut batch = Batch::empty(packed.sequence_length);
        (0..packed.count()).try_for_each(|number| packed.append(number, &mut batch))?;
        Ok(batch)
    }

    proptest! {
        /// Every id with loss is a target once, and so is every other but the beginnings of prompts that are left out; its input is the id
        /// before it, or the end of a text; the loss is taken on what is no prompt, somewhere in every sequence; and with document
        /// masking, a position attends back to where its document begins. The statistics say the same of it all.
        #[test]
        fn every_id_is_a_target_once(
            documents in proptest::collection::vec((1usize..20, 0usize..8), 1..30),
            length in 1usize..9,
            best_fit: bool,
            document_masking: bool,
        ) {
            let documents: Vec<(usize, usize)> =
                documents.into_iter().map(|(length, prompt)| (length, prompt.min(length))).collect();
            let (_folder, tokens) = tokens(&documents).expect("the files can be written");
            let packing = if best_fit { Packing::BestFit } else { Packing::Concatenated };
            let packed = PackedSequences::new(tokens, length, packing, document_masking);
            let batch = whole(&packed).expect("the files can be read");
            prop_assert_eq!(batch.inputs.len(), batch.batch_size * length);
            prop_assert_eq!(batch.weights.len(), batch.starts.len());

            // each id's document begins at an id, has loss from an id on, and is truncated before an id
            let mut about = vec![(0, 0, 0); 1];
            for (document, prompt) in &documents {
                let first = about.len();
                let all = *document as u64;
                let kept = if best_fit { kept_tokens(all, all - *prompt as u64, length as u64) } else { all };
                let cut = first + document - usize::try_from(kept).expect("short");
                about.extend(std::iter::repeat_n((first, first + prompt, cut), *document));
            }
            let mut targets = BTreeSet::new();
            for place in 0..batch.targets.len() {
                let target = usize::try_from(batch.targets[place]).expect("an id");
                let position = i32::try_from(place % length).expect("short");
                if target == 0 {
                    prop_assert!(best_fit, "only best fit pads");
                    prop_assert!(batch.weights[place] < 0.5);
                    continue;
                }
                prop_assert!(targets.insert(target), "{} is a target twice", target);
                let (first, loss_from, cut) = about[target];
                let input = if target == first { 0 } else { target - 1 };
                prop_assert_eq!(batch.inputs[place], i32::try_from(input).expect("small"));
                prop_assert_eq!(batch.weights[place] > 0.5, target >= loss_from);
                let piece = if !document_masking {
                    0
                } else if best_fit {
                    // of a document that is split, best fit may put a later piece anywhere in a sequence
                    position - i32::try_from((target - cut) % length).expect("short")
                } else {
                    (position - i32::try_from(target - first).expect("short")).max(0)
                };
                prop_assert_eq!(batch.starts[place], piece);
            }
            for weights in batch.weights.chunks(length) {
                prop_assert!(weights.iter().any(|weight| *weight > 0.5), "a sequence without loss");
            }
            let ids = about.len() - 1;
            let packed_ids = if best_fit { ids } else { ids / length * length };
            for id in (1..=packed_ids).filter(|id| !targets.contains(id)) {
                prop_assert!(id < about[id].1, "{} has loss, and is left out", id);
            }
            let stats = packed.stats();
            prop_assert_eq!((stats.documents, stats.tokens), (documents.len() as u64, ids as u64));
            prop_assert_eq!((stats.sequences, stats.packed_tokens), (batch.batch_size as u64, targets.len() as u64));
            prop_assert_eq!(stats.loss_tokens, batch.weights.iter().filter(|weight| **weight > 0.5).count() as u64);
            prop_assert_eq!(stats.packed_tokens + stats.dropped_tokens + stats.remainder, stats.tokens);
            let padded = batch.targets.len() - targets.len();
            prop_assert!((stats.padding() * batch.targets.len() as f64 - padded as f64).abs() < 1e-6);
        }
    }

    /// A prompt longer than a sequence keeps its end, before all of its completion; a completion longer than a sequence gets as many as it
    /// needs; and concatenated, the sequences of a prompt alone go.
    #[test]
    fn what_has_no_loss_is_left_out() -> Result<()> {
        let long = [(11, 8), (3, 1), (10, 3)];
        let (_folder, best) = tokens(&long)?;
        let packed = PackedSequences::new(best, 4, Packing::BestFit, true);
        let mut targets: Vec<Vec<i32>> = whole(&packed)?.targets.chunks(4).map(<[i32]>::to_vec).collect();
        targets.sort_unstable();
        assert_eq!(targets, [[8, 9, 10, 11], [12, 13, 14, 0], [17, 18, 19, 20], [21, 22, 23, 24]]);
        let expected = PackingStats {
            documents: 3,
            tokens: 24,
            sequences: 4,
            sequence_length: 4,
            packed_tokens: 15,
            loss_tokens: 12,
            split_documents: 1,
            truncated_prompts: 2,
            dropped_tokens: 9,
            ..PackingStats::default()
        };
        assert_eq!(packed.stats(), expected);

        let (_folder, concatenated) = tokens(&long)?;
        let packed = PackedSequences::new(concatenated, 4, Packing::Concatenated, true);
        let changed = PackingStats { split_documents: 0, truncated_prompts: 0, dropped_sequences: 2, ..expected };
        assert_eq!(packed.stats(), PackingStats { packed_tokens: 16, dropped_tokens: 8, ..changed });
        let firsts: Vec<i32> = whole(&packed)?.targets.chunks(4).map(|ids| ids[0]).collect();
        assert_eq!(firsts, [9, 13, 17, 21]);
        Ok(())
    }

    #[test]
    fn targets_are_one_place_further() -> Result<()> {
        let (_folder, tokens) = tokens(&[(3, 2), (6, 0)])?;
        let batch = whole(&PackedSequences::new(tokens, 4, Packing::Concatenated, true))?;
        assert_eq!((batch.batch_size, batch.sequence_length), (2, 4));
        assert_eq!(batch.inputs, [0, 1, 2, 0, 4, 5, 6, 7]);
        assert_eq!(batch.targets, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(batch.starts, [0, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!(batch.weights, [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        Ok(())
    }
}
