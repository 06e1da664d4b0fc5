//! What all stages share: the plan, the session, the folder, and the units that are done in it.
//!
//! ```text
//! tables, noted as inputs -> origin: fingerprint of code, settings, inputs -> unit: found done, or its plans run -> files, mark
//! ```
//!
//! Useful for: what a stage may ask of a run. Not useful for: how units are found again, which is in `units`; files and their hashes, in
//! `made`; reading tables, in `tables`; running plans, in `publishing`.

use std::{
    collections::BTreeMap,
    future::Future,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use serde::de::DeserializeOwned;

use super::{
    folder,
    made::Made,
    options::Options,
    plans::Plans,
    progress::{Progress, told},
    units::Units,
};
use crate::{
    engine::{Limits, Session},
    error::Result,
    files::{FolderLock, Layout, read_json, remove_folder},
    recipe::Plan,
    source::Source,
};

/// A run in progress.
pub struct Run<'a> {
    pub plan: Plan,
    pub layout: Layout,
    pub session: Session,
    pub threads: usize,
    pub progress: &'a dyn Progress,
    pub units: Units,
    /// How plans ran.
    pub plans: Plans,
    /// How many files each source has.
    pub parts: BTreeMap<String, u32>,
    /// Whether some document was read from more than one file, so that facts have to be made unique by id before they are joined.
    pub repeats: AtomicBool,
    _lock: FolderLock,
}

impl<'a> Run<'a> {
    /// Takes the output folder.
    pub fn start(plan: Plan, options: &Options, progress: &'a dyn Progress) -> Result<Self> {
        let (layout, lock) = folder::take(&options.out, &plan.name)?;
        if options.fresh {
            remove_folder(&layout.work().join("marks"))?;
        }
        let limits = Limits { threads: options.threads, memory: options.memory, spill: layout.work().join("spill") };
        let files = |source: &Source| u32::try_from(source.files.len()).expect("files can be numbered");
        Ok(Self {
            session: options.engine.session(limits)?,
            threads: options.threads,
            units: Units::new(&layout, &plan.indexes),
            plans: Plans::new(&layout),
            parts: plan.sources.iter().map(|source| (source.name.clone(), files(source))).collect(),
            repeats: AtomicBool::new(false),
            plan,
            layout,
            progress,
            _lock: lock,
        })
    }

    /// Tells of a stage while `work` goes on, which gives its result and a word about what it did.
    pub async fn told<T>(&self, stage: &str, units: u64, work: impl Future<Output = Result<(T, String)>>) -> Result<T> {
        told(self.progress, stage, units, work).await
    }

    /// All sources.
    pub fn source_names(&self) -> Vec<String> {
        self.plan.sources.iter().map(|source| source.name.clone()).collect()
    }

    /// The last stage before mixtures.
    pub fn last_stage(&self) -> String {
        self.plan.steps.last().map_or_else(|| "read".to_owned(), |step| step.name.clone())
    }

    /// Says whether some document was read from more than one file.
    pub fn set_repeats(&self, any: bool) {
        self.repeats.store(any, Ordering::Relaxed);
    }

    /// What is known of the run's files.
    pub fn made(&self) -> &Made {
        &self.units.made
    }

    /// Reads a file of JSON that this run has made or found.
    pub fn read_made<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.units.verify(&[path.to_owned()])?;
        read_json(path)
    }
}
