//! `train mix`.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::bail;
use clap::{Args, Subcommand};

use super::printer::Printer;
use crate::program::mix::{MixOptions, Repetition, fit_mix};

/// Weights of a mixture from what small models reached on others.
#[derive(Debug, Args)]
pub struct MixArgs {
    #[command(subcommand)]
    command: MixCommand,
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

impl MixArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let MixCommand::Fit(args) = self.command;
        args.run(printer)
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
        let repetition = budget.map(|budget| Repetition { budget, sizes: of_sources, max_epochs });
        let fit = fit_mix(&MixOptions { runs, objective, prior, kl, min_weight, repetition, samples, seed })?;
        if let Some(out) = &out {
            fit.write(out)?;
        }
        printer.result(&fit);
        Ok(())
    }
}
