//! Several sources of sequences as one, by weight.

use std::path::{Path, PathBuf};

use system::hash_file;

use super::{
    Batch, Packing, PackingStats, SourceFiles, Split, TokenCache,
    order::{Shuffle, WeightedSampler},
    packed::PackedSequences,
    published::PublishedFiles,
    runs::LossOn,
    token_file::TokenFile,
    tokens::{RandomSplit, Tokens},
};
use crate::error::{Error, Result};

/// How documents become sequences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SequencesConfig {
    /// Tokens of a sequence.
    pub sequence_length: usize,
    /// How documents are packed into sequences.
    pub packing: Packing,
    /// Whether attention is masked at the boundaries of documents.
    pub document_masking: bool,
    /// The share of documents that is drawn for validation where no files are for it.
    pub validation: f64,
    /// Of examples of what to answer: what of them is learnt; those that answer nothing are skipped. None of documents of any kind.
    pub examples: Option<LossOn>,
    /// The seed of every draw.
    pub seed: u64,
}

/// Files with the hashes of their bytes, which are taken once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedFiles {
    pub(super) files: SourceFiles,
    train: Vec<String>,
    validation: Vec<String>,
}

impl HashedFiles {
    /// Reads all files to hash them.
    ///
    /// # Errors
    /// When one cannot be read, or lies in the folder of a run and is not the one that the run wrote.
    pub fn new(files: SourceFiles) -> Result<Self> {
        let published = PublishedFiles::of(&files.path)?;
        let hash = |path: &PathBuf| -> Result<String> {
            let hash = hash_file(path)?.sha256;
            published.check(path, &hash)?;
            Ok(hash)
        };
        let hashes = |paths: &[PathBuf]| -> Result<Vec<String>> { paths.iter().map(hash).collect() };
        Ok(Self { train: hashes(&files.train)?, validation: hashes(&files.validation)?, files })
    }

    /// Where they lie.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.files.path
    }

    /// The hashes of all files, in their order.
    #[must_use]
    pub fn hashes(&self) -> (&[String], &[String]) {
        (&self.train, &self.validation)
    }

    /// The sequences of a split. Where there is no validation file, documents are drawn: a share of them, or all of them for a source that
    /// is never trained on.
    ///
    /// # Errors
    /// When a file cannot be read or tokenized, or there is not one sequence.
    pub fn sequences(
        &self,
        split: Split,
        config: &SequencesConfig,
        cache: &mut TokenCache<'_>,
    ) -> Result<PackedSequences> {
        let SequencesConfig { sequence_length, packing, document_masking, validation: share, examples, seed } = *config;
        let random = self.validation.is_empty().then_some(RandomSplit { seed, share, split });
        let (paths, hashes) = match (split, random) {
            (Split::Validation, None) => (&self.files.validation, &self.validation),
            _ => (&self.files.train, &self.train),
        };
        let files = paths.iter().zip(hashes).map(|(path, hash)| cache.tokens(path, hash));
        let files = files.collect::<Result<Vec<_>>>()?;
        cache.read_options().check_lost(&self.files.path, paths, files.iter().map(TokenFile::lost).sum())?;
        let tokens = match examples {
            Some(loss_on) => Tokens::examples(&files, random, cache.before_text(), loss_on),
            None => Tokens::new(&files, random, cache.before_text()),
        };
        let packed = PackedSequences::new(tokens, sequence_length, packing, document_masking);
        if packed.count() > 0 {
            return Ok(packed);
        }
        let PackingStats { documents, tokens, dropped_sequences, truncated_prompts, .. } = packed.stats();
        let PackingStats { empty_completions, without_answer, .. } = packed.stats();
        let drawn = random.is_some() && share < 1.0;
        let by = if drawn { format!(", drawn by a share of {share}") } else { String::new() };
        let part = match split {
            Split::Train => "training",
            Split::Validation => "validation",
        };
        let why = if documents == 0 && empty_completions + without_answer > 0 {
            format!(
                "there is nothing to learn from {empty_completions} examples with an empty completion and {without_answer} conversations \
                 without an answer"
            )
        } else if dropped_sequences + truncated_prompts > 0 {
            format!(
                "no sequence of {sequence_length} has a token of a completion, on which alone the loss is taken; \
                 `packing = \"best_fit\"` or a longer `context_length` helps"
            )
        } else {
            let larger = if drawn && split == Split::Validation { ", a larger share `validation`" } else { "" };
            format!(
                "fewer than one sequence of {sequence_length}; more documents{larger} or a shorter `context_length` help"
            )
        };
        let message = format!("its {part} split has {documents} documents with {tokens} tokens{by}: {why}");
        Err(Error::Data { path: self.files.path.clone(), message })
    }
}

/// Sequences of several sources.
#[derive(Debug)]
pub struct WeightedSequences {
    pub(super) sources: Vec<Source>,
    sampler: WeightedSampler,
    pub(super) sequence_length: usize,
    pub(super) seed: u64,
}

#[derive(Debug)]
pub(super) struct Source {
    pub name: String,
    /// Its share of all sequences: in `0.0..=1.0`.
    pub share: f64,
    pub sequences: PackedSequences,
}

/// A place in the stream of all sources, and how many sequences each has given before.
#[derive(Debug, Clone, Default)]
pub(super) struct Cursor {
    place: u64,
    given: Vec<u64>,
}

impl WeightedSequences {
    /// Brings sources together.
    ///
    /// - `sources`: name, weight and sequences of each, one at least
    #[must_use]
    pub fn new(sources: Vec<(String, f64, PackedSequences)>, sequence_length: usize, seed: u64) -> Self {
        let weights: Vec<f64> = sources.iter().map(|(_, weight, _)| *weight).collect();
        let all: f64 = weights.iter().sum();
        let sources = sources
            .into_iter()
            .map(|(name, weight, sequences)| Source { name, share: weight / all, sequences })
            .collect();
        Self { sources, sampler: WeightedSampler::new(seed, &weights), sequence_length, seed }
    }

    /// Sequences of all sources.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sources.iter().map(|source| source.sequences.count()).sum()
    }

    /// The batch of a step: a function of the seed and the step, and of nothing else. Each source gives its sequences epoch by epoch,
    /// every one once in an epoch, in an order of its own.
    ///
    /// `cursor` spares counting anew what each source gave before; from a place that lies behind it, counting begins again: a draw for
    /// each sequence, some hundred million a second.
    pub(super) fn step(&self, step: u64, batch_size: usize, cursor: &mut Cursor) -> Result<Batch> {
        let first = step * batch_size as u64;
        if first < cursor.place || cursor.given.len() != self.sources.len() {
            *cursor = Cursor { place: 0, given: vec![0; self.sources.len()] };
        }
        if let [given] = &mut cursor.given[..] {
            *given = first;
            cursor.place = first;
        }
        while cursor.place < first {
            self.next(cursor);
        }
        let mut batch = Batch::empty(self.sequence_length);
        for _ in 0..batch_size {
            let (source, given) = self.next(cursor);
            let Source { name, sequences, .. } = &self.sources[source];
            let (epoch, within) = (given / sequences.count(), given % sequences.count());
            let shuffle = Shuffle::new(self.seed, &format!("epoch {epoch} of {name}"), sequences.count());
            sequences.append(shuffle.at(within), &mut batch)?;
        }
        Ok(batch)
    }

    /// The source of the next place, and how many sequences it gave before.
    fn next(&self, cursor: &mut Cursor) -> (usize, u64) {
        let source = if self.sources.len() == 1 { 0 } else { self.sampler.source(cursor.place) };
        let given = cursor.given[source];
        cursor.given[source] += 1;
        cursor.place += 1;
        (source, given)
    }
}
