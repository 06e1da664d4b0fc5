//! Folders that change places as a whole.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::error::{Error, Result};

/// Puts the folder `new` in the place of `old`, in one step where the system can, and removes what stood there.
///
/// # Errors
/// When a folder cannot be renamed or removed.
pub fn exchange(new: &Path, old: &Path) -> Result<()> {
    let parent = old.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::file("make the folder", parent))?;
    if !old.exists() {
        return fs::rename(new, old).map_err(Error::file("rename to", old));
    }
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => remove_folder(new),
        Err(_) => {
            // a file system that cannot exchange: for a moment neither folder has the name
            let aside = old.with_extension("superseded");
            remove_folder(&aside)?;
            fs::rename(old, &aside).map_err(Error::file("rename to", &aside))?;
            fs::rename(new, old).map_err(Error::file("rename to", old))?;
            remove_folder(&aside)
        }
    }
}

/// Removes a folder and what is in it; that it is not there is no error.
///
/// # Errors
/// When something in it cannot be removed.
pub fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::File { action: "remove", path: folder.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// Removes every file below `folder` that is not in `keep`, and folders that are empty then.
///
/// # Errors
/// When something cannot be listed or removed.
pub fn remove_others(folder: &Path, keep: &BTreeSet<PathBuf>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::file("list", folder))?,
    };
    for entry in entries {
        let path = entry.map_err(Error::file("list", folder))?.path();
        if path.is_dir() {
            remove_others(&path, keep)?;
            // fails when something is left in it, which is as it should be
            let _ = fs::remove_dir(&path);
        } else if !keep.contains(&path) {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
    }
    Ok(())
}
