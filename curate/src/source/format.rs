//! What a format of files is: how one is read, and what a recipe may say of that.

use std::{fs::File, io, path::Path};

use schemas::toml_file::TomlError;

use super::{
    SourceRecipe,
    copy::Copying,
    raw::{RawReader, Unpacked},
    windows::Windows,
};
use crate::files::{NamedFiles, Text, Version};

/// A format: its reader, which finds the records of a file, and what is known of the format without one.
///
/// It stands in a file of its own; beside that, it has its line in the list of [`super::Format`].
pub trait SourceFormat: RawReader + Sized + 'static {
    /// How files of the format are read.
    type Options;

    /// Its name for people.
    const NAME: &'static str;

    /// What the offset of a record counts.
    const PLACE: &'static str = "byte";

    /// The versions of the code that reads it.
    fn versions(options: &Self::Options) -> Vec<Version>;

    /// Begins to read a file. What costs the file is an error that [`super::raw::OnDisk::lost`] knows.
    fn open(options: &Self::Options, file: SourceFile<'_>) -> io::Result<Self>;

    /// How single records of a file are copied; none where they are not.
    fn copying(_: &Self::Options) -> Option<Copying<'_>> {
        None
    }
}

/// A format whose files a `[source]` lists.
pub trait ListedFormat: SourceFormat {
    /// How a source wants its files to be read, which it lists by `key`.
    fn options(recipe: &SourceRecipe, key: &str, files: &NamedFiles<'_>) -> Result<Self::Options, TomlError>;
}

/// A file that was opened.
pub struct SourceFile<'a> {
    /// The file.
    pub file: File,
    /// Where it lies.
    pub path: &'a Path,
    /// What it may be unpacked with.
    pub windows: &'a Windows,
}

impl SourceFile<'_> {
    /// Its bytes, unpacked where it is packed.
    pub fn unpacked(self) -> io::Result<Unpacked> {
        Unpacked::open(self.file, self.windows)
    }
}

/// The files that a source lists by one key, and the format that it asks for by that.
pub struct Listed<'r> {
    /// The key.
    pub key: &'static str,
    /// The files.
    pub patterns: Option<&'r [Text]>,
    /// Makes the format of the other keys.
    pub format: fn(&SourceRecipe, &NamedFiles<'_>) -> Result<super::Format, TomlError>,
}

/// Makes [`super::Format`] of a list: a format's name there, its options, the type that reads it, and the keys of a [`SourceRecipe`] that list
/// its files.
macro_rules! formats {
    ($($(#[$about:meta])* $variant:ident($options:ty) => $format:ty, by [$($key:ident),*];)+) => {
        /// How a source's files are read.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Format {
            $($(#[$about])* $variant($options),)+
        }

        impl Format {
            /// Its name for people.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => <$format as SourceFormat>::NAME,)+
                }
            }

            /// What the offset of a record counts: bytes of the unpacked file, or rows.
            #[must_use]
            pub fn place(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => <$format as SourceFormat>::PLACE,)+
                }
            }

            /// The versions of the code that reads it.
            #[must_use]
            pub fn versions(&self) -> Vec<Version> {
                match self {
                    $(Self::$variant(options) => <$format as SourceFormat>::versions(options),)+
                }
            }

            fn begin(&self, file: SourceFile<'_>) -> io::Result<Box<dyn RawReader>> {
                Ok(match self {
                    $(Self::$variant(options) => Box::new(<$format as SourceFormat>::open(options, file)?),)+
                })
            }

            fn copying(&self) -> Option<Copying<'_>> {
                match self {
                    $(Self::$variant(options) => <$format as SourceFormat>::copying(options),)+
                }
            }
        }

        impl SourceRecipe {
            /// What each key lists that can list files.
            fn listed(&self) -> Vec<Listed<'_>> {
                vec![$($(Listed {
                    key: stringify!($key),
                    patterns: self.$key.as_deref(),
                    format: |recipe, files| {
                        <$format as ListedFormat>::options(recipe, stringify!($key), files).map(Format::$variant)
                    },
                },)*)+]
            }
        }
    };
}

pub(super) use formats;
