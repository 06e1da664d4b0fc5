//! Many pretrainings of one configuration, each with settings of its own: several at once, and resumable one by one.
//!
//! ```text
//! configuration, runs (name, settings) -> some threads, each of which trains the next run that is not done
//! OUT/runs/NAME/                          its training, as any other
//! OUT/runs/NAME/reached.json              what it reached, once it is done; its checkpoints are gone then, unless models are kept
//! ```
//!
//! A small model does not fill several cores: two that train beside each other on a thread each are done well before two that train one after
//! the other on both. How many threads each has is said, and does not follow from how many train at once: so what a run reaches does not either.
//!
//! Useful for: hundreds of small models, of which what they reached is wanted. Not useful for: a model that fills the machine.

mod reached;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use schemas::toml_file::Setting;
use system::hash_file;

pub use reached::{Evaluated, Reached};
use worker::Work;

use super::{data::is_path, folder_identity::FolderIdentity, session::Options};
use crate::{
    device::DeviceName,
    error::{Error, Result},
    trainer::Progress,
};

/// The folder of all runs.
const RUNS: &str = "runs";

/// What is not wanted any more of a run that is done: what goes on from it, and what its log says again.
const LEFT_OVER: [&str; 2] = ["checkpoints", "tensorboard"];

/// How often it is asked whether to stop.
const GLANCE: Duration = Duration::from_millis(200);

/// Bytes of a thread's stack: gradients are followed back through all of a model.
const STACK: usize = 16 << 20;

/// Trainings of one configuration.
pub(super) struct Sweep<'s> {
    /// The configuration of a pretraining.
    pub config: &'s Path,
    /// The output folder, the device, and threads of all runs together.
    pub options: &'s Options,
    /// Runs at once; by default as many as there are threads for, and one on a GPU.
    pub at_once: Option<usize>,
    /// Threads of each.
    pub threads: usize,
    /// Whether the models are kept when they are trained.
    pub keep_models: bool,
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SweepRun {
    /// The name of its folder.
    pub name: String,
    /// What it has beside, or in place of, what the configuration says.
    pub settings: Vec<Setting>,
    /// What it is known by beside its settings, if by something.
    pub known_by: Option<String>,
}

/// A key with what it is set to.
pub(super) fn setting<const N: usize>(key: [&str; N], value: &serde_json::Value) -> Setting {
    // strings, numbers, booleans and lists of these are written in TOML as in JSON
    Setting { key: key.map(str::to_owned).into(), value: value.to_string() }
}

/// A key with what it is set to, where a table sets all of its keys.
pub(super) fn settings_of(key: &[String], value: &serde_json::Value) -> Vec<Setting> {
    match value {
        serde_json::Value::Object(table) => {
            let inner =
                table.iter().map(|(name, value)| settings_of(&[key, std::slice::from_ref(name)].concat(), value));
            inner.flatten().collect()
        }
        value => vec![Setting { key: key.to_vec(), value: value.to_string() }],
    }
}

/// Whether what is in the output folder is to be gone on with: with nothing there, it begins.
pub(super) fn goes_on(identity: &FolderIdentity, options: &Options, progress: &mut dyn Progress) -> bool {
    let is_there = identity.is_in(&options.out);
    if options.resume && !is_there {
        progress.note(&format!("there is nothing in {} to go on with: it begins", options.out.display()));
    }
    options.resume && is_there
}

/// What a thread tells.
enum Told {
    /// Something that one should know of a run.
    Note(usize, String),
    /// A run has come to its end, or was interrupted.
    Ended(usize, Result<Option<Reached>>),
}

impl Sweep<'_> {
    /// Trains all runs that are not done. Returns what each reached, in their order; none where it was interrupted.
    ///
    /// # Errors
    /// When a training fails: the error of the first that does, once the others have saved what they have.
    pub fn run(&self, runs: &[SweepRun], progress: &mut dyn Progress) -> Result<Option<Vec<Reached>>> {
        let names: BTreeSet<&String> = runs.iter().map(|run| &run.name).collect();
        assert_eq!(names.len(), runs.len(), "two runs cannot train in one folder");
        let sha256 = hash_file(self.config)?.sha256;
        let mut reached: Vec<Option<Reached>> = Vec::with_capacity(runs.len());
        for run in runs {
            reached.push(self.done(run)?);
        }
        let left: Vec<usize> = (0..runs.len()).filter(|number| reached[*number].is_none()).collect();
        let queue = Mutex::new(left.iter().copied());
        let (begun, done_before) = (Instant::now(), runs.len() - left.len());
        let stop = AtomicBool::new(progress.should_stop());
        let (sender, receiver) = channel();
        let (mut failed, mut noted) = (None, BTreeSet::new());
        thread::scope(|scope| {
            for _ in 0..self.at_once().min(left.len()) {
                let (sender, queue, stop, sha256) = (sender.clone(), &queue, &stop, &sha256);
                scope.spawn(move || {
                    loop {
                        let next = queue.lock().expect("no thread fails while it holds the queue").next();
                        let Some(number) = next.filter(|_| !stop.load(Ordering::Relaxed)) else { return };
                        let ended = self.train(&runs[number], sha256, stop, &|text: &str| {
                            // nobody listens where another run has failed
                            let _ = sender.send(Told::Note(number, text.to_owned()));
                        });
                        if sender.send(Told::Ended(number, ended)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            loop {
                if progress.should_stop() {
                    stop.store(true, Ordering::Relaxed);
                }
                match receiver.recv_timeout(GLANCE) {
                    // what holds for all runs is said once
                    Ok(Told::Note(number, text)) => {
                        if noted.insert(text.clone()) {
                            progress.note(&format!("{}: {text}", runs[number].name));
                        }
                    }
                    Ok(Told::Ended(number, Ok(Some(own)))) => {
                        let done = reached.iter().flatten().count() + 1;
                        let each = begun.elapsed().as_secs_f64() / (done - done_before) as f64;
                        let minutes = each * (runs.len() - done) as f64 / 60.0;
                        let name = &runs[number].name;
                        progress.note(&format!(
                            "{name}: {own}; {done} of {} are done, about {minutes:.0} min are left",
                            runs.len()
                        ));
                        reached[number] = Some(own);
                    }
                    Ok(Told::Ended(number, Err(error))) => {
                        stop.store(true, Ordering::Relaxed);
                        let source = Box::new(error);
                        failed.get_or_insert(Error::InSweep { path: self.folder(&runs[number]), source });
                    }
                    // interrupted, or nothing happens
                    Ok(Told::Ended(_, Ok(None))) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(reached.into_iter().collect()),
        }
    }

    /// Runs at once.
    fn at_once(&self) -> usize {
        let default = if self.options.device == DeviceName::Cpu { self.options.threads / self.threads } else { 1 };
        self.at_once.unwrap_or(default).max(1)
    }

    /// The folder of a run.
    pub fn folder(&self, run: &SweepRun) -> PathBuf {
        self.options.out.join(RUNS).join(&run.name)
    }

    /// What a run reached, if it is done.
    fn done(&self, run: &SweepRun) -> Result<Option<Reached>> {
        let folder = self.folder(run);
        let Some(reached) = Reached::read(&folder)? else { return Ok(None) };
        if reached.settings == said(run) {
            self.tidy(&folder)?;
            return Ok(Some(reached));
        }
        let (was, is) = (&reached.settings, said(run));
        let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let of = |settings: &BTreeMap<String, String>, key: &String| {
            settings.get(key).cloned().unwrap_or_else(|| "nothing".to_owned())
        };
        let differ = keys.into_iter().filter(|key| was.get(*key) != is.get(*key));
        let differences = differ.map(|key| format!("`{key}` was {}, and is {}", of(was, key), of(&is, key)));
        Err(Error::OtherBeginning { path: folder, differences: differences.collect(), may_change: "nothing of that" })
    }

    /// Trains a run on threads of its own. Returns nothing where it was interrupted.
    ///
    /// - `sha256`: of the configuration, which is the same for all runs
    /// - `note`: is told what one should know
    fn train(
        &self,
        run: &SweepRun,
        sha256: &str,
        stop: &AtomicBool,
        note: &(dyn Fn(&str) + Sync),
    ) -> Result<Option<Reached>> {
        let folder = self.folder(run);
        if hash_file(self.config)?.sha256 != sha256 {
            let message =
                "it was changed while models were trained from it; put it back, and go on with --resume".to_owned();
            return Err(Error::Data { path: self.config.to_owned(), message });
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).stack_size(STACK).build();
        let pool = pool.map_err(|error| Error::file("begin threads for", &folder)(io::Error::other(error)))?;
        let work = Work {
            config: self.config,
            settings: &run.settings,
            said: said(run),
            folder: &folder,
            cache: self.options.cache(),
            device: self.options.device,
            threads: self.threads,
        };
        let reached = pool.install(|| work.train(stop, note))?;
        if reached.is_some() {
            self.tidy(&folder)?;
        }
        Ok(reached)
    }

    /// Takes out what is not wanted any more of a run that is done.
    fn tidy(&self, folder: &Path) -> Result<()> {
        if self.keep_models {
            return Ok(());
        }
        LEFT_OVER.iter().try_for_each(|name| {
            let path = folder.join(name);
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", &path)(error)),
                _ => Ok(()),
            }
        })
    }
}

/// What a run is known by, as it is kept: its settings by key, but for where its files lie.
fn said(run: &SweepRun) -> BTreeMap<String, String> {
    let settings = run.settings.iter().filter(|setting| !is_path(&setting.key));
    let settings = settings.map(|Setting { key, value }| (key.join("."), value.clone()));
    settings.chain(run.known_by.iter().map(|known| ("data and model".to_owned(), known.clone()))).collect()
}
