//! What all stages share: the plan, the sessions, the marks, and the files that were made.

use std::{
    collections::BTreeMap,
    fs,
    future::Future,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use datafusion::{
    physical_plan::ExecutionPlan,
    prelude::{DataFrame, SessionContext},
};
use rayon::prelude::*;
use schemas::manifest::FileEntry;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::{Options, Progress, plans::Plans};
use crate::{
    decide::Tables,
    engine::{Limits, Session},
    error::{Error, Result},
    files::{
        Inputs, Layout, Lock, Publication, PublishExec, Version, Written, hash_file, published, read_json,
        remove_folder,
        units::{Fingerprint, Mark, Marks, Stamp},
        write_whole,
    },
    recipe::Plan,
};

/// A run in progress.
pub struct Run<'a> {
    pub plan: Plan,
    pub layout: Layout,
    pub session: Session,
    pub threads: usize,
    pub progress: &'a dyn Progress,
    marks: Marks,
    plans: Plans,
    parts: BTreeMap<String, u32>,
    made: Mutex<Made>,
    /// What the ledger is drawn from: it is drawn anew each time.
    pub accounted: Inputs,
    _lock: Lock,
}

/// What is known of the files of this run.
#[derive(Debug, Default)]
pub struct Made {
    /// Files that were written, by path within the output folder.
    pub outputs: BTreeMap<String, FileEntry>,
    /// Files from outside that were read, each with the records in it.
    pub inputs: BTreeMap<PathBuf, (Stamp, Option<u64>)>,
    /// The units whose files were found done, and have not been read since: stage and name, by the files' paths.
    pub unread: BTreeMap<String, (String, String)>,
    /// Versions of the code that gave the outputs.
    pub versions: BTreeMap<&'static str, u32>,
    /// Seconds that units took, by stage.
    pub seconds: BTreeMap<String, f64>,
    /// Units that were found done, and that were run.
    pub found: u64,
    pub ran: u64,
    /// Whether some document was read from more than one file.
    pub repeats: bool,
}

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

/// Files that a unit published.
pub type Files = Vec<(PathBuf, Option<u64>, Written)>;

/// What tells a folder that holds a run from any other.
#[derive(Serialize, Deserialize)]
struct Belongs {
    name: String,
}

impl<'a> Run<'a> {
    /// Takes the output folder.
    pub fn start(plan: Plan, options: &Options, progress: &'a dyn Progress) -> Result<Self> {
        let layout = Layout::new(std::path::absolute(&options.out).map_err(Error::file("find", &options.out))?);
        claim(&layout, &plan.name)?;
        let lock = Lock::take(layout.out())?;
        let belongs = serde_json::to_vec(&Belongs { name: plan.name.clone() }).expect("the type is JSON");
        write_whole(&layout.work().join("run.json"), &belongs)?;
        // what a run that was killed had spilled
        remove_folder(&layout.work().join("spill"))?;
        if options.fresh {
            remove_folder(&layout.work().join("marks"))?;
        }
        let limits = Limits { threads: options.threads, memory: options.memory, spill: layout.work().join("spill") };
        let files = |source: &crate::source::Source| u32::try_from(source.files.len()).expect("files can be numbered");
        Ok(Self {
            session: options.engine.session(limits)?,
            threads: options.threads,
            marks: Marks::new(layout.out()),
            plans: Plans::new(&layout),
            parts: plan.sources.iter().map(|source| (source.name.clone(), files(source))).collect(),
            made: Mutex::default(),
            accounted: Inputs::of("ledger"),
            plan,
            layout,
            progress,
            _lock: lock,
        })
    }

    /// The files of the run as tables of a session; those that are opened are noted in `inputs`.
    pub fn tables<'t>(&'t self, context: &'t SessionContext, inputs: &'t Inputs) -> Tables<'t> {
        let after_cuts = self.plan.after_cuts().map(|step| step.name.as_str());
        Tables {
            context,
            layout: &self.layout,
            parts: &self.parts,
            repeats: self.made().repeats,
            after_cuts,
            indexes: &self.plan.indexes,
            inputs,
        }
    }

    pub fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
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
            Ok((self.layout.relative(path), self.sha256_of(path).ok_or_else(not_made)?))
        };
        let hashes = files.iter().map(hash).collect::<Result<Vec<_>>>()?;
        Ok(Origin { fingerprint: self.fingerprint(stage, parts, &(settings, hashes)), files })
    }

    /// A fingerprint, whose code the manifest will name.
    pub fn fingerprint(&self, stage: Version, parts: &[Version], settings: &impl Serialize) -> Fingerprint {
        self.made().versions.extend(parts.iter().chain([&stage]).map(|version| (version.name(), version.number())));
        Fingerprint::of(stage, parts, settings)
    }

    /// The hash of a file as it was written, or as it was read by this run; none of one that this run has not come to yet.
    pub fn sha256_of(&self, path: &Path) -> Option<String> {
        let made = self.made();
        let own = made.outputs.get(&self.layout.relative(path)).map(|file| file.sha256.clone());
        let read = || made.inputs.get(path).map(|(stamp, _)| stamp.sha256.clone());
        let indexed = || self.plan.indexes.iter().find_map(|index| index.sha256_of(path)).map(str::to_owned);
        own.or_else(read).or_else(indexed)
    }

    /// Makes sure that files which are about to be read, and which this run has not written itself, are those that were written. Each is
    /// read once for that.
    pub fn verify(&self, paths: &[PathBuf]) -> Result<()> {
        let known = |path: &PathBuf| {
            let mut made = self.made();
            let name = self.layout.relative(path);
            if let Some(unit) = made.unread.remove(&name) {
                return made.outputs.get(&name).map(|file| (path.clone(), file.sha256.clone(), Some(unit)));
            }
            drop(made);
            let sha256 = self.plan.indexes.iter().find_map(|index| index.sha256_of(path))?;
            Some((path.clone(), sha256.to_owned(), None))
        };
        let unread: Vec<_> = paths.iter().filter_map(known).collect();
        unread.into_par_iter().try_for_each(|(path, sha256, unit)| {
            if hash_file(&path)?.sha256 == sha256 {
                return Ok(());
            }
            let Some((stage, unit)) = unit else {
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
        let unread: Vec<PathBuf> = self.made().unread.keys().map(|name| self.layout.out().join(name)).collect();
        self.verify(&unread).err().unwrap_or(error)
    }

    /// Reads a file of JSON that this run has made or found.
    pub fn read_made<T: serde::de::DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.verify(&[path.to_owned()])?;
        read_json(path)
    }

    /// The facts of a family about some sources, by file.
    pub fn facts_of(&self, family: &str, sources: &[String]) -> Vec<PathBuf> {
        self.parts_of(sources).map(|(source, part)| self.layout.facts(family, source, part)).collect()
    }

    /// The parts of some sources.
    pub fn parts_of<'s>(&'s self, sources: &'s [String]) -> impl Iterator<Item = (&'s str, u32)> {
        sources.iter().flat_map(|source| {
            (0..self.parts.get(source).copied().unwrap_or_default()).map(move |part| (source.as_str(), part))
        })
    }

    /// All sources.
    pub fn source_names(&self) -> Vec<String> {
        self.plan.sources.iter().map(|source| source.name.clone()).collect()
    }

    /// A unit's mark, if nothing that it follows from has changed; its files then count as made.
    pub fn find(&self, stage: &str, unit: &str, fingerprint: &Fingerprint) -> Option<Mark> {
        let mark = self.marks.fresh(stage, unit, fingerprint)?;
        tracing::info!(stage, unit, "found done");
        let mut made = self.made();
        made.found += 1;
        let of_unit = |file: &FileEntry| (file.path.clone(), (stage.to_owned(), unit.to_owned()));
        made.unread.extend(mark.outputs.iter().map(of_unit));
        made.take(stage, &mark);
        Some(mark)
    }

    /// Marks a unit as done.
    pub fn mark(&self, stage: &str, unit: &str, mark: &Mark) -> Result<()> {
        self.marks.set(stage, unit, mark)?;
        tracing::info!(stage, unit, seconds = mark.seconds, "done");
        let mut made = self.made();
        made.ran += 1;
        for file in &mark.outputs {
            made.unread.remove(&file.path);
        }
        made.take(stage, mark);
        Ok(())
    }

    /// Runs a unit, unless it is found done.
    pub async fn unit(
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
        let outputs = self.entries(&work.await?);
        let mark = Mark {
            fingerprint: origin.fingerprint.clone(),
            input: None,
            outputs,
            seconds: start.elapsed().as_secs_f64(),
        };
        self.mark(stage, unit, &mark)?;
        Ok(mark)
    }

    /// Published files as the manifest lists them.
    pub fn entries(&self, files: &Files) -> Vec<FileEntry> {
        let entry = |(path, rows, written): &(PathBuf, Option<u64>, Written)| FileEntry {
            path: self.layout.relative(path),
            rows: *rows,
            bytes: written.bytes,
            sha256: written.sha256.clone(),
        };
        files.iter().map(entry).collect()
    }

    /// Plans a table, ends it in files and runs it.
    pub async fn publish(
        &self,
        stage: &str,
        context: &SessionContext,
        table: DataFrame,
        publications: Vec<Publication>,
    ) -> Result<Files> {
        let failed = |error| Error::from_plan(stage, error);
        let plan = table.create_physical_plan().await.map_err(failed)?;
        self.publish_plan(stage, context, plan, publications).await
    }

    /// Ends a plan in files and runs it.
    pub async fn publish_plan(
        &self,
        stage: &str,
        context: &SessionContext,
        plan: Arc<dyn ExecutionPlan>,
        publications: Vec<Publication>,
    ) -> Result<Files> {
        let failed = |error| Error::from_plan(stage, error);
        let plan = Arc::new(PublishExec::new(plan, publications).map_err(failed)?);
        let batches = self.session.collect(stage, context, Arc::clone(&plan) as Arc<dyn ExecutionPlan>).await?;
        self.plans.note(stage, plan.as_ref())?;
        let files = published(&batches).map_err(failed)?;
        Ok(files.into_iter().map(|(path, rows, written)| (path, Some(rows), written)).collect())
    }

    /// Plans a table and collects its rows, which are few.
    pub async fn collect(
        &self,
        stage: &str,
        context: &SessionContext,
        table: DataFrame,
    ) -> Result<Vec<datafusion::arrow::array::RecordBatch>> {
        let plan = table.create_physical_plan().await.map_err(|error| Error::from_plan(stage, error))?;
        let batches = self.session.collect(stage, context, Arc::clone(&plan)).await?;
        self.plans.note(stage, plan.as_ref())?;
        Ok(batches)
    }
}

impl Made {
    fn take(&mut self, stage: &str, mark: &Mark) {
        for file in &mark.outputs {
            self.outputs.insert(file.path.clone(), file.clone());
        }
        if let Some(stamp) = &mark.input {
            self.inputs.insert(stamp.path.clone(), (stamp.clone(), None));
        }
        *self.seconds.entry(stage.to_owned()).or_default() += mark.seconds;
    }
}

/// Makes sure that a folder is empty, or holds a run of this recipe.
fn claim(layout: &Layout, name: &str) -> Result<()> {
    let marker = layout.work().join("run.json");
    let found = match fs::read(&marker) {
        Ok(bytes) => serde_json::from_slice::<Belongs>(&bytes)
            .map_err(|error| Error::Damaged { path: marker.clone(), message: error.to_string() })?,
        Err(_) if is_empty(layout.out()) => return Ok(()),
        Err(_) => return Err(Error::NotARun { path: layout.out().to_owned() }),
    };
    if found.name == name {
        return Ok(());
    }
    Err(Error::OtherRun { path: layout.out().to_owned(), found: found.name, wanted: name.to_owned() })
}

/// Whether a folder is missing, or holds nothing but what a run that died at once may have left.
fn is_empty(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return true };
    entries.filter_map(std::result::Result::ok).all(|entry| entry.file_name() == ".lock" || entry.file_name() == "work")
}
