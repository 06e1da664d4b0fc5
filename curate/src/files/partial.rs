//! A file that appears by rename, when all of it is on the disk.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// A file that is being written under another name, and hashed on the way.
///
/// Dropped without being published, it leaves nothing behind; what stood at its path is untouched.
#[derive(Debug)]
pub struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
    output: BufWriter<File>,
    hasher: Sha256,
    bytes: u64,
    published: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, as 64 hexadecimal digits.
    pub sha256: String,
}

impl PartialFile {
    /// Begins a file at `path`, whose folder is made where it is missing.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let partial = folder.join(format!(".{name}.partial"));
        let output = File::create(&partial).map_err(Error::file("write", &partial))?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            output: BufWriter::with_capacity(1 << 18, output),
            hasher: Sha256::new(),
            bytes: 0,
            published: false,
        })
    }

    /// Where the file will stand.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Brings the file to the disk and gives it its name.
    ///
    /// # Errors
    /// When the disk is full, or the file cannot be renamed.
    pub fn publish(mut self) -> Result<Written> {
        let written = self.flush().and_then(|()| self.output.get_ref().sync_all());
        written.map_err(Error::file("write", &self.path))?;
        fs::rename(&self.partial, &self.path).map_err(Error::file("rename to", &self.path))?;
        self.published = true;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        // the name is safe only when the folder is on the disk, too
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file("write", folder))?;
        Ok(Written { bytes: self.bytes, sha256: hex(&std::mem::take(&mut self.hasher).finalize()) })
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.published {
            // nothing depends on its being gone: the next attempt writes over it
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Publishes `bytes` at `path`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<Written> {
    let mut file = PartialFile::create(path)?;
    file.write_all(bytes).map_err(Error::file("write", path))?;
    file.publish()
}

/// Size and SHA-256 of a file as it is.
///
/// # Errors
/// When it cannot be read.
pub fn hash_file(path: &Path) -> Result<Written> {
    let mut file = File::open(path).map_err(Error::file("read", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer).map_err(Error::file("read", path))?;
        if count == 0 {
            return Ok(Written { bytes, sha256: hex(&hasher.finalize()) });
        }
        hasher.update(&buffer[..count]);
        bytes += count as u64;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("inner/file");
        write_whole(&path, b"before")?;

        let mut file = PartialFile::create(&path)?;
        file.write_all(b"half of what was to c").expect("memory is left");
        drop(file);
        assert_eq!(fs::read(&path).expect("the file is there"), b"before");
        assert_eq!(fs::read_dir(folder.path().join("inner")).expect("the folder is there").count(), 1);

        let written = write_whole(&path, b"after")?;
        assert_eq!(hash_file(&path)?, written);
        Ok(())
    }
}
