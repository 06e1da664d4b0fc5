//! The files of a finished run, and the session that reads them.

use std::{collections::BTreeMap, path::Path};

use datafusion::{
    arrow::array::RecordBatch,
    prelude::{DataFrame, SessionContext, col},
};
use futures::TryStreamExt as _;
use schemas::{
    ledger::{Ledger, is_mixture_stage},
    manifest::Manifest,
};

use crate::{
    decide::Tables,
    engine::{Engine, Limits, Session},
    error::{Error, InStage as _, Result},
    files::{Inputs, Layout, hash_file, ledger, read_json, remove_folder},
};

/// What the report may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Means {
    /// Threads, 1 or more.
    pub threads: usize,
    /// Bytes that sorts and joins may hold before they spill.
    pub memory: usize,
}

/// The files of a finished run, and the session that reads them.
pub struct RunFiles {
    pub layout: Layout,
    pub manifest: Manifest,
    pub ledger: Ledger,
    parts: BTreeMap<String, u32>,
    repeats: bool,
    session: Session,
    /// Nothing that is kept follows from what is read here.
    inputs: Inputs,
}

impl RunFiles {
    /// Opens the finished run in `out`.
    pub fn open(out: &Path, means: Means) -> Result<Self> {
        let layout = Layout::new(std::path::absolute(out).map_err(Error::file("find", out))?);
        let manifest: Manifest = read_json(&layout.manifest())?;
        let ledger = ledger::read(&layout.ledger())?;
        let read = ledger.stages.iter().filter(|entry| entry.stage == "read");
        let repeats = read.clone().any(|entry| entry.dropped.contains_key("same_record"));
        let parts = read.map(|entry| (entry.source.clone(), parts(&layout, &entry.source))).collect();
        let limits = Limits { threads: means.threads, memory: means.memory, spill: spill(&layout) };
        let session = Engine::Local.session(limits)?;
        Ok(Self { layout, manifest, ledger, parts, repeats, session, inputs: Inputs::of("report") })
    }

    /// A session for joins of small columns.
    pub fn relational(&self) -> SessionContext {
        self.session.relational()
    }

    /// A session for a few rows out of many.
    pub fn seeking(&self) -> SessionContext {
        self.session.seeking()
    }

    /// The error of a plan, or the file that it comes from, where one has other bytes than its run wrote.
    pub fn named(&self, error: Error) -> Error {
        let has_changed = |path: &std::path::PathBuf| {
            let name = self.layout.relative(path);
            let written = self.manifest.outputs.iter().find(|file| file.path == name);
            written.is_some_and(|written| hash_file(path).is_ok_and(|now| now.sha256 != written.sha256))
        };
        match self.inputs.files().into_iter().find(has_changed) {
            Some(path) => {
                let message = "it has other bytes than its run wrote; remove it, and give the run again".to_owned();
                Error::Damaged { path, message }
            }
            None => error,
        }
    }

    /// The files as tables of a session.
    pub fn tables<'a>(&'a self, context: &'a SessionContext) -> Tables<'a> {
        Tables {
            context,
            layout: &self.layout,
            parts: &self.parts,
            repeats: self.repeats,
            after_cuts: None,
            indexes: &[],
            inputs: &self.inputs,
        }
    }

    /// All sources.
    pub fn sources(&self) -> Vec<String> {
        self.parts.keys().cloned().collect()
    }

    /// The stages in their order.
    pub fn stages(&self) -> Vec<&str> {
        let mut stages: Vec<&str> = self.ledger.stages.iter().map(|entry| entry.stage.as_str()).collect();
        stages.dedup();
        stages
    }

    /// The last stage before mixtures.
    pub fn last_step(&self) -> &str {
        self.stages().into_iter().rfind(|stage| !is_mixture_stage(stage)).unwrap_or("read")
    }

    /// The facts of a family about all documents, `id` and some columns, or none where the run has not made them. An id stands in one row.
    pub async fn facts(
        &self,
        context: &SessionContext,
        family: &str,
        columns: &[&str],
    ) -> datafusion::error::Result<Option<DataFrame>> {
        let parts = self.parts.iter().flat_map(|(source, parts)| (0..*parts).map(move |part| (source, part)));
        let paths: Vec<_> = parts.map(|(source, part)| self.layout.facts(family, source, part)).collect();
        let paths: Vec<_> = paths.into_iter().filter(|path| path.is_file()).collect();
        if paths.is_empty() {
            return Ok(None);
        }
        let table = self.tables(context).files(paths).await?;
        let columns: Vec<_> =
            [col("id").alias("fact_id")].into_iter().chain(columns.iter().map(|name| col(*name))).collect();
        let table = table.select(columns)?;
        // rows of one id are equal, whichever file they stand in
        Ok(Some(if self.repeats { table.distinct()? } else { table }))
    }

    /// Removes what the session has spilled.
    pub fn close(self) -> Result<()> {
        let folder = spill(&self.layout);
        drop(self);
        remove_folder(&folder)
    }
}

/// The folder to spill to.
fn spill(layout: &Layout) -> std::path::PathBuf {
    layout.work().join("report")
}

/// Files of a source that have been read.
fn parts(layout: &Layout, source: &str) -> u32 {
    (0..u32::MAX).find(|part| !layout.facts("records", source, *part).is_file()).unwrap_or_default()
}

/// Runs a plan, and hands its rows over as they come.
pub async fn rows(table: datafusion::error::Result<DataFrame>, mut take: impl FnMut(&RecordBatch)) -> Result<()> {
    let mut batches = table.in_stage("report")?.execute_stream().await.in_stage("report")?;
    while let Some(batch) = batches.try_next().await.in_stage("report")? {
        take(&batch);
    }
    Ok(())
}
