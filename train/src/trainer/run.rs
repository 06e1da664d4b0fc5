//! The loop itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use burn::{module::Module, tensor::Device};

use super::{
    Evaluation, Log, LoopConfig, SpikeEvent, SpikesConfig, StepBatches, StepStats, Throughput, ThroughputMeter,
    TrainOutcome, TrainingInputs,
    spikes::{Action, Spike, SpikeDetector},
    step::{StepGradients, forward_backward},
};
use crate::{
    checkpoint::{self, Best, BestScore, Checkpoint, Exact, Identity, State},
    data::MicroBatches,
    error::{Error, Result},
    model::{NamedTensor, saved_parameters},
    objective::{Evaluator, Objective, Scores},
    optimize::{ModuleOptimizer, WeightAverage},
    random::Stream,
};

/// A training in progress.
pub struct Trainer<M> {
    /// The model, with gradients; it is away while a step is taken, which then works in place.
    model: Option<M>,
    optimizer: ModuleOptimizer,
    /// The average of the weights, where there is one.
    average: Option<WeightAverage>,
    /// Where it stands, but for what [`SpikeDetector`] remembers.
    state: State,
    spikes: SpikeDetector,
    /// What the source of batches remembered at a checkpoint that was loaded, until it is told.
    memory: Option<Vec<NamedTensor>>,
    /// The step of the checkpoint that holds all this.
    saved: Option<u64>,
    identity: Identity,
    /// The device, with gradients.
    device: Device,
}

/// A step that the optimizer took.
#[derive(Debug)]
struct OptimizerStep {
    loss: f64,
    parts: BTreeMap<&'static str, f64>,
    learning_rate: f64,
    gradient_norm: f64,
}

impl<M: Module> Trainer<M> {
    /// A training that begins.
    ///
    /// # Errors
    /// When the optimizer's groups are not for this model.
    pub fn new(model: M, config: &LoopConfig, identity: Identity, device: Device) -> Result<Self> {
        let state = State::default();
        let spikes = SpikeDetector::restore(config.spikes, &state.spikes);
        let optimizer = config.optimizer.build().map_err(|(key, message)| Error::Optimizer { key, message })?;
        let model = prepared(&optimizer, model)?;
        let average = config.ema_decay.map(|decay| WeightAverage::new(decay, &model));
        Ok(Self { model: Some(model), optimizer, average, state, spikes, memory: None, saved: None, identity, device })
    }

    /// A training that goes on from the checkpoint at `path`.
    ///
    /// # Errors
    /// When its weights are not those of the model, or its states not those of the optimizer.
    pub fn resume(
        model: M,
        config: &LoopConfig,
        checkpoint: Checkpoint,
        path: &Path,
        identity: Identity,
        device: Device,
    ) -> Result<Self> {
        let mut trainer = Self::new(model, config, identity, device)?;
        trainer.load(config, checkpoint, path)?;
        Ok(trainer)
    }

    fn model(&self) -> &M {
        self.model.as_ref().expect("the model is there between steps")
    }

    /// The model that is judged, saved and used, without gradients.
    fn averaged(&self) -> M {
        let model = self.model().valid();
        match &self.average {
            Some(average) => average.averaged(model),
            None => model,
        }
    }

    fn load(&mut self, config: &LoopConfig, checkpoint: Checkpoint, path: &Path) -> Result<()> {
        let Checkpoint { state, model, unaveraged, optimizer, memory, .. } = checkpoint;
        let device = self.device.clone().without_autodiff();
        let loaded =
            |weights| prepared(&self.optimizer, checkpoint::with_weights(self.model().clone(), weights, path)?);
        let mut model = loaded(model)?;
        let average = config.ema_decay.map(|decay| WeightAverage::new(decay, &model));
        if average.is_some() {
            model = loaded(unaveraged)?;
        }
        self.average = average;
        let restored = self.optimizer.restore(state.updates, optimizer, &model, &device);
        restored.map_err(|message| Error::Damaged { path: path.join(checkpoint::OPTIMIZER), message })?;
        self.model = Some(model);
        self.spikes = SpikeDetector::restore(config.spikes, &state.spikes);
        self.saved = Some(state.step);
        self.state = state;
        self.memory = Some(memory);
        Ok(())
    }

    /// Tells the source of batches what it remembered at the checkpoint that was loaded, if one was.
    fn remind<B: MicroBatches>(&mut self, batches: &mut dyn StepBatches<M, Batch = B>, out: &Path) -> Result<()> {
        let Some(memory) = self.memory.take() else { return Ok(()) };
        let damaged = |message| Error::Damaged { path: out.join("checkpoints"), message };
        batches.remember(memory).map_err(damaged)
    }

    /// Trains until the end, the step where it is to stop, or a callback stops it; a checkpoint is saved there.
    ///
    /// # Errors
    /// When there are more consecutive spikes than the configuration allows, or something cannot be written.
    pub fn run<O: Objective<Model = M>>(
        mut self,
        config: &LoopConfig,
        inputs: &mut TrainingInputs<'_, O>,
        mut meter: ThroughputMeter,
        out: &Path,
        log: &mut Log<'_>,
    ) -> Result<TrainOutcome> {
        let last = config.until.min(config.steps);
        self.remind(inputs.batches, out)?;
        self.forget_other_best(inputs.evaluator, log);
        if self.saved.is_none() {
            log.evaluation(&self.evaluate(config, inputs, out, log)?)?;
            if config.spikes.action == Action::Rollback {
                self.save(config, inputs.batches.memory(), out, log, true)?;
            }
        }
        meter.start(self.state.step, self.state.tokens);
        let mut interrupted = false;
        while self.state.step < last {
            interrupted = log.progress.should_stop();
            if interrupted {
                break;
            }
            if config.patience.is_some_and(|patience| self.state.evaluations_since_best >= patience) {
                log.progress.note(&self.without_progress());
                break;
            }
            let made = inputs.batches.batch(self.state.batch, self.model());
            let batch = match made {
                Ok(batch) => batch,
                Err(error) => {
                    // a training that goes on under other rules, or once what failed is mended, loses nothing
                    if self.saved != Some(self.state.step) {
                        self.save(config, inputs.batches.memory(), out, log, false)?;
                    }
                    return Err(error);
                }
            };
            inputs.batches.notes().iter().for_each(|note| log.progress.note(note));
            let stream = Stream::new(config.seed, &format!("step of batch {}", self.state.batch));
            let gradients = forward_backward(
                &inputs.objective,
                self.model(),
                &batch,
                config.micro_batches,
                config.max_grad_norm,
                stream,
            );
            let taken = match self.spikes.detect(gradients.loss, gradients.gradient_norm) {
                None => Some(self.take(config, gradients, batch.tokens())),
                Some(spike) => {
                    self.handle(spike, config, inputs.batches.memory(), out, log)?;
                    self.remind(inputs.batches, out)?;
                    // a checkpoint that it was rolled back to may know an older best
                    self.forget_other_best(inputs.evaluator, log);
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
            self.save(config, inputs.batches.memory(), out, log, false)?;
        }
        Ok(TrainOutcome { step: self.state.step, interrupted })
    }

    /// Takes a step of so many tokens.
    fn take(&mut self, config: &LoopConfig, step: StepGradients, tokens: u64) -> OptimizerStep {
        let StepGradients { loss, parts, gradient_norm, gradients } = step;
        let learning_rate = self.optimizer.learning_rate(config.schedule.at(self.state.step, config.steps));
        let model = self.model.take().expect("the model is there between steps");
        let model = self.optimizer.step(model, gradients, learning_rate);
        if let Some(average) = &mut self.average {
            average.update(&model);
        }
        self.model = Some(model);
        let state = &mut self.state;
        state.step += 1;
        state.batch += 1;
        state.updates += 1;
        state.tokens += tokens;
        self.spikes.record(state.step, loss, gradient_norm);
        OptimizerStep { loss, parts, learning_rate, gradient_norm }
    }

    fn stats(&self, taken: OptimizerStep, throughput: Throughput) -> StepStats {
        let OptimizerStep { loss, parts, learning_rate, gradient_norm } = taken;
        let Throughput { seconds, tokens_per_second, model_flops_utilization, seconds_left } = throughput;
        let State { step, tokens, .. } = self.state;
        StepStats {
            step,
            loss,
            parts,
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
    fn handle(
        &mut self,
        spike: Spike,
        config: &LoopConfig,
        memory: Vec<NamedTensor>,
        out: &Path,
        log: &mut Log<'_>,
    ) -> Result<()> {
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
                self.save(config, memory, out, log, false)?;
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
    fn run_due<O: Objective<Model = M>>(
        &mut self,
        config: &LoopConfig,
        inputs: &TrainingInputs<'_, O>,
        out: &Path,
        log: &mut Log<'_>,
        due: impl Fn(u64) -> bool,
    ) -> Result<bool> {
        let (evaluate, mut save) = (due(config.evaluate_every), due(config.save_every));
        if evaluate {
            let evaluation = self.evaluate(config, inputs, out, log)?;
            log.evaluation(&evaluation)?;
            save |= self.judge(config, &evaluation.scores, inputs.evaluator);
        }
        let sampler = inputs.sampler.as_ref().filter(|sampler| due(sampler.every));
        if let Some(sampler) = sampler {
            for sample in (sampler.generate)(&self.averaged(), self.state.step)? {
                log.sample(&sample)?;
            }
        }
        if save {
            self.save(config, inputs.batches.memory(), out, log, true)?;
        }
        Ok(evaluate || sampler.is_some() || save)
    }

    /// Whether an evaluation is the best so far, which is remembered; one that is no number is none.
    fn judge(&mut self, config: &LoopConfig, scores: &Scores, evaluator: &dyn Evaluator<M>) -> bool {
        let Some(score) = scores.get(evaluator.criterion()) else { return false };
        let value = score.number();
        let is_better = |Best { score: best, .. }: &Best| {
            if score.higher_is_better { value > best.value.0 } else { value < best.value.0 }
        };
        let best = !value.is_nan() && self.state.best.as_ref().is_none_or(is_better);
        if best {
            let score = BestScore { key: score.key.to_owned(), value: Exact(value) };
            let eval_set = evaluator.eval_set().to_owned();
            self.state.best = Some(Best { step: self.state.step, score, eval_set });
            self.state.evaluations_since_best = 0;
        } else if config.patience.is_some() {
            self.state.evaluations_since_best += 1;
        }
        best
    }

    /// Why a training ends before its last step, in words.
    fn without_progress(&self) -> String {
        let State { evaluations_since_best, best, .. } = &self.state;
        let best = best.as_ref().map(|best| format!(" than step {}", best.step)).unwrap_or_default();
        format!(
            "no better{best} in {evaluations_since_best} evaluations, as `training.patience` has it: the training ends"
        )
    }

    /// Forgets a best step whose score was taken on other data than scores are now: the two do not compare.
    fn forget_other_best(&mut self, evaluator: &dyn Evaluator<M>, log: &mut Log<'_>) {
        let Some(Best { step, score, eval_set }) =
            self.state.best.take_if(|best| best.eval_set != evaluator.eval_set())
        else {
            return;
        };
        self.state.evaluations_since_best = 0;
        let score = score.key.replace('_', " ");
        let why = if eval_set.is_empty() {
            format!("its checkpoint is of an earlier version and does not say which sequences its {score} was taken on")
        } else {
            format!(
                "its {score} was taken on other sequences, as `training.evaluate_sequences` had it, and does not compare"
            )
        };
        log.progress.note(&format!("step {step} is no longer the best: {why}; the next evaluation begins anew"));
    }

    /// Judges the model. Where that fails, what it has learnt is saved.
    fn evaluate<O: Objective<Model = M>>(
        &mut self,
        config: &LoopConfig,
        inputs: &TrainingInputs<'_, O>,
        out: &Path,
        log: &Log<'_>,
    ) -> Result<Evaluation> {
        let step = self.state.step;
        match inputs.evaluator.evaluate(&self.averaged(), step) {
            Ok(scores) => Ok(Evaluation { step, scores }),
            Err(error) => {
                if step > 0 && self.saved != Some(step) {
                    self.save(config, inputs.batches.memory(), out, log, false)?;
                }
                Err(error)
            }
        }
    }

    /// Saves a checkpoint that is due, or one of a training that ends here.
    fn save(
        &mut self,
        config: &LoopConfig,
        memory: Vec<NamedTensor>,
        out: &Path,
        log: &Log<'_>,
        due: bool,
    ) -> Result<()> {
        let checkpoint = Checkpoint {
            state: State { spikes: self.spikes.memory(), ..self.state.clone() },
            due,
            identity: self.identity.clone(),
            logs: log.places(),
            model: saved_parameters(&self.averaged()),
            unaveraged: match self.average {
                Some(_) => saved_parameters(&self.model().valid()),
                None => Vec::new(),
            },
            optimizer: self.optimizer.states(),
            memory,
        };
        checkpoint::save(out, &checkpoint)?;
        checkpoint::prune(out, config.keep, self.state.best.as_ref().map(|best| best.step))?;
        self.saved = Some(self.state.step);
        Ok(())
    }
}

/// The model, without what the optimizer's groups freeze.
fn prepared<M: Module>(optimizer: &ModuleOptimizer, model: M) -> Result<M> {
    optimizer.prepare(model).map_err(|message| Error::Optimizer { key: "group".into(), message })
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
