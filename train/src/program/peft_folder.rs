//! An adapter in a folder of PEFT.
//!
//! ```text
//! FOLDER/adapter_config.json         its kind, and the layers that it is for
//!        adapter_model.safetensors   A and B of each
//! ```

use std::path::Path;

use system::{AtomicFile, hash_file};

use super::huggingface_folder::json_file;
use crate::{
    checkpoint::{self, TensorFile},
    error::{Error, Result},
    model::{
        AdapterWeights, Architecture, Family,
        huggingface::{PeftAdapter, read_adapter, write_adapter},
    },
};

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
const PICKLED: &str = "adapter_model.bin";

/// Reads the adapter in a folder, for a model. Returns the SHA-256 of its weights with it.
///
/// # Errors
/// When a file is missing or damaged, or the adapter is of a kind that is not computed, or for a model of another shape.
pub fn read(folder: &Path, family: Family, architecture: &Architecture) -> Result<(PeftAdapter, String)> {
    let failed = |message: String| Error::HuggingFace { path: folder.to_owned(), message };
    let config = json_file(&folder.join(CONFIG))?;
    let path = folder.join(WEIGHTS);
    if !path.is_file() && folder.join(PICKLED).is_file() {
        return Err(failed(format!(
            "it has no {WEIGHTS}, and {PICKLED} holds pickled objects of Python, which are not read"
        )));
    }
    let tensors = TensorFile::open(&path)?;
    let adapter = read_adapter(&config, &tensors, family, architecture).map_err(failed)?;
    Ok((adapter, hash_file(&path)?.sha256))
}

/// Writes adapters into a folder that PEFT loads.
///
/// - `base`: where the model lies that they are for
///
/// # Errors
/// When the model has no counterpart at Hugging Face: in words; or a file cannot be written.
pub fn write(
    folder: &Path,
    weights: &AdapterWeights,
    (family, architecture): (Family, &Architecture),
    base: &Path,
) -> Result<()> {
    let failed = |message| Error::HuggingFace { path: folder.to_owned(), message };
    let base = base.to_string_lossy();
    let (config, tensors) = write_adapter(weights, family, architecture, &base).map_err(failed)?;
    checkpoint::write_tensors(&folder.join(WEIGHTS), &tensors)?;
    let config = serde_json::to_vec_pretty(&config).expect("a value is JSON");
    AtomicFile::write_whole(&folder.join(CONFIG), &config)?;
    Ok(())
}
