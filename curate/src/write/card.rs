//! The dataset card of a mixture: Markdown with a head that dataset libraries read.

use std::{collections::BTreeMap, fmt::Write as _, fs::File, path::Path};

use datafusion::arrow::datatypes::DataType;
use parquet::file::metadata::ParquetMetaDataReader;
use schemas::{ledger::MixtureEntry, mixture::shard_prefix};

use super::{Content, Negatives, PairsContent, PairsFrom};
use crate::{
    decide::{MixtureAccount, SplitShards},
    error::{Error, Result},
    files::Version,
    learn::shown,
};

/// What the dataset card says.
pub const VERSION: Version = Version::new("write/card", 1);

/// Bytes of a split's files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SplitSize {
    /// As they stand on the disk.
    pub packed: u64,
    /// As their columns are when they are unpacked.
    pub unpacked: u64,
}

impl SplitSize {
    /// Counts a file.
    ///
    /// # Errors
    /// When its footer cannot be read.
    pub fn add(&mut self, path: &Path) -> Result<()> {
        let file = File::open(path).map_err(Error::file("read", path))?;
        self.packed += file.metadata().map_err(Error::file("read", path))?.len();
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&file)
            .map_err(|error| Error::Damaged { path: path.to_owned(), message: error.to_string() })?;
        let groups = metadata.row_groups().iter();
        self.unpacked += groups.map(|group| group.total_byte_size().cast_unsigned()).sum::<u64>();
        Ok(())
    }
}

/// What a card says.
#[derive(Debug, Clone, Copy)]
pub struct CardFacts<'f> {
    /// The mixture's name.
    pub name: &'f str,
    /// What its rows are.
    pub content: &'f Content,
    /// Its splits.
    pub shards: &'f [SplitShards],
    /// What each source has in each split.
    pub entries: &'f [MixtureEntry],
    /// What was asked of each source.
    pub account: &'f MixtureAccount,
    /// The licence of each source, where it is known.
    pub licences: &'f BTreeMap<String, String>,
    /// Bytes of each split's files, packed and unpacked.
    pub sizes: &'f BTreeMap<String, SplitSize>,
}

/// The card of a mixture.
#[must_use]
pub fn dataset_card(facts: &CardFacts<'_>) -> String {
    let mut card = String::new();
    head(&mut card, facts).and_then(|()| body(&mut card, facts)).expect("writing to a string does not fail");
    card
}

/// The head, as YAML: names are letters, digits, `_` and `-`, and need no quotes.
fn head(card: &mut String, facts: &CardFacts<'_>) -> std::fmt::Result {
    let CardFacts { name, content, shards, entries, licences, sizes, .. } = facts;
    writeln!(card, "---\npretty_name: {name}")?;
    let mut known: Vec<&String> = facts.account.sources.keys().filter_map(|source| licences.get(source)).collect();
    known.sort();
    known.dedup();
    // one licence for the whole, or each by its name; what is not known is not guessed
    let of_all = facts.account.sources.keys().all(|source| licences.contains_key(source));
    match known[..] {
        [licence] if of_all => writeln!(card, "license: {licence}")?,
        [] => writeln!(card, "license: unknown")?,
        _ => {
            writeln!(
                card,
                "license: other\nlicense_name: several\nlicense_details: {}",
                quoted(&joined(&known, of_all))
            )?;
        }
    }
    let rows: u64 = entries.iter().map(|entry| entry.rows).sum();
    writeln!(card, "size_categories:\n- {}", size_category(rows))?;
    writeln!(card, "configs:\n- config_name: default\n  data_files:")?;
    for SplitShards { split, .. } in *shards {
        writeln!(card, "  - split: {split}\n    path: {}*.parquet", shard_prefix(split))?;
    }
    writeln!(card, "dataset_info:\n  features:")?;
    for field in content.schema().fields() {
        match field.data_type() {
            DataType::List(_) => writeln!(card, "  - name: {}\n    list: string", field.name())?,
            DataType::Int64 => writeln!(card, "  - name: {}\n    dtype: int64", field.name())?,
            _ => writeln!(card, "  - name: {}\n    dtype: string", field.name())?,
        }
    }
    writeln!(card, "  splits:")?;
    for SplitShards { split, .. } in *shards {
        let rows: u64 = entries.iter().filter(|entry| entry.split == *split).map(|entry| entry.rows).sum();
        let bytes = sizes.get(split).map_or(0, |size| size.unpacked);
        writeln!(card, "  - name: {split}\n    num_bytes: {bytes}\n    num_examples: {rows}")?;
    }
    let (packed, unpacked) =
        sizes.values().fold((0, 0), |(packed, unpacked), size| (packed + size.packed, unpacked + size.unpacked));
    writeln!(card, "  download_size: {packed}\n  dataset_size: {unpacked}\n---\n")
}

fn joined(known: &[&String], of_all: bool) -> String {
    let mut names: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
    if !of_all {
        names.push("unknown");
    }
    names.join(", ")
}

/// What `negatives` are.
fn negatives_of(negatives: Negatives) -> String {
    let Negatives { hard, drawn } = negatives;
    format!("`negatives` are passages of others: {hard} by BM25, then {drawn} by chance, as far as there are.")
}

/// A text as YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The class of size that dataset libraries sort by.
fn size_category(rows: u64) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        10_000_000..100_000_000 => "10M<n<100M",
        100_000_000..1_000_000_000 => "100M<n<1B",
        _ => "n>1B",
    }
}

fn body(card: &mut String, facts: &CardFacts<'_>) -> std::fmt::Result {
    let CardFacts { name, content, entries, account, licences, .. } = facts;
    writeln!(card, "# {name}\n")?;
    match content {
        Content::Text => writeln!(card, "Documents; each row is one copy of a document.\n")?,
        Content::Pairs(PairsContent { from, words, negatives }) => {
            let what = match from {
                PairsFrom::Title => "its title as `query`, and as `positive` how its text begins",
                PairsFrom::InverseCloze { .. } => {
                    "a sentence as `query` (inverse cloze), and as `positive` the passage around it"
                }
            };
            writeln!(card, "Each row is one copy of a document: {what}, {words} words at most.")?;
            writeln!(card, "{}\n", negatives_of(*negatives))?;
        }
        Content::Examples(examples) => {
            let how =
                if examples.sample_template { "one template, which it draws" } else { "each template of its task" };
            writeln!(card, "Examples of tasks; each row is one copy of an example in the words of {how}.")?;
            if let Some(shown) = &examples.demonstrations {
                writeln!(card, "Before each prompt stand {} to {} others with their answers.", shown.min, shown.max)?;
            }
            if examples.negatives.hard > 0 {
                writeln!(card, "{}", negatives_of(examples.negatives))?;
            }
            writeln!(card)?;
        }
    }
    writeln!(card, "## Sources\n\nShares of the training split in {}.\n", account.unit.name())?;
    writeln!(card, "| source | licence | asked for | reached | has | gives | epochs | at most |")?;
    writeln!(card, "|---|---|---:|---:|---:|---:|---:|---:|")?;
    for (source, found) in &account.sources {
        let licence = licences.get(source).map_or("unknown", String::as_str);
        let (asked, reached) = (100.0 * found.weight, account.reached(source).map(|share| 100.0 * share));
        let (reached, epochs) = (shown(reached, 2), shown(found.epochs(), 2));
        writeln!(
            card,
            "| {source} | {licence} | {asked:.2} % | {reached} % | {} | {} | {epochs} | {} |",
            found.available, found.given, found.max_epochs
        )?;
    }
    writeln!(
        card,
        "\n## Rows\n\n| split | source | documents | copies | templates | rows |\n|---|---|---:|---:|---:|---:|"
    )?;
    for entry in *entries {
        let MixtureEntry { split, source, documents, copies, templates, rows, .. } = entry;
        writeln!(card, "| {split} | {source} | {documents} | {copies} | {templates} | {rows} |")?;
    }
    Ok(())
}
