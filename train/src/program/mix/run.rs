//! Small models on random mixtures, through [`Sweep`], and what follows from them.

use std::fmt;

use system::AtomicFile;

use super::{
    checked::Mix,
    config::MixConfig,
    fit::{MixFit, MixOptions, Repetition, fit_mix},
    page::{self, MixPage},
    rows::RunRow,
    trials::{Trials, TrialsPlan},
};
use crate::{
    error::Result,
    program::{
        json_rows,
        session::Options,
        sweep::{Sweep, SweepRun, goes_on},
    },
    trainer::Progress,
};

/// All runs, a line each.
const ROWS: &str = "runs.jsonl";

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct MixOutcome {
    /// What was found; none where it was interrupted.
    pub fit: Option<MixFit>,
    /// What weights reached that were tried.
    pub trials: Option<Trials>,
}

/// Trains small models, or goes on with them; fits laws to what they reached; and tries what these propose.
///
/// # Errors
/// When the folder holds another mix, a training fails, no weights are within bounds, or a file cannot be written: the error names what is at
/// fault.
pub fn run_mix(mix: &Mix, options: &Options, progress: &mut dyn Progress) -> Result<MixOutcome> {
    let identity = mix.identity(options)?;
    let goes_on = goes_on(&identity, options, progress);
    identity.check(&options.out, goes_on)?;
    let seeds = (1..=mix.config.trials.seeds).map(|seed| mix.pretraining.seed().wrapping_add(seed));
    let sizes = mix.pretraining.tokenize(seeds, &options.cache(), progress)?;
    let bounds = mix.bounds(&sizes)?;
    identity.hold(&options.out, goes_on)?;
    let weights: Vec<Vec<f64>> = (0..mix.config.runs).map(|number| mix.weights(number, &bounds)).collect();
    let name = |number: usize| format!("{number:04}");
    let runs: Vec<SweepRun> =
        weights.iter().enumerate().map(|(number, weights)| mix.run_on(name(number), weights, None)).collect();
    let MixConfig { at_once, threads, .. } = mix.config;
    let sweep = Sweep { config: &mix.proxy, options, at_once, threads, keep_models: false };
    let Some(reached) = sweep.run(&runs, progress)? else {
        return Ok(MixOutcome { fit: None, trials: None });
    };
    let rows: Vec<RunRow> = runs
        .iter()
        .zip(&weights)
        .zip(&reached)
        .map(|((run, weights), reached)| mix.row(&run.name, weights, reached))
        .collect::<Result<_>>()?;
    let path = options.out.join(ROWS);
    json_rows::write(&path, &rows)?;
    let MixConfig { objective, kl, min_weight, samples, seed, target, .. } = &mix.config;
    let prior = mix.sources.iter().cloned().zip(mix.prior.iter().copied()).collect();
    let repetition = target.as_ref().map(|target| Repetition {
        budget: target.tokens as f64,
        sizes: sizes.iter().map(|(source, size)| (source.clone(), *size as f64)).collect(),
        max_epochs: target.max_epochs,
    });
    let (fit, law) = fit_mix(&MixOptions {
        runs: path,
        objective: objective.clone(),
        prior: Some((mix.proxy.clone(), prior)),
        kl: *kl,
        min_weight: *min_weight,
        repetition,
        samples: *samples,
        seed: *seed,
    })?;
    fit.write(&options.out)?;
    fit.warnings.iter().for_each(|warning| progress.note(&format!("take care: {warning}")));
    let plan = TrialsPlan::new(mix, &fit, &law, (&bounds, &sizes));
    let trials = match plan {
        None => None,
        Some(plan) => match plan.run(&sweep, progress)? {
            Some(trials) => Some(trials),
            None => return Ok(MixOutcome { fit: None, trials: None }),
        },
    };
    Trials::publish(trials.as_ref(), &options.out)?;
    let title = options.out.file_name().unwrap_or_default().to_string_lossy();
    let page = MixPage { name: &title, fit: &fit, rows: &rows, trials: trials.as_ref(), proxy: &reached[0] };
    AtomicFile::write_whole(&options.out.join(page::FILE), page.html().as_bytes())?;
    Ok(MixOutcome { fit: Some(fit), trials })
}

/// Tables for people.
impl fmt::Display for MixOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fit) = &self.fit {
            write!(formatter, "{fit}")?;
        }
        match &self.trials {
            Some(trials) => write!(formatter, "\n\n{trials}"),
            None => Ok(()),
        }
    }
}
