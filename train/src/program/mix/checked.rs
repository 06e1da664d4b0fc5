//! What was asked for, checked: a proxy that can be trained, and the weights of each run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemas::toml_file::{Setting, TomlFile};
use serde_json::json;

use super::{
    config::{MixConfig, TargetConfig},
    rows::{RunRow, shares_of},
};
use crate::{
    error::{Error, Result},
    mixing::{Bounds, BoundsFault, LawKind, draw_weights},
    program::{
        data::absolute,
        folder_identity::FolderIdentity,
        pretrain::Pretraining,
        session::Options,
        sweep::{Evaluated, Reached, SweepRun, setting},
    },
};

/// What a mix is known by.
const IDENTITY: &str = "mix.json";

/// The weight of a source that has none: a configuration has no source without a weight, and this one is never drawn.
const NOTHING: f64 = 1e-12;

/// A checked configuration: the proxy is one that can be trained.
#[derive(Debug, Clone)]
pub struct Mix {
    pub(super) config: MixConfig,
    /// Settings of what is asked for.
    settings: Vec<Setting>,
    pub(super) proxy: PathBuf,
    pub(super) pretraining: Pretraining,
    /// The sources, in their order, and their weights in the proxy's configuration as shares.
    pub(super) sources: Vec<String>,
    pub(super) prior: Vec<f64>,
    /// The domains that count.
    pub(super) domains: Vec<String>,
    file: TomlFile,
}

impl Mix {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, a number out of its range, a proxy that cannot be trained or has but one source, a domain that nothing is judged by: with
    /// path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = TomlFile::read(path)?;
        let config: MixConfig = file.parse(&settings)?;
        let fault = |key: &str, message: String| Error::from(file.fault_of(key, &settings, message));
        if let Some((key, message)) = config.fault() {
            return Err(fault(key, message));
        }
        let proxy = file.folder().join(config.proxy.config.get_ref());
        if !proxy.is_file() {
            return Err(fault("proxy.config", format!("there is no file {}", proxy.display())));
        }
        let pretraining = Pretraining::read(&proxy, &[])?;
        let proxy_fault = |message: &str| fault("proxy.config", format!("{}: {message}", proxy.display()));
        let (sources, weights): (Vec<String>, Vec<f64>) =
            pretraining.data().source_weights().map(|(name, weight)| (name.to_owned(), weight)).unzip();
        if sources.len() < 2 {
            return Err(proxy_fault("it has one source, and weights are of several: `[data.sources.NAME]`"));
        }
        if let Some(message) = pretraining.fault_in_sweep() {
            return Err(proxy_fault(message));
        }
        let prior = shares_of(&weights).map_err(|message| proxy_fault(&message))?;
        let least = LawKind::ALL.iter().map(|kind| kind.least_runs(sources.len())).min().unwrap_or(0);
        if config.runs < least {
            let (runs, count) = (config.runs, sources.len());
            let message =
                format!("{runs} runs are fewer than the unknowns of any law of {count} sources: {least} are the least");
            return Err(fault("runs", message));
        }
        let held_out: Vec<String> = pretraining.data().held_out_names().map(str::to_owned).collect();
        let domains = match &config.domains {
            None if held_out.is_empty() => sources.clone(),
            None => held_out,
            Some(named) => {
                let known: Vec<&String> = held_out.iter().chain(&sources).collect();
                if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
                    let known = known.into_iter().cloned().collect::<Vec<_>>().join("`, `");
                    return Err(fault(
                        "domains",
                        format!("`{unknown}` is neither held out nor a source: there are `{known}`"),
                    ));
                }
                let mut named = named.clone();
                named.sort();
                named.dedup();
                named
            }
        };
        if domains.is_empty() {
            return Err(fault("domains", "it names no domain".into()));
        }
        let objective = &config.objective;
        if !["mean", "worst"].contains(&objective.as_str()) && !domains.contains(objective) {
            let known = domains.join("`, `");
            return Err(fault(
                "objective",
                format!("it is `mean`, `worst` or one of the domains, `{known}`, and not `{objective}`"),
            ));
        }
        for (name, weights) in &config.trials.weights {
            let key = format!("trials.weights.{name}");
            if let Some(unknown) = weights.keys().find(|source| !sources.contains(source)) {
                return Err(fault(&key, format!("`{unknown}` is no source of {}", proxy.display())));
            }
            shares_of(&weights.values().copied().collect::<Vec<_>>()).map_err(|message| fault(&key, message))?;
        }
        Ok(Self { config, settings, proxy, pretraining, sources, prior, domains, file })
    }

    /// What small models learn from, as a part of each source, for so many tokens in all.
    fn subset(&self) -> f64 {
        let Some(TargetConfig { tokens, .. }) = &self.config.target else { return 1.0 };
        let own = self.pretraining.steps().unwrap_or(0) * self.pretraining.tokens_per_step();
        (own as f64 / *tokens as f64).min(1.0)
    }

    /// Between which bounds weights are drawn and chosen.
    pub(super) fn bounds(&self, sizes: &BTreeMap<String, u64>) -> Result<Bounds> {
        let MixConfig { target, min_weight, kl, .. } = &self.config;
        let most = |source: &String| match target {
            None => 1.0,
            Some(TargetConfig { tokens, max_epochs }) => (max_epochs * sizes[source] as f64 / *tokens as f64).min(1.0),
        };
        let most: Vec<f64> = self.sources.iter().map(most).collect();
        let least = most.iter().map(|most| min_weight.min(*most)).collect();
        let bounds = Bounds { least, most, prior: self.prior.clone(), kl: *kl };
        bounds.check().map_err(|error| {
            let key = if matches!(error, BoundsFault::TooLittle(_)) { "target.max_epochs" } else { "min_weight" };
            Error::from(self.file.fault_of(key, &self.settings, format!("no weights are within bounds: {error}")))
        })?;
        Ok(bounds)
    }

    /// The weights of a run: first the mean, then each source as far as bounds let it stand alone, then what is drawn.
    pub(super) fn weights(&self, number: usize, bounds: &Bounds) -> Vec<f64> {
        let sources = self.sources.len();
        match number {
            0 => bounds.nearest(&self.prior),
            1.. if number <= sources => {
                bounds.nearest(&(1..=sources).map(|source| f64::from(u8::from(source == number))).collect::<Vec<_>>())
            }
            _ => draw_weights(bounds, self.config.strengths, self.config.seed, number as u64),
        }
    }

    /// A run on these weights.
    pub(super) fn run_on(&self, name: String, weights: &[f64], seed: Option<u64>) -> SweepRun {
        let weight = |(source, weight): (&String, &f64)| {
            setting(["data", "sources", source, "weight"], &json!(weight.max(NOTHING)))
        };
        let mut settings: Vec<Setting> = self.sources.iter().zip(weights).map(weight).collect();
        let subset = self.subset();
        if subset < 1.0 {
            settings.push(setting(["data", "subset"], &json!(subset)));
        }
        settings.extend(seed.map(|seed| setting(["seed"], &json!(seed))));
        SweepRun { name, settings, known_by: None }
    }

    /// What the runs are known by.
    pub(super) fn identity(&self, options: &Options) -> Result<FolderIdentity> {
        let MixConfig { seed, strengths: [low, high], min_weight, target, threads, .. } = &self.config;
        let [trained, judged] = self.pretraining.fingerprints()?;
        let may_change = "`runs`, `at_once`, `objective`, `domains`, `kl`, `samples` and `trials`";
        let mut identity = FolderIdentity::new(IDENTITY, may_change)
            .with("seed", seed)
            .with("strengths", &format!("{low} to {high}"))
            .with("min_weight", min_weight)
            .with("threads", threads)
            .with("device", &options.device.kind())
            .with_hash("proxy.config", &trained)
            .with_hash("what proxies are judged by", &judged);
        if let Some(TargetConfig { tokens, max_epochs }) = target {
            identity = identity.with("target.tokens", tokens).with("target.max_epochs", max_epochs);
        }
        Ok(identity)
    }

    /// The losses of an evaluation on the domains that count.
    ///
    /// # Errors
    /// When it has none of one of them.
    pub(super) fn losses(&self, evaluated: &Evaluated) -> Result<BTreeMap<String, f64>> {
        self.domains.iter().map(|domain| Ok((domain.clone(), evaluated.loss_on(domain)?))).collect()
    }

    /// A run as a line.
    pub(super) fn row(&self, name: &str, weights: &[f64], reached: &Reached) -> Result<RunRow> {
        // a model that has learnt nothing yet says nothing of weights
        let before =
            reached.evaluations.iter().filter(|evaluated| evaluated.step > 0 && evaluated.step < reached.steps);
        let curve = |domain: &String| -> Result<(String, Vec<f64>)> {
            let losses = before.clone().map(|evaluated| evaluated.loss_on(domain)).collect::<Result<_>>()?;
            Ok((domain.clone(), losses))
        };
        let mut curves: BTreeMap<String, Vec<f64>> = self.domains.iter().map(curve).collect::<Result<_>>()?;
        if curves.values().all(Vec::is_empty) {
            curves.clear();
        }
        Ok(RunRow {
            name: Some(name.to_owned()),
            weights: self.sources.iter().cloned().zip(weights.iter().copied()).collect(),
            losses: self.losses(reached.end())?,
            curves,
        })
    }
}
