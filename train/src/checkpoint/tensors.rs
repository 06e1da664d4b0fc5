//! Tensors as files of the crate `safetensors` have them.

use std::{collections::BTreeMap, path::Path};

use burn::tensor::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{
    error::{Error, Result},
    model::NamedTensor,
};

/// A file with these tensors, in single precision.
pub fn to_bytes<'v>(values: impl Iterator<Item = (String, Vec<usize>, &'v Vec<f32>)>) -> Vec<u8> {
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

/// The tensors of a file by name, whatever their precision; those of integers are left out, since none is a weight.
///
/// # Errors
/// When `bytes`, which stand at `path`, are no such file, or have numbers of a kind that no weights have.
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<BTreeMap<String, NamedTensor>> {
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        let data = view.data();
        let halves = || data.as_chunks::<2>().0.iter().copied();
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Dtype::BF16 => halves().map(|bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
            Dtype::F16 => halves().map(|bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
            Dtype::BOOL | Dtype::U8 | Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64 => continue,
            other => return Err(damaged(format!("`{name}` has numbers of the kind {other:?}"))),
        };
        tensors.insert(name.clone(), NamedTensor { name, shape: view.shape().to_vec(), values });
    }
    Ok(tensors)
}

/// The names of all tensors of a file, those of integers among them.
///
/// # Errors
/// When `bytes`, which stand at `path`, are no such file.
pub fn names(bytes: &[u8], path: &Path) -> Result<Vec<String>> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| Error::Damaged { path: path.to_owned(), message: error.to_string() })?;
    Ok(file.names().into_iter().map(String::from).collect())
}
