//! A run in a few lines: what each stage left of each source, what was written, and what one would want to know first.

use std::{collections::BTreeMap, fmt::Write as _};

use schemas::ledger::{Ledger, LostEntry};

use crate::{report::Warning, run::Outcome};

/// Characters that a wrapped text keeps at least, however narrow the terminal is.
const NARROWEST: usize = 24;

/// The summary of a run.
///
/// - `width`: characters in a line, which longer ones are wrapped to
pub fn summary(outcome: &Outcome, warnings: &[Warning], width: usize) -> String {
    let mut text = format!("\n{}\n", funnel(&outcome.ledger, width));
    let mut rows: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for entry in &outcome.ledger.mixtures {
        *rows.entry((&entry.mixture, &entry.split)).or_default() += entry.rows;
    }
    for ((mixture, split), rows) in rows {
        let _ = write!(text, "\nmixture {mixture}, {split}: {rows} rows");
    }
    let _ = write!(text, "\n{} units run, {} found done", outcome.ran, outcome.found);
    for warning in warnings {
        let mark = "warning: ";
        let _ = write!(text, "\n{mark}{}", wrapped(&warning.to_string(), mark.len(), width));
    }
    text
}

/// What each stage left of each source that it dropped something of, as a table.
fn funnel(ledger: &Ledger, width: usize) -> String {
    let Ledger { stages, lost, truncated, cuts, .. } = ledger;
    let words = |words: &str| words.to_owned();
    let mut table = vec![["stage", "source", "in", "kept", "dropped"].map(words)];
    for entry in stages.iter().filter(|entry| entry.r#in > entry.kept || entry.stage == "read") {
        let (stage, source) = (entry.stage.clone(), entry.source.clone());
        table.push([stage, source, entry.r#in.to_string(), entry.kept.to_string(), entry.reasons()]);
    }
    let mut also = |stage: &str, source: &str, what: String| {
        table.push([words(stage), words(source), String::new(), String::new(), what]);
    };
    for LostEntry { source, files, bytes, of, .. } in lost.iter().filter(|entry| entry.files > 0) {
        also("lost", source, format!("{bytes} of {of} bytes lost, in {files} files"));
    }
    for entry in truncated {
        also("read", &entry.source, format!("{} documents came cut: {}", entry.documents, entry.truncated));
    }
    for entry in cuts {
        also(&entry.stage, &entry.source, format!("{} bytes cut out of {} documents", entry.bytes, entry.documents));
    }

    let widest = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [stages, sources, ins, kepts] = [0, 1, 2, 3].map(widest);
    let before = stages + sources + ins + kepts + 8;
    let line = |[stage, source, r#in, kept, dropped]: &[String; 5]| {
        let line = format!(
            "{stage:stages$}  {source:sources$}  {in:>ins$}  {kept:>kepts$}  {}",
            wrapped(dropped, before, width)
        );
        line.trim_end().to_owned()
    };
    table.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A text of which no line but that of a long word passes `width`, with each line but the first behind `indent` spaces.
fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(NARROWEST);
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use schemas::ledger::{MixtureEntry, StageEntry};

    use super::*;

    #[test]
    fn a_summary_lines_up_and_fits() {
        let entry = |stage: &str, source: &str, went_in: u64, dropped: &[(&str, u64)]| StageEntry {
            stage: stage.into(),
            source: source.into(),
            r#in: went_in,
            kept: went_in - dropped.iter().map(|(_, count)| count).sum::<u64>(),
            dropped: dropped.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
            ..StageEntry::default()
        };
        let reasons = [
            ("gopher_bullets", 17),
            ("gopher_ellipses", 4),
            ("gopher_few_stop_words", 1_203),
            ("gopher_short", 12_004),
        ];
        let stages = vec![
            entry("read", "submissions_of_a_forum", 165_000, &[]),
            entry("read", "web", 990, &[]),
            entry("gopher_quality", "submissions_of_a_forum", 165_000, &reasons),
        ];
        let rows = MixtureEntry { mixture: "text".into(), split: "train".into(), rows: 4, ..MixtureEntry::default() };
        let ledger = Ledger { stages, mixtures: vec![rows], ..Ledger::default() };
        let warnings = [Warning {
            about: "mixture text".into(),
            message: "`web` limits it, with 12.3 kB at a weight of 0.5: 99 % of `posts` is left unused".into(),
        }];
        let outcome = Outcome { ledger, ran: 7, found: 0 };
        insta::assert_snapshot!(summary(&outcome, &warnings, 80), @r"
        stage           source                      in    kept  dropped
        read            submissions_of_a_forum  165000  165000
        read            web                        990     990
        gopher_quality  submissions_of_a_forum  165000  151772  gopher_bullets 17,
                                                                gopher_ellipses 4,
                                                                gopher_few_stop_words
                                                                1203, gopher_short 12004

        mixture text, train: 4 rows
        7 units run, 0 found done
        warning: mixture text: `web` limits it, with 12.3 kB at a weight of 0.5: 99 % of
                 `posts` is left unused
        ");
    }
}
