//! A file that appears by rename, when all of it is on the disk.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::error::{FileError, Result};

/// A file that is being written under another name.
///
/// Dropped without being published, it leaves nothing behind; what stood at its path is untouched.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    partial: PathBuf,
    output: BufWriter<File>,
    published: bool,
}

impl AtomicFile {
    /// Begins a file at `path`, whose folder is made where it is missing.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(FileError::of("make the folder", folder))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let partial = folder.join(format!(".{name}.partial"));
        let output = File::create(&partial).map_err(FileError::of("write", &partial))?;
        Ok(Self { path: path.to_owned(), partial, output: BufWriter::with_capacity(1 << 18, output), published: false })
    }

    /// Publishes `bytes` at `path`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = Self::create(path)?;
        file.write_all(bytes).map_err(FileError::of("write", path))?;
        file.publish()
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
    pub fn publish(mut self) -> Result<()> {
        let written = self.flush().and_then(|()| self.output.get_ref().sync_all());
        written.map_err(FileError::of("write", &self.path))?;
        fs::rename(&self.partial, &self.path).map_err(FileError::of("rename to", &self.path))?;
        self.published = true;
        // the name is safe only when the folder is on the disk, too
        sync_folder(folder_of(&self.path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.published {
            // half a file helps nobody, and may be what fills the disk; one that stays is written over by the next attempt
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Brings the names in a folder to the disk.
///
/// # Errors
/// When the folder is not there, or the disk fails.
pub fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(FileError::of("write", folder))
}

/// The folder of a file; that of a bare name is the one in which the program runs.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("inner/file");
        AtomicFile::write_whole(&path, b"before")?;

        let mut file = AtomicFile::create(&path)?;
        file.write_all(b"half of what was to c").expect("memory is left");
        drop(file);
        assert_eq!(fs::read(&path).expect("the file is there"), b"before");
        assert_eq!(fs::read_dir(folder.path().join("inner")).expect("the folder is there").count(), 1);

        // a folder of that name cannot be written over
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("inner")).expect("the folder can be made");
        let error = AtomicFile::write_whole(&taken, b"after").expect_err("the name is taken").to_string();
        assert!(error.starts_with(&format!("cannot rename to {}: ", taken.display())), "{error}");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder is there").count(), 2);
        Ok(())
    }

    #[test]
    fn a_bare_name_stands_in_the_folder_of_the_program() {
        assert_eq!(folder_of(Path::new("file")), Path::new("."));
        assert_eq!(folder_of(Path::new("inner/file")), Path::new("inner"));
    }
}
