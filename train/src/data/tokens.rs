//! The documents of a source, one after the other, as ids.

use std::sync::Arc;

use super::{
    Batch, Split,
    token_file::{Ids, TokenFile},
};
use crate::{error::Result, random::Stream};

/// Documents of several files as one stream of ids, each with the end of a text behind it.
///
/// Ids stay on disk; 24 bytes are held of each document.
#[derive(Debug)]
pub(super) struct Tokens {
    files: Vec<Arc<Ids>>,
    documents: Vec<Place>,
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
    /// The documents of some files in their order: all, or those of a random split.
    pub(super) fn new(files: &[TokenFile], split: Option<RandomSplit>, before_text: u32) -> Self {
        let mut documents = Vec::new();
        let mut end = 0;
        for (number, file) in files.iter().enumerate() {
            let mut start = 0;
            for entry in file.entries() {
                if split.is_none_or(|split| split.takes(entry.hash)) {
                    end += entry.end - start;
                    let file = u32::try_from(number).expect("files can be numbered");
                    documents.push(Place { end, start, file, prompt: entry.prompt });
                }
                start = entry.end;
            }
        }
        let files = files.iter().map(TokenFile::ids).collect();
        Self { files, documents, before_text }
    }

    /// Ids in all.
    pub(super) fn ids(&self) -> u64 {
        self.documents.last().map_or(0, |last| last.end)
    }

    /// Documents.
    pub(super) fn documents(&self) -> usize {
        self.documents.len()
    }

    /// The ids of each document, its end among them, and how many of them are its prompt's.
    pub(super) fn lengths(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..self.documents.len()).map(|number| {
            let length = self.documents[number].end - self.begin(number);
            (length, length.min(self.documents[number].prompt.into()))
        })
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
            let Place { end, start, file, prompt } = self.documents[number];
            let (begin, stop) = (self.begin(number), end.min(to));
            let within = at - begin;
            let count = usize::try_from(stop - at).expect("a sequence is in memory");
            ids.clear();
            ids.resize(count + 1, self.before_text);
            // the first input stands in the file, unless the document begins here
            let before = u64::from(within > 0);
            self.files[file as usize].read(start + within - before, &mut ids[usize::from(within == 0)..])?;
            let first = batch.targets.len() - sequence;
            batch.inputs.extend(ids[..count].iter().map(|id| signed(*id)));
            batch.targets.extend(ids[1..].iter().map(|id| signed(*id)));
            let weight = |place: u64| if place < u64::from(prompt) { 0.0 } else { 1.0 };
            batch.weights.extend((within..within + count as u64).map(weight));
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

impl RandomSplit {
    /// Whether a document with this hash of its text is of the split.
    fn takes(self, hash: u64) -> bool {
        let held_out = Stream::new(self.seed, "validation").fraction(hash) < self.share;
        held_out == (self.split == Split::Validation)
    }
}

fn signed(id: u32) -> i32 {
    i32::try_from(id).expect("a vocabulary has fewer than 2^31 tokens")
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
