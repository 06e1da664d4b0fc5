//! Names for copies of files.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// A name for the copy of each file: its path below the folder that all of them share.
pub fn names(files: &[PathBuf]) -> Vec<PathBuf> {
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let shared = folders.into_iter().map(Path::to_owned).reduce(|one, other| {
        let both = one.components().zip(other.components());
        both.take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    });
    let shared = shared.unwrap_or_default();
    files.iter().map(|file| file.strip_prefix(&shared).unwrap_or(file).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_named_below_what_files_share() {
        let named = |files: &[&str]| names(&files.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(named(&["/a/b/one.jsonl"]), [PathBuf::from("one.jsonl")]);
        assert_eq!(named(&["/a/b/x", "/a/c/x"]), [PathBuf::from("b/x"), PathBuf::from("c/x")]);
        assert_eq!(named(&["/a/x", "/a/c/x"]), [PathBuf::from("x"), PathBuf::from("c/x")]);
        assert_eq!(named(&["a/x", "b/x"]), [PathBuf::from("a/x"), PathBuf::from("b/x")]);
    }
}
