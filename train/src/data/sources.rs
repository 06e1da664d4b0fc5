//! Several sources of sequences as one, by weight.

use std::path::{Path, PathBuf};

use system::hash_file;

use super::{
    Batch, Packing, PackingStats, SourceFiles, Split, TokenCache,
    packed::PackedSequences,
    pairs::Pairs,
    published::PublishedFiles,
    runs::RowsAs,
    token_file::TokenFile,
    tokens::{RandomSplit, Tokens},
    weighted::{Countable, Cursor, Weighted},
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
    /// What rows are taken for.
    pub rows: RowsAs,
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
        let SequencesConfig { sequence_length, packing, document_masking, validation: share, rows, seed } = *config;
        let (tokens, drawn) = self.documents(split, share, rows, seed, cache)?;
        let packed = PackedSequences::new(tokens, sequence_length, packing, document_masking);
        if packed.count() > 0 {
            return Ok(packed);
        }
        let PackingStats { documents, tokens, dropped_sequences, truncated_prompts, .. } = packed.stats();
        let PackingStats { empty_completions, without_answer, .. } = packed.stats();
        let by = if drawn { format!(", drawn by a share of {share}") } else { String::new() };
        let part = split.words();
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

    /// The pairs of a split, of rows with a prompt: as [`Self::sequences`] has splits.
    ///
    /// - `most`: ids of a source, and of a target, at most
    ///
    /// # Errors
    /// When a file cannot be read or tokenized, or there is not one pair.
    pub fn pairs(
        &self,
        split: Split,
        most: [usize; 2],
        share: f64,
        seed: u64,
        cache: &mut TokenCache<'_>,
    ) -> Result<Pairs> {
        let (tokens, drawn) = self.documents(split, share, RowsAs::Documents, seed, cache)?;
        if tokens.has_conversations() {
            let message = "it has conversations (`messages`), and a model with an encoder learns from a `prompt` and a `completion`";
            return Err(Error::Data { path: self.files.path.clone(), message: message.into() });
        }
        let pairs = Pairs::new(tokens, most, cache.end_of_text());
        if pairs.count() > 0 {
            return Ok(pairs);
        }
        let by = if drawn { format!(", drawn by a share of {share}") } else { String::new() };
        let message = format!(
            "its {} split has no row with a `prompt` and a `completion` to learn{by}: {}",
            split.words(),
            pairs.stats()
        );
        Err(Error::Data { path: self.files.path.clone(), message })
    }

    /// The documents of a split, and whether they were drawn by a share.
    fn documents(
        &self,
        split: Split,
        share: f64,
        rows: RowsAs,
        seed: u64,
        cache: &mut TokenCache<'_>,
    ) -> Result<(Tokens, bool)> {
        let random = self.validation.is_empty().then_some(RandomSplit { seed, share, split });
        let (paths, hashes) = match (split, random) {
            (Split::Validation, None) => (&self.files.validation, &self.validation),
            _ => (&self.files.train, &self.train),
        };
        let files = paths.iter().zip(hashes).map(|(path, hash)| cache.tokens(path, hash));
        let files = files.collect::<Result<Vec<_>>>()?;
        cache.read_options().check_lost(&self.files.path, paths, files.iter().map(TokenFile::lost).sum())?;
        Ok((Tokens::new(&files, random, cache.before_text(), rows), random.is_some() && share < 1.0))
    }
}

/// Sequences of several sources.
#[derive(Debug)]
pub struct WeightedSequences {
    pub(super) sequences: Weighted<PackedSequences>,
    pub(super) sequence_length: usize,
}

impl Countable for PackedSequences {
    fn count(&self) -> u64 {
        self.count()
    }
}

impl WeightedSequences {
    /// Brings sources together.
    ///
    /// - `sources`: name, weight and sequences of each, one at least
    #[must_use]
    pub fn new(sources: Vec<(String, f64, PackedSequences)>, sequence_length: usize, seed: u64) -> Self {
        Self { sequences: Weighted::new(sources, seed), sequence_length }
    }

    /// The same with a share of each source's sequences alone, in `0.0..=1.0`.
    #[must_use]
    pub fn subset(self, share: f64) -> Self {
        Self { sequences: self.sequences.subset(share), ..self }
    }

    /// Sequences of all sources.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sequences.count()
    }

    /// The batch of a step: a function of the seed and the step, and of nothing else. Each source gives its sequences epoch by epoch,
    /// every one once in an epoch, in an order of its own.
    pub(super) fn step(&self, step: u64, batch_size: usize, cursor: &mut Cursor) -> Result<Batch> {
        let mut batch = Batch::empty(self.sequence_length);
        for (sequences, number) in self.sequences.draw(step * batch_size as u64, batch_size, cursor) {
            sequences.append(number, &mut batch)?;
        }
        Ok(batch)
    }
}
