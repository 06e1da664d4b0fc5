//! Files as a command line names them: regular ones, pipes, and `-` for standard input.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::error::Error;

/// Whether a file is standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether every file can be opened, before any is read: how much of a missing one is lost, nobody could say afterwards.
///
/// Pipes are not opened, for whoever writes into one would find that its reader is gone.
pub fn check(files: &[PathBuf]) -> anyhow::Result<()> {
    for path in files.iter().filter(|path| !is_standard_input(path)) {
        let found = fs::metadata(path).map_err(Error::file("read", path))?;
        if found.is_dir() {
            bail!("cannot read {}: it is a folder; name the files in it", path.display());
        }
        if found.is_file() {
            File::open(path).map_err(Error::file("read", path))?;
        }
    }
    Ok(())
}

/// The same, for a command whose files must be there when it is given again.
pub fn check_regular(files: &[PathBuf]) -> anyhow::Result<()> {
    check(files)?;
    let stream = files.iter().find(|path| !path.is_file());
    if let Some(path) = stream {
        bail!(
            "cannot read {}: this command reads its files more than once, so write it to a file first",
            path.display()
        );
    }
    Ok(())
}

/// A file that readers may begin anew and look at from its end: the file itself, or what comes out of a pipe or of standard input, kept
/// in `folder` until the next one.
pub fn rewindable(path: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let mut input: Box<dyn Read> = if is_standard_input(path) {
        Box::new(io::stdin().lock())
    } else if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        Box::new(File::open(path).map_err(Error::file("read", path))?)
    } else {
        return Ok(path.to_owned());
    };
    let kept = folder.join("input");
    let mut file = File::create(&kept).context("a temporary file cannot be made")?;
    io::copy(&mut input, &mut file).with_context(|| format!("what comes from {} cannot be kept", path.display()))?;
    Ok(kept)
}
