//! Facts about documents, in families.
//!
//! A family is a dataset of its own, `facts/FAMILY/SOURCE/part-*.parquet`, joined by id and never by position. No threshold
//! is known here; what a fact depends on, such as a model or the number of bands, is the family's configuration.
//!
//! ```text
//! documents -> text -> kernels and models, on all cores -> one struct a row -> facts/FAMILY
//! ```
//!
//! Useful for: whatever a verdict may ask about one document. Not useful for: verdicts; see [`crate::decide`].

mod bands;
mod bands_config;
mod c4_lines;
mod family;
mod fingerprints;
mod function;
mod language;
mod links;
mod overlaps;
mod score;
mod tokens;
mod urls;
mod words;

pub use bands::{BandHasher, VERSION as BANDS_VERSION};
pub use bands_config::{BandsChoice, BandsConfig, BandsPreset};
pub use family::{Family, FamilyConfig, ModelFile};
pub use links::PostFiles;
pub use overlaps::{OverlapsConfig, each_text, overlap_fields};
pub use urls::UrlFiles;
