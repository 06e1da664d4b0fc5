//! Files that are on the disk when they are said to be.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// Writes a file to the disk.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path).map_err(Error::file("write", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::file("write", path))
}

/// Writes a file under another name, and gives it its own when all of it is on the disk.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))?;
    let partial = folder.join(format!(".{}.partial", path.file_name().unwrap_or_default().to_string_lossy()));
    write(&partial, bytes).inspect_err(|_| {
        // what stood at the path is untouched; the half-written file helps nobody
        let _ = fs::remove_file(&partial);
    })?;
    fs::rename(&partial, path).map_err(Error::file("rename to", path))?;
    sync_folder(folder)
}

/// Brings the names in a folder to the disk.
pub fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file("write", folder))
}

/// SHA-256, as 64 hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
