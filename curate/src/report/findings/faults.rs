//! Records that could not be read.

use std::{
    fs,
    io::{BufRead as _, BufReader},
};

use crate::{
    error::{Error, Result},
    files::{Layout, Quarantined},
};

/// Broken records of a source that are listed, at most.
const LISTED: usize = 20;

/// The first broken records of all sources.
pub fn faults(layout: &Layout) -> Result<Vec<(String, Quarantined)>> {
    let folder = layout.out().join("quarantine");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.filter_map(std::result::Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    let mut faults = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")) {
        let source = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = fs::File::open(path).map_err(Error::file("read", path))?;
        for line in BufReader::new(file).lines().take(LISTED) {
            let line = line.map_err(Error::file("read", path))?;
            let fault = serde_json::from_str(&line)
                .map_err(|error| Error::Damaged { path: path.clone(), message: error.to_string() })?;
            faults.push((source.clone(), fault));
        }
    }
    Ok(faults)
}
