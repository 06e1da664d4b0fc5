//! The account of a run: what went into each stage, and what became of it.
//!
//! Two equations hold, and a run whose sums do not close has failed:
//!
//! ```text
//! stage      in   = kept + dropped (by reason) + quarantined (by fault)
//! mixture    rows = copies x templates,  copies = documents, each as often as it was drawn
//! ```
//!
//! A broken record is one whose place is known: it is quarantined. A stretch of a file of whose records nothing is known is none: a
//! file that cannot be unpacked, the rest of one that breaks off, a member of an archive that is corrupt. It is counted in bytes, as the file
//! lies on disk.
//!
//! The ledger holds no time and no path, so that the same recipe, inputs and seed give the same bytes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `ledger.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// The stages in the order in which they ran, each with its sources in the order of their names.
    pub stages: Vec<StageEntry>,
    /// What could not be read of the files of each source, in bytes, in the order of the sources' names.
    #[serde(default)]
    pub lost: Vec<LostEntry>,
    /// What cleaning took from the texts of each source, in the order in which it is done.
    pub cleaning: Vec<CleaningEntry>,
    /// Documents whose pages came cut, by source and by how it shows.
    #[serde(default)]
    pub truncated: Vec<TruncatedEntry>,
    /// What steps cut out of documents that they kept, by stage and source.
    pub cuts: Vec<CutEntry>,
    /// What was written, by mixture, split and source.
    pub mixtures: Vec<MixtureEntry>,
}

/// What the names of the stages that make mixtures begin with; no step's name does.
pub const MIXTURE_STAGE: &str = "mixture-";

/// The stage that makes a mixture.
#[must_use]
pub fn mixture_stage(mixture: &str) -> String {
    format!("{MIXTURE_STAGE}{mixture}")
}

/// Whether a stage makes a mixture.
#[must_use]
pub fn is_mixture_stage(stage: &str) -> bool {
    stage.starts_with(MIXTURE_STAGE)
}

/// What one stage did with the documents of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageEntry {
    /// The stage's name.
    pub stage: String,
    /// The source's name.
    pub source: String,
    /// Records that came in.
    pub r#in: u64,
    /// Records that go on.
    pub kept: u64,
    /// Records that were dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Records that could not be read, by fault.
    pub quarantined: BTreeMap<String, u64>,
}

impl StageEntry {
    /// What was dropped, by reason, and what could not be read, by fault, for people: `too_short 3, json_syntax 1`.
    #[must_use]
    pub fn reasons(&self) -> String {
        let counts = self.dropped.iter().chain(&self.quarantined);
        counts.map(|(reason, count)| format!("{reason} {count}")).collect::<Vec<_>>().join(", ")
    }
}

/// What could not be read of the files of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LostEntry {
    /// The source's name.
    pub source: String,
    /// Files of which something is lost.
    pub files: u64,
    /// Stretches of them that are.
    pub stretches: u64,
    /// Bytes of these stretches, as they lie on disk. A file whose end is missing counts as a whole: how much is missing is not known.
    pub bytes: u64,
    /// Bytes of all files of the source.
    pub of: u64,
}

/// What one cleaning took from the texts of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CleaningEntry {
    /// The source's name.
    pub source: String,
    /// The cleaning's name.
    pub cleaning: String,
    /// Texts from which it took something.
    pub documents: u64,
    /// Characters that it took or hid.
    pub characters: u64,
}

/// Documents of one source whose pages were cut before they were stored, or when they were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TruncatedEntry {
    /// The source's name.
    pub source: String,
    /// How it shows: a word of the column `truncated` in `documents/`.
    pub truncated: String,
    /// Documents.
    pub documents: u64,
}

/// What one stage cut out of the documents of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CutEntry {
    /// The stage's name.
    pub stage: String,
    /// The source's name.
    pub source: String,
    /// Documents of which it cut something.
    pub documents: u64,
    /// Bytes that it cut.
    pub bytes: u64,
}

/// What one mixture holds of one source, in one split.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixtureEntry {
    /// The mixture's name.
    pub mixture: String,
    /// `train`, `validation` or `test`.
    pub split: String,
    /// The source's name.
    pub source: String,
    /// Distinct documents, or examples of a task.
    pub documents: u64,
    /// The same with repeats: the sum over documents of how often each was drawn.
    pub copies: u64,
    /// Templates that each copy was put through; 1 for plain text.
    pub templates: u64,
    /// Rows in the files.
    pub rows: u64,
}

/// An equation of the ledger that does not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Imbalance {
    /// A stage lost or invented records.
    #[error(
        "stage `{stage}`, source `{source_name}`: {went_in} records went in, but {kept} kept + {dropped} dropped + {quarantined} quarantined came out"
    )]
    Stage {
        /// The stage's name.
        stage: String,
        /// The source's name.
        source_name: String,
        /// Records in.
        went_in: u64,
        /// Records kept.
        kept: u64,
        /// Records dropped, over all reasons.
        dropped: u64,
        /// Records quarantined, over all faults.
        quarantined: u64,
    },
    /// A source lost more than it has, or something in no file.
    #[error("source `{source_name}`: {bytes} of {of} bytes are lost, in {stretches} stretches of {files} files")]
    Lost {
        /// The source's name.
        source_name: String,
        /// Files of which something is lost.
        files: u64,
        /// Stretches of them.
        stretches: u64,
        /// Bytes of these.
        bytes: u64,
        /// Bytes of all files.
        of: u64,
    },
    /// A mixture has more or fewer rows than its documents, copies and templates give.
    #[error(
        "mixture `{mixture}`, split `{split}`, source `{source_name}`: {rows} rows written, but {copies} copies x {templates} templates were asked for"
    )]
    Mixture {
        /// The mixture's name.
        mixture: String,
        /// The split.
        split: String,
        /// The source's name.
        source_name: String,
        /// Rows written.
        rows: u64,
        /// Copies asked for.
        copies: u64,
        /// Templates.
        templates: u64,
    },
}

impl Ledger {
    /// Checks every equation.
    ///
    /// # Errors
    /// The first equation that does not hold, with its sums.
    pub fn check(&self) -> Result<(), Imbalance> {
        for entry in &self.stages {
            let dropped = entry.dropped.values().sum();
            let quarantined = entry.quarantined.values().sum();
            if entry.r#in != entry.kept + dropped + quarantined {
                return Err(Imbalance::Stage {
                    stage: entry.stage.clone(),
                    source_name: entry.source.clone(),
                    went_in: entry.r#in,
                    kept: entry.kept,
                    dropped,
                    quarantined,
                });
            }
        }
        for LostEntry { source, files, stretches, bytes, of } in &self.lost {
            if bytes > of || files > stretches || (*files == 0 && (*bytes > 0 || *stretches > 0)) {
                let (source_name, files, stretches, bytes, of) = (source.clone(), *files, *stretches, *bytes, *of);
                return Err(Imbalance::Lost { source_name, files, stretches, bytes, of });
            }
        }
        for entry in &self.mixtures {
            if entry.rows != entry.copies * entry.templates {
                return Err(Imbalance::Mixture {
                    mixture: entry.mixture.clone(),
                    split: entry.split.clone(),
                    source_name: entry.source.clone(),
                    rows: entry.rows,
                    copies: entry.copies,
                    templates: entry.templates,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_record_is_named() {
        let entry = StageEntry {
            stage: "read".into(),
            source: "web".into(),
            r#in: 3,
            kept: 1,
            dropped: BTreeMap::from([("not_html".into(), 1)]),
            quarantined: BTreeMap::new(),
        };
        let ledger = Ledger { stages: vec![entry], ..Ledger::default() };
        let message = ledger.check().expect_err("two of three records are accounted for").to_string();
        assert!(message.contains("`read`") && message.contains("`web`") && message.contains('3'), "{message}");
    }

    /// No more can be lost than there is, and nothing is lost in no file.
    #[test]
    fn lost_bytes_are_bytes_of_files() {
        let lost = |files, stretches, bytes| LostEntry { source: "web".into(), files, stretches, bytes, of: 10 };
        let check = |entry| Ledger { lost: vec![entry], ..Ledger::default() }.check();
        assert_eq!((check(lost(0, 0, 0)), check(lost(1, 2, 10))), (Ok(()), Ok(())));
        for wrong in [lost(1, 1, 11), lost(0, 0, 3), lost(0, 1, 0), lost(2, 1, 3)] {
            assert!(check(wrong.clone()).is_err(), "{wrong:?}");
        }
    }
}
