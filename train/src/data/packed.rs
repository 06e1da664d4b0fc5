//! Documents packed into sequences of one length.
//!
//! The loss is taken on what is neither prompt nor padding. A sequence without loss teaches nothing and evaluates nothing: a mean over it
//! is 0/0, and a batch of such sequences would move the weights by decay and momentum without a gradient. So there is none:
//!
//! - concatenated: a sequence that lies within one prompt is left out
//! - best fit, padded: of a document longer than a sequence, the last ids until the last with loss are kept, in as many sequences as
//!   those with loss need. So a prompt is truncated at its beginning, and as much of it as fits stands before its completion. Of a
//!   conversation, a sequence that would lie within what others say is left out
//!
//! Both are counted, and shown before a training starts. The truncation is that of `generate`, and of the field's evaluation harness, for
//! prompts beyond the context. Other trainers truncate the end, and so may lose the completion with all of its loss.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Batch, PackingStats,
    best_fit::best_fit,
    runs::Runs,
    tokens::{Skipped, Tokens},
};
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
    /// Each in a sequence of its own, filled up with padding; what is longer than a sequence is as with `best_fit`. The slowest, to compare
    /// with.
    Padded,
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
    Pieces { pieces: Vec<(u64, u32)>, firsts: Vec<usize> },
}

impl PackedSequences {
    /// Sequences of `sequence_length` target ids. Concatenated, what fills no sequence at the end is left out.
    pub(super) fn new(tokens: Tokens, sequence_length: usize, packing: Packing, document_masking: bool) -> Self {
        let (layout, stats) = match packing {
            Packing::Concatenated => concatenated_layout(&tokens, sequence_length),
            Packing::BestFit => pieces_layout(&tokens, sequence_length, best_fit),
            Packing::Padded => pieces_layout(&tokens, sequence_length, one_each),
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
            Layout::Pieces { pieces, firsts } => {
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
    let (mut quiet, mut begin) = (0u64, 0u64);
    let with_loss = tokens.runs().flat_map(|runs| {
        begin += runs.length();
        let begin = begin - runs.length();
        runs.with_loss().map(move |run| begin + run.start..begin + run.end)
    });
    for run in with_loss.chain(std::iter::once(stats.tokens..stats.tokens)) {
        // the sequences that begin and end there
        let (first, last) = (quiet.div_ceil(length), run.start.min(end_of_sequences) / length);
        if first < last {
            dropped.push((first - stats.dropped_sequences, stats.dropped_sequences + last - first));
            stats.dropped_sequences += last - first;
        }
        stats.loss_tokens += run.end.min(end_of_sequences) - run.start.min(end_of_sequences);
        quiet = run.end;
    }
    stats.sequences = all - stats.dropped_sequences;
    stats.packed_tokens = stats.sequences * length;
    stats.dropped_tokens = stats.dropped_sequences * length;
    stats.remainder = stats.tokens - end_of_sequences;
    (Layout::Concatenated { dropped }, stats)
}

/// Pieces of documents, in sequences as `packed` has them.
///
/// - `packed`: lengths of pieces, and that of a sequence, in; the numbers of the pieces of each sequence out
fn pieces_layout(
    tokens: &Tokens,
    sequence_length: usize,
    packed: fn(&[u32], u32) -> Vec<Vec<u32>>,
) -> (Layout, PackingStats) {
    let capacity = u32::try_from(sequence_length).expect("a sequence is short");
    let mut stats = stats_of(tokens, sequence_length);
    let (mut begins, mut lengths) = (Vec::new(), Vec::new());
    let mut document = 0;
    for runs in tokens.runs() {
        let kept = kept_places(runs, stats.sequence_length);
        let mut pieces = 0;
        let mut begin = kept.start;
        while begin < kept.end {
            let end = kept.end.min(begin + stats.sequence_length);
            if runs.has_loss_in(&(begin..end)) {
                begins.push(document + begin);
                lengths.push(u32::try_from(end - begin).expect("a sequence is short"));
                stats.packed_tokens += end - begin;
                pieces += 1;
            } else {
                stats.quiet_tokens += end - begin;
            }
            begin = end;
        }
        document += runs.length();
        stats.loss_tokens += runs.loss();
        stats.split_documents += u64::from(pieces > 1);
        stats.truncated_prompts += u64::from(kept.start > 0);
        stats.dropped_tokens += kept.start;
        stats.quiet_tokens += runs.length() - kept.end;
    }
    let sequences = packed(&lengths, capacity);
    stats.sequences = sequences.len() as u64;
    let (mut pieces, mut firsts) = (Vec::with_capacity(begins.len()), Vec::with_capacity(sequences.len()));
    for sequence in sequences {
        firsts.push(pieces.len());
        pieces.extend(sequence.into_iter().map(|number| (begins[number as usize], lengths[number as usize])));
    }
    (Layout::Pieces { pieces, firsts }, stats)
}

/// A sequence for each piece.
fn one_each(lengths: &[u32], _: u32) -> Vec<Vec<u32>> {
    (0..).zip(lengths).map(|(number, _)| vec![number]).collect()
}

fn stats_of(tokens: &Tokens, sequence_length: usize) -> PackingStats {
    let Skipped { empty_completions, without_answer } = tokens.skipped();
    PackingStats {
        documents: tokens.documents() as u64,
        tokens: tokens.ids(),
        sequence_length: sequence_length as u64,
        empty_completions,
        without_answer,
        begun_unasked: tokens.begun_unasked(),
        ..PackingStats::default()
    }
}

/// Which ids of a document are kept in pieces: all where they fit into a sequence, else the last until the end of the last with loss, as
/// many sequences of them as those with loss need. None without loss, of which all counts as truncated.
fn kept_places(runs: Runs<'_>, sequence_length: u64) -> Range<u64> {
    let length = runs.length();
    match runs.span() {
        None => length..length,
        Some(_) if length <= sequence_length => 0..length,
        Some(span) => {
            let needed = (span.end - span.start).div_ceil(sequence_length) * sequence_length;
            span.end.saturating_sub(needed)..span.end
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::data::{
        runs::{LossOn, RowsAs},
        token_file::{Made, TokenFile, TokenFileWriter},
    };

    const END: u32 = 0;
    /// What a conversation begins with.
    const BEGIN: u32 = 60_000;

    /// A document: the lengths of its runs, without loss and with it in turn. Those of two are an example, others a conversation, which begins
    /// with an id that is read alone.
    type Shape = Vec<usize>;

    /// Documents in two files; their ids count up from 1, so that each tells its place.
    fn tokens(documents: &[Shape], loss_on: Option<LossOn>) -> Result<(tempfile::TempDir, Tokens)> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let made = Made { tokenizer: String::new(), source: String::new() };
        let mut next = 1;
        let mut files = Vec::new();
        for (number, half) in [&documents[..documents.len() / 2], &documents[documents.len() / 2..]].iter().enumerate()
        {
            let path = folder.path().join(number.to_string());
            let mut writer = TokenFileWriter::create(&path, 1 << 16)?;
            for runs in *half {
                let ids: Vec<u32> = (next..).take(runs.iter().sum()).collect();
                next += u32::try_from(ids.len()).expect("short");
                if let [prompt, _] = runs[..] {
                    writer.push(&ids, prompt, 0)?;
                } else {
                    let mut runs: Vec<u32> = runs.iter().map(|run| u32::try_from(*run).expect("short")).collect();
                    runs[0] += 1;
                    writer.push_conversation(&[&[BEGIN], &ids[..]].concat(), &runs, 0)?;
                }
            }
            writer.finish(made.clone(), 0)?;
            files.push(TokenFile::open(&path, &made)?);
        }
        let tokens = match loss_on {
            Some(loss_on) => Tokens::new(&files, None, END, RowsAs::Examples(loss_on)),
            None => Tokens::new(&files, None, END, RowsAs::Documents),
        };
        Ok((folder, tokens))
    }

    /// Prompts with what follows on them, all of a length.
    fn examples(of: &[(usize, usize)]) -> Vec<Shape> {
        of.iter().map(|(length, prompt)| vec![*prompt, length - prompt]).collect()
    }

    fn whole(packed: &PackedSequences) -> Result<Batch> {
        let mut batch = Batch::empty(packed.sequence_length);
        (0..packed.count()).try_for_each(|number| packed.append(number, &mut batch))?;
        Ok(batch)
    }

    fn shape() -> impl Strategy<Value = Shape> {
        prop_oneof![
            (0usize..8, 1usize..20).prop_map(|(prompt, rest)| vec![prompt, rest]),
            (1usize..8, Just(0)).prop_map(|(prompt, rest)| vec![prompt, rest]),
            proptest::collection::vec(0usize..7, 3..9)
                .prop_filter("a document has an id", |runs| runs.iter().sum::<usize>() > 0),
        ]
    }

    /// What is known of an id: its document's first id, and whether it has loss.
    #[derive(Clone, Copy)]
    struct About {
        first: usize,
        is_conversation: bool,
        has_loss: bool,
        /// The first id of its document that is kept.
        cut: usize,
    }

    fn about(documents: &[Shape], packing: Packing, length: u64) -> Vec<About> {
        let mut about = vec![About { first: 0, is_conversation: false, has_loss: false, cut: 0 }];
        for runs in documents {
            let (first, is_conversation) = (about.len(), runs.len() != 2);
            let [all, prompt] = [runs.iter().sum::<usize>(), runs[0]].map(|ids| ids as u64);
            let more: Vec<u32> = runs[1..].iter().map(|run| u32::try_from(*run).expect("short")).collect();
            let kept = match packing {
                Packing::Concatenated => 0..all,
                _ => kept_places(Runs::new(all, prompt, &more), length),
            };
            let cut = first + usize::try_from(kept.start).expect("short");
            for (number, run) in runs.iter().enumerate() {
                let has_loss = number % 2 == 1;
                about.extend(std::iter::repeat_n(About { first, is_conversation, has_loss, cut }, *run));
            }
        }
        about
    }

    proptest! {
        /// Every id with loss is a target once, and so is every other but those that are left out; its input is the id before it, or what
        /// begins its document; the loss is taken on what is to be learnt, somewhere in every sequence; and with document masking, a
        /// position attends back to where its document begins. The statistics say the same of it all.
        #[test]
        fn every_id_is_a_target_once(
            documents in proptest::collection::vec(shape(), 1..30),
            length in 1usize..9,
            packing in prop_oneof![Just(Packing::Concatenated), Just(Packing::BestFit), Just(Packing::Padded)],
            document_masking: bool,
        ) {
            let (_folder, tokens) = tokens(&documents, None).expect("the files can be written");
            let packed = PackedSequences::new(tokens, length, packing, document_masking);
            let batch = whole(&packed).expect("the files can be read");
            prop_assert_eq!(batch.inputs.len(), batch.batch_size * length);
            prop_assert_eq!(batch.weights.len(), batch.starts.len());

            let in_pieces = packing != Packing::Concatenated;
            let about = about(&documents, packing, length as u64);
            let mut targets = BTreeSet::new();
            for place in 0..batch.targets.len() {
                let target = usize::try_from(batch.targets[place]).expect("an id");
                let position = i32::try_from(place % length).expect("short");
                if target == 0 {
                    prop_assert!(in_pieces, "only pieces are padded");
                    prop_assert!(batch.weights[place] < 0.5);
                    continue;
                }
                prop_assert!(targets.insert(target), "{} is a target twice", target);
                let About { first, is_conversation, has_loss, cut } = about[target];
                let input = match target == first {
                    true if is_conversation => BEGIN,
                    true => END,
                    false => u32::try_from(target - 1).expect("small"),
                };
                prop_assert_eq!(batch.inputs[place], i32::try_from(input).expect("small"));
                prop_assert_eq!(batch.weights[place] > 0.5, has_loss);
                let piece = if !document_masking {
                    0
                } else if in_pieces {
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
            let packed_ids = if in_pieces { ids } else { ids / length * length };
            for id in (1..=packed_ids).filter(|id| !targets.contains(id)) {
                prop_assert!(!about[id].has_loss, "{} has loss, and is left out", id);
            }
            let stats = packed.stats();
            prop_assert_eq!((stats.documents, stats.tokens), (documents.len() as u64, ids as u64));
            prop_assert_eq!((stats.sequences, stats.packed_tokens), (batch.batch_size as u64, targets.len() as u64));
            prop_assert_eq!(stats.loss_tokens, batch.weights.iter().filter(|weight| **weight > 0.5).count() as u64);
            let accounted = stats.packed_tokens + stats.dropped_tokens + stats.quiet_tokens + stats.remainder;
            prop_assert_eq!(accounted, stats.tokens);
            let padded = batch.targets.len() - targets.len();
            prop_assert!((stats.padding() * batch.targets.len() as f64 - padded as f64).abs() < 1e-6);
        }

        /// As examples, those that answer nothing are skipped and counted, and of the others all is learnt where that is asked for.
        #[test]
        fn examples_answer_something(documents in proptest::collection::vec(shape(), 1..30), all: bool) {
            let loss_on = if all { LossOn::All } else { LossOn::Completions };
            let (_folder, tokens) = tokens(&documents, Some(loss_on)).expect("the files can be written");
            let loss = |runs: &Shape| runs.iter().skip(1).step_by(2).sum::<usize>();
            let (examples, conversations): (Vec<&Shape>, Vec<&Shape>) = documents.iter().partition(|runs| runs.len() == 2);
            let empty = examples.iter().filter(|runs| loss(runs) <= 1).count() as u64;
            let silent = conversations.iter().filter(|runs| loss(runs) == 0).count() as u64;
            prop_assert_eq!(tokens.skipped(), Skipped { empty_completions: empty, without_answer: silent });
            let taken = documents.iter().filter(|runs| loss(runs) > usize::from(runs.len() == 2));
            let learnt: usize = taken.map(|runs| if all { runs.iter().sum::<usize>() } else { loss(runs) }).sum();
            prop_assert_eq!(tokens.runs().map(Runs::loss).sum::<u64>(), learnt as u64);
        }
    }

    /// A prompt longer than a sequence keeps its end, before all of its completion; a completion longer than a sequence gets as many as it
    /// needs; and concatenated, the sequences of a prompt alone go.
    #[test]
    fn what_has_no_loss_is_left_out() -> Result<()> {
        let long = examples(&[(11, 8), (3, 1), (10, 3)]);
        let (_folder, best) = tokens(&long, None)?;
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

        let (_folder, concatenated) = tokens(&long, None)?;
        let packed = PackedSequences::new(concatenated, 4, Packing::Concatenated, true);
        let changed = PackingStats { split_documents: 0, truncated_prompts: 0, dropped_sequences: 2, ..expected };
        assert_eq!(packed.stats(), PackingStats { packed_tokens: 16, dropped_tokens: 8, ..changed });
        let firsts: Vec<i32> = whole(&packed)?.targets.chunks(4).map(|ids| ids[0]).collect();
        assert_eq!(firsts, [9, 13, 17, 21]);
        Ok(())
    }

    /// Of a long conversation, what lies between two answers and fills a sequence is left out, and so is what follows on the last.
    #[test]
    fn what_others_say_at_length_is_left_out() -> Result<()> {
        let (_folder, tokens) = tokens(&[vec![5, 2, 9, 3, 4]], None)?;
        let packed = PackedSequences::new(tokens, 4, Packing::BestFit, true);
        let mut targets: Vec<Vec<i32>> = whole(&packed)?.targets.chunks(4).map(<[i32]>::to_vec).collect();
        targets.sort_unstable();
        assert_eq!(targets, [[4, 5, 6, 7], [16, 17, 18, 19]]);
        let stats = packed.stats();
        assert_eq!((stats.loss_tokens, stats.dropped_tokens, stats.quiet_tokens), (5, 3, 12));
        assert_eq!((stats.split_documents, stats.truncated_prompts), (1, 1));
        Ok(())
    }

    #[test]
    fn targets_are_one_place_further() -> Result<()> {
        let (_folder, tokens) = tokens(&examples(&[(3, 2), (6, 0)]), None)?;
        let batch = whole(&PackedSequences::new(tokens, 4, Packing::Concatenated, true))?;
        assert_eq!((batch.batch_size, batch.sequence_length), (2, 4));
        assert_eq!(batch.inputs, [0, 1, 2, 0, 4, 5, 6, 7]);
        assert_eq!(batch.targets, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(batch.starts, [0, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!(batch.weights, [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        Ok(())
    }
}
