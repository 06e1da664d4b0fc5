//! The loop itself.

use std::path::{Path, PathBuf};

use burn::{module::Module, tensor::Device};

use super::{
    EvalSets, Evaluation, Log, Sampler, SpikeEvent, SpikesConfig, StepStats, Throughput, ThroughputMeter,
    spikes::{Action, Spike, SpikeDetector},
    step::{StepGradients, forward_backward},
};
use crate::{
    checkpoint::{self, Best, Checkpoint, Exact, Identity, State},
    data::Batches,
    error::{Error, Result},
    model::{Gpt, named_parameters},
    optimize::{AdamW, AdamWConfig, Schedule},
    random::Stream,
};

/// How the loop goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopConfig {
    /// Steps in all.
    pub steps: u64,
    /// Stop after this many of them, with a checkpoint.
    pub until: u64,
    /// The seed of dropout.
    pub seed: u64,
    /// Sequences in a step.
    pub batch_size: usize,
    /// Micro-batches of a step; they divide the batch size.
    pub micro_batches: usize,
    /// Gradients are clipped to this global norm.
    pub max_grad_norm: f64,
    /// The learning rate.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: AdamWConfig,
    /// What counts as a spike, and what to do about one.
    pub spikes: SpikesConfig,
    /// Steps between lines of the log.
    pub log_every: u64,
    /// Steps between evaluations.
    pub evaluate_every: u64,
    /// Steps between checkpoints.
    pub save_every: u64,
    /// Checkpoints to keep, beside the best.
    pub keep: usize,
}

/// What the loop reads.
pub struct TrainingInputs<'s> {
    /// The training data.
    pub training: Batches,
    /// What the model is evaluated on.
    pub eval_sets: EvalSets,
    /// Generates samples.
    pub sampler: Option<Sampler<'s>>,
}

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainOutcome {
    /// Steps that were taken in all.
    pub step: u64,
    /// Whether it was interrupted before it was done.
    pub interrupted: bool,
}

/// A training in progress.
pub struct Trainer {
    /// The model, with gradients; it is away while a step is taken, which then works in place.
    model: Option<Gpt>,
    optimizer: AdamW,
    /// Where it stands, but for what [`SpikeDetector`] remembers.
    state: State,
    spikes: SpikeDetector,
    /// The step of the checkpoint that holds all this.
    saved: Option<u64>,
    identity: Identity,
    /// The device, with gradients.
    device: Device,
}

/// A step that the optimizer took.
#[derive(Debug, Clone, Copy)]
struct OptimizerStep {
    loss: f64,
    learning_rate: f64,
    gradient_norm: f64,
}

impl Trainer {
    /// A training that begins.
    #[must_use]
    pub fn new(model: Gpt, config: &LoopConfig, identity: Identity, device: Device) -> Self {
        let state = State::default();
        let spikes = SpikeDetector::restore(config.spikes, &state.spikes);
        Self {
            model: Some(model),
            optimizer: AdamW::new(config.optimizer),
            state,
            spikes,
            saved: None,
            identity,
            device,
        }
    }

    /// A training that goes on from the checkpoint at `path`.
    ///
    /// # Errors
    /// When its weights are not those of the model.
    pub fn resume(
        model: Gpt,
        config: &LoopConfig,
        checkpoint: Checkpoint,
        path: &Path,
        identity: Identity,
        device: Device,
    ) -> Result<Self> {
        let mut trainer = Self::new(model, config, identity, device);
        trainer.load(config, checkpoint, path)?;
        Ok(trainer)
    }

    fn model(&self) -> &Gpt {
        self.model.as_ref().expect("the model is there between steps")
    }

    fn load(&mut self, config: &LoopConfig, checkpoint: Checkpoint, path: &Path) -> Result<()> {
        let Checkpoint { state, model, moments, .. } = checkpoint;
        let device = self.device.clone().without_autodiff();
        self.model = Some(checkpoint::with_weights(self.model().clone(), model, path)?);
        self.optimizer = AdamW::restore(config.optimizer, state.updates, moments, &device);
        self.spikes = SpikeDetector::restore(config.spikes, &state.spikes);
        self.saved = Some(state.step);
        self.state = state;
        Ok(())
    }

    /// Trains until the end, the step where it is to stop, or a callback stops it; a checkpoint is saved there.
    ///
    /// # Errors
    /// When there are more consecutive spikes than the configuration allows, or something cannot be written.
    pub fn run(
        mut self,
        config: &LoopConfig,
        inputs: &mut TrainingInputs<'_>,
        mut meter: ThroughputMeter,
        out: &Path,
        log: &mut Log<'_>,
    ) -> Result<TrainOutcome> {
        let last = config.until.min(config.steps);
        self.forget_other_best(&inputs.eval_sets, log);
        if self.saved.is_none() {
            log.evaluation(&self.evaluate(config, &inputs.eval_sets))?;
            if config.spikes.action == Action::Rollback {
                self.save(config, out, log, true)?;
            }
        }
        meter.start(self.state.step, self.state.tokens);
        let mut interrupted = false;
        while self.state.step < last {
            interrupted = log.progress.should_stop();
            if interrupted {
                break;
            }
            let batch = inputs.training.step(self.state.batch)?;
            let stream = Stream::new(config.seed, &format!("step of batch {}", self.state.batch));
            let gradients = forward_backward(self.model(), &batch, config.micro_batches, config.max_grad_norm, stream);
            let taken = match self.spikes.detect(gradients.loss, gradients.gradient_norm) {
                None => Some(self.take(config, gradients, batch.targets.len() as u64)),
                Some(spike) => {
                    self.handle(spike, config, out, log)?;
                    // a checkpoint that it was rolled back to may know an older best
                    self.forget_other_best(&inputs.eval_sets, log);
                    None
                }
            };
            let step = self.state.step;
            if taken.is_none() && self.saved == Some(step) {
                // it was rolled back: what is due at this step was done
                meter.start(step, self.state.tokens);
                continue;
            }
            let due = |every: u64| step.is_multiple_of(every) || step == config.steps;
            if let Some(taken) = taken.filter(|_| due(config.log_every)) {
                log.step(&self.stats(taken, meter.read(step, last, self.state.tokens)))?;
                meter.start(step, self.state.tokens);
            }
            if self.run_due(config, inputs, out, log, due)? {
                meter.start(step, self.state.tokens);
            }
        }
        if self.saved != Some(self.state.step) {
            self.save(config, out, log, false)?;
        }
        Ok(TrainOutcome { step: self.state.step, interrupted })
    }

    /// Takes a step of so many tokens.
    fn take(&mut self, config: &LoopConfig, step: StepGradients, tokens: u64) -> OptimizerStep {
        let StepGradients { loss, gradient_norm, gradients } = step;
        let learning_rate = config.schedule.at(self.state.step, config.steps);
        let model = self.model.take().expect("the model is there between steps");
        self.model = Some(self.optimizer.step(model, gradients, learning_rate));
        let state = &mut self.state;
        state.step += 1;
        state.batch += 1;
        state.updates += 1;
        state.tokens += tokens;
        self.spikes.record(state.step, loss, gradient_norm);
        OptimizerStep { loss, learning_rate, gradient_norm }
    }

    fn stats(&self, taken: OptimizerStep, throughput: Throughput) -> StepStats {
        let OptimizerStep { loss, learning_rate, gradient_norm } = taken;
        let Throughput { seconds, tokens_per_second, model_flops_utilization, seconds_left } = throughput;
        let State { step, tokens, .. } = self.state;
        StepStats {
            step,
            loss,
            learning_rate,
            gradient_norm,
            tokens,
            seconds,
            tokens_per_second,
            model_flops_utilization,
            seconds_left,
        }
    }

    /// Handles a spike as the configuration says.
    fn handle(&mut self, spike: Spike, config: &LoopConfig, out: &Path, log: &mut Log<'_>) -> Result<()> {
        let SpikesConfig { action, limit, .. } = config.spikes;
        let (at, batch, in_a_row) = (self.state.step + 1, self.state.batch, self.spikes.with_one_more());
        let action = if in_a_row > limit { Action::Stop } else { action };
        match action {
            Action::Skip => {
                self.spikes.count_spike(at, in_a_row);
                self.state.step += 1;
                self.state.batch += 1;
            }
            Action::Rollback => {
                let (path, checkpoint) = newest_due(out, self.state.step, log)?;
                let logs = checkpoint.logs.clone();
                self.load(config, checkpoint, &path)?;
                self.spikes.count_spike(at, in_a_row);
                self.state.batch = batch + 1;
                checkpoint::remove_after(out, self.state.step)?;
                log.rollback(self.state.step, &logs)?;
            }
            Action::Stop if self.saved != Some(self.state.step) => {
                // a training that goes on under other rules loses nothing
                self.save(config, out, log, false)?;
            }
            Action::Stop => {}
        }
        log.spike(&SpikeEvent { step: self.state.step, at, batch, spike, in_a_row, action })?;
        match action {
            Action::Stop => Err(Error::Spiked { step: at, spike: spike.to_string(), spikes: in_a_row }),
            Action::Skip | Action::Rollback => Ok(()),
        }
    }

    /// Evaluates, samples and saves, where that is due. Returns whether anything was.
    fn run_due(
        &mut self,
        config: &LoopConfig,
        inputs: &TrainingInputs<'_>,
        out: &Path,
        log: &mut Log<'_>,
        due: impl Fn(u64) -> bool,
    ) -> Result<bool> {
        let (evaluate, mut save) = (due(config.evaluate_every), due(config.save_every));
        if evaluate {
            let evaluation = self.evaluate(config, &inputs.eval_sets);
            log.evaluation(&evaluation)?;
            let loss = evaluation.validation_loss;
            if !loss.is_nan() && self.state.best.as_ref().is_none_or(|best| loss < best.validation_loss.0) {
                let eval_set = inputs.eval_sets.validation.hash().to_owned();
                self.state.best = Some(Best { step: self.state.step, validation_loss: Exact(loss), eval_set });
                save = true;
            }
        }
        let sampler = inputs.sampler.as_ref().filter(|sampler| due(sampler.every));
        if let Some(sampler) = sampler {
            for sample in (sampler.generate)(&self.model().valid(), self.state.step)? {
                log.sample(&sample)?;
            }
        }
        if save {
            self.save(config, out, log, true)?;
        }
        Ok(evaluate || sampler.is_some() || save)
    }

    /// Forgets a best step whose loss was taken on other sequences than losses are now: the two do not compare.
    fn forget_other_best(&mut self, eval_sets: &EvalSets, log: &mut Log<'_>) {
        let Some(Best { step, eval_set, .. }) =
            self.state.best.take_if(|best| best.eval_set != eval_sets.validation.hash())
        else {
            return;
        };
        let why = if eval_set.is_empty() {
            "its checkpoint is of an earlier version and does not say which sequences its validation loss was taken on"
        } else {
            "its validation loss was taken on other sequences, as `training.evaluate_sequences` had it, and does not compare"
        };
        log.progress.note(&format!("step {step} is no longer the best: {why}; the next evaluation begins anew"));
    }

    fn evaluate(&self, config: &LoopConfig, eval_sets: &EvalSets) -> Evaluation {
        eval_sets.evaluate(self.model(), self.state.step, config.batch_size / config.micro_batches)
    }

    /// Saves a checkpoint that is due, or one of a training that ends here.
    fn save(&mut self, config: &LoopConfig, out: &Path, log: &Log<'_>, due: bool) -> Result<()> {
        let checkpoint = Checkpoint {
            state: State { spikes: self.spikes.memory(), ..self.state.clone() },
            due,
            identity: self.identity.clone(),
            logs: log.places(),
            model: named_parameters(&self.model().valid()),
            moments: self.optimizer.moments(),
        };
        checkpoint::save(out, &checkpoint)?;
        checkpoint::prune(out, config.keep, self.state.best.as_ref().map(|best| best.step))?;
        self.saved = Some(self.state.step);
        Ok(())
    }
}

/// The newest sound checkpoint of those that were due at `step` or before. One that was saved because the training was stopped is
/// taken only where there is no other: an unbroken one would not have it.
fn newest_due(out: &Path, step: u64, log: &mut Log<'_>) -> Result<(PathBuf, Checkpoint)> {
    let mut other = None;
    for path in checkpoint::checkpoints(out)?.into_iter().rev() {
        match checkpoint::load(&path) {
            Ok(checkpoint) if checkpoint.state.step > step => {}
            Ok(checkpoint) if checkpoint.due => return Ok((path, checkpoint)),
            Ok(checkpoint) => {
                other.get_or_insert((path, checkpoint));
            }
            Err(error) => log.progress.note(&format!("{error}; an earlier one is taken")),
        }
    }
    other.ok_or_else(|| Error::NoCheckpoint { path: out.to_owned() })
}
