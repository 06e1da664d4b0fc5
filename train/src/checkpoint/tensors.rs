//! Tensors as files of the crate `safetensors` have them.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use burn::tensor::{bf16, f16};
use safetensors::{
    Dtype, SafeTensors,
    tensor::{Metadata, TensorInfo},
};
use system::{HashedFile, Written};

use crate::{
    error::{Error, Result},
    model::{NamedTensor, WriteTensor},
};

/// Values that become bytes at a time.
const PIECE: usize = 1 << 16;

/// Writes tensors, in single precision, to a file that appears by rename. Beside them, memory holds the values of one at a time.
///
/// # Errors
/// When the file cannot be written.
pub fn write<'t, T: WriteTensor + 't>(path: &Path, tensors: impl IntoIterator<Item = &'t T>) -> Result<Written> {
    let mut sorted: Vec<&T> = tensors.into_iter().collect();
    // the order of the format: by name, where all are of one kind
    sorted.sort_by(|one, other| one.name().cmp(other.name()));
    let mut file = HashedFile::create(path)?;
    write_to(&mut file, &sorted).map_err(Error::file("write", path))?;
    Ok(file.publish()?)
}

fn write_to(out: &mut impl Write, tensors: &[&impl WriteTensor]) -> io::Result<()> {
    let header = header(tensors);
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    let mut bytes = Vec::with_capacity(PIECE * size_of::<f32>());
    for tensor in tensors {
        let values = tensor.values();
        assert_eq!(
            values.len(),
            tensor.shape().iter().product::<usize>(),
            "`{}` has the values of its shape",
            tensor.name()
        );
        for values in values.chunks(PIECE) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            out.write_all(&bytes)?;
        }
    }
    Ok(())
}

/// What a file says of its tensors, filled with blanks up to a multiple of 8 bytes.
fn header(tensors: &[&impl WriteTensor]) -> Vec<u8> {
    let mut begin = 0;
    let mut infos = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let shape = tensor.shape().to_vec();
        let end = begin + size_of::<f32>() * shape.iter().product::<usize>();
        infos.push((tensor.name().to_owned(), TensorInfo { dtype: Dtype::F32, shape, data_offsets: (begin, end) }));
        begin = end;
    }
    // `format` is what other readers look for
    let metadata = Metadata::new(Some([("format".to_owned(), "pt".to_owned())].into()), infos);
    let metadata = metadata.expect("each tensor lies behind the one before it");
    let mut header = serde_json::to_vec(&metadata).expect("names and sizes are JSON");
    header.resize(header.len().next_multiple_of(8), b' ');
    header
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

#[cfg(test)]
mod tests {
    use std::fs;

    use safetensors::tensor::TensorView;

    use super::*;

    /// The very file that the format's own library writes, and the hash of it.
    #[test]
    fn a_file_is_the_librarys() -> Result<()> {
        let named = |name: &str, shape: &[usize]| {
            let values = (0..shape.iter().product()).map(|place: usize| place as f32 / 7.0).collect();
            NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values }
        };
        let tensors =
            [named("b.weight", &[3, 2]), named("a", &[PIECE + 1]), named("none", &[0, 4]), named("b.bias", &[1])];
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("x.safetensors");
        let written = write(&path, &tensors)?;
        let bytes: Vec<Vec<u8>> =
            tensors.iter().map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
        let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).expect("a shape fits its values");
            (tensor.name.clone(), view)
        });
        let metadata = Some([("format".to_owned(), "pt".to_owned())].into());
        let expected = safetensors::serialize(views, metadata).expect("tensors in memory can be written");
        assert_eq!(fs::read(&path).expect("it was written"), expected);
        assert_eq!(written, Written { bytes: expected.len() as u64, sha256: system::sha256(&expected) });
        Ok(())
    }
}
