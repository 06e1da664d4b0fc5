//! The files that a recipe names: where its paths lead, and where its faults stand.
//!
//! Whatever reads its own part of a recipe is given this, so that what it checks can stand beside what it does.
//!
//! Useful for: paths, patterns, hashes, tasks, errors with a line. Not useful for: what one part of a recipe says of another.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use schemas::{
    paths::NamedFolders,
    task::{Folders, Task, shipped},
    toml_file::{Spanned, TomlError, TomlFile},
};

use super::hash_file;

/// A text with its place in the file.
pub type Text = Spanned<String>;

/// A recipe's file, and the folders that paths may begin with, in it and in the files of its tasks.
#[derive(Debug)]
pub struct NamedFiles<'a> {
    recipe: &'a TomlFile,
    folders: NamedFolders,
}

impl<'a> NamedFiles<'a> {
    /// The files that `recipe` names.
    #[must_use]
    pub fn new(recipe: &'a TomlFile, folders: NamedFolders) -> Self {
        Self { recipe, folders }
    }

    /// Where the recipe lies.
    #[must_use]
    pub fn recipe(&self) -> &Path {
        self.recipe.path()
    }

    /// A fault at a place in the recipe.
    pub fn fault(&self, span: Range<usize>, message: impl Into<String>) -> TomlError {
        self.recipe.fault(span, message)
    }

    /// Checks a name, which becomes one of files and folders.
    ///
    /// # Errors
    /// When it has other signs than letters, digits, `_` and `-`.
    pub fn check_name(&self, name: &Text) -> Result<(), TomlError> {
        let text = name.get_ref();
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if text.is_empty() || !text.bytes().all(sound) {
            return Err(self.fault(name.span(), format!("{text:?} is no name: use letters, digits, `_` and `-`")));
        }
        Ok(())
    }

    /// A path, from the recipe's folder or one of the named ones.
    ///
    /// # Errors
    /// When it begins with a name that no folder has.
    pub fn path(&self, path: &Text) -> Result<PathBuf, TomlError> {
        self.recipe.path_of(&self.folders, path)
    }

    /// The path of a file that is there.
    ///
    /// # Errors
    /// When it is not.
    pub fn file(&self, path: &Text) -> Result<PathBuf, TomlError> {
        let file = self.path(path)?;
        if file.is_file() { Ok(file) } else { Err(self.missing(path, &file)) }
    }

    /// The files that patterns stand for, sorted, each once.
    ///
    /// # Errors
    /// When a file is not there, or a pattern stands for none.
    pub fn files(&self, patterns: &[Text]) -> Result<Vec<PathBuf>, TomlError> {
        self.recipe.files_of(&self.folders, patterns)
    }

    /// A file that can be read, with the SHA-256 of its bytes.
    ///
    /// # Errors
    /// When it cannot.
    pub fn hashed(&self, path: &Text) -> Result<(PathBuf, String), TomlError> {
        let file = self.path(path)?;
        let sha256 = hash_file(&file).map_err(|_| self.missing(path, &file))?.sha256;
        Ok((file, sha256))
    }

    fn missing(&self, path: &Text, file: &Path) -> TomlError {
        self.fault(path.span(), format!("there is no file {}", file.display()))
    }

    /// The file of a task, or the name of a shipped one.
    ///
    /// # Errors
    /// See [`NamedFiles::path`].
    pub fn task_file(&self, file: &Text) -> Result<PathBuf, TomlError> {
        if is_shipped(file) {
            return Ok(PathBuf::from(file.get_ref()));
        }
        self.path(file)
    }

    /// A task: the file of a path, or a shipped one.
    ///
    /// # Errors
    /// When there is none, or it is no task.
    pub fn task(&self, file: &Text) -> Result<Task, TomlError> {
        let path = self.task_file(file)?;
        if !is_shipped(file) && !path.is_file() {
            let message = format!("there is no file {}, and no shipped task of that name", path.display());
            return Err(self.fault(file.span(), message));
        }
        Task::read(&path, Folders::Named(&self.folders))
    }
}

fn is_shipped(file: &Text) -> bool {
    shipped().iter().any(|(name, _)| name == file.get_ref())
}
