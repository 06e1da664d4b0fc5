//! The trainings of rounds: each by a configuration of its own, with what the round sets, and each once.
//!
//! ```text
//! finished.json       nothing is done again
//! checkpoints         it goes on from the newest
//! neither             it begins
//! ```
//!
//! Useful for: trainings whose data and models come to be one after the other. Not useful for: one alone; see the commands of their names.

use std::{fmt, path::Path};

use schemas::toml_file::{Defaults, Setting, TomlFile};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use system::AtomicFile;

use super::{
    dpo::{DpoConfig, DpoPreset, PreferenceTuning, prefer},
    ppo::{PolicyTraining, PpoConfig, PpoPreset, reinforce},
    preset::with_preset,
    reward::{RewardConfig, RewardPreset, RewardTraining, reward},
    session::Options,
    tune::{Tuning, tune},
};
use crate::{checkpoint::checkpoints, error::Result, trainer::Progress};

/// The file that says that a training has come to its end.
const FINISHED: &str = "finished.json";

/// What kind of training it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrainingKind {
    Tune,
    Reward,
    Ppo,
    Dpo,
}

/// A training of a round.
#[derive(Debug, Clone)]
pub(super) struct RoundTraining<'t> {
    kind: TrainingKind,
    /// Its configuration.
    config: &'t Path,
    /// What the round sets in it.
    settings: Vec<Setting>,
}

impl<'t> RoundTraining<'t> {
    /// Instruction tuning of the model in a folder, on what the configuration itself names.
    pub fn tune(config: &'t Path, from: &Path) -> Self {
        Self::new(TrainingKind::Tune, config, [("model.from", from)])
    }

    /// A reward model that begins as the model in a folder.
    pub fn reward(config: &'t Path, rankings: &Path, from: &Path) -> Self {
        Self::new(TrainingKind::Reward, config, [("data.mixture", rankings), ("model.from", from)])
    }

    /// A policy that begins as the model in a folder, and is scored by a reward model.
    pub fn ppo(config: &'t Path, prompts: &Path, from: &Path, reward: &Path) -> Self {
        let paths = [("data.mixture", prompts), ("model.from", from), ("reward.model", reward)];
        Self::new(TrainingKind::Ppo, config, paths)
    }

    /// A policy that begins as the model in a folder, and learns from rankings themselves.
    pub fn dpo(config: &'t Path, rankings: &Path, from: &Path) -> Self {
        Self::new(TrainingKind::Dpo, config, [("data.mixture", rankings), ("model.from", from)])
    }

    fn new<const N: usize>(kind: TrainingKind, config: &'t Path, paths: [(&str, &Path); N]) -> Self {
        let setting = |(key, path): (&str, &Path)| Setting {
            key: key.split('.').map(str::to_owned).collect(),
            value: Value::from(path.to_string_lossy()).to_string(),
        };
        Self { kind, config, settings: paths.map(setting).into() }
    }

    /// Checks its configuration as far as that is possible before its data and its model are there: keys, and what kinds of values they have.
    ///
    /// # Errors
    /// What is wrong with it, with path, line and column.
    pub fn check(&self) -> Result<()> {
        let Self { kind, config, settings } = self;
        match kind {
            // its data is there
            TrainingKind::Tune => Tuning::read(config, settings).map(drop),
            TrainingKind::Reward => checked::<RewardConfig, _>(config, settings, RewardPreset::defaults).map(drop),
            TrainingKind::Dpo => checked::<DpoConfig, _>(config, settings, DpoPreset::defaults).map(drop),
            TrainingKind::Ppo => {
                let (file, PpoConfig { reward, .. }) = checked(config, settings, PpoPreset::defaults)?;
                for (key, is_written) in
                    [("reward.program", reward.program.is_some()), ("reward.classifier", reward.classifier.is_some())]
                {
                    if is_written {
                        let message = "the reward model of a round gives the scores, and nothing beside it".to_owned();
                        return Err(file.fault_of(key, settings, message).into());
                    }
                }
                Ok(())
            }
        }
    }

    /// Trains in a folder, or goes on where it was interrupted; nothing where it is finished. Returns whether it has come to its end.
    ///
    /// # Errors
    /// Those of the training.
    pub fn run(&self, folder: &Path, options: &Options, progress: &mut dyn Progress) -> Result<bool> {
        let finished = folder.join(FINISHED);
        if finished.is_file() {
            return Ok(true);
        }
        if progress.should_stop() {
            return Ok(false);
        }
        let resume = !checkpoints(folder)?.is_empty();
        let Options { device, threads, .. } = *options;
        // files that several rounds read are tokenized once
        let cache = Some(options.cache());
        let options = Options { out: folder.to_owned(), device, resume, until: None, threads, cache };
        progress.note(&format!("{}: {self}", folder.display()));
        let Self { kind, config, settings } = self;
        let outcome = match kind {
            TrainingKind::Tune => tune(&Tuning::read(config, settings)?, &options, progress)?,
            TrainingKind::Reward => reward(&RewardTraining::read(config, settings)?, &options, progress)?.0,
            TrainingKind::Ppo => reinforce(&PolicyTraining::read(config, settings)?, &options, progress)?,
            TrainingKind::Dpo => prefer(&PreferenceTuning::read(config, settings)?, &options, progress)?,
        };
        if outcome.interrupted {
            return Ok(false);
        }
        AtomicFile::write_whole(&finished, json!({ "step": outcome.step }).to_string().as_bytes())?;
        Ok(true)
    }
}

/// The command that it stands for.
impl fmt::Display for RoundTraining<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            TrainingKind::Tune => "tune",
            TrainingKind::Reward => "reward",
            TrainingKind::Ppo => "ppo",
            TrainingKind::Dpo => "dpo",
        };
        write!(formatter, "train {name} {}", self.config.display())
    }
}

/// A file, and the configuration of some kind that it is.
fn checked<C: DeserializeOwned, P: DeserializeOwned>(
    path: &Path,
    settings: &[Setting],
    defaults: fn(P) -> Defaults,
) -> Result<(TomlFile, C)> {
    let file = with_preset(TomlFile::read(path)?, settings, defaults)?;
    let config = file.parse(settings)?;
    Ok((file, config))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of_reward(path: &Path) -> RoundTraining<'_> {
        RoundTraining::reward(path, Path::new("rankings.jsonl"), Path::new("tuned"))
    }

    fn of_ppo(path: &Path) -> RoundTraining<'_> {
        RoundTraining::ppo(path, Path::new("prompts"), Path::new("tuned"), Path::new("a \"judge\""))
    }

    /// A configuration may leave out what the round sets, whole tables of it too; what it says of that itself does not count; and what is no key
    /// is an error of the file.
    #[test]
    fn a_round_sets_what_a_configuration_leaves_out() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("inner.toml");
        let write = |text: &str| fs::write(&path, text).expect("it can be written");
        let fault = |training: &RoundTraining<'_>| training.check().err().map(|error| error.to_string());
        let lines = "seed = 1\n[learning_rate]\npeak = 1e-5\n[training]\nsteps = 4\nbatch_size = 2\n";
        write(lines);
        assert_eq!(fault(&of_reward(&path)), None);
        let found = fault(&of_ppo(&path)).expect("it has no [ppo]");
        assert!(found.contains("inner.toml:1:1: missing field `ppo`"), "{found}");
        write(&format!("{lines}[ppo]\nmax_new_tokens = 4\n[model]\nfrom = \"elsewhere\"\n"));
        assert_eq!(fault(&of_ppo(&path)), None);
        let found = fault(&of_reward(&path)).expect("a reward model writes nothing");
        assert!(found.contains("inner.toml:7:") && found.contains("unknown field `ppo`"), "{found}");
        write(&format!("{lines}[ppo]\nmax_new_tokens = 4\n[reward]\nprogram = \"judge.sh\"\n"));
        let found = fault(&of_ppo(&path)).expect("two things cannot give the scores");
        assert!(found.contains("the reward model of a round gives the scores"), "{found}");
        write("preset = \"instructgpt\"\nseed = 1\n");
        assert_eq!(fault(&of_reward(&path)), None);
        let set = &of_ppo(&path).settings[2];
        assert_eq!((set.key.join("."), set.text()), ("reward.model".to_owned(), "a \"judge\"".to_owned()));
    }
}
