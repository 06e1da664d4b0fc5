//! `train mix`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::{printer::Printer, sweep::SweepArgs};
use crate::program::mix::{Mix, MixOptions, MixOutcome, Repetition, fit_mix, run_mix};

/// Weights of a mixture from what small models reach on others.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct MixArgs {
    #[command(subcommand)]
    command: Option<MixCommand>,
    #[command(flatten)]
    sweep: Option<SweepArgs>,
}

#[derive(Debug, Subcommand)]
enum MixCommand {
    Fit(FitArgs),
}

/// Fit laws to runs, and propose weights.
#[derive(Debug, Args)]
struct FitArgs {
    /// Runs: JSON lines of `weights`, shares by source, and `losses` by domain.
    runs: PathBuf,
    /// The output folder: `weights.toml` for a recipe of `curate`, and `fit.json` with what each law says.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What weights are chosen for: the `mean` loss over all domains, the `worst`, or that of one domain.
    #[arg(long, value_name = "NAME", default_value = "mean")]
    objective: String,
    /// Shares that are kept as far as nothing is won by others, an object of JSON by source [default: the mean of all runs].
    #[arg(long, value_name = "FILE")]
    prior: Option<PathBuf>,
    /// What a nat of KL divergence from the prior costs, in nats of loss.
    #[arg(long, value_name = "NUMBER", default_value_t = 0.1)]
    kl: f64,
    /// The least share of each source.
    #[arg(long, value_name = "SHARE", default_value_t = 0.002)]
    min_weight: f64,
    /// The size of a source, such as its tokens; of each, with --budget.
    #[arg(long = "size", value_name = "SOURCE=N", value_parser = size, requires = "budget")]
    sizes: Vec<(String, f64)>,
    /// The size of the training that weights are for, in the unit of --size.
    #[arg(long, value_name = "N", requires = "sizes")]
    budget: Option<f64>,
    /// With --budget: how often a source may be repeated.
    #[arg(long, value_name = "N", default_value_t = 4.0, requires = "budget")]
    max_epochs: f64,
    /// Samples of the runs by which intervals are found.
    #[arg(long, value_name = "N", default_value_t = 100)]
    samples: u32,
    /// The seed of what is drawn.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// A source and its size.
fn size(text: &str) -> Result<(String, f64), String> {
    let (source, size) = text.rsplit_once('=').ok_or("expected SOURCE=N")?;
    match size.parse::<f64>() {
        Ok(size) if size.is_finite() && size > 0.0 => Ok((source.to_owned(), size)),
        _ => Err(format!("`{size}` is no size: expected a number above 0")),
    }
}

/// Shares by source, an object of JSON.
fn shares(path: &Path) -> anyhow::Result<BTreeMap<String, f64>> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no object of shares by source", path.display()))
}

impl MixArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        if let Some(MixCommand::Fit(args)) = self.command {
            args.run(printer)?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(sweep) = self.sweep else { bail!("no configuration is named") };
        let mix = Mix::read(&sweep.config, &sweep.settings)?;
        sweep.run(printer, threads, |options, progress| {
            let outcome: MixOutcome = run_mix(&mix, options, progress)?;
            Ok(outcome.fit.is_some().then_some(outcome))
        })
    }
}

impl FitArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self { runs, out, objective, prior, kl, min_weight, sizes, budget, max_epochs, samples, seed } = self;
        for (name, value, is_right) in [
            ("--kl", kl, kl >= 0.0),
            ("--min-weight", min_weight, (0.0..=1.0).contains(&min_weight)),
            ("--max-epochs", max_epochs, max_epochs > 0.0),
            ("--budget", budget.unwrap_or(1.0), budget.is_none_or(|budget| budget > 0.0)),
        ] {
            if !(is_right && value.is_finite()) {
                bail!("{name}: {value} is out of its range");
            }
        }
        if samples == 0 {
            bail!("--samples: it has to be 1 or more");
        }
        let mut of_sources = BTreeMap::new();
        for (source, size) in sizes {
            if of_sources.insert(source.clone(), size).is_some() {
                bail!("--size: the size of `{source}` is given twice");
            }
        }
        let prior = prior.map(|path| Ok::<_, anyhow::Error>((path.clone(), shares(&path)?))).transpose()?;
        let repetition = budget.map(|budget| Repetition { budget, sizes: of_sources, max_epochs });
        let (fit, _) = fit_mix(&MixOptions { runs, objective, prior, kl, min_weight, repetition, samples, seed })?;
        if let Some(out) = &out {
            fit.write(out)?;
        }
        printer.result(&fit);
        Ok(())
    }
}
