//! Paths that people write: they start at the folder of their file, or at a folder that has a name; `*` stands for any name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use crate::toml_file::{Spanned, TomlError, TomlFile};

/// What the name of a file ends with, where the file is packed.
const PACKED: [&str; 7] = [".gz", ".bgz", ".bz2", ".xz", ".zst", ".zstd", ".lz4"];

/// The name of a packed file without the ending that says so; any other name as it is. How a file is packed is told by its first bytes.
#[must_use]
pub fn unpacked_name(name: &str) -> &str {
    PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// Folders by the names that paths begin with: `{NAME}/...`.
pub type NamedFolders = BTreeMap<String, PathBuf>;

impl TomlFile {
    /// The path that is written at a place in the file.
    ///
    /// # Errors
    /// When it begins with a name that no folder has.
    pub fn path_of(&self, folders: &NamedFolders, written: &Spanned<String>) -> Result<PathBuf, TomlError> {
        let text = written.get_ref();
        let Some((name, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) else {
            return Ok(self.folder().join(text));
        };
        match folders.get(name) {
            Some(folder) => Ok(self.folder().join(folder).join(rest.trim_start_matches('/'))),
            None => {
                let message = format!("no folder is named `{name}`: name it in [folders], or by `--set {name}=DIR`");
                Err(self.fault(written.span(), message))
            }
        }
    }

    /// The files that patterns stand for, sorted, each once.
    ///
    /// # Errors
    /// When a file is not there, or a pattern stands for none.
    pub fn files_of(&self, folders: &NamedFolders, patterns: &[Spanned<String>]) -> Result<Vec<PathBuf>, TomlError> {
        let mut files = BTreeSet::new();
        for pattern in patterns {
            let path = self.path_of(folders, pattern)?;
            let text = path.to_string_lossy();
            if !text.contains(['*', '?']) {
                if !path.is_file() {
                    return Err(self.fault(pattern.span(), format!("there is no file {text}")));
                }
                files.insert(path);
                continue;
            }
            let found = glob::glob(&text).map_err(|error| self.fault(pattern.span(), error.to_string()))?;
            let before = files.len();
            files.extend(found.filter_map(Result::ok).filter(|path| path.is_file()));
            if files.len() == before {
                return Err(self.fault(pattern.span(), format!("no file matches {text}")));
            }
        }
        Ok(files.into_iter().collect())
    }
}
