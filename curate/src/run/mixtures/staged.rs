//! The files of a mixture, made aside from where they will stand: places, routed text, shards, the card.

use std::{collections::BTreeMap, path::PathBuf};

use schemas::task::Task;

use super::{routing::Routing, sharding::Sharding, shards::Shards, stage::MixtureStage, staging::Staging};
use crate::{
    error::{Error, Result},
    files::{Inputs, Written, write_whole},
    run::units::Origin,
    write::{CardFacts, SplitSize, dataset_card, split_files, versions},
};

/// A mixture whose files are made, and do not stand in their place yet.
pub struct Staged {
    /// Where they stand.
    pub folder: PathBuf,
    /// What they follow from.
    pub origin: Origin,
    /// Their names, rows and hashes.
    pub files: Vec<(String, Option<u64>, Written)>,
}

/// The files of a mixture.
///
/// - reads: its verdicts and its account, documents
/// - writes: `work/staging/NAME/`
pub struct MixtureFiles<'s> {
    pub stage: &'s MixtureStage<'s>,
    /// What they follow from.
    pub origin: Origin,
    /// What their making may read.
    pub inputs: &'s Inputs,
}

impl<'s> MixtureFiles<'s> {
    /// Makes the files. What was made by a run that was stopped is found again.
    pub async fn make(self) -> Result<Staged> {
        let tasks = &self.stage.run.plan.task_files;
        self.write().await.map_err(|error| located(tasks, error))
    }

    async fn write(self) -> Result<Staged> {
        let MixtureStage { run, mixture, .. } = self.stage;
        run.units.verify(&self.inputs.files())?;
        let sharding = Sharding::of(self.stage, self.inputs).await?;
        let staging = &self.staging(&sharding);
        let routed = Routing { staging, buckets: sharding.in_buckets() }.route().await?;
        // before any shard is made of them: units run side by side
        run.units.verify(&routed)?;
        let folder = staging.folder.join("files");
        let names = split_files(&sharding.shards);
        let shards = Shards { staging, routed, folder: &folder };
        let written = shards.write(&sharding, names.iter().map(|(_, name)| name)).await?;
        let mut sizes: BTreeMap<String, SplitSize> = BTreeMap::new();
        for (split, name) in &names {
            sizes.entry(split.clone()).or_default().add(&folder.join(name))?;
        }
        let facts = CardFacts {
            name: &mixture.name,
            content: &mixture.content,
            shards: &sharding.shards,
            entries: &self.stage.entries(self.inputs).await?,
            account: &run.read_made(&run.layout.mixture_account(&mixture.name))?,
            licences: &run.plan.licences,
            sizes: &sizes,
        };
        let card = write_whole(&folder.join("README.md"), dataset_card(&facts).as_bytes())?;
        let names = names.into_iter().map(|(_, name)| name);
        let shards = names.zip(written).map(|(name, (rows, written))| (name, rows, written));
        let files = shards.chain([("README.md".to_owned(), None, card)]).collect();
        Ok(Staged { folder, origin: self.origin, files })
    }

    fn staging(&self, sharding: &Sharding) -> Staging<'s> {
        let MixtureStage { run, mixture, .. } = self.stage;
        // what was routed to other buckets is of no use
        let settings = (self.origin.fingerprint.as_str(), sharding.buckets);
        let work = run.units.fingerprint(versions::PLACES, &[], &settings);
        let folder = run.layout.work().join("staging").join(&mixture.name).join(work.as_str());
        self.inputs.own(&folder);
        Staging { stage: self.stage, origin: self.origin.with(work), inputs: self.inputs, folder }
    }
}

/// The fault of a template with its place in the task's file; any other error as it is.
fn located(tasks: &BTreeMap<String, PathBuf>, error: Error) -> Error {
    match error {
        Error::Render(error) => match tasks.get(error.task()) {
            Some(file) => Task::locate(file, error),
            None => error.into(),
        },
        other => other,
    }
}
