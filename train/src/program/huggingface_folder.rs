//! A model in a folder of Hugging Face, read a parameter at a time.
//!
//! ```text
//! FOLDER/config.json                     the architecture
//!        model.safetensors               weights,
//!        model.safetensors.index.json    or the names of several such files, model-00001-of-00003.safetensors and so on
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use schemas::byte_order_mark::without_mark;
use serde_json::Value;
use system::{hash_file, sha256};

use crate::{
    checkpoint::TensorFile,
    error::{Error, Result},
    model::{
        NamedTensor,
        huggingface::{Imported, TensorSource, import},
    },
};

pub(super) const CONFIG: &str = "config.json";
pub(super) const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// A folder of Hugging Face whose model was understood; its numbers are still there.
#[derive(Debug)]
pub struct HuggingFaceFolder {
    path: PathBuf,
    files: Files,
    /// What it holds.
    pub model: Imported,
}

impl HuggingFaceFolder {
    /// Whether a folder looks like one.
    pub fn is_one(folder: &Path) -> bool {
        folder.join(CONFIG).is_file()
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the model computes what models do not compute here.
    pub fn open(folder: &Path) -> Result<Self> {
        let config = json_file(&folder.join(CONFIG))?;
        let files = Files::open(folder)?;
        let model =
            import(&config, &files).map_err(|message| Error::HuggingFace { path: folder.to_owned(), message })?;
        Ok(Self { path: folder.to_owned(), files, model })
    }

    /// Reads a parameter by its name here; none where the model has no such parameter.
    ///
    /// # Errors
    /// When it cannot be read, or one of its numbers is not finite: the tensor and its file.
    pub fn parameter(&self, name: &str) -> Result<Option<NamedTensor>> {
        let failed = |message| Error::HuggingFace { path: self.path.clone(), message };
        self.model.parameter(name, &self.files).map_err(failed)
    }

    /// SHA-256 of the file of weights; where there are several, over those of all.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn sha256(&self) -> Result<String> {
        let hashes = self.files.files.iter().map(|file| Ok(hash_file(file.path())?.sha256));
        let hashes = hashes.collect::<Result<Vec<String>>>()?;
        if let [hash] = &hashes[..] { Ok(hash.clone()) } else { Ok(sha256(hashes.concat().as_bytes())) }
    }
}

/// The files of weights, and which has which tensor.
#[derive(Debug)]
struct Files {
    files: Vec<TensorFile>,
    /// By name: the number of its file, and its shape where it is a weight.
    tensors: BTreeMap<String, (usize, Option<Vec<usize>>)>,
}

impl Files {
    fn open(folder: &Path) -> Result<Self> {
        let mut opened = Self { files: Vec::new(), tensors: BTreeMap::new() };
        let index = folder.join(INDEX);
        if !index.is_file() {
            return opened.with(&weights(folder)?);
        }
        let damaged = |message: String| Error::Damaged { path: index.clone(), message };
        let json = json_file(&index)?;
        let map = json["weight_map"].as_object().ok_or_else(|| damaged("it has no `weight_map`".into()))?;
        let names: BTreeSet<&str> = map.values().filter_map(Value::as_str).collect();
        for name in names {
            let path = folder.join(name);
            if !path.is_file() {
                return Err(damaged(format!("it names {name}, and there is no such file")));
            }
            opened = opened.with(&path)?;
        }
        match map.keys().find(|name| !opened.tensors.contains_key(*name)) {
            Some(name) => Err(damaged(format!("`{name}` should be in {}, and is not", map[name]))),
            None => Ok(opened),
        }
    }

    /// The same with one more file.
    fn with(mut self, path: &Path) -> Result<Self> {
        let file = TensorFile::open(path)?;
        for (name, shape) in file.shapes() {
            if let Some((other, _)) = self.tensors.insert(name.clone(), (self.files.len(), shape)) {
                let message = format!("`{name}` is in {}, too", self.files[other].path().display());
                return Err(Error::Damaged { path: path.to_owned(), message });
            }
        }
        self.files.push(file);
        Ok(self)
    }
}

impl TensorSource for Files {
    fn shapes(&self) -> BTreeMap<String, Option<Vec<usize>>> {
        self.tensors.iter().map(|(name, (_, shape))| (name.clone(), shape.clone())).collect()
    }

    fn read(&self, name: &str) -> Result<NamedTensor, String> {
        let (file, _) = self.tensors.get(name).ok_or_else(|| format!("the tensor `{name}` is missing"))?;
        self.files[*file].read(name).map_err(|error| error.to_string())
    }
}

/// The one file of weights.
fn weights(folder: &Path) -> Result<PathBuf> {
    let path = folder.join(WEIGHTS);
    let pickled = ["pytorch_model.bin", "pytorch_model.bin.index.json"].into_iter();
    match pickled.into_iter().find(|name| !path.is_file() && folder.join(name).is_file()) {
        Some(name) => Err(Error::HuggingFace {
            path: folder.to_owned(),
            message: format!(
                "it has no {WEIGHTS}, and {name} holds pickled objects of Python, which are not read; load it there, and save it by \
                 `save_pretrained`"
            ),
        }),
        None => Ok(path),
    }
}

pub(super) fn json_file(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).map_err(Error::file("read", path))?;
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let text = without_mark(&bytes).map_err(damaged)?;
    serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))
}
