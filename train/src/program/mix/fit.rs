//! Laws of runs, and the weights that they propose.
//!
//! ```text
//! rows of `weights` and `losses` -> laws of each form, held against runs that they have not seen
//!   (and `curves`)               -> the weights that each proposes within bounds; of the best law, how far they vary over runs
//! ```
//!
//! Every law's answer is shown: laws that rank runs alike may propose different weights.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use system::AtomicFile;

use super::rows::{RunRow, shares_of};
use crate::{
    error::{Error, Result},
    metrics::percentile,
    mixing::{
        Bounds, LawKind, Objective, ObjectiveLaw, Runs, cross_validate, curve_points, propose, smoothed,
        weights_by_rule,
    },
    random::Stream,
};

/// Runs with the best objective from which weights are searched for, beside the prior.
const STARTS: usize = 4;

/// By how much a source's share rises, to say what that does to each domain.
const RISE: f64 = 0.01;

/// The rank correlation below which the loss on a domain does not follow from weights.
const NO_RANK: f64 = 0.3;

/// What is asked of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct MixOptions {
    /// Rows of JSON: `weights`, an object of shares by source, and `losses`, an object of losses by domain.
    pub runs: PathBuf,
    /// `mean`, `worst`, or the name of a domain.
    pub objective: String,
    /// The shares that are to be kept as far as nothing is won by others, and where they are written; by default the mean of all runs.
    pub prior: Option<(PathBuf, BTreeMap<String, f64>)>,
    /// What the KL divergence from the prior costs, in nats of loss a nat.
    pub kl: f64,
    /// The least share of each source.
    pub min_weight: f64,
    /// How often sources may be repeated, where their sizes are known.
    pub repetition: Option<Repetition>,
    /// Samples of the runs, with replacement, by which intervals are found.
    pub samples: u32,
    /// The seed of what is drawn.
    pub seed: u64,
}

/// How often sources may be repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Repetition {
    /// The size of the training that weights are for, such as tokens.
    pub budget: f64,
    /// The size of each source, in the same unit.
    pub sizes: BTreeMap<String, f64>,
    /// How often each may be repeated.
    pub max_epochs: f64,
}

/// What a law says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LawAnswer {
    /// Its form.
    pub law: LawKind,
    /// Why it was not fitted, if it was not.
    pub left_out: Option<String>,
    /// The rank correlation of what it expected of runs that it had not seen with what they reached.
    pub rank_correlation: f64,
    /// The root of the mean squared difference of both.
    pub error: f64,
    /// Points of the curves of runs that it is fitted to, the end included.
    pub curve_points: usize,
    /// The weights that it proposes, by source.
    pub weights: BTreeMap<String, f64>,
    /// What it expects of these.
    pub expected: f64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixFit {
    /// Runs.
    pub runs: usize,
    /// What weights were chosen for.
    pub objective: String,
    /// What the best of all runs reached.
    pub best_run: f64,
    /// What each law says.
    pub laws: Vec<LawAnswer>,
    /// The law that ranks best runs that it has not seen.
    pub chosen: LawKind,
    /// The shares that weights were held to.
    pub prior: BTreeMap<String, f64>,
    /// The weights that the chosen law proposes.
    pub weights: BTreeMap<String, f64>,
    /// Between which 95 % of its proposals lie, over samples of the runs.
    pub intervals: BTreeMap<String, [f64; 2]>,
    /// What a hundredth more of a source does to the loss on each domain, by source and domain, at these weights.
    pub effects: BTreeMap<String, BTreeMap<String, f64>>,
    /// How well the chosen law ranks runs that it has not seen by their loss on each domain.
    pub domains: BTreeMap<String, f64>,
    /// The weights that follow from how good each source is alone, as `GLaM` has them; none without a run of each.
    pub rule: Option<BTreeMap<String, f64>>,
    /// What the chosen law expected of each run when it had not seen it, and what the run reached.
    pub validated: Vec<[f64; 2]>,
    /// What one should know before one believes it.
    pub warnings: Vec<String>,
}

/// Fits laws to runs, and proposes weights. Returns what was found, and the chosen law, which is asked of sources in the order of their names.
///
/// # Errors
/// When a row cannot be read, there are fewer runs than unknowns, or no weights within bounds: what is missing is named.
pub fn fit_mix(options: &MixOptions) -> Result<(MixFit, ObjectiveLaw)> {
    let fault = |message: String| Error::Data { path: options.runs.clone(), message };
    let runs = RunRow::read(&options.runs)?;
    let objective = objective(&options.objective, &runs).map_err(fault)?;
    let bounds = bounds(options, &runs)?;
    let mut order: Vec<usize> = (0..runs.count()).collect();
    let reached: Vec<f64> = runs.losses.iter().map(|losses| objective.of(losses)).collect();
    order.sort_by(|one, other| reached[*one].total_cmp(&reached[*other]).then(one.cmp(other)));
    let best = order.iter().take(STARTS).map(|run| runs.weights[*run].clone());
    let starts: Vec<Vec<f64>> = std::iter::once(bounds.prior.clone()).chain(best).collect();
    let answer = |kind: &LawKind| answer(*kind, &runs, &objective, (&bounds, &starts), options.seed);
    let laws: Vec<LawAnswer> = LawKind::ALL.par_iter().map(answer).collect();
    let is_fitted = |law: &&LawAnswer| law.left_out.is_none();
    // of laws that rank alike the first, which is the simpler
    let chosen = laws
        .iter()
        .filter(is_fitted)
        .reduce(|best, next| if next.rank_correlation > best.rank_correlation { next } else { best });
    let Some(chosen) = chosen else {
        let (count, sources) = (runs.count(), runs.sources.len());
        let least = LawKind::ALL.iter().map(|kind| kind.least_runs(sources)).min().unwrap_or(0);
        return Err(fault(format!(
            "there are {count} runs, fewer than the unknowns of any law of {sources} sources: {least} are the least"
        )));
    };
    let (kind, weights, points) = (chosen.law, chosen.weights.clone(), chosen.curve_points);
    let named = |values: &[f64]| runs.sources.iter().cloned().zip(values.iter().copied()).collect::<BTreeMap<_, _>>();
    let found: Vec<f64> = runs.sources.iter().map(|source| weights[source]).collect();
    let intervals =
        intervals((kind, points), &runs, &objective, (&bounds, &[bounds.prior.clone(), found.clone()]), options);
    let rank = |domain: usize| {
        let validated = cross_validate(kind, &runs, points, &Objective::Domain(domain), options.seed);
        (runs.domains[domain].clone(), validated.rank_correlation)
    };
    let domains: BTreeMap<String, f64> =
        objective.domains(runs.domains.len()).into_par_iter().map(rank).collect::<Vec<_>>().into_iter().collect();
    let rule = weights_by_rule(&runs, &objective, &bounds);
    let validated = cross_validate(kind, &runs, points, &objective, options.seed);
    let law = ObjectiveLaw::fit(kind, &smoothed(runs.clone(), points), &objective);
    let fit = MixFit {
        validated: validated.expected.iter().zip(&reached).map(|(expected, reached)| [*expected, *reached]).collect(),
        warnings: warnings(&domains),
        domains,
        rule: rule.ok().map(|weights| named(&weights)),
        runs: runs.count(),
        objective: options.objective.clone(),
        best_run: reached[order[0]],
        chosen: kind,
        prior: named(&bounds.prior),
        weights,
        intervals: runs.sources.iter().cloned().zip(intervals).collect(),
        effects: effects(kind, &smoothed(runs.clone(), points), &found),
        laws,
    };
    Ok((fit, law))
}

/// What one should know of a fit.
fn warnings(domains: &BTreeMap<String, f64>) -> Vec<String> {
    let unlike = domains.iter().filter(|(_, rank)| **rank < NO_RANK);
    let warning = |(domain, rank): (&String, &f64)| {
        format!(
            "the loss on `{domain}` does not follow from the weights (rank correlation {rank:.2}): no source is like it, or runs \
             are too short to tell"
        )
    };
    unlike.map(warning).collect()
}

/// What a law of one form says.
fn answer(
    kind: LawKind,
    runs: &Runs,
    objective: &Objective,
    (bounds, starts): (&Bounds, &[Vec<f64>]),
    seed: u64,
) -> LawAnswer {
    let least = kind.least_runs(runs.sources.len());
    if runs.count() < least {
        let left_out = Some(format!("it wants {least} runs"));
        let (rank_correlation, error, expected) = (0.0, 0.0, 0.0);
        let weights = BTreeMap::new();
        return LawAnswer { law: kind, left_out, rank_correlation, error, curve_points: 1, weights, expected };
    }
    // trees take their time, and want more runs than have noise left
    let points = if kind == LawKind::Trees { vec![1] } else { curve_points(runs) };
    let validate = |points: usize| (cross_validate(kind, runs, points, objective, seed), points);
    let all: Vec<_> = points.into_par_iter().map(validate).collect();
    let (validated, curve_points) = all
        .into_iter()
        .reduce(|best, next| if next.0.rank_correlation > best.0.rank_correlation { next } else { best })
        .expect("the end alone is one");
    let law = ObjectiveLaw::fit(kind, &smoothed(runs.clone(), curve_points), objective);
    let weights = propose(|weights| law.predict(weights), bounds, starts);
    LawAnswer {
        law: kind,
        left_out: None,
        rank_correlation: validated.rank_correlation,
        error: validated.error,
        curve_points,
        expected: law.predict(&weights),
        weights: runs.sources.iter().cloned().zip(weights).collect(),
    }
}

/// Between which 95 % of a law's proposals lie for each source, over samples of the runs.
fn intervals(
    (kind, points): (LawKind, usize),
    runs: &Runs,
    objective: &Objective,
    (bounds, starts): (&Bounds, &[Vec<f64>]),
    options: &MixOptions,
) -> Vec<[f64; 2]> {
    let (stream, count) = (Stream::new(options.seed, "samples of runs"), runs.count() as u64);
    let proposal = |sample: u32| {
        let number =
            |place: u64| usize::try_from(stream.bits(u64::from(sample) * count + place) % count).expect("a run");
        let some = runs.some(&(0..count).map(number).collect::<Vec<_>>());
        let law = ObjectiveLaw::fit(kind, &smoothed(some, points), objective);
        propose(|weights| law.predict(weights), bounds, starts)
    };
    let proposals: Vec<Vec<f64>> = (0..options.samples).into_par_iter().map(proposal).collect();
    let of_source = |source: usize| {
        let mut shares: Vec<f64> = proposals.iter().map(|weights| weights[source]).collect();
        shares.sort_by(f64::total_cmp);
        [percentile(&shares, 0.025), percentile(&shares, 0.975)]
    };
    (0..runs.sources.len()).map(of_source).collect()
}

/// What a little more of each source does to each domain.
fn effects(kind: LawKind, runs: &Runs, weights: &[f64]) -> BTreeMap<String, BTreeMap<String, f64>> {
    let law = ObjectiveLaw::fit(kind, runs, &Objective::Mean);
    let before = law.losses(weights);
    let of_source = |(source, name): (usize, &String)| {
        // the others give it up in their proportions
        let others = (1.0 - weights[source]).max(1e-9);
        let rise = RISE.min(others);
        let mut moved: Vec<f64> = weights.iter().map(|weight| weight * (others - rise) / others).collect();
        moved[source] = weights[source] + rise;
        let changes = law.losses(&moved).into_iter().zip(&before).map(|(after, before)| (after - before) * RISE / rise);
        (name.clone(), runs.domains.iter().cloned().zip(changes).collect())
    };
    runs.sources.iter().enumerate().map(of_source).collect()
}

/// The objective by its name.
fn objective(name: &str, runs: &Runs) -> std::result::Result<Objective, String> {
    match name {
        "mean" => Ok(Objective::Mean),
        "worst" => Ok(Objective::Worst),
        _ => {
            let place = runs.domains.iter().position(|domain| domain == name);
            let known = runs.domains.join("`, `");
            place.map(Objective::Domain).ok_or_else(|| format!("there is no domain `{name}`: there are `{known}`"))
        }
    }
}

/// Bounds as they are asked for.
fn bounds(options: &MixOptions, runs: &Runs) -> Result<Bounds> {
    let fault = |path: &Path, message: String| Error::Data { path: path.to_owned(), message };
    let count = runs.count() as f64;
    let mean = |source: usize| runs.weights.iter().map(|weights| weights[source]).sum::<f64>() / count;
    let prior: Vec<f64> = match &options.prior {
        None => (0..runs.sources.len()).map(mean).collect(),
        Some((path, shares)) => {
            let mut shares = shares.clone();
            let own: Vec<f64> = runs.sources.iter().map(|source| shares.remove(source).unwrap_or(0.0)).collect();
            if let Some((unknown, _)) = shares.pop_first() {
                return Err(fault(path, format!("`{unknown}` is no source of the runs")));
            }
            shares_of(&own).map_err(|message| fault(path, message))?
        }
    };
    let mut most = vec![1.0; runs.sources.len()];
    if let Some(Repetition { budget, sizes, max_epochs }) = &options.repetition {
        if let Some(unknown) = sizes.keys().find(|source| !runs.sources.contains(source)) {
            return Err(fault(&options.runs, format!("`{unknown}` is no source of the runs")));
        }
        for (source, most) in runs.sources.iter().zip(&mut most) {
            let size = sizes.get(source);
            let Some(size) = size else {
                return Err(fault(&options.runs, format!("nothing says the size of `{source}`")));
            };
            *most = (max_epochs * size / budget).min(1.0);
        }
    }
    let least: Vec<f64> = most.iter().map(|most| options.min_weight.min(*most)).collect();
    let bounds = Bounds { least, most, prior, kl: options.kl };
    bounds.check().map_err(|error| fault(&options.runs, format!("no weights are within bounds: {error}")))?;
    Ok(bounds)
}

impl MixFit {
    /// Writes what was found into a folder: `fit.json`, and `weights.toml`, a line that a mixture of a recipe takes.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))?;
        let json = serde_json::to_vec_pretty(self).expect("numbers are JSON");
        AtomicFile::write_whole(&folder.join("fit.json"), &json)?;
        let share =
            |(source, weight): (&String, &f64)| format!("{} = {weight:.6}", serde_json::Value::from(source.as_str()));
        // a mixture has no source without a weight
        let shares: Vec<String> = self.weights.iter().filter(|(_, weight)| **weight >= 5e-7).map(share).collect();
        let line = format!("weights = {{ {} }}\n", shares.join(", "));
        AtomicFile::write_whole(&folder.join("weights.toml"), line.as_bytes())?;
        Ok(())
    }
}

/// As a table.
impl fmt::Display for MixFit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, objective, best_run, laws, chosen, prior, weights, intervals, rule, warnings, .. } = self;
        writeln!(formatter, "{runs} runs, the best of which has {best_run:.4} ({objective})\n")?;
        writeln!(formatter, "{:12} {:>9} {:>8} {:>6} {:>9}", "law", "rank corr", "error", "points", "expected")?;
        for LawAnswer { law, left_out, rank_correlation, error, curve_points, expected, .. } in laws {
            match left_out {
                Some(why) => writeln!(formatter, "{law:12} {why}")?,
                None => {
                    writeln!(formatter, "{law:12} {rank_correlation:9.3} {error:8.4} {curve_points:6} {expected:9.4}")?;
                }
            }
        }
        let fitted: Vec<&LawAnswer> = laws.iter().filter(|law| law.left_out.is_none()).collect();
        write!(formatter, "\n{:24} {:>6} {:>11} {:>15}", "source", "prior", chosen.to_string(), "95 %")?;
        for law in fitted.iter().filter(|law| law.law != *chosen) {
            write!(formatter, " {:>11}", law.law.to_string())?;
        }
        if rule.is_some() {
            write!(formatter, " {:>11}", "rule")?;
        }
        for (source, weight) in weights {
            let [low, high] = intervals[source];
            write!(
                formatter,
                "\n{source:24} {:6.3} {weight:11.3} {:>15}",
                prior[source],
                format!("{low:.3} to {high:.3}")
            )?;
            for law in fitted.iter().filter(|law| law.law != *chosen) {
                write!(formatter, " {:11.3}", law.weights[source])?;
            }
            if let Some(rule) = rule {
                write!(formatter, " {:11.3}", rule[source])?;
            }
        }
        warnings.iter().try_for_each(|warning| write!(formatter, "\n\ntake care: {warning}"))
    }
}
