//! Tensors as files of the crate `safetensors` have them.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use burn::tensor::{bf16, f16};
use safetensors::{Dtype, SafeTensors, View};

use crate::{
    error::{Error, Result},
    model::NamedTensor,
};

/// A file with these tensors, in single precision. Beside it, memory holds the bytes of one tensor at a time.
pub fn to_bytes<'v>(values: impl Iterator<Item = (String, Vec<usize>, &'v Vec<f32>)>) -> Vec<u8> {
    let views = values.map(|(name, shape, values)| (name, Values { shape, values }));
    // `format` is what other readers look for
    let metadata = Some([("format".to_owned(), "pt".to_owned())].into());
    safetensors::serialize(views, metadata).expect("tensors in memory can be written")
}

/// A tensor that becomes bytes when it is written.
struct Values<'v> {
    shape: Vec<usize>,
    values: &'v [f32],
}

impl View for Values<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.values)
    }
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
        let mut values = Vec::new();
        match view.dtype() {
            kind if is_whole_numbers(kind) => {}
            kind if append(kind, view.data(), &mut values) => {
                tensors.insert(name.clone(), NamedTensor { name, shape: view.shape().to_vec(), values });
            }
            other => return Err(damaged(format!("`{name}` has numbers of the kind {other:?}"))),
        }
    }
    Ok(tensors)
}

/// Whether numbers of a kind are whole, and so no weights.
pub(super) fn is_whole_numbers(kind: Dtype) -> bool {
    matches!(kind, Dtype::BOOL | Dtype::U8 | Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64)
}

/// Appends numbers of a kind in single precision. Returns whether weights may be of that kind.
pub(super) fn append(kind: Dtype, bytes: &[u8], values: &mut Vec<f32>) -> bool {
    let halves = || bytes.as_chunks::<2>().0.iter().copied();
    match kind {
        Dtype::F32 => values.extend(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes))),
        Dtype::BF16 => values.extend(halves().map(|bytes| bf16::from_le_bytes(bytes).to_f32())),
        Dtype::F16 => values.extend(halves().map(|bytes| f16::from_le_bytes(bytes).to_f32())),
        _ => return false,
    }
    true
}
