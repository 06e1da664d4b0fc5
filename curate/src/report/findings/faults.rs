//! Records that could not be read.

use std::{
    fs,
    io::{BufRead as _, BufReader},
};

use super::draws::Draws;
use crate::{
    error::{Error, Result},
    files::{Layout, Quarantined},
};

/// Broken records of a source that are listed, at most: drawn, for the first of them may all be of one file.
const LISTED: usize = 20;

/// Some broken records of each source, in the order of their places.
pub fn faults(layout: &Layout, seed: u64) -> Result<Vec<(String, Quarantined)>> {
    let folder = layout.out().join("quarantine");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.filter_map(std::result::Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    let mut faults = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")) {
        let source = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = fs::File::open(path).map_err(Error::file("read", path))?;
        let mut draws = Draws::new(seed, "report/faults", LISTED);
        for line in BufReader::new(file).lines() {
            draws.offer(&line.map_err(Error::file("read", path))?);
        }
        let parsed = draws.ids().map(|line| {
            serde_json::from_str(line)
                .map_err(|error| Error::Damaged { path: path.clone(), message: error.to_string() })
        });
        let mut drawn: Vec<Quarantined> = parsed.collect::<Result<_>>()?;
        drawn.sort_by(|one, other| (&one.file, one.offset).cmp(&(&other.file, other.offset)));
        faults.extend(drawn.into_iter().map(|fault| (source.clone(), fault)));
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that breaks first does not hide how the others break.
    #[test]
    fn broken_records_of_all_files_are_listed() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        fs::create_dir(folder.path().join("quarantine")).expect("the folder can be made");
        let line = |number: u64| {
            let (file, offset) = (format!("file-{}", number / 50), 10 * (number % 50));
            let fault = Quarantined { file, offset, record: None, fault: "no_header".into(), detail: None, lost: None };
            format!("{}\n", serde_json::to_string(&fault).expect("the type is JSON"))
        };
        let lines: String = (0..200).map(line).collect();
        fs::write(folder.path().join("quarantine/web.jsonl"), lines).expect("the list can be written");
        let listed = faults(&Layout::new(folder.path()), 1)?;
        let places: Vec<(&str, u64)> = listed.iter().map(|(_, fault)| (fault.file.as_str(), fault.offset)).collect();
        assert!(places.len() == LISTED && places.is_sorted(), "{places:?}");
        assert!(["file-0", "file-3"].iter().all(|file| places.iter().any(|(found, _)| found == file)), "{places:?}");
        Ok(())
    }
}
