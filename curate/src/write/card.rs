//! The dataset card of a mixture: Markdown with a head that dataset libraries read.

use std::fmt::Write as _;

use schemas::ledger::MixtureEntry;

use super::Content;
use crate::decide::SplitShards;

/// The card of a mixture with the given shards, of which `entries` say what they hold.
#[must_use]
pub fn dataset_card(name: &str, content: &Content, shards: &[SplitShards], entries: &[MixtureEntry]) -> String {
    let mut card = String::from("---\nconfigs:\n- config_name: default\n  data_files:\n");
    let write = "writing to a string does not fail";
    for SplitShards { split, .. } in shards {
        writeln!(card, "  - split: {split}\n    path: {split}-*.parquet").expect(write);
    }
    card.push_str("dataset_info:\n  features:\n");
    for field in content.schema().fields() {
        writeln!(card, "  - name: {}\n    dtype: string", field.name()).expect(write);
    }
    card.push_str("  splits:\n");
    for SplitShards { split, .. } in shards {
        let rows: u64 = entries.iter().filter(|entry| entry.split == *split).map(|entry| entry.rows).sum();
        writeln!(card, "  - name: {split}\n    num_examples: {rows}").expect(write);
    }
    writeln!(card, "---\n\n# {name}\n").expect(write);
    card.push_str("| split | source | documents | copies | templates | rows |\n|---|---|---:|---:|---:|---:|\n");
    for entry in entries {
        let MixtureEntry { split, source, documents, copies, templates, rows, .. } = entry;
        writeln!(card, "| {split} | {source} | {documents} | {copies} | {templates} | {rows} |").expect(write);
    }
    card
}
