//! Saving, finding and loading checkpoints.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use schemas::manifest::FileEntry;
use serde::{Deserialize, Serialize};

use super::files::{sha256, sync_folder, write};
use crate::{
    error::{Error, Result},
    model::Named,
    optimize::Moments,
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
}

/// A checkpoint in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Steps that were taken.
    pub step: u64,
    /// What was trained.
    pub identity: Identity,
    /// The model's parameters.
    pub model: Vec<Named>,
    /// The optimizer's memory.
    pub moments: Vec<Moments>,
}

/// `checkpoint.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Summary {
    step: u64,
    identity: Identity,
    files: Vec<FileEntry>,
}

const SUMMARY: &str = "checkpoint.json";
const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";

fn folder(out: &Path) -> PathBuf {
    out.join("checkpoints")
}

/// Saves a checkpoint in the folder of a training; it appears when all of it is on the disk.
///
/// # Errors
/// When something cannot be written. What was there before stays.
pub fn save(out: &Path, checkpoint: &Checkpoint) -> Result<PathBuf> {
    let folder = folder(out);
    let name = format!("step-{:08}", checkpoint.step);
    let (partial, path) = (folder.join(format!(".{name}.partial")), folder.join(&name));
    let written = write_files(&partial, checkpoint);
    written.inspect_err(|_| {
        // half a checkpoint is of no use, and may be what fills the disk
        let _ = fs::remove_dir_all(&partial);
    })?;
    if path.exists() {
        fs::remove_dir_all(&path).map_err(Error::file("replace", &path))?;
    }
    fs::rename(&partial, &path).map_err(Error::file("rename to", &path))?;
    sync_folder(&folder)?;
    Ok(path)
}

fn write_files(partial: &Path, checkpoint: &Checkpoint) -> Result<()> {
    fs::create_dir_all(partial).map_err(Error::file("make the folder", partial))?;
    let model = tensors(checkpoint.model.iter().map(|named| (named.name.clone(), named.shape.clone(), &named.values)));
    let moments = checkpoint.moments.iter().flat_map(|Moments { name, first, second }| {
        let shape = vec![first.len()];
        [(format!("{name}.first"), shape.clone(), first), (format!("{name}.second"), shape, second)]
    });
    let mut files = Vec::new();
    for (name, bytes) in [(MODEL, model), (OPTIMIZER, tensors(moments))] {
        write(&partial.join(name), &bytes)?;
        files.push(FileEntry { path: name.into(), rows: None, bytes: bytes.len() as u64, sha256: sha256(&bytes) });
    }
    let summary = Summary { step: checkpoint.step, identity: checkpoint.identity.clone(), files };
    let json = serde_json::to_vec_pretty(&summary).expect("the summary is JSON");
    write(&partial.join(SUMMARY), &json)
}

/// Tensors in the format of the crate `safetensors`.
fn tensors<'v>(values: impl Iterator<Item = (String, Vec<usize>, &'v Vec<f32>)>) -> Vec<u8> {
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = values
        .map(|(name, shape, values)| (name, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a shape fits its values");
        (name.as_str(), view)
    });
    // `format` is what other readers look for
    let metadata = Some([("format".to_owned(), "pt".to_owned())].into());
    safetensors::serialize(views, metadata).expect("tensors in memory can be written")
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

/// The newest checkpoint of a training.
///
/// # Errors
/// When there is none, or it is damaged.
pub fn newest(out: &Path) -> Result<Checkpoint> {
    match checkpoints(out)?.last() {
        Some(path) => load(path),
        None => Err(Error::NoCheckpoint { path: out.to_owned() }),
    }
}

/// Removes all checkpoints but the newest `keep`.
///
/// # Errors
/// When one cannot be removed.
pub fn prune(out: &Path, keep: usize) -> Result<()> {
    let found = checkpoints(out)?;
    for old in &found[..found.len().saturating_sub(keep)] {
        fs::remove_dir_all(old).map_err(Error::file("remove", old))?;
    }
    Ok(())
}

/// Loads a checkpoint, and makes sure that every file is the one that was written.
///
/// # Errors
/// When a file is missing, cut short or changed: it is named.
pub fn load(path: &Path) -> Result<Checkpoint> {
    let summary_path = path.join(SUMMARY);
    let bytes = fs::read(&summary_path).map_err(Error::file("read", &summary_path))?;
    let summary: Summary = serde_json::from_slice(&bytes)
        .map_err(|error| Error::Damaged { path: summary_path.clone(), message: error.to_string() })?;
    let model = read_tensors(path, MODEL, &summary)?
        .into_iter()
        .map(|(name, (shape, values))| Named { name, shape, values })
        .collect();
    let mut optimizer = read_tensors(path, OPTIMIZER, &summary)?;
    let names: Vec<String> =
        optimizer.keys().filter_map(|name| name.strip_suffix(".first")).map(str::to_owned).collect();
    let mut moments = Vec::new();
    for name in names {
        let first = optimizer.remove(&format!("{name}.first"));
        let second = optimizer.remove(&format!("{name}.second"));
        let (Some((_, first)), Some((_, second))) = (first, second) else {
            let message = format!("it has no second moment of `{name}`");
            return Err(Error::Damaged { path: path.join(OPTIMIZER), message });
        };
        moments.push(Moments { name, first, second });
    }
    Ok(Checkpoint { step: summary.step, identity: summary.identity, model, moments })
}

/// Tensors by name, each with its shape and values.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn read_tensors(folder: &Path, name: &str, summary: &Summary) -> Result<Tensors> {
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
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| damaged(error.to_string()))?;
    let values = |view: &TensorView<'_>| {
        let (chunks, _) = view.data().as_chunks::<4>();
        chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect::<Vec<f32>>()
    };
    Ok(tensors.tensors().into_iter().map(|(name, view)| (name, (view.shape().to_vec(), values(&view)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(step: u64) -> Checkpoint {
        let identity = Identity {
            config: serde_json::json!({"layers": 2}),
            tokenizer: "a".into(),
            mixture: "b".into(),
            threads: 2,
        };
        let model =
            vec![Named { name: "blocks.0.weight".into(), shape: vec![2, 2], values: vec![1.0, -0.5, 3e-9, 4.0] }];
        let moments =
            vec![Moments { name: "blocks.0.weight".into(), first: vec![0.1; 4], second: vec![f32::MIN_POSITIVE; 4] }];
        Checkpoint { step, identity, model, moments }
    }

    #[test]
    fn what_was_saved_is_loaded() -> Result<()> {
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        for step in [5, 10, 200] {
            save(out.path(), &checkpoint(step))?;
        }
        assert_eq!(newest(out.path())?, checkpoint(200));
        prune(out.path(), 2)?;
        assert_eq!(checkpoints(out.path())?.len(), 2);
        assert_eq!(load(&checkpoints(out.path())?[0])?, checkpoint(10));
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
        Ok(())
    }
}
