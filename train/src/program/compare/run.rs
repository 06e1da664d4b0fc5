//! The same model on several mixtures, through [`Sweep`], until it is decided.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemas::toml_file::{Setting, TomlFile};
use serde_json::json;
use system::AtomicFile;

use super::{
    config::{ArmConfig, CompareConfig},
    outcome::{ALPHA, ArmOutcome, CompareOutcome, Difference, half_width, mean_curve, token_efficiency},
    page::{self, ComparePage},
};
use crate::{
    error::{Error, Result},
    metrics::{mean, mean_and_deviation},
    program::{
        data::{absolute, absolute_from},
        folder_identity::FolderIdentity,
        mix::shares_of,
        pretrain::Pretraining,
        session::Options,
        sweep::{Evaluated, Reached, Sweep, SweepRun, goes_on, setting, settings_of},
    },
    trainer::Progress,
};

/// What a comparison is known by.
const IDENTITY: &str = "comparison.json";

/// The weight of a source that has none: a configuration has no source without a weight, and this one is never drawn.
const NOTHING: f64 = 1e-12;

/// What is judged where nothing is held out, in words.
const VALIDATION: &str = "its own validation data";

/// A checked configuration: each arm can be trained.
#[derive(Debug, Clone)]
pub struct Compare {
    config: CompareConfig,
    model: PathBuf,
    /// The baseline, and the others in the order of their names.
    arms: Vec<Arm>,
    /// The domains that count; the validation data of each arm, where nothing is held out.
    domains: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
struct Arm {
    name: String,
    settings: Vec<Setting>,
    pretraining: Pretraining,
    /// The hash of what it is trained from, once its files are read.
    known_by: Option<String>,
}

impl Compare {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, an arm that cannot be trained or learns from another number of tokens, a domain that is not held out: with path, line and
    /// column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = TomlFile::read(path)?;
        let config: CompareConfig = file.parse(&settings)?;
        let fault = |key: &str, message: String| Error::from(file.fault_of(key, &settings, message));
        if let Some((key, message)) = config.fault() {
            return Err(fault(key, message));
        }
        let model = file.folder().join(config.model.config.get_ref());
        if !model.is_file() {
            return Err(fault("model.config", format!("there is no file {}", model.display())));
        }
        let mut arms = Vec::new();
        let first = config.arms.get_key_value(&config.baseline);
        let others = config.arms.iter().filter(|(name, _)| **name != config.baseline);
        for (name, arm) in first.into_iter().chain(others) {
            let ArmConfig { mixture, weights, set } = arm.get_ref();
            let mut own: Vec<Setting> = Vec::new();
            if let Some(mixture) = mixture {
                let found = file.folder().join(mixture.get_ref());
                let found = std::path::absolute(&found).unwrap_or(found);
                own.push(setting(["data", "mixture"], &json!(found.to_string_lossy())));
            }
            for (key, value) in set {
                let key: Vec<String> = key.split('.').map(str::to_owned).collect();
                own.extend(settings_of(&key, value).iter().map(|setting| absolute_from(setting, file.folder())));
            }
            let read = |own: &[Setting]| {
                Pretraining::read(&model, own).map_err(|error| match error {
                    Error::Toml(error) => Error::from(file.fault(arm.span(), format!("arm `{name}`: {error}"))),
                    other => other,
                })
            };
            if let Some(weights) = weights {
                let sources: Vec<String> =
                    read(&own)?.data().source_weights().map(|(source, _)| source.to_owned()).collect();
                if let Some(unknown) = weights.keys().find(|source| !sources.contains(source)) {
                    let known = sources.join("`, `");
                    let message = format!("arm `{name}`: there is no source `{unknown}`: there are `{known}`");
                    return Err(file.fault(arm.span(), message).into());
                }
                let shares: Vec<f64> =
                    sources.iter().map(|source| weights.get(source).copied().unwrap_or(0.0)).collect();
                let shares =
                    shares_of(&shares).map_err(|message| file.fault(arm.span(), format!("arm `{name}`: {message}")))?;
                own.extend(
                    sources.iter().zip(shares).map(|(source, share)| {
                        setting(["data", "sources", source, "weight"], &json!(share.max(NOTHING)))
                    }),
                );
            }
            let pretraining = read(&own)?;
            arms.push(Arm { name: name.clone(), settings: own, pretraining, known_by: None });
        }
        if let Some(message) = arms.iter().find_map(|arm| arm.pretraining.fault_in_sweep()) {
            return Err(fault("model.config", format!("{}: {message}", model.display())));
        }
        for arm in &arms {
            let tokens = |arm: &Arm| arm.pretraining.steps().map(|steps| steps * arm.pretraining.tokens_per_step());
            if let (Some(own), Some(baseline)) = (tokens(arm), tokens(&arms[0]))
                && own != baseline
            {
                let message = format!(
                    "arm `{}` learns from {own} tokens, and `{}` from {baseline}: that is no comparison of data",
                    arm.name, arms[0].name
                );
                return Err(file.fault(config.arms[&arm.name].span(), message).into());
            }
        }
        let domains = domains(&config, &arms).map_err(|message| fault("domains", message))?;
        Ok(Self { config, model, arms, domains })
    }

    /// What the comparison is known by.
    ///
    /// # Errors
    /// When a file cannot be read, or an arm has another seed than the baseline, another tokenizer, or other data to be judged by.
    fn identity(&mut self, options: &Options) -> Result<FolderIdentity> {
        let may_change = "`seeds`, `min_seeds`, `stop_early`, `baseline`, `domains`, `at_once`, `keep_models` and which `arms` there are";
        let identity = FolderIdentity::new(IDENTITY, may_change)
            .with("threads", &self.config.threads)
            .with("device", &options.device.kind());
        let mut of_baseline: Option<String> = None;
        let baseline = self.arms[0].name.clone();
        for arm in &mut self.arms {
            let [trained, judged] = arm.pretraining.fingerprints()?;
            if of_baseline.get_or_insert_with(|| judged.clone()) != &judged {
                let message = format!(
                    "arm `{}` differs from `{}` in its seed, its tokenizer, or what it is judged by: losses of both do not compare",
                    arm.name, baseline
                );
                return Err(Error::Data { path: self.model.clone(), message });
            }
            arm.known_by = Some(trained);
        }
        Ok(identity.with_hash("what arms are judged by", &of_baseline.unwrap_or_default()))
    }

    /// The trainings of a seed: one of each arm.
    fn of_seed(&self, seed: u64) -> Vec<SweepRun> {
        let run = |arm: &Arm| {
            let mut settings = arm.settings.clone();
            settings.push(setting(["seed"], &json!(arm.pretraining.seed().wrapping_add(seed))));
            SweepRun { name: format!("{}-{seed}", arm.name), settings, known_by: arm.known_by.clone() }
        };
        self.arms.iter().map(run).collect()
    }

    /// The loss on each domain.
    fn losses(&self, evaluated: &Evaluated) -> Vec<f64> {
        match &self.domains {
            Some(domains) => domains.iter().map(|domain| evaluated.held_out[domain]).collect(),
            None => vec![evaluated.validation_loss],
        }
    }

    /// Makes sure that each evaluation is of all domains.
    fn check(&self, reached: &[Reached]) -> Result<()> {
        for evaluated in reached.iter().flat_map(|reached| &reached.evaluations) {
            self.domains.iter().flatten().try_for_each(|domain| evaluated.loss_on(domain).map(drop))?;
        }
        Ok(())
    }

    /// The domains by name.
    fn names(&self) -> Vec<String> {
        self.domains.clone().unwrap_or_else(|| vec![VALIDATION.to_owned()])
    }

    /// Whether it is decided: whether each arm differs from the baseline.
    ///
    /// - `by_seed`: what each arm reached, seed by seed
    fn is_decided(&self, by_seed: &[Vec<Reached>]) -> bool {
        (1..self.arms.len()).all(|arm| self.is_arm_decided(arm, by_seed))
    }

    /// Whether an arm differs from the baseline, where each look at each arm may be wrong by chance.
    fn is_arm_decided(&self, arm: usize, by_seed: &[Vec<Reached>]) -> bool {
        let CompareConfig { seeds, min_seeds, stop_early, .. } = self.config;
        // it is looked at after each further seed
        let looks = if stop_early { seeds.saturating_sub(min_seeds) + 1 } else { 1 };
        let looks = looks * (self.arms.len() as u64 - 1).max(1);
        let objective = |reached: &Reached| mean(&self.losses(reached.end()));
        let won: Vec<f64> = by_seed.iter().map(|reached| objective(&reached[0]) - objective(&reached[arm])).collect();
        mean(&won).abs() > half_width(&won, ALPHA / looks as f64)
    }

    /// What came of it.
    fn outcome(&self, by_seed: &[Vec<Reached>]) -> CompareOutcome {
        let of_arm = |arm: usize| by_seed.iter().map(|reached| &reached[arm]).collect::<Vec<&Reached>>();
        let ends = |arm: usize| of_arm(arm).iter().map(|reached| self.losses(reached.end())).collect::<Vec<_>>();
        let objectives = |arm: usize| ends(arm).iter().map(|losses| mean(losses)).collect::<Vec<f64>>();
        let curve = |arm: usize| {
            let of_seed = |reached: &&Reached| -> Vec<[f64; 2]> {
                let at = |evaluated: &Evaluated| {
                    let tokens = reached.tokens as f64 * evaluated.step as f64 / reached.steps as f64;
                    [tokens, mean(&self.losses(evaluated))]
                };
                reached.evaluations.iter().filter(|evaluated| evaluated.step > 0).map(at).collect()
            };
            mean_curve(&of_arm(arm).iter().map(of_seed).collect::<Vec<_>>())
        };
        let (baseline, baseline_ends, baseline_curve) = (objectives(0), ends(0), curve(0));
        let arm = |number: usize| {
            let (losses, own_ends, curve) = (objectives(number), ends(number), curve(number));
            let [mean_loss, deviation] = mean_and_deviation(&losses);
            let of_domain = |(place, domain): (usize, &String)| {
                let column = |ends: &[Vec<f64>]| ends.iter().map(|losses| losses[place]).collect::<Vec<f64>>();
                let own = column(&own_ends);
                (domain.clone(), (mean(&own), Difference::of(&column(&baseline_ends), &own)))
            };
            ArmOutcome {
                name: self.arms[number].name.clone(),
                mean: mean_loss,
                deviation,
                difference: Difference::of(&baseline, &losses),
                is_decided: self.is_arm_decided(number, by_seed),
                domains: self.names().iter().enumerate().map(of_domain).collect::<BTreeMap<_, _>>(),
                token_efficiency: token_efficiency(&baseline_curve, &curve),
                losses,
                curve,
            }
        };
        let seeds = by_seed.len() as u64;
        let first = &by_seed[0][0];
        CompareOutcome {
            baseline: self.config.baseline.clone(),
            seeds,
            stopped_early: seeds < self.config.seeds,
            tokens: first.tokens,
            parameters: first.parameters[0],
            domains: self.names(),
            arms: (0..self.arms.len()).map(arm).collect(),
        }
    }
}

/// The domains that count; none where nothing is held out.
fn domains(config: &CompareConfig, arms: &[Arm]) -> std::result::Result<Option<Vec<String>>, String> {
    let held_out: Vec<String> = arms[0].pretraining.data().held_out_names().map(str::to_owned).collect();
    if let Some(arm) = arms.iter().find(|arm| arm.pretraining.data().held_out_names().ne(held_out.iter())) {
        return Err(format!("arm `{}` is judged by other held-out data than `{}`", arm.name, arms[0].name));
    }
    match &config.domains {
        None if held_out.is_empty() => Ok(None),
        None => Ok(Some(held_out)),
        Some(named) if named.is_empty() => Err("it names no domain".into()),
        Some(named) => match named.iter().find(|name| !held_out.contains(name)) {
            Some(unknown) => Err(format!("`{unknown}` is not held out: there are `{}`", held_out.join("`, `"))),
            None => {
                let mut named = named.clone();
                named.sort();
                named.dedup();
                Ok(Some(named))
            }
        },
    }
}

/// Trains all arms, seed by seed, or goes on with them, until it is decided or all seeds are trained. Returns nothing where it was interrupted.
///
/// # Errors
/// When the folder holds another comparison, a training fails, or a file cannot be written: the error names what is at fault.
pub fn run_compare(
    compare: &mut Compare,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Option<CompareOutcome>> {
    let identity = compare.identity(options)?;
    let goes_on = goes_on(&identity, options, progress);
    identity.check(&options.out, goes_on)?;
    let compare = &*compare;
    let Compare { config, model, arms, domains } = compare;
    let CompareConfig { seeds, min_seeds, stop_early, at_once, threads, keep_models, .. } = config;
    if domains.is_none() {
        progress
            .note("take care: nothing is held out, and each arm is judged by its own validation data, which differ");
    }
    for arm in arms {
        progress.note(&format!("arm {}", arm.name));
        let own = arm.pretraining.seed();
        arm.pretraining.tokenize((0..*seeds).map(|seed| own.wrapping_add(seed)), &options.cache(), progress)?;
    }
    identity.hold(&options.out, goes_on)?;
    let sweep = Sweep { config: model, options, at_once: *at_once, threads: *threads, keep_models: *keep_models };
    let mut by_seed: Vec<Vec<Reached>> = Vec::new();
    while by_seed.len() as u64 != *seeds {
        let begin = by_seed.len() as u64;
        // all those that it cannot be decided without are trained together
        let end = if *stop_early { (begin + 1).max(*min_seeds).min(*seeds) } else { *seeds };
        let runs: Vec<SweepRun> = (begin..end).flat_map(|seed| compare.of_seed(seed)).collect();
        let Some(reached) = sweep.run(&runs, progress)? else { return Ok(None) };
        compare.check(&reached)?;
        by_seed.extend(reached.chunks(arms.len()).map(<[Reached]>::to_vec));
        if *stop_early && by_seed.len() as u64 >= *min_seeds && compare.is_decided(&by_seed) {
            break;
        }
    }
    let outcome = compare.outcome(&by_seed);
    outcome.write(&options.out)?;
    let title = options.out.file_name().unwrap_or_default().to_string_lossy();
    let page = ComparePage { name: &title, outcome: &outcome };
    AtomicFile::write_whole(&options.out.join(page::FILE), page.html().as_bytes())?;
    Ok(Some(outcome))
}
