//! What an earlier run has kept, for the next one to be held against.
//!
//! The folder of any finished run that made bands is an index: of it are needed `manifest.json`, `ledger.json`, `facts/bands.json`,
//! `facts/bands/` and the decisions of its last stage.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use datafusion::{
    common::internal_datafusion_err,
    prelude::{DataFrame, JoinType, col, lit},
};
use schemas::{ledger::is_mixture_stage, manifest::Manifest};
use serde::{Deserialize, Serialize};

use super::Tables;
use crate::{
    error::{Error, Result},
    files::{Layout, hash_file, ledger, read_json},
    measure::{BANDS_VERSION, BandsConfig, Family, FamilyConfig},
};

/// What the bands of a run follow from, as it is written beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandsCard {
    /// The version of the hashes.
    scheme: u32,
    /// The parameters of MinHash.
    bands: BandsConfig,
}

impl BandsCard {
    /// The card of bands that this program makes.
    #[must_use]
    pub fn new(bands: BandsConfig) -> Self {
        Self { scheme: BANDS_VERSION.number(), bands }
    }
}

/// What an earlier run has kept, and its bands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DuplicateIndex {
    /// The folder of that run.
    folder: PathBuf,
    bands: BandsConfig,
    files: Vec<PathBuf>,
    decisions: PathBuf,
    /// The hash of its manifest, in which are those of all its files.
    sha256: String,
    /// Those of the files that are read.
    #[serde(skip)]
    hashes: BTreeMap<PathBuf, String>,
}

impl DuplicateIndex {
    /// Opens the index in `folder`, which must have been made with `bands`.
    ///
    /// # Errors
    /// When there is no finished run with bands in the folder, or its bands are others.
    pub fn open(folder: &Path, bands: BandsConfig) -> Result<Self> {
        let layout = Layout::new(std::path::absolute(folder).map_err(Error::file("find", folder))?);
        let not_an_index = || Error::NotAnIndex { path: folder.to_owned() };
        let card: BandsCard = read_json(&layout.bands_card()).map_err(|_| not_an_index())?;
        let wanted = BandsCard::new(bands);
        if card != wanted {
            let (found, wanted) = (describe(&card), describe(&wanted));
            return Err(Error::OtherIndex { path: folder.to_owned(), found, wanted });
        }
        let ledger = ledger::read(&layout.ledger()).map_err(|_| not_an_index())?;
        let mut stages = ledger.stages.iter().map(|entry| entry.stage.as_str());
        let last = stages.rfind(|stage| !is_mixture_stage(stage)).ok_or_else(not_an_index)?;
        let pattern = layout.out().join("facts/bands/*/*.parquet");
        let found = glob::glob(&pattern.to_string_lossy()).map_err(|_| not_an_index())?;
        let files: Vec<PathBuf> = found.filter_map(std::result::Result::ok).collect();
        if files.is_empty() {
            return Err(not_an_index());
        }
        let (manifest, decisions) = (layout.manifest(), layout.decisions(last));
        let listed: Manifest = read_json(&manifest)?;
        let listed = listed.outputs.into_iter().map(|file| (layout.out().join(file.path), file.sha256));
        let mut hashes: BTreeMap<PathBuf, String> = listed.collect();
        hashes.retain(|path, _| *path == decisions || files.contains(path));
        if let Some(unknown) = files.iter().chain([&decisions]).find(|path| !hashes.contains_key(*path)) {
            let message = format!("it does not list {}", unknown.display());
            return Err(Error::Damaged { path: manifest, message });
        }
        let sha256 = hash_file(&manifest)?.sha256;
        Ok(Self { folder: folder.to_owned(), bands, files, decisions, sha256, hashes })
    }

    /// SHA-256 of one of its files, as its run wrote it.
    #[must_use]
    pub fn sha256_of(&self, path: &Path) -> Option<&str> {
        self.hashes.get(path).map(String::as_str)
    }
}

fn describe(card: &BandsCard) -> String {
    let BandsCard { scheme, bands: BandsConfig { shingle, bands, rows } } = card;
    format!("{bands} bands of {rows} on shingles of {shingle} (hashes of version {scheme})")
}

/// What all of some indexes have kept: `known_id`, each once.
///
/// # Errors
/// When there is no index, or a file cannot be read.
pub async fn known(tables: Tables<'_>) -> datafusion::error::Result<DataFrame> {
    let mut all: Option<DataFrame> = None;
    for index in tables.indexes {
        let kept = kept(tables, index).await?;
        all = Some(match all {
            Some(all) => all.union(kept)?,
            None => kept,
        });
    }
    all.ok_or_else(|| internal_datafusion_err!("there is no index"))?.distinct()
}

async fn kept(tables: Tables<'_>, index: &DuplicateIndex) -> datafusion::error::Result<DataFrame> {
    let decisions = tables.files(vec![index.decisions.clone()]).await?;
    decisions.filter(col("verdict").not_eq(lit("drop")))?.select(vec![col("id").alias("known_id")])
}

/// The hashes of what an index has kept: `id` and `hashes`, in no order.
///
/// # Errors
/// When a file cannot be read.
pub async fn known_hashes(tables: Tables<'_>, index: &DuplicateIndex) -> datafusion::error::Result<DataFrame> {
    let family = Family::new(FamilyConfig::Bands(index.bands));
    let bands = tables.parquet(index.files.clone(), &family.schema()).await?;
    bands
        .join(kept(tables, index).await?, JoinType::LeftSemi, &["id"], &["known_id"], None)?
        .select(vec![col("id"), col("bands").alias("hashes")])
}
