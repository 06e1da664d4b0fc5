//! A ladder of sizes, through [`Sweep`], and what follows from it.

use std::path::{Path, PathBuf};

use schemas::toml_file::{Setting, TomlFile};
use serde::Serialize;
use serde_json::json;
use system::AtomicFile;

use super::{
    config::ScaleConfig,
    fit::{ScaleFit, ScaleOptions, fit_points},
    page::{self, ScalePage},
};
use crate::{
    error::{Error, Result},
    program::{
        data::absolute,
        folder_identity::FolderIdentity,
        json_rows,
        pretrain::Pretraining,
        session::Options,
        sweep::{Evaluated, Reached, Sweep, SweepRun, goes_on, setting, settings_of},
    },
    scaling::{LEAST_POINTS, Point},
    trainer::Progress,
};

/// What a ladder is known by.
const IDENTITY: &str = "scale-ladder.json";

/// All points, a line each.
const POINTS: &str = "points.jsonl";

/// A checked configuration: each of its models can be trained.
#[derive(Debug, Clone)]
pub struct Scale {
    config: ScaleConfig,
    model: PathBuf,
    pretraining: Pretraining,
    rungs: Vec<Rung>,
}

/// A training of the ladder.
#[derive(Debug, Clone)]
struct Rung {
    run: SweepRun,
    /// Parameters that count.
    parameters: u64,
    /// What it costs.
    flops: f64,
    /// Its steps, and those of its warm-up.
    steps: u64,
    warmup: u64,
    /// Ids of a sequence.
    sequence_length: usize,
}

/// A point as it is written.
#[derive(Serialize)]
struct PointRow<'p> {
    name: &'p str,
    #[serde(flatten)]
    point: Point,
}

impl Scale {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, a number out of its range, a model that cannot be built, too few points: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = TomlFile::read(path)?;
        let config: ScaleConfig = file.parse(&settings)?;
        let fault = |key: &str, message: String| Error::from(file.fault_of(key, &settings, message));
        if let Some((key, message)) = config.fault() {
            return Err(fault(key, message));
        }
        let model = file.folder().join(config.model.config.get_ref());
        if !model.is_file() {
            return Err(fault("model.config", format!("there is no file {}", model.display())));
        }
        let pretraining = Pretraining::read(&model, &[])?;
        if !pretraining.is_decoder() {
            let message = format!("{}: a ladder is of decoders, and not of models with an encoder", model.display());
            return Err(fault("model.config", message));
        }
        if let Some(message) = pretraining.fault_in_sweep() {
            return Err(fault("model.config", format!("{}: {message}", model.display())));
        }
        if let Some(domain) = &config.domain {
            let known: Vec<&str> = pretraining.data().held_out_names().collect();
            if !known.contains(&domain.as_str()) {
                let known = known.join("`, `");
                return Err(fault("domain", format!("`{domain}` is not held out: there are `{known}`")));
            }
        }
        let mut rungs = Vec::new();
        for (number, _) in config.sizes.iter().enumerate() {
            for ratio in &config.tokens_per_parameter {
                let rung = Rung::new(&config, &model, &pretraining, number, *ratio).map_err(|error| match error {
                    Error::Toml(_) => fault("sizes", format!("size {}: {error}", number + 1)),
                    other => other,
                })?;
                if rung.sequence_length != pretraining.sequence_length() {
                    let message =
                        format!("size {} has another `context_length`, and is judged by other sequences", number + 1);
                    return Err(fault("sizes", message));
                }
                if rung.warmup >= rung.steps {
                    let Rung { warmup, steps, .. } = rung;
                    let message = format!(
                        "size {} has {steps} steps for {ratio} tokens a parameter, and the warm-up {warmup}: `learning_rate.warmup_ratio` in place of \
                         `warmup_steps` suits all",
                        number + 1
                    );
                    return Err(fault("sizes", message));
                }
                rungs.push(rung);
            }
        }
        let mut sizes: Vec<u64> = rungs.iter().map(|rung| rung.parameters).collect();
        sizes.sort_unstable();
        sizes.dedup();
        if sizes.len() < config.sizes.len() {
            return Err(fault("sizes", "two of them have the same number of parameters".into()));
        }
        let seen = (sizes.len() - config.leave_out) * config.tokens_per_parameter.len();
        if seen < LEAST_POINTS {
            let message = format!(
                "{seen} trainings are left to fit the law to, which has five unknowns: {LEAST_POINTS} are the least; more sizes, or more \
                 `tokens_per_parameter`, help"
            );
            return Err(fault("sizes", message));
        }
        // the longest begin first, so that no core waits for one of them at the end
        rungs.sort_by(|one, other| other.flops.total_cmp(&one.flops).then(one.run.name.cmp(&other.run.name)));
        Ok(Self { config, model, pretraining, rungs })
    }

    /// What the ladder is known by. More sizes may be added.
    fn identity(&self, options: &Options) -> Result<FolderIdentity> {
        let ScaleConfig { learning_rate_exponent, batch_size_exponent, parameters, threads, .. } = &self.config;
        let [trained, judged] = self.pretraining.fingerprints()?;
        let may_change = "`seed`, `sizes`, `tokens_per_parameter`, `domain`, `leave_out`, `samples` and `at_once`";
        Ok(FolderIdentity::new(IDENTITY, may_change)
            .with("parameters", parameters)
            .with("learning_rate_exponent", learning_rate_exponent)
            .with("batch_size_exponent", batch_size_exponent)
            .with("threads", threads)
            .with("device", &options.device.kind())
            .with_hash("model.config", &trained)
            .with_hash("what models are judged by", &judged))
    }

    /// The loss that counts.
    ///
    /// # Errors
    /// When it was not judged by that.
    fn loss(&self, evaluated: &Evaluated) -> Result<f64> {
        match &self.config.domain {
            Some(domain) => evaluated.loss_on(domain),
            None => Ok(evaluated.validation_loss),
        }
    }
}

impl Rung {
    /// A training of the size of this number.
    fn new(config: &ScaleConfig, model: &Path, base: &Pretraining, number: usize, ratio: f64) -> Result<Self> {
        let key = |name: &String| ["model".to_owned(), name.clone()];
        let size: Vec<Setting> =
            config.sizes[number].iter().flat_map(|(name, value)| settings_of(&key(name), value)).collect();
        let sized = Pretraining::read(model, &size)?;
        let parameters = config.parameters.of(sized.parameters());
        let factor = parameters as f64 / config.parameters.of(base.parameters()) as f64;
        let [batch_size, micro_batches] = base.batch_size();
        let wanted = batch_size as f64 * factor.powf(config.batch_size_exponent) / micro_batches as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sequences can be counted")]
        let batch_size = micro_batches * (wanted.round() as usize).max(1);
        let peak = base.peak() * factor.powf(config.learning_rate_exponent);
        let tokens_per_step = sized.tokens_per_step() / sized.batch_size()[0] as u64 * batch_size as u64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps can be counted")]
        let steps = (ratio * parameters as f64 / tokens_per_step as f64).round().max(1.0) as u64;
        let mut settings = size;
        settings.push(setting(["training", "batch_size"], &json!(batch_size)));
        settings.push(setting(["training", "steps"], &json!(steps)));
        settings.push(setting(["learning_rate", "peak"], &json!(peak)));
        // whatever it is written with, a whole ladder is checked before any of it is trained
        Pretraining::read(model, &settings)?;
        let tokens = (steps * tokens_per_step) as f64;
        let flops = Point { parameters: parameters as f64, tokens, loss: 1.0 }.flops();
        let name = format!("{parameters}-{ratio}");
        let warmup = base.warmup(steps);
        let run = SweepRun { name, settings, known_by: None };
        Ok(Self { run, parameters, flops, steps, warmup, sequence_length: sized.sequence_length() })
    }
}

/// Trains a ladder, or goes on with it, and fits the law to it. Returns nothing where it was interrupted.
///
/// # Errors
/// When the folder holds another ladder, a training fails, or a file cannot be written: the error names what is at fault.
pub fn run_scale(scale: &Scale, options: &Options, progress: &mut dyn Progress) -> Result<Option<ScaleFit>> {
    let Scale { config, model, pretraining, rungs } = scale;
    let identity = scale.identity(options)?;
    let goes_on = goes_on(&identity, options, progress);
    identity.check(&options.out, goes_on)?;
    pretraining.tokenize([], &options.cache(), progress)?;
    identity.hold(&options.out, goes_on)?;
    let runs: Vec<SweepRun> = rungs.iter().map(|rung| rung.run.clone()).collect();
    let ScaleConfig { at_once, threads, .. } = *config;
    let sweep = Sweep { config: model, options, at_once, threads, keep_models: false };
    let Some(reached) = sweep.run(&runs, progress)? else { return Ok(None) };
    let point = |(rung, reached): (&Rung, &Reached)| -> Result<Point> {
        let loss = scale.loss(reached.end())?;
        Ok(Point { parameters: rung.parameters as f64, tokens: reached.tokens as f64, loss })
    };
    let points: Vec<Point> = rungs.iter().zip(&reached).map(point).collect::<Result<_>>()?;
    let path = options.out.join(POINTS);
    let rows: Vec<PointRow<'_>> =
        rungs.iter().zip(&points).map(|(rung, point)| PointRow { name: &rung.run.name, point: *point }).collect();
    json_rows::write(&path, &rows)?;
    let ScaleConfig { leave_out, samples, seed, parameters, .. } = *config;
    let fit = fit_points(&points, &parameters.to_string(), ScaleOptions { leave_out, samples, seed })
        .map_err(|message| Error::Data { path, message })?;
    fit.write(&options.out)?;
    fit.warnings.iter().for_each(|warning| progress.note(&format!("take care: {warning}")));
    let title = options.out.file_name().unwrap_or_default().to_string_lossy();
    let curves = rungs.iter().zip(&reached).map(|(rung, reached)| (rung.parameters as f64, reached)).collect();
    let loss = |evaluated: &Evaluated| scale.loss(evaluated).unwrap_or(evaluated.validation_loss);
    let page = ScalePage { name: &title, fit: &fit, curves, loss: &loss };
    AtomicFile::write_whole(&options.out.join(page::FILE), page.html().as_bytes())?;
    Ok(Some(fit))
}
