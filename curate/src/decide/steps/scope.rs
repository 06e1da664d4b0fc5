//! What a step may refer to in the recipe that it stands in.

use std::ops::Range;

use schemas::toml_file::{Spanned, TomlError};

/// The recipe around a step that is checked. What is not there is a fault at its place in the file.
pub trait Scope {
    /// The sources that the step says it applies to, where it says so.
    fn sources(&self) -> Option<&[Spanned<String>]>;

    /// The name of a source.
    ///
    /// # Errors
    /// When no source has it.
    fn source(&self, name: &Spanned<String>) -> Result<String, TomlError>;

    /// Looks for a classifier, whose name stands at `span`.
    ///
    /// # Errors
    /// When there is none of that name.
    fn classifier(&self, name: &str, span: Range<usize>) -> Result<(), TomlError>;

    /// Why the scores of a classifier's reference are not known, where they are not.
    fn without_reference(&self, classifier: &str) -> Option<&'static str>;

    /// Whether there are benchmarks.
    fn has_benchmarks(&self) -> bool;

    /// Looks for the configuration of a family of facts, which `who` reads.
    ///
    /// # Errors
    /// When the family needs one, and `[facts]` has none.
    fn needs(&self, family: &str, span: Range<usize>, who: &str) -> Result<(), TomlError>;

    /// A fault at a place in the recipe.
    fn fault(&self, span: Range<usize>, message: &str) -> TomlError;
}
