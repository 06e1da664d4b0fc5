//! One training of a sweep, within its own threads.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use schemas::toml_file::Setting;

use super::reached::Reached;
use crate::{
    checkpoint::checkpoints,
    device::DeviceName,
    error::Result,
    program::{
        pretrain::{Pretraining, pretrain},
        session::Options,
    },
    trainer::{Evaluation, GeneratedSample, Progress, SpikeEvent, StepStats},
};

/// A training to do.
pub(super) struct Work<'w> {
    /// The configuration.
    pub config: &'w Path,
    /// What it has beside, or in place of, what that says.
    pub settings: &'w [Setting],
    /// The same as it is kept.
    pub said: BTreeMap<String, String>,
    /// Its folder.
    pub folder: &'w Path,
    /// The folder of ids, which all runs share.
    pub cache: PathBuf,
    pub device: DeviceName,
    pub threads: usize,
}

impl Work<'_> {
    /// Trains, or goes on with it. Returns nothing where it was interrupted.
    ///
    /// - `note`: is told what one should know
    ///
    /// # Errors
    /// Those of the training.
    pub fn train(self, stop: &AtomicBool, note: &(dyn Fn(&str) + Sync)) -> Result<Option<Reached>> {
        let Self { config, settings, said, folder, cache, device, threads } = self;
        let pretraining = Pretraining::read(config, settings)?;
        let resume = !checkpoints(folder)?.is_empty();
        let options = Options { out: folder.to_owned(), device, resume, until: None, threads, cache: Some(cache) };
        let outcome = pretrain(&pretraining, &options, &mut Watch { stop, note })?;
        if outcome.interrupted {
            return Ok(None);
        }
        let reached = Reached::of_log(folder, said, pretraining.parameters(), pretraining.tokens_per_step())?;
        reached.write(folder)?;
        Ok(Some(reached))
    }
}

/// Watches a run among many: spikes are told, and steps are not.
struct Watch<'w> {
    stop: &'w AtomicBool,
    note: &'w (dyn Fn(&str) + Sync),
}

impl Progress for Watch<'_> {
    fn on_start(&mut self, _: u64) {}

    fn on_step(&mut self, _: &StepStats) {}

    fn on_evaluation(&mut self, _: &Evaluation) {}

    fn on_sample(&mut self, _: &GeneratedSample) {}

    fn on_spike(&mut self, event: &SpikeEvent) {
        (self.note)(&event.message());
    }

    fn note(&mut self, text: &str) {
        (self.note)(text);
    }

    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
