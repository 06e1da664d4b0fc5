//! A file of tensors that is read a tensor at a time.
//!
//! ```text
//! length of the header (8) | header: JSON, name -> kind of numbers, shape, place | numbers
//! ```
//!
//! What is held is the header; a tensor is made in single precision while its bytes are read in pieces, and never lies there twice.
//!
//! Useful for: weights of which each is wanted once, of files that may be larger than memory. Not useful for: a file that is checked by its
//! hash as a whole; see [`super::load`].
//!
//! Source: the format of the crate `safetensors`.

use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use safetensors::tensor::{Metadata, TensorInfo};

use super::tensors::{append, is_whole_numbers};
use crate::{
    error::{Error, Result},
    model::{NamedTensor, huggingface::TensorSource},
};

/// The longest header, in bytes, as the format has it.
const LONGEST: u64 = 100_000_000;
/// Bytes that are read at a time: whole numbers of every kind.
const PIECE: usize = 1 << 20;

/// A file of tensors, open.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    /// Where the numbers begin.
    begin: u64,
}

impl TensorFile {
    /// Opens a file, and reads which tensors it has.
    ///
    /// # Errors
    /// When it cannot be read, is no such file, or is shorter or longer than its header says.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = || Error::file("read", path);
        let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
        let file = File::open(path).map_err(failed())?;
        let bytes = file.metadata().map_err(failed())?.len();
        if bytes < 8 {
            return Err(damaged(format!("it has {bytes} bytes, and not even the length of a header")));
        }
        let mut length = [0; 8];
        file.read_exact_at(&mut length, 0).map_err(failed())?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST || length > bytes - 8 {
            return Err(damaged(format!("its header would have {length} bytes, and the file has {bytes}")));
        }
        let mut header = vec![0; usize::try_from(length).expect("a header fits into memory")];
        file.read_exact_at(&mut header, 8).map_err(failed())?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| damaged(format!("its header: {error}")))?;
        let begin = 8 + length;
        let expected = begin + metadata.data_len() as u64;
        if bytes != expected {
            return Err(damaged(format!("it has {bytes} bytes, and by its header {expected}")));
        }
        Ok(Self { path: path.to_owned(), file, metadata, begin })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tensors by name, each with its shape; none where its numbers are whole, as those of a mask are.
    pub fn shapes(&self) -> impl Iterator<Item = (String, Option<Vec<usize>>)> {
        let shape = |info: &TensorInfo| (!is_whole_numbers(info.dtype)).then(|| info.shape.clone());
        self.metadata.tensors().into_iter().map(move |(name, info)| (name, shape(info)))
    }

    /// Whether there is a tensor of a name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.metadata.info(name).is_some()
    }

    /// Reads a tensor, in single precision.
    ///
    /// # Errors
    /// When there is none of that name, its numbers are of a kind that no weights have, or one of them is not finite.
    pub fn read(&self, name: &str) -> Result<NamedTensor> {
        let damaged = |message: String| Error::Damaged { path: self.path.clone(), message };
        let info = self.metadata.info(name).ok_or_else(|| damaged(format!("it has no tensor `{name}`")))?;
        let (from, to) = info.data_offsets;
        let mut values = Vec::with_capacity(info.shape.iter().product());
        let mut piece = vec![0; PIECE.min(to - from)];
        for start in (from..to).step_by(PIECE) {
            let piece = &mut piece[..PIECE.min(to - start)];
            self.file.read_exact_at(piece, self.begin + start as u64).map_err(Error::file("read", &self.path))?;
            if !append(info.dtype, piece, &mut values) {
                return Err(damaged(format!("`{name}` has numbers of the kind {:?}", info.dtype)));
            }
        }
        if let Some(place) = values.iter().position(|value: &f32| !value.is_finite()) {
            let (value, of) = (values[place], values.len());
            return Err(damaged(format!("number {place} of the {of} of `{name}` is {value}")));
        }
        Ok(NamedTensor { name: name.to_owned(), shape: info.shape.clone(), values })
    }
}

impl TensorSource for TensorFile {
    fn shapes(&self) -> BTreeMap<String, Option<Vec<usize>>> {
        self.shapes().collect()
    }

    fn read(&self, name: &str) -> Result<NamedTensor, String> {
        self.read(name).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use burn::tensor::{bf16, f16};
    use safetensors::{Dtype, tensor::TensorView};

    use super::*;
    use crate::checkpoint::write_tensors;

    /// A file with one tensor `x` of some bytes.
    fn file(kind: Dtype, shape: Vec<usize>, bytes: &[u8]) -> (tempfile::TempDir, Result<TensorFile>) {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("x.safetensors");
        let view = TensorView::new(kind, shape, bytes).expect("a shape fits its values");
        let bytes = safetensors::serialize([("x", view)], None).expect("a tensor can be written");
        fs::write(&path, bytes).expect("it can be written");
        let opened = TensorFile::open(&path);
        (folder, opened)
    }

    /// Halves are read as what they are, over the borders of pieces, and masks have no shape.
    #[test]
    fn numbers_of_any_kind_are_read() -> Result<()> {
        let numbers: Vec<f32> = (0..PIECE).map(|place| place as f32 / 1024.0).collect();
        let halves: Vec<u8> = numbers.iter().flat_map(|number| bf16::from_f32(*number).to_le_bytes()).collect();
        let (_folder, opened) = file(Dtype::BF16, vec![2, PIECE / 2], &halves);
        let read = opened?.read("x")?;
        assert_eq!(read.shape, [2, PIECE / 2]);
        let expected: Vec<f32> = numbers.iter().map(|number| bf16::from_f32(*number).to_f32()).collect();
        assert!(read.values == expected);
        let (_folder, opened) = file(Dtype::F16, vec![1], &f16::from_f32(0.1).to_le_bytes());
        assert_eq!(opened?.read("x")?.values, [f16::from_f32(0.1).to_f32()]);
        let (_folder, opened) = file(Dtype::U8, vec![1], &[1]);
        assert_eq!(opened?.shapes().collect::<Vec<_>>(), [("x".to_owned(), None)]);
        Ok(())
    }

    #[test]
    fn a_number_that_is_none_is_named() {
        let fault = |kind, bytes: &[u8]| {
            let (_folder, opened) = file(kind, vec![2], bytes);
            opened.and_then(|file| file.read("x")).expect_err("it is no weight").to_string()
        };
        let numbers = |second: f32| [1.0, second].map(f32::to_le_bytes).concat();
        assert!(fault(Dtype::F32, &numbers(f32::NAN)).ends_with("number 1 of the 2 of `x` is NaN"));
        let infinite = [f16::ONE, f16::INFINITY].map(f16::to_le_bytes).concat();
        assert!(fault(Dtype::F16, &infinite).ends_with("number 1 of the 2 of `x` is inf"));
        assert!(fault(Dtype::F64, &[0; 16]).ends_with("`x` has numbers of the kind F64"));
    }

    #[test]
    fn a_file_cut_short_is_none() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("x.safetensors");
        write_tensors(&path, &[NamedTensor { name: "x".into(), shape: vec![2], values: vec![1.0, 2.0] }])
            .expect("it can be written");
        let bytes = fs::read(&path).expect("it was written");
        for length in [4, 20, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).expect("it can be written");
            let error = TensorFile::open(&path).expect_err("it is cut").to_string();
            assert!(error.contains("x.safetensors is damaged: it"), "{error}");
        }
    }
}
