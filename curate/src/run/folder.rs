//! The output folder of a run: whose it is, and that no other run writes to it.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    files::{FolderLock, Layout, remove_folder, write_whole},
};

/// What tells a folder that holds a run from any other.
#[derive(Serialize, Deserialize)]
struct Belongs {
    name: String,
}

/// Takes the folder `out` for a run of the recipe `name`, and removes what a run that was killed had spilled there.
///
/// # Errors
/// When the folder holds something else, or another run holds it.
pub fn take(out: &Path, name: &str) -> Result<(Layout, FolderLock)> {
    let layout = Layout::new(std::path::absolute(out).map_err(Error::file("find", out))?);
    claim(&layout, name)?;
    let lock = layout.lock()?;
    let belongs = serde_json::to_vec(&Belongs { name: name.to_owned() }).expect("the type is JSON");
    write_whole(&marker(&layout), &belongs)?;
    remove_folder(&layout.work().join("spill"))?;
    Ok((layout, lock))
}

fn marker(layout: &Layout) -> std::path::PathBuf {
    layout.work().join("run.json")
}

/// Makes sure that a folder is empty, or holds a run of this recipe.
fn claim(layout: &Layout, name: &str) -> Result<()> {
    let marker = marker(layout);
    let found = match fs::read(&marker) {
        Ok(bytes) => serde_json::from_slice::<Belongs>(&bytes)
            .map_err(|error| Error::Damaged { path: marker.clone(), message: error.to_string() })?,
        Err(_) if is_empty(layout.out()) => return Ok(()),
        Err(_) => return Err(Error::NotARun { path: layout.out().to_owned() }),
    };
    if found.name == name {
        return Ok(());
    }
    Err(Error::OtherRun { path: layout.out().to_owned(), found: found.name, wanted: name.to_owned() })
}

/// Whether a folder is missing, or holds nothing but what a run that died at once may have left.
fn is_empty(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return true };
    entries.filter_map(std::result::Result::ok).all(|entry| entry.file_name() == ".lock" || entry.file_name() == "work")
}
