//! The documents of a source, one after the other, as ids.

use std::sync::Arc;

use super::{
    Batch, Split,
    batch::signed,
    runs::{Conversations, LossOn, RowsAs, Runs},
    token_file::{Entry, Ids, TokenFile},
};
use crate::{error::Result, random::Stream};

/// Documents of several files as one stream of ids.
///
/// Ids stay on disk; 24 bytes are held of each document, and of a conversation also its runs.
#[derive(Debug)]
pub(super) struct Tokens {
    files: Vec<Arc<Ids>>,
    documents: Vec<Place>,
    /// Those of them that are conversations. The first id of one is read, and is no target.
    conversations: Conversations,
    /// Whether every id has loss.
    all: bool,
    skipped: Skipped,
    /// Conversations whose first turn is the assistant's and not learnt.
    begun_unasked: u64,
    /// The input before the first id of a document: the end of the text before, or what begins one.
    before_text: u32,
}

/// Where a document lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Ids until its end, it and all before it.
    end: u64,
    /// Its first id in its file.
    start: u64,
    file: u32,
    /// Ids of its prompt.
    prompt: u32,
}

/// Examples from which nothing can be learnt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    /// With a completion of no token but the end of the text.
    pub empty_completions: u64,
    /// Conversations in which the assistant says nothing.
    pub without_answer: u64,
}

/// How validation documents are drawn where no files hold them: a share of all, by hash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RandomSplit {
    pub seed: u64,
    /// In `0.0..1.0`.
    pub share: f64,
    /// Which part is taken.
    pub split: Split,
}

impl Tokens {
    /// The documents of some files in their order, all or those of a random split, taken for something.
    pub(super) fn new(files: &[TokenFile], split: Option<RandomSplit>, before_text: u32, rows: RowsAs) -> Self {
        let are_examples = matches!(rows, RowsAs::Examples(_));
        let all = matches!(rows, RowsAs::Text | RowsAs::Examples(LossOn::All));
        let (mut documents, mut conversations, mut skipped) =
            (Vec::new(), Conversations::default(), Skipped::default());
        let (mut end, mut begun_unasked) = (0, 0);
        for (file, number) in files.iter().zip(0..) {
            let mut next = 0;
            for (entry, document) in file.entries().iter().zip(0..) {
                let (mut start, mut prompt) = (next, entry.prompt);
                next = entry.end;
                if split.is_some_and(|split| !split.takes(entry.hash)) {
                    continue;
                }
                let runs = file.conversations().of(document);
                if are_examples && skipped.counts(*entry, start, runs) {
                    continue;
                }
                if let Some(runs) = runs {
                    let place = u32::try_from(documents.len()).expect("documents can be numbered");
                    conversations.push(place, runs);
                    begun_unasked += u64::from(!all && matches!(runs, [_, 0, _, ..]));
                    // the first id is read alone
                    (start, prompt) = (start + 1, prompt - 1);
                }
                end += entry.end - start;
                documents.push(Place { end, start, file: number, prompt });
            }
        }
        let files = files.iter().map(TokenFile::ids).collect();
        Self { files, documents, conversations, all, skipped, begun_unasked, before_text }
    }

    /// Ids in all.
    pub(super) fn ids(&self) -> u64 {
        self.documents.last().map_or(0, |last| last.end)
    }

    /// Documents.
    pub(super) fn documents(&self) -> usize {
        self.documents.len()
    }

    /// Whether some of them are conversations.
    pub(super) fn has_conversations(&self) -> bool {
        !self.conversations.is_empty()
    }

    /// What was left out.
    pub(super) fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Conversations, of those that are taken, whose first turn is the assistant's and not learnt.
    pub(super) fn begun_unasked(&self) -> u64 {
        self.begun_unasked
    }

    /// The ids of each document, its end among them, and how many of them are its prompt's.
    pub(super) fn lengths(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..self.documents.len()).map(|number| {
            let length = self.length(number);
            (length, length.min(self.documents[number].prompt.into()))
        })
    }

    /// Where each document has loss.
    pub(super) fn runs(&self) -> impl Iterator<Item = Runs<'_>> {
        (0..self.documents.len()).map(|number| self.runs_of(number))
    }

    fn runs_of(&self, number: usize) -> Runs<'_> {
        let length = self.length(number);
        if self.all {
            return Runs::new(length, 0, &[]);
        }
        let more = self.conversation(number).map_or(&[][..], |runs| runs.get(1..).unwrap_or_default());
        Runs::new(length, length.min(self.documents[number].prompt.into()), more)
    }

    /// The runs of a document as they stand in its file, if it is a conversation.
    fn conversation(&self, number: usize) -> Option<&[u32]> {
        if self.conversations.is_empty() {
            return None;
        }
        self.conversations.of(u32::try_from(number).expect("documents can be numbered"))
    }

    /// The ids of a document: of its prompt the first `most`, and all that follow on it, the end of the text among them.
    pub(super) fn prompt_and_rest(&self, number: usize, most: usize) -> Result<[Vec<u32>; 2]> {
        let Place { start, file, prompt, .. } = self.documents[number];
        let length = self.length(number);
        let prompt = length.min(prompt.into());
        let read = |from: u64, count: u64| {
            let mut ids = vec![0; usize::try_from(count).expect("a document is in memory")];
            self.files[file as usize].read(from, &mut ids).map(|()| ids)
        };
        Ok([read(start, prompt.min(most as u64))?, read(start + prompt, length - prompt)?])
    }

    /// The ids of a document, its end among them.
    pub(super) fn length(&self, number: usize) -> u64 {
        self.documents[number].end - self.begin(number)
    }

    /// Ids before a document.
    fn begin(&self, number: usize) -> u64 {
        number.checked_sub(1).map_or(0, |before| self.documents[before].end)
    }

    /// Adds the ids at places `from..to` to a batch as targets, with the input of each: the id before it in its document, or what comes
    /// before a text before its first. So every id is a target once, the first of a document as a text is begun from nothing.
    ///
    /// - `sequence`: where the sequence begins in the batch
    /// - `document_masking`: a position attends no further back than to what comes before its document
    pub(super) fn append(
        &self,
        from: u64,
        to: u64,
        sequence: usize,
        document_masking: bool,
        batch: &mut Batch,
    ) -> Result<()> {
        let mut at = from;
        let mut number = self.documents.partition_point(|document| document.end <= from);
        let mut ids = Vec::new();
        while at < to {
            let Place { end, start, file, .. } = self.documents[number];
            let (begin, stop) = (self.begin(number), end.min(to));
            let within = at - begin;
            let count = usize::try_from(stop - at).expect("a sequence is in memory");
            ids.clear();
            ids.resize(count + 1, self.before_text);
            // the first input stands in the file, unless a document begins here that does not begin itself
            let stands = within > 0 || self.conversation(number).is_some();
            self.files[file as usize].read(start + within - u64::from(stands), &mut ids[usize::from(!stands)..])?;
            let first = batch.targets.len() - sequence;
            batch.inputs.extend(ids[..count].iter().map(|id| signed(*id)));
            batch.targets.extend(ids[1..].iter().map(|id| signed(*id)));
            let weights = batch.weights.len();
            batch.weights.resize(weights + count, 0.0);
            let places = within..within + count as u64;
            for run in self.runs_of(number).with_loss() {
                let of = |place: u64| {
                    let place = place.clamp(places.start, places.end) - places.start;
                    weights + usize::try_from(place).expect("a sequence is in memory")
                };
                batch.weights[of(run.start)..of(run.end)].fill(1.0);
            }
            let start = if document_masking { i32::try_from(first).expect("a sequence is short") } else { 0 };
            batch.starts.extend(std::iter::repeat_n(start, count));
            at = stop;
            number += 1;
        }
        Ok(())
    }

    /// Pads a sequence to its length, with positions without loss.
    pub(super) fn pad(&self, sequence: usize, document_masking: bool, batch: &mut Batch) {
        for position in batch.targets.len() - sequence..batch.sequence_length {
            batch.inputs.push(signed(self.before_text));
            batch.targets.push(signed(self.before_text));
            batch.weights.push(0.0);
            batch.starts.push(if document_masking { i32::try_from(position).expect("a sequence is short") } else { 0 });
        }
    }
}

impl Skipped {
    /// Whether nothing can be learnt from an example, which is counted then.
    ///
    /// - `start`: its first id in its file
    /// - `runs`: of a conversation
    fn counts(&mut self, entry: Entry, start: u64, runs: Option<&[u32]>) -> bool {
        let count = match runs {
            Some(runs) if runs.iter().skip(1).step_by(2).all(|run| *run == 0) => &mut self.without_answer,
            // the end of the text alone
            None if entry.end - start <= u64::from(entry.prompt) + 1 => &mut self.empty_completions,
            _ => return false,
        };
        *count += 1;
        true
    }
}

impl RandomSplit {
    /// Whether a document with this hash of its text is of the split.
    pub(super) fn takes(self, hash: u64) -> bool {
        let held_out = Stream::new(self.seed, "validation").fraction(hash) < self.share;
        held_out == (self.split == Split::Validation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is drawn for validation is not trained on, and its share is near the one that was asked for.
    #[test]
    fn random_splits_have_nothing_in_common() {
        let of = |split| RandomSplit { seed: 5, share: 0.1, split };
        let (train, validation) = (of(Split::Train), of(Split::Validation));
        let hashes: Vec<u64> = (0..10_000u64).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        assert!(hashes.iter().all(|hash| train.takes(*hash) != validation.takes(*hash)));
        let count = hashes.iter().filter(|hash| validation.takes(**hash)).count();
        assert!((880..1_120).contains(&count), "{count} of 10,000");
        let all = RandomSplit { share: 1.0, ..validation };
        assert!(hashes.iter().all(|hash| all.takes(*hash)));
    }
}
