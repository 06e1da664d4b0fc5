//! `curate measure`.

use std::path::{Path, PathBuf};

use clap::Args;
use schemas::columns;

use super::{files::FilesArgs, printer::Printer};
use crate::{
    files::hash_file,
    measure::{BandsConfig, Family, FamilyConfig, ModelFile},
    source::{Columns, Format},
    text::{c4::LineRules, sameness::Sameness},
};

/// Measure documents: JSON lines or Parquet in, their facts as JSON lines out.
///
/// Documents are objects or rows with a `text`; JSON lines may be packed. The facts are those that a run keeps, and that its rules read.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// The families of facts.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "words")]
    facts: Vec<FactsArg>,
    /// Tell languages by this fastText model, `.bin` or `.ftz`.
    #[arg(long, value_name = "FILE")]
    language: Option<PathBuf>,
    /// The key or column that holds the text.
    #[arg(long, value_name = "KEY", default_value = "text")]
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FactsArg {
    /// Counts of words, lines and repetition.
    Words,
    /// What C4's rules on lines would cut, and the sentences that stay.
    C4Lines,
    /// Hashes by which the same text is found.
    Fingerprints,
    /// Hashes by which the same text is found but for case, accents, signs and the value of numbers.
    NormalizedFingerprints,
    /// Hashes by which much the same text is found.
    Bands,
    /// None of these; for `--language` alone.
    None,
}

impl MeasureArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let named = |facts: &FactsArg| match facts {
            FactsArg::Words => Some(Family::new(FamilyConfig::Words)),
            FactsArg::C4Lines => Some(Family::new(FamilyConfig::C4Lines(LineRules::default()))),
            FactsArg::Fingerprints => Some(Family::fingerprints(Sameness::Exact)),
            FactsArg::NormalizedFingerprints => Some(Family::fingerprints(Sameness::Normalized)),
            FactsArg::Bands => Some(Family::new(FamilyConfig::Bands(BandsConfig::default()))),
            FactsArg::None => None,
        };
        let mut families: Vec<Family> = self.facts.iter().filter_map(named).collect();
        families.dedup();
        if let Some(path) = self.language {
            let sha256 = hash_file(&path)?.sha256;
            families.push(Family::new(FamilyConfig::Language(ModelFile { path, sha256 })));
        }
        let columns = Columns { text: self.text, ..Columns::default() };
        let is_table = |path: &Path| path.extension().is_some_and(|found| found.eq_ignore_ascii_case("parquet"));
        let format = |path: &Path| {
            if is_table(path) { Format::Parquet(columns.clone()) } else { Format::JsonLines(columns.clone()) }
        };
        self.files.pipe(printer, &[columns::ID, "record", columns::URL], &families, format)
    }
}
