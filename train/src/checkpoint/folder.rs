//! Saving, finding and loading checkpoints.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use schemas::manifest::FileEntry;
use serde::{Deserialize, Serialize};
use system::{AtomicFile, Written, sha256, sync_folder};

use super::{state::State, tensors};
use crate::{
    error::{Error, Result},
    model::{NamedTensor, Which, WriteTensor},
};

/// What a training is, so that it goes on with the same and no other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The configuration: what may not change between a start and a resume.
    pub config: serde_json::Value,
    /// SHA-256 of the tokenizer's file.
    pub tokenizer: String,
    /// SHA-256 over the hashes of the mixture's files.
    pub mixture: String,
    /// Threads: sums of floats may depend on them.
    pub threads: usize,
    /// SHA-256 of the weights that it began from; empty where it began from nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub weights: String,
    /// The model that its adapters are for, whose weights a checkpoint does not hold; none where it holds all weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
}

/// The model that adapters are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its folder, from the root.
    pub folder: PathBuf,
    /// The step of its checkpoint, where it is one of a training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// The folder of an adapter that is merged into it, from the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// Rows of its token embedding: its own, and those of tokens that were added.
    pub vocab_size: usize,
    /// How many of them are of tokens that were added.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub new_rows: usize,
    /// SHA-256 of the adapter that the training went on from; empty where it went on from none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub began_with: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Where a log ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPlace {
    /// Its size in bytes.
    pub bytes: u64,
    /// XXH3-128 of these bytes, as 32 hexadecimal digits.
    pub xxh3: String,
}

/// A checkpoint: one that was read, or one to be saved, of which tensors may lie wherever they can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint<T = NamedTensor> {
    /// Where the training stands.
    pub state: State,
    /// It was due at this step, and was not saved because the training was stopped here.
    pub due: bool,
    /// What was trained.
    pub identity: Identity,
    /// Where each log ended, by the name of its file: what comes after that is told again by a training that goes on from here.
    pub logs: BTreeMap<String, LogPlace>,
    /// The model's parameters: what it is judged by, and used with.
    pub model: Vec<T>,
    /// The parameters that the training goes on with, where `model` has an average of them; nothing, as a rule.
    pub unaveraged: Vec<T>,
    /// The optimizer's states: `tokens.first` is the state `first` of `tokens`, `[elements]`.
    pub optimizer: Vec<T>,
    /// What the source of batches cannot make again from their numbers, such as what a policy wrote before it was changed; nothing, as a rule.
    pub memory: Vec<NamedTensor>,
}

/// `checkpoint.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Summary {
    pub state: State,
    due: bool,
    pub identity: Identity,
    logs: BTreeMap<String, LogPlace>,
    pub files: Vec<FileEntry>,
}

const SUMMARY: &str = "checkpoint.json";
/// The hash of the summary, as `sha256sum` writes and checks it.
const HASH: &str = "checkpoint.sha256";
pub(super) const MODEL: &str = "model.safetensors";
/// The file of the optimizer's states in the folder of a checkpoint.
pub const OPTIMIZER: &str = "optimizer.safetensors";
/// The file of the parameters that a training goes on with, where the model's are an average.
const UNAVERAGED: &str = "unaveraged.safetensors";
/// The file of what the source of batches remembers, where it does.
const MEMORY: &str = "memory.safetensors";

fn folder(out: &Path) -> PathBuf {
    out.join("checkpoints")
}

fn name(step: u64) -> String {
    format!("step-{step:08}")
}

/// Saves a checkpoint in the folder of a training; it appears when all of it is on the disk.
///
/// # Errors
/// When something cannot be written. What was there before stays.
pub fn save(out: &Path, checkpoint: &Checkpoint<impl WriteTensor>) -> Result<PathBuf> {
    let folder = folder(out);
    let name = name(checkpoint.state.step);
    let (partial, path) = (folder.join(format!(".{name}.partial")), folder.join(&name));
    let written = write_files(&partial, checkpoint);
    written.inspect_err(|_| {
        // half a checkpoint is of no use, and may be what fills the disk
        let _ = fs::remove_dir_all(&partial);
    })?;
    if path.exists() {
        remove(&path)?;
    }
    fs::rename(&partial, &path).map_err(Error::file("rename to", &path))?;
    sync_folder(&folder)?;
    Ok(path)
}

fn write_files(partial: &Path, checkpoint: &Checkpoint<impl WriteTensor>) -> Result<()> {
    fs::create_dir_all(partial).map_err(Error::file("make the folder", partial))?;
    let mut files = Vec::new();
    let mut push = |name: &str, Written { bytes, sha256 }| {
        files.push(FileEntry { path: name.into(), rows: None, bytes, sha256 });
    };
    for (name, tensors) in [(MODEL, &checkpoint.model), (OPTIMIZER, &checkpoint.optimizer)] {
        push(name, tensors::write(&partial.join(name), tensors)?);
    }
    if !checkpoint.unaveraged.is_empty() {
        push(UNAVERAGED, tensors::write(&partial.join(UNAVERAGED), &checkpoint.unaveraged)?);
    }
    if !checkpoint.memory.is_empty() {
        push(MEMORY, tensors::write(&partial.join(MEMORY), &checkpoint.memory)?);
    }
    let Checkpoint { state, due, identity, logs, .. } = checkpoint;
    let summary = Summary { state: state.clone(), due: *due, identity: identity.clone(), logs: logs.clone(), files };
    let json = serde_json::to_vec_pretty(&summary).expect("the summary is JSON");
    AtomicFile::write_whole(&partial.join(SUMMARY), &json)?;
    AtomicFile::write_whole(&partial.join(HASH), hash_line(&json).as_bytes())?;
    Ok(())
}

fn hash_line(summary: &[u8]) -> String {
    format!("{}  {SUMMARY}\n", sha256(summary))
}

/// The checkpoints in the folder of a training, in rising order of their steps.
///
/// # Errors
/// When the folder cannot be listed.
pub fn checkpoints(out: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder(out);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::file("list", &folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::file("list", &folder))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("step-")) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A checkpoint of a training.
///
/// # Errors
/// When there is none such, or it is damaged.
pub fn find(out: &Path, which: Which) -> Result<Checkpoint> {
    load(&path_of(out, which)?)
}

/// Where a checkpoint of a training lies: the best, as far as the newest knows.
///
/// # Errors
/// When there is none such; for the best, when nothing was evaluated yet, or the newest is damaged.
pub(super) fn path_of(out: &Path, which: Which) -> Result<PathBuf> {
    let found = checkpoints(out)?;
    let newest = found.last().ok_or_else(|| Error::NoCheckpoint { path: out.to_owned() })?;
    match which {
        Which::Newest => Ok(newest.clone()),
        Which::Best => match summary(newest)?.state.best {
            Some(best) => Ok(folder(out).join(name(best.step))),
            None => Err(Error::NoBest { path: out.to_owned() }),
        },
        Which::Step(step) => {
            let wanted = folder(out).join(name(step));
            if found.contains(&wanted) {
                return Ok(wanted);
            }
            let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Err(Error::NoSuchStep { path: out.to_owned(), step, there: found.iter().map(name).collect() })
        }
    }
}

/// The newest checkpoint of a training.
///
/// # Errors
/// When there is none, or it is damaged.
pub fn newest(out: &Path) -> Result<Checkpoint> {
    find(out, Which::Newest)
}

/// Removes checkpoints but the newest `keep` of those that were due, the newest of all, and the one of step `best`.
///
/// # Errors
/// When one cannot be listed or removed.
pub fn prune(out: &Path, keep: usize, best: Option<u64>) -> Result<()> {
    let found = checkpoints(out)?;
    let best = best.map(name);
    let mut due = 0;
    for (age, path) in found.iter().rev().enumerate() {
        // one that cannot be read counts, so that nothing sound is kept longer or shorter for it
        let counts = summary(path).map_or(true, |summary| summary.due);
        due += usize::from(counts);
        let is_best = best.as_deref().is_some_and(|best| path.ends_with(best));
        if age > 0 && !is_best && !(counts && due <= keep) {
            remove(path)?;
        }
    }
    remove_remains(out)
}

/// Removes the checkpoints of later steps than `step`: those of a way that the training does not go.
///
/// # Errors
/// When one cannot be listed or removed.
pub fn remove_after(out: &Path, step: u64) -> Result<()> {
    let last = folder(out).join(name(step));
    checkpoints(out)?.iter().filter(|path| **path > last).try_for_each(|path| remove(path))
}

/// Removes a checkpoint so that, wherever this is stopped, it is there whole or not at all.
fn remove(path: &Path) -> Result<()> {
    let hidden = path.with_file_name(format!(".{}.removed", path.file_name().unwrap_or_default().to_string_lossy()));
    if hidden.exists() {
        fs::remove_dir_all(&hidden).map_err(Error::file("remove", &hidden))?;
    }
    fs::rename(path, &hidden).map_err(Error::file("remove", path))?;
    fs::remove_dir_all(&hidden).map_err(Error::file("remove", &hidden))
}

/// Removes what a kill left of checkpoints that were half written or half removed.
fn remove_remains(out: &Path) -> Result<()> {
    let folder = folder(out);
    for entry in fs::read_dir(&folder).map_err(Error::file("list", &folder))? {
        let path = entry.map_err(Error::file("list", &folder))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".step-")) {
            fs::remove_dir_all(&path).map_err(Error::file("remove", &path))?;
        }
    }
    Ok(())
}

pub(super) fn summary(path: &Path) -> Result<Summary> {
    let (path, hash) = (path.join(SUMMARY), path.join(HASH));
    let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
    let line = fs::read(&hash).map_err(Error::file("read", &hash))?;
    if line != hash_line(&bytes).as_bytes() {
        let message = format!("its bytes are not those that {} was written for", hash.display());
        return Err(Error::Damaged { path, message });
    }
    serde_json::from_slice(&bytes).map_err(|error| Error::Damaged { path, message: error.to_string() })
}

/// Loads a checkpoint, and makes sure that every file is the one that was written.
///
/// # Errors
/// When a file is missing, cut short or changed: it is named.
pub fn load(path: &Path) -> Result<Checkpoint> {
    let summary = summary(path)?;
    let model = read_tensors(path, MODEL, &summary)?;
    let optimizer = read_tensors(path, OPTIMIZER, &summary)?;
    let where_listed = |name: &str| {
        let is_listed = summary.files.iter().any(|file| file.path == name);
        if is_listed { read_tensors(path, name, &summary) } else { Ok(Vec::new()) }
    };
    let (unaveraged, memory) = (where_listed(UNAVERAGED)?, where_listed(MEMORY)?);
    let Summary { state, due, identity, logs, .. } = summary;
    Ok(Checkpoint { state, due, identity, logs, model, unaveraged, optimizer, memory })
}

/// The tensors of a file, in the order of their names.
fn read_tensors(folder: &Path, name: &str, summary: &Summary) -> Result<Vec<NamedTensor>> {
    let path = folder.join(name);
    let damaged = |message: String| Error::Damaged { path: path.clone(), message };
    let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
    let written = summary.files.iter().find(|file| file.path == name);
    let written = written.ok_or_else(|| damaged(format!("{SUMMARY} does not list it")))?;
    if bytes.len() as u64 != written.bytes {
        return Err(damaged(format!("it has {} bytes, and {} were written", bytes.len(), written.bytes)));
    }
    if sha256(&bytes) != written.sha256 {
        return Err(damaged("its bytes are not those that were written".into()));
    }
    Ok(tensors::from_bytes(&bytes, &path)?.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Best, BestScore, Exact};

    fn checkpoint(step: u64) -> Checkpoint {
        let identity = Identity {
            config: serde_json::json!({"layers": 2}),
            tokenizer: "a".into(),
            mixture: "b".into(),
            threads: 2,
            weights: String::new(),
            base: None,
        };
        let model =
            vec![NamedTensor { name: "blocks.0.weight".into(), shape: vec![2, 2], values: vec![1.0, -0.5, 3e-9, 4.0] }];
        let state = |name: &str, value| NamedTensor {
            name: format!("blocks.0.weight.{name}"),
            shape: vec![4],
            values: vec![value; 4],
        };
        let optimizer = vec![state("first", 0.1), state("second", f32::MIN_POSITIVE)];
        let score = BestScore { key: "validation_loss".into(), value: Exact(0.1 + 0.2) };
        let best = Some(Best { step: 5, score, eval_set: "d".into() });
        let state = State { step, batch: step + 3, best, ..State::default() };
        let place = LogPlace { bytes: 17, xxh3: "c".into() };
        let logs = [("metrics.jsonl".to_owned(), place)].into();
        // some sources of batches remember something, and most do not
        let written = NamedTensor { name: "ids".into(), shape: vec![3], values: vec![7.0, 8.0, 9.0] };
        let memory = if step == 10 { vec![written] } else { Vec::new() };
        // nor do most trainings average their weights
        let unaveraged = if step == 10 { model.clone() } else { Vec::new() };
        Checkpoint { state, due: step.is_multiple_of(5), identity, logs, model, unaveraged, optimizer, memory }
    }

    fn steps(out: &Path) -> Result<Vec<u64>> {
        checkpoints(out)?.iter().map(|path| Ok(summary(path)?.state.step)).collect()
    }

    #[test]
    fn what_was_saved_is_loaded() -> Result<()> {
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        for step in [5, 10, 200] {
            save(out.path(), &checkpoint(step))?;
        }
        assert_eq!(newest(out.path())?, checkpoint(200));
        assert_eq!(find(out.path(), Which::Best)?, checkpoint(5));
        assert_eq!(find(out.path(), Which::Step(10))?, checkpoint(10));
        let error = find(out.path(), Which::Step(11)).expect_err("there is none").to_string();
        assert!(
            error.ends_with("holds no checkpoint of step 11; there are step-00000005, step-00000010, step-00000200"),
            "{error}"
        );
        Ok(())
    }

    /// What a training may go back to stays, however often it was stopped since; so does the best.
    #[test]
    fn the_last_and_the_best_are_kept() -> Result<()> {
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        for step in [5, 10, 15, 20, 22, 23] {
            save(out.path(), &checkpoint(step))?;
        }
        fs::create_dir(folder(out.path()).join(".step-00000009.removed")).expect("the folder can be made");
        prune(out.path(), 2, Some(5))?;
        assert_eq!(steps(out.path())?, [5, 15, 20, 23]);
        assert_eq!(fs::read_dir(folder(out.path())).expect("it is a folder").count(), 4, "no remains");
        remove_after(out.path(), 15)?;
        assert_eq!(steps(out.path())?, [5, 15]);
        Ok(())
    }

    #[test]
    fn a_file_cut_short_is_named() -> Result<()> {
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        let path = save(out.path(), &checkpoint(5))?;
        let model = path.join(MODEL);
        let bytes = fs::read(&model).expect("the model was saved");
        fs::write(&model, &bytes[..bytes.len() / 2]).expect("the model can be cut");
        let error = newest(out.path()).expect_err("half a model is none").to_string();
        assert!(error.contains("step-00000005/model.safetensors is damaged") && error.contains("bytes"), "{error}");

        let mut changed = bytes.clone();
        *changed.last_mut().expect("the model is not empty") ^= 1;
        fs::write(&model, changed).expect("the model can be changed");
        let error = newest(out.path()).expect_err("a changed model is another").to_string();
        assert!(error.contains("not those that were written"), "{error}");

        // nor does another step stand in the summary without a word
        fs::write(&model, bytes).expect("the model can be mended");
        assert_eq!(newest(out.path())?, checkpoint(5));
        let summary = path.join(SUMMARY);
        let json = fs::read_to_string(&summary).expect("the summary was saved");
        fs::write(&summary, json.replace("\"step\": 5", "\"step\": 6")).expect("the summary can be changed");
        let error = newest(out.path()).expect_err("it is another summary").to_string();
        assert!(error.contains("step-00000005/checkpoint.json is damaged"), "{error}");
        Ok(())
    }
}
