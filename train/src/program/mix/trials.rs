//! What weights reach: small models of fresh seeds on what laws propose, and on other weights beside it.

use std::{collections::BTreeMap, fmt, fs, io, path::Path};

use serde::{Deserialize, Serialize};
use system::AtomicFile;

use super::{
    checked::Mix,
    fit::{LawAnswer, MixFit},
};
use crate::{
    error::{Error, Result},
    metrics::{mean, mean_and_deviation, spearman, stderr_of_mean},
    mixing::{Bounds, Objective, ObjectiveLaw},
    program::sweep::{Reached, Sweep, SweepRun},
    trainer::Progress,
};

/// The name of the file.
const FILE: &str = "trials.json";

/// Parts of 1 that weights are rounded to.
const ROUNDING: f64 = 1e9;

/// The name of the weights that others are compared with.
const PRIOR: &str = "prior";

/// What weights reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trials {
    /// What is wanted.
    pub objective: String,
    /// The weights that were tried, the best first.
    pub trials: Vec<Trial>,
    /// The rank correlation of what the chosen law expects of them with what they reached; none for less than three.
    pub rank_correlation: Option<f64>,
}

/// Weights that were tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What they are called.
    pub name: String,
    /// Names of the same weights.
    pub also: Vec<String>,
    /// The share of each source.
    pub weights: BTreeMap<String, f64>,
    /// Whether no source is repeated more often than the target allows.
    pub is_within_bounds: bool,
    /// What the chosen law expects of the objective.
    pub expected: f64,
    /// What each seed reached.
    pub reached: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// The mean loss on each domain.
    pub losses: BTreeMap<String, f64>,
    /// How much less than the prior it reached, seed by seed: the mean.
    pub better_than_prior: f64,
    /// The standard error of that; none for one seed.
    pub standard_error: Option<f64>,
}

/// What is to be tried.
pub(super) struct TrialsPlan<'m> {
    mix: &'m Mix,
    law: &'m ObjectiveLaw,
    arms: Vec<Arm>,
}

struct Arm {
    name: String,
    also: Vec<String>,
    weights: Vec<f64>,
    is_within_bounds: bool,
}

impl<'m> TrialsPlan<'m> {
    /// What is to be tried of a fit; nothing where no seed is asked for.
    ///
    /// - `law`: that was chosen
    /// - `bounds`, `sizes`: within which what is not asked for by name is held; tokens of each source
    pub fn new(
        mix: &'m Mix,
        fit: &MixFit,
        law: &'m ObjectiveLaw,
        (bounds, sizes): (&Bounds, &BTreeMap<String, u64>),
    ) -> Option<Self> {
        if mix.config.trials.seeds == 0 {
            return None;
        }
        let of = |weights: &BTreeMap<String, f64>| -> Vec<f64> {
            let own: Vec<f64> = mix.sources.iter().map(|source| weights.get(source).copied().unwrap_or(0.0)).collect();
            let sum: f64 = own.iter().sum();
            own.iter().map(|weight| weight / sum).collect()
        };
        // as they are found by one way or another, they are the same
        let rounded = |weights: Vec<f64>| -> Vec<f64> {
            weights.iter().map(|weight| (weight * ROUNDING).round() / ROUNDING).collect()
        };
        let within = |weights: &BTreeMap<String, f64>| rounded(bounds.nearest(&of(weights)));
        let equal = mix.sources.iter().map(|source| (source.clone(), 1.0)).collect();
        let by_size = sizes.iter().map(|(source, size)| (source.clone(), *size as f64)).collect();
        let prior = mix.sources.iter().cloned().zip(mix.prior.iter().copied()).collect();
        let mut named = vec![(PRIOR.to_owned(), within(&prior))];
        named.push(("equal".into(), within(&equal)));
        named.push(("by size".into(), within(&by_size)));
        for LawAnswer { law, left_out, weights, .. } in &fit.laws {
            if left_out.is_none() {
                named.push((law.to_string(), within(weights)));
            }
        }
        named.extend(fit.rule.as_ref().map(|weights| ("rule".to_owned(), within(weights))));
        named.extend(mix.config.trials.weights.iter().map(|(name, weights)| (name.clone(), rounded(of(weights)))));
        let mut arms: Vec<Arm> = Vec::new();
        for (name, weights) in named {
            let is_same =
                |arm: &&mut Arm| arm.weights.iter().zip(&weights).all(|(one, other)| (one - other).abs() < 1e-6);
            match arms.iter_mut().find(is_same) {
                Some(arm) => arm.also.push(name),
                None => {
                    let is_within_bounds = bounds.most.iter().zip(&weights).all(|(most, own)| *own <= most + 1e-6);
                    arms.push(Arm { name, also: Vec::new(), weights, is_within_bounds });
                }
            }
        }
        Some(Self { mix, law, arms })
    }

    /// Trains what is to be tried. Returns nothing where it was interrupted.
    ///
    /// # Errors
    /// When a training fails.
    pub fn run(&self, sweep: &Sweep<'_>, progress: &mut dyn Progress) -> Result<Option<Trials>> {
        let (mix, seeds) = (self.mix, self.mix.config.trials.seeds);
        // what is proposed changes with what is asked for: a run is known by its weights
        let name = |arm: &Arm, seed: u64| {
            let said: String = arm.weights.iter().map(|weight| format!("{weight:.9} ")).collect();
            format!("trial-{:.12}-{seed}", system::sha256(said.as_bytes()))
        };
        let first = mix.pretraining.seed();
        let runs: Vec<SweepRun> = self
            .arms
            .iter()
            .flat_map(|arm| {
                (1..=seeds).map(move |seed| mix.run_on(name(arm, seed), &arm.weights, Some(first.wrapping_add(seed))))
            })
            .collect();
        let Some(reached) = sweep.run(&runs, progress)? else { return Ok(None) };
        let objective = match mix.config.objective.as_str() {
            "mean" => Objective::Mean,
            "worst" => Objective::Worst,
            domain => Objective::Domain(mix.domains.iter().position(|name| name == domain).unwrap_or(0)),
        };
        let per_arm = usize::try_from(seeds).unwrap_or(1);
        let of_arm = |reached: &[Reached]| -> Result<Vec<Vec<f64>>> {
            reached.iter().map(|own| Ok(mix.losses(own.end())?.into_values().collect())).collect()
        };
        let losses: Vec<Vec<Vec<f64>>> = reached.chunks(per_arm).map(of_arm).collect::<Result<_>>()?;
        let objectives = |arm: usize| losses[arm].iter().map(|losses| objective.of(losses)).collect::<Vec<f64>>();
        let prior = objectives(0);
        let mut trials: Vec<Trial> = Vec::new();
        for (number, arm) in self.arms.iter().enumerate() {
            let own = objectives(number);
            let won: Vec<f64> = prior.iter().zip(&own).map(|(prior, own)| prior - own).collect();
            let of_domain =
                |domain: usize| mean(&losses[number].iter().map(|losses| losses[domain]).collect::<Vec<_>>());
            trials.push(Trial {
                name: arm.name.clone(),
                also: arm.also.clone(),
                weights: mix.sources.iter().cloned().zip(arm.weights.iter().copied()).collect(),
                is_within_bounds: arm.is_within_bounds,
                expected: self.law.predict(&arm.weights),
                mean: mean(&own),
                reached: own,
                losses: mix.domains.iter().cloned().zip((0..mix.domains.len()).map(of_domain)).collect(),
                better_than_prior: mean_and_deviation(&won)[0],
                standard_error: stderr_of_mean(&won),
            });
        }
        let expected: Vec<f64> = trials.iter().map(|trial| trial.expected).collect();
        let means: Vec<f64> = trials.iter().map(|trial| trial.mean).collect();
        let rank_correlation = (trials.len() > 2).then(|| spearman(&expected, &means));
        trials.sort_by(|one, other| one.mean.total_cmp(&other.mean).then(one.name.cmp(&other.name)));
        Ok(Some(Trials { objective: mix.config.objective.clone(), trials, rank_correlation }))
    }
}

impl Trials {
    /// Writes them into a folder, or takes out those of another fit where nothing was tried.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn publish(trials: Option<&Self>, out: &Path) -> Result<()> {
        let path = out.join(FILE);
        match trials {
            Some(trials) => {
                let json = serde_json::to_vec_pretty(trials).expect("numbers are JSON");
                Ok(AtomicFile::write_whole(&path, &json)?)
            }
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", &path)(error)),
                _ => Ok(()),
            },
        }
    }
}

impl Trial {
    /// Its names.
    pub(super) fn names(&self) -> String {
        let names = [std::slice::from_ref(&self.name), &self.also].concat().join(", ");
        if self.is_within_bounds { names } else { format!("{names} (beyond max_epochs)") }
    }

    /// How much it differs from the prior, with its standard error.
    pub(super) fn difference(&self) -> String {
        let size = self.better_than_prior.abs();
        self.standard_error.map_or_else(|| format!("{size:.4}"), |error| format!("{size:.4} ± {error:.4}"))
    }

    /// How much less than the prior it reached, with its standard error.
    pub(super) fn won(&self) -> String {
        match self.standard_error {
            Some(error) => format!("{:+.4} ± {error:.4}", self.better_than_prior),
            None => format!("{:+.4}", self.better_than_prior),
        }
    }
}

/// As a table.
impl fmt::Display for Trials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.trials.iter().map(|trial| trial.names().chars().count()).max().unwrap_or(0).max(7);
        write!(formatter, "{:widest$} {:>9} {:>9} {:>20}", "weights", "expected", "reached", "less than the prior")?;
        for trial in &self.trials {
            let Trial { expected, mean, .. } = trial;
            write!(formatter, "\n{:widest$} {expected:9.4} {mean:9.4} {:>20}", trial.names(), trial.won())?;
        }
        match self.rank_correlation {
            Some(rank) => {
                write!(formatter, "\n\nrank correlation of what was expected and what was reached: {rank:.3}")
            }
            None => Ok(()),
        }
    }
}
