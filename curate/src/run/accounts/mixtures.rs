//! What the mixtures should hold, with the rows that their files do hold.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemas::{ledger::MixtureEntry, task::Split};

use super::drawn::Drawn;
use crate::{
    error::Result,
    recipe::MixturePlan,
    run::{
        context::Run,
        mixtures::{Mixed, MixtureStage},
    },
};

/// The entries of all mixtures, by split and source.
pub async fn entries(drawn: &Drawn<'_>, mixed: &[Mixed]) -> Result<Vec<MixtureEntry>> {
    let run = drawn.run;
    let mut entries = Vec::new();
    for (mixture, mixed) in run.plan.mixtures.iter().zip(mixed) {
        let mut of_mixture = MixtureStage::of(run, mixture).entries(&drawn.inputs).await?;
        let mut rows = rows(drawn, mixture, &files_of(run, mixed)).await?;
        for entry in &mut of_mixture {
            entry.rows = rows.remove(&(entry.split.clone(), entry.source.clone())).unwrap_or_default();
        }
        // rows of which no verdict knows
        for ((split, source), rows) in rows {
            let mixture = mixture.name.clone();
            of_mixture.push(MixtureEntry { mixture, split, source, rows, ..Default::default() });
        }
        entries.extend(of_mixture);
    }
    Ok(entries)
}

/// The rows in the files of a mixture, by split and source.
async fn rows(drawn: &Drawn<'_>, mixture: &MixturePlan, files: &[PathBuf]) -> Result<BTreeMap<(String, String), u64>> {
    // those that were found done: nobody else would see that one has other bytes by now
    drawn.run.units.verify(files)?;
    let mut rows = BTreeMap::new();
    for split in Split::ALL.map(Split::name) {
        let paths: Vec<PathBuf> = files.iter().filter(|path| is_of_split(path, split)).cloned().collect();
        if paths.is_empty() {
            continue;
        }
        let table = drawn.parquet(paths, &mixture.content.schema()).await?;
        for (mut keys, count) in drawn.counts(Ok(table), &["source"]).await? {
            rows.insert((split.to_owned(), keys.pop().flatten().unwrap_or_default()), count);
        }
    }
    Ok(rows)
}

fn is_of_split(path: &Path, split: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{split}-")))
}

/// The files of a mixture, where they stand at present.
fn files_of(run: &Run<'_>, mixed: &Mixed) -> Vec<PathBuf> {
    match &mixed.staged {
        Some(staged) => staged.files.iter().map(|(name, ..)| staged.folder.join(name)).collect(),
        None => {
            let folder = format!("{}/", run.layout.relative(&run.layout.mixture(&mixed.name)));
            run.made().paths(|path| path.starts_with(&folder))
        }
    }
}
