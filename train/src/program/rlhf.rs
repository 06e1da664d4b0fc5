//! Rounds of learning from feedback: answers of a policy are ranked, a reward model is trained on the rankings, and the policy against it.
//!
//! ```text
//! [demonstrations] -> tuned                                                        once, where there are some
//! policy -> answers -> rankings, with those of the rounds before -> reward model -> policy        a round
//!           (label)                                                 (reward)        (ppo, dpo)
//!
//! OUT/rounds.json, rounds.jsonl, samples.jsonl, report.html      what they are, what each won, what it answers
//! OUT/tuned
//! OUT/round-1/labels, rankings.jsonl, mixture.jsonl, reward, policy
//! ```
//!
//! A step that is finished says so in its own folder, and is not done again; one that was interrupted goes on. The reward model of a round begins
//! as the model that the first round began with, and not as that of the round before; the policy begins as that of the round before, and is held
//! to it.
//!
//! Useful for: a model that is to answer as people like it, where they can say which of some answers they like better. Not useful for: one
//! training of it alone; see [`super::reward`], [`super::ppo`] and [`super::dpo`].
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), section 3; Bai et al. 2022, section 4.5, for going round.

use std::path::{Path, PathBuf};

use schemas::toml_file::{Setting, Spanned, TomlFile};
use system::{AtomicFile, hash_file, sha256};

use super::{
    data::absolute,
    folder_identity::FolderIdentity,
    pretrained_model::PretrainedModel,
    rlhf_config::LabelConfig,
    rlhf_figures,
    rlhf_labels::{Labelled, RoundLabels, mix},
    rlhf_page::{self, RoundsPage},
    rlhf_samples::{self, SamplePrompts},
    rlhf_trainings::RoundTraining,
    session::Options,
};
pub use super::{
    rlhf_config::{PolicyMethod, RlhfConfig},
    rlhf_figures::{PolicyFigures, RewardFigures, RoundFigures},
    rlhf_samples::RoundSample,
};
use crate::{
    checkpoint::Which,
    data::{HashedFiles, SourceFiles},
    error::{Error, Result},
    trainer::Progress,
};

/// The name of the file by which rounds are known.
const IDENTITY: &str = "rounds.json";

/// The folder of the model that the first round begins with, where it is tuned.
const TUNED: &str = "tuned";

/// The folder of a round's reward model.
const REWARD: &str = "reward";

/// The folder of a round's policy.
const POLICY: &str = "policy";

/// Checked rounds: what their paths lead to is there.
#[derive(Debug, Clone)]
pub struct Rounds {
    config: RlhfConfig,
    prompts: PathBuf,
    /// The model that is gone on from.
    from: PathBuf,
    /// The program that ranks; people do where there is none.
    labeler: Option<PathBuf>,
    /// Configurations.
    demonstrations: Option<PathBuf>,
    reward: PathBuf,
    policy: PathBuf,
}

/// What came of some rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundsOutcome {
    /// What each round won that is done, those that were done before among them.
    pub rounds: Vec<RoundFigures>,
    /// How it ended.
    pub end: RoundsEnd,
}

/// How rounds ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundsEnd {
    /// All are done.
    Done,
    /// They were interrupted, and can be gone on with.
    Interrupted,
    /// A round waits for people, and can be gone on with when they have ranked enough.
    Waiting {
        /// The round.
        round: usize,
        /// Rankings that are there.
        there: usize,
        /// Rankings that are wanted.
        wanted: usize,
        /// The command that serves a page to them, word by word.
        command: Vec<String>,
    },
}

impl Rounds {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, a number out of its range, a missing file, a configuration of a training that is at fault: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = TomlFile::read(path)?;
        let config: RlhfConfig = file.parse(&settings)?;
        if let Some((key, message)) = config.fault() {
            return Err(file.fault_of(key, &settings, message).into());
        }
        let found = |key: &str, written: &Spanned<PathBuf>, what: &str, is_there: fn(&Path) -> bool| {
            let found = file.folder().join(written.get_ref());
            if is_there(&found) {
                return Ok(found);
            }
            let message = format!("there is no {what} {}", found.display());
            Err(Error::from(file.fault_of(key, &settings, message)))
        };
        let RlhfConfig { prompts, model, label, demonstrations, reward, policy, .. } = &config;
        let demonstrations = demonstrations.as_ref();
        let rounds = Self {
            prompts: found("prompts.mixture", &prompts.mixture, "file or folder", Path::exists)?,
            from: found("model.from", &model.from, "folder", Path::is_dir)?,
            labeler: label
                .labeler
                .as_ref()
                .map(|labeler| found("label.labeler", labeler, "file", Path::is_file))
                .transpose()?,
            demonstrations: demonstrations
                .map(|tuning| found("demonstrations.config", &tuning.config, "file", Path::is_file))
                .transpose()?,
            reward: found("reward.config", &reward.config, "file", Path::is_file)?,
            policy: found("policy.config", &policy.config, "file", Path::is_file)?,
            config,
        };
        rounds.check_trainings()?;
        Ok(rounds)
    }

    /// Checks the configurations of trainings, as far as that is possible before what they are to read is there.
    fn check_trainings(&self) -> Result<()> {
        let Self { from, demonstrations, reward, .. } = self;
        if let Some(config) = demonstrations {
            RoundTraining::tune(config, from).check()?;
        }
        RoundTraining::reward(reward, &self.prompts, from).check()?;
        self.training_of_policy(from, &self.prompts, from).check()
    }

    /// The training of a policy that begins as the model in a folder.
    fn training_of_policy<'r>(&'r self, from: &Path, rankings: &Path, reward: &Path) -> RoundTraining<'r> {
        match self.config.policy.method {
            PolicyMethod::Ppo => RoundTraining::ppo(&self.policy, &self.prompts, from, reward),
            PolicyMethod::Dpo => RoundTraining::dpo(&self.policy, rankings, from),
        }
    }

    /// What they are known by.
    fn identity(&self) -> Result<FolderIdentity> {
        let Self { config, prompts, from, labeler, demonstrations, reward, policy } = self;
        let LabelConfig { answers, tokens, temperature, .. } = &config.label;
        let files = HashedFiles::new(SourceFiles::find(prompts)?)?;
        let (train, validation) = files.hashes();
        let mixture = sha256(format!("{};{}", train.concat(), validation.concat()).as_bytes());
        let mut identity = FolderIdentity::new(IDENTITY, "`rounds`")
            .with("seed", &config.seed)
            .with("label.answers", answers)
            .with("label.tokens", tokens)
            .with("label.temperature", temperature)
            .with("policy.method", &config.policy.method)
            .with_hash("prompts.mixture", &mixture)
            .with_hash("model.from", &PretrainedModel::open(from, Which::Newest)?.sha256()?);
        for (key, path) in [
            ("label.labeler", labeler.as_deref()),
            ("demonstrations.config", demonstrations.as_deref()),
            ("reward.config", Some(reward.as_path())),
            ("policy.config", Some(policy.as_path())),
        ] {
            if let Some(path) = path {
                identity = identity.with_hash(key, &hash_file(path)?.sha256);
            }
        }
        Ok(identity)
    }
}

/// Runs rounds, or goes on with them: until all are done, one waits for people, or a callback stops them.
///
/// # Errors
/// When the folder holds other rounds, the labeler fails, or one of the trainings does: the error names what is at fault.
pub fn run_rounds(rounds: &Rounds, options: &Options, progress: &mut dyn Progress) -> Result<RoundsOutcome> {
    let identity = rounds.identity()?;
    identity.hold(&options.out, options.resume)?;
    let run = RoundsRun { rounds, options, identity };
    let end = run.all(progress)?;
    Ok(RoundsOutcome { rounds: run.report()?, end })
}

/// Rounds that run.
struct RoundsRun<'r> {
    rounds: &'r Rounds,
    options: &'r Options,
    identity: FolderIdentity,
}

impl RoundsRun<'_> {
    /// The folder of a round.
    fn folder(&self, round: usize) -> PathBuf {
        self.options.out.join(format!("round-{round}"))
    }

    /// Runs the rounds that are not done.
    fn all(&self, progress: &mut dyn Progress) -> Result<RoundsEnd> {
        let Rounds { config, from, demonstrations, .. } = self.rounds;
        let mut start = from.clone();
        if let Some(tuning) = demonstrations {
            start = self.options.out.join(TUNED);
            if !RoundTraining::tune(tuning, from).run(&start, self.options, progress)? {
                return Ok(RoundsEnd::Interrupted);
            }
        }
        let done = RoundFigures::read(&self.options.out)?.len();
        for round in done + 1..=config.rounds {
            match self.round(round, &start, progress)? {
                RoundsEnd::Done => {
                    self.report()?;
                }
                end => return Ok(end),
            }
        }
        Ok(RoundsEnd::Done)
    }

    /// Runs a round.
    ///
    /// - `start`: the model that the first one began with
    fn round(&self, round: usize, start: &Path, progress: &mut dyn Progress) -> Result<RoundsEnd> {
        let Rounds { config, prompts, labeler, reward, .. } = self.rounds;
        let folder = self.folder(round);
        let before = if round == 1 { start.to_owned() } else { self.folder(round - 1).join(POLICY) };
        progress.note(&format!("round {round} of {}", config.rounds));
        let labels = RoundLabels {
            config: &config.label,
            labeler: labeler.as_deref(),
            prompts,
            policy: &before,
            seed: config.seed.wrapping_add(round as u64 - 1),
            folder: &folder,
        };
        match labels.collect(progress)? {
            Labelled::Enough => {}
            Labelled::Interrupted => return Ok(RoundsEnd::Interrupted),
            Labelled::Waiting(there) => {
                let (wanted, command) = (config.label.count, labels.command());
                return Ok(RoundsEnd::Waiting { round, there, wanted, command });
            }
        }
        let folders: Vec<PathBuf> = (1..=round).map(|round| self.folder(round)).collect();
        let (rankings, counts) = mix(&folders)?;
        let [judge, after] = [REWARD, POLICY].map(|name| folder.join(name));
        let of_reward = RoundTraining::reward(reward, &rankings, start);
        let of_policy = self.rounds.training_of_policy(&before, &rankings, &judge);
        for (training, folder) in [(of_reward, &judge), (of_policy, &after)] {
            if !training.run(folder, self.options, progress)? {
                return Ok(RoundsEnd::Interrupted);
            }
        }
        for warning in rlhf_figures::warnings(&judge) {
            progress.note(&format!("take care: of the reward model of round {round}, {warning}"));
        }
        self.sample(round, start, &after)?;
        let figures = RoundFigures::of(round, counts, &judge, &after)?;
        figures.add(&self.options.out)?;
        progress.note(&figures.to_string());
        Ok(RoundsEnd::Done)
    }

    /// Keeps what the policy answers after a round, and what the start answered before the first.
    fn sample(&self, round: usize, start: &Path, policy: &Path) -> Result<()> {
        let Rounds { config, prompts, policy: of_policy, .. } = self.rounds;
        let asked = SamplePrompts { mixture: prompts, policy: of_policy, tokens: config.label.tokens };
        if round == 1 {
            rlhf_samples::add(&self.options.out, 0, start, asked)?;
        }
        rlhf_samples::add(&self.options.out, round, policy, asked)
    }

    /// Writes the page of what is done. Returns what each round won.
    fn report(&self) -> Result<Vec<RoundFigures>> {
        let out = &self.options.out;
        let (rounds, samples) = (RoundFigures::read(out)?, rlhf_samples::read(out)?);
        if rounds.is_empty() {
            return Ok(rounds);
        }
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        let method = self.rounds.config.policy.method.to_string();
        let settings = self.identity.entries().collect();
        let page = RoundsPage { name: &name, method: &method, rounds: &rounds, samples: &samples, settings };
        AtomicFile::write_whole(&out.join(rlhf_page::FILE), page.html().as_bytes())?;
        Ok(rounds)
    }
}
