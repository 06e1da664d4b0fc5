//! Units of work: what they follow from, which of them are done, and that what they read is what was written.

use std::{future::Future, path::PathBuf, time::Instant};

use rayon::prelude::*;
use serde::Serialize;

use super::made::{Files, Made, UnitName, Unread};
use crate::{
    decide::DuplicateIndex,
    error::{Error, Result},
    files::{
        Inputs, Layout, Version, hash_file,
        units::{Fingerprint, Mark, Marks},
    },
};

/// What a unit follows from: its fingerprint, and the files that it may read.
#[derive(Debug, Clone)]
pub struct Origin {
    pub fingerprint: Fingerprint,
    files: Vec<PathBuf>,
}

impl Origin {
    /// The same files, and more that the outputs follow from.
    pub fn with(&self, fingerprint: Fingerprint) -> Self {
        Self { fingerprint, files: self.files.clone() }
    }
}

/// The units of a run, and the files that they have made.
pub struct Units {
    pub made: Made,
    marks: Marks,
}

impl Units {
    /// None is done yet, but for those whose marks are found.
    pub fn new(layout: &Layout, indexes: &[DuplicateIndex]) -> Self {
        Self { made: Made::new(layout, indexes), marks: Marks::new(layout.out()) }
    }

    /// What a unit of `stage` follows from: its code, its settings, and the files that its plans have opened. From now on they open no other.
    pub fn origin(
        &self,
        stage: Version,
        parts: &[Version],
        settings: &impl Serialize,
        inputs: &Inputs,
    ) -> Result<Origin> {
        let files = inputs.close();
        let hash = |path: &PathBuf| {
            let not_made = || Error::NotMade { stage: inputs.stage().to_owned(), path: path.clone() };
            Ok((self.made.name_of(path), self.made.sha256_of(path).ok_or_else(not_made)?))
        };
        let hashes = files.iter().map(hash).collect::<Result<Vec<_>>>()?;
        Ok(Origin { fingerprint: self.fingerprint(stage, parts, &(settings, hashes)), files })
    }

    /// A fingerprint, whose code the manifest will name.
    pub fn fingerprint(&self, stage: Version, parts: &[Version], settings: &impl Serialize) -> Fingerprint {
        self.made.follows_from(parts.iter().chain([&stage]));
        Fingerprint::of(stage, parts, settings)
    }

    /// A unit's mark, if nothing that it follows from has changed; its files then count as made.
    pub fn find(&self, stage: &str, unit: &str, fingerprint: &Fingerprint) -> Option<Mark> {
        let mark = self.marks.fresh(stage, unit, fingerprint)?;
        tracing::info!(stage, unit, "found done");
        self.made.found(&UnitName { stage: stage.to_owned(), unit: unit.to_owned() }, &mark);
        Some(mark)
    }

    /// Marks a unit as done.
    pub fn mark(&self, stage: &str, unit: &str, mark: &Mark) -> Result<()> {
        self.marks.set(stage, unit, mark)?;
        tracing::info!(stage, unit, seconds = mark.seconds, "done");
        self.made.ran(mark);
        Ok(())
    }

    /// Runs a unit, unless it is found done.
    pub async fn run(
        &self,
        stage: &str,
        unit: &str,
        origin: &Origin,
        work: impl Future<Output = Result<Files>>,
    ) -> Result<Mark> {
        if let Some(mark) = self.find(stage, unit, &origin.fingerprint) {
            return Ok(mark);
        }
        self.verify(&origin.files)?;
        let start = Instant::now();
        let outputs = self.made.entries(&work.await?);
        let mark = Mark {
            fingerprint: origin.fingerprint.clone(),
            input: None,
            outputs,
            seconds: start.elapsed().as_secs_f64(),
        };
        self.mark(stage, unit, &mark)?;
        Ok(mark)
    }

    /// Makes sure that files which are about to be read, and which this run has not written itself, are those that were written. Each is
    /// read once for that.
    pub fn verify(&self, paths: &[PathBuf]) -> Result<()> {
        let unread: Vec<_> = paths.iter().filter_map(|path| self.made.take_unread(path)).collect();
        unread.into_par_iter().try_for_each(|Unread { path, sha256, unit }| {
            if hash_file(&path)?.sha256 == sha256 {
                return Ok(());
            }
            let Some(UnitName { stage, unit }) = unit else {
                let message = "it is not the file that the index was published with".to_owned();
                return Err(Error::Damaged { path, message });
            };
            self.marks.forget(&stage, &unit)?;
            Err(Error::Changed { path, stage })
        })
    }

    /// The error of a plan, or the file that it comes from, where one that was found done has other bytes than were written: a plan opens its
    /// files before they are verified, and its errors name none.
    pub fn named(&self, error: Error) -> Error {
        if !matches!(error, Error::Plan { .. }) {
            return error;
        }
        self.verify(&self.made.unread()).err().unwrap_or(error)
    }
}
