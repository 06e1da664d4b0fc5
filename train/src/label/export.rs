//! Judgments as rows to train on.
//!
//! ```text
//! rankings          id, prompt, answers, ranks, labeler      train reward, train dpo
//! demonstrations    id, prompt, completion, labeler          train tune
//! ```
//!
//! A row is a judgment that counts: what was passed over is none, and a prompt that two have judged is two rows.

use std::{
    fmt,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;
use system::AtomicFile;

use super::{
    Kind, Summary,
    store::{Answer, Store},
    verdict::Verdict,
};
use crate::error::{Error, Result};

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Its rows.
    pub rows: usize,
    /// Who has done what, and how far they agree.
    pub summary: Summary,
}

/// A ranking.
#[derive(Debug, Serialize)]
struct RankingRow<'r> {
    id: &'r str,
    prompt: &'r str,
    answers: Vec<&'r str>,
    ranks: &'r [i64],
    labeler: &'r str,
}

/// A demonstration.
#[derive(Debug, Serialize)]
struct DemonstrationRow<'r> {
    id: &'r str,
    prompt: &'r str,
    completion: &'r str,
    labeler: &'r str,
}

/// Writes what a folder holds as JSON lines, by rename; also while a server adds to it.
///
/// - `kind`: what it is to hold, where somebody says
/// - `out`: the file; `KIND.jsonl` in the folder where nobody says
///
/// # Errors
/// When the folder holds no labels, or others; they do not fit together; or the file cannot be written.
pub fn export(folder: &Path, kind: Option<Kind>, out: Option<PathBuf>) -> Result<Exported> {
    let store = Store::open(folder)?;
    let (holds, seed) = (store.settings().kind, store.settings().seed);
    if let Some(wanted) = kind.filter(|kind| *kind != holds) {
        let (holds, wanted) = (holds.name(), wanted.name());
        return Err(Error::OtherKindOfLabels { path: folder.to_owned(), holds, wanted });
    }
    let path = out.unwrap_or_else(|| folder.join(format!("{holds}.jsonl")));
    let mut judgments = store.judgments()?;
    let summary = Summary::new(holds, store.items().len(), &judgments, seed);
    // the order in which they were made says nothing of what they say
    judgments.sort_by(|one, other| (one.item, &one.labeler).cmp(&(other.item, &other.labeler)));
    let mut file = AtomicFile::create(&path)?;
    let mut rows = 0;
    for judgment in &judgments {
        let Some(item) = store.item(judgment.item) else { continue };
        let (id, labeler) = (item.id.as_str(), judgment.labeler.as_str());
        let prompt = store.prompt(item.number)?;
        let line = match &judgment.verdict {
            Verdict::Skip(_) => continue,
            Verdict::Text(completion) => line(&DemonstrationRow { id, prompt: &prompt, completion, labeler }),
            Verdict::Ranks(ranks) => {
                let answers: Vec<Answer> = store.answers(item.number)?.unwrap_or_default();
                let answers = answers.iter().map(|answer| answer.text.as_str()).collect();
                line(&RankingRow { id, prompt: &prompt, answers, ranks, labeler })
            }
        };
        file.write_all(line.as_bytes()).map_err(Error::file("write", &path))?;
        rows += 1;
    }
    file.publish()?;
    Ok(Exported { path, rows, summary })
}

fn line(row: &impl Serialize) -> String {
    serde_json::to_string(row).expect("a row is JSON") + "\n"
}

impl fmt::Display for Exported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, summary, .. } = self;
        write!(formatter, "{rows} {}\n{summary}", summary.kind)
    }
}
