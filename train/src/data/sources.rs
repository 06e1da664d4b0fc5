//! Several sources of rows as one, by weight.

use std::path::PathBuf;

use super::{
    Batch, Packing, RowsAccount, SourceFiles, Split, TokenCache,
    files::sha256_of_file,
    order::{Draws, Shuffle},
    packed::PackedRows,
    token_file::TokenFile,
    tokens::{Drawn, Tokens},
};
use crate::error::{Error, Result};

/// How documents become rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowsConfig {
    /// Ids in a row.
    pub time: usize,
    /// How documents are brought into rows.
    pub packing: Packing,
    /// Whether attention is masked at the boundaries of documents.
    pub document_masking: bool,
    /// The share of documents that is drawn to judge by where no files are for it.
    pub validation: f64,
    /// What every draw is made from.
    pub seed: u64,
}

/// Files with the hashes of their bytes, which are taken once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedFiles {
    files: SourceFiles,
    train: Vec<String>,
    validation: Vec<String>,
}

impl HashedFiles {
    /// Reads all files to hash them.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn new(files: SourceFiles) -> Result<Self> {
        let hashes =
            |paths: &[PathBuf]| -> Result<Vec<String>> { paths.iter().map(|path| sha256_of_file(path)).collect() };
        Ok(Self { train: hashes(&files.train)?, validation: hashes(&files.validation)?, files })
    }

    /// The hashes of all files, in their order.
    #[must_use]
    pub fn hashes(&self) -> (&[String], &[String]) {
        (&self.train, &self.validation)
    }

    /// The rows of a split. Where no file is there to judge by, documents are drawn: a share of them, or all of them for a source that is
    /// never trained on.
    ///
    /// # Errors
    /// When a file cannot be read or tokenized, or there is not one row.
    pub fn rows(&self, split: Split, config: &RowsConfig, cache: &mut TokenCache<'_>) -> Result<PackedRows> {
        let RowsConfig { time, packing, document_masking, validation: share, seed } = *config;
        let drawn = self.validation.is_empty().then_some(Drawn { seed, share, split });
        let (paths, hashes) = match (split, drawn) {
            (Split::Validation, None) => (&self.files.validation, &self.validation),
            _ => (&self.files.train, &self.train),
        };
        let files = paths.iter().zip(hashes).map(|(path, hash)| cache.tokens(path, hash));
        let files = files.collect::<Result<Vec<_>>>()?;
        cache.opening().judge(&self.files.path, paths, files.iter().map(TokenFile::lost).sum())?;
        let tokens = Tokens::new(&files, drawn, cache.before_text());
        let rows = PackedRows::new(tokens, time, packing, document_masking);
        if rows.rows() > 0 {
            return Ok(rows);
        }
        let RowsAccount { documents, tokens, rows_left_out, prompts_cut, .. } = rows.account();
        let drawn = drawn.is_some() && share < 1.0;
        let by = if drawn { format!(", drawn by a share of {share}") } else { String::new() };
        let part = match split {
            Split::Train => "to train on",
            Split::Validation => "to judge by",
        };
        let why = if rows_left_out + prompts_cut > 0 {
            format!(
                "in no row of {time} does a token count, for the loss counts on completions alone and all rows lie within prompts; \
                 `packing = \"best_fit\"` or a longer `context_length` mends it"
            )
        } else {
            let larger = if drawn && split == Split::Validation { ", a larger share `validation`" } else { "" };
            format!("fewer than one row of {time}; more documents{larger} or a shorter `context_length` mend it")
        };
        let message = format!("its documents {part} are {documents} with {tokens} tokens{by}: {why}");
        Err(Error::Data { path: self.files.path.clone(), message })
    }
}

/// Rows of several sources.
#[derive(Debug)]
pub struct WeightedRows {
    pub(super) sources: Vec<Source>,
    draws: Draws,
    pub(super) time: usize,
    pub(super) seed: u64,
}

#[derive(Debug)]
pub(super) struct Source {
    pub name: String,
    /// Of all rows, those that it gives: in `0.0..=1.0`.
    pub share: f64,
    pub rows: PackedRows,
}

/// How far the sources are at a place: rows that each has given before.
#[derive(Debug, Clone, Default)]
pub(super) struct Walk {
    place: u64,
    given: Vec<u64>,
}

impl WeightedRows {
    /// Brings sources together.
    ///
    /// - `sources`: name, weight and rows of each, one at least
    #[must_use]
    pub fn new(sources: Vec<(String, f64, PackedRows)>, time: usize, seed: u64) -> Self {
        let weights: Vec<f64> = sources.iter().map(|(_, weight, _)| *weight).collect();
        let all: f64 = weights.iter().sum();
        let sources =
            sources.into_iter().map(|(name, weight, rows)| Source { name, share: weight / all, rows }).collect();
        Self { sources, draws: Draws::new(seed, &weights), time, seed }
    }

    /// The rows of a step: a function of the seed and the step, and of nothing else. Each source gives its rows epoch by epoch,
    /// every one once in an epoch, in an order of its own.
    ///
    /// `walk` spares counting anew what each source gave before; from a place that lies behind it, counting begins again: a draw for
    /// each row, some hundred million a second.
    pub(super) fn step(&self, step: u64, rows: usize, walk: &mut Walk) -> Result<Batch> {
        let first = step * rows as u64;
        if first < walk.place || walk.given.len() != self.sources.len() {
            *walk = Walk { place: 0, given: vec![0; self.sources.len()] };
        }
        if let [given] = &mut walk.given[..] {
            *given = first;
            walk.place = first;
        }
        while walk.place < first {
            self.next(walk);
        }
        let mut batch = Batch::empty(self.time);
        for _ in 0..rows {
            let (source, given) = self.next(walk);
            let Source { name, rows, .. } = &self.sources[source];
            let (epoch, within) = (given / rows.rows(), given % rows.rows());
            let shuffle = Shuffle::new(self.seed, &format!("epoch {epoch} of {name}"), rows.rows());
            rows.append(shuffle.at(within), &mut batch)?;
        }
        Ok(batch)
    }

    /// The source of the next place, and how many rows it gave before.
    fn next(&self, walk: &mut Walk) -> (usize, u64) {
        let source = if self.sources.len() == 1 { 0 } else { self.draws.source(walk.place) };
        let given = walk.given[source];
        walk.given[source] += 1;
        walk.place += 1;
        (source, given)
    }
}
