//! The loop: batch, loss, gradients, step; evaluate, log and save by step.

mod log;
mod metrics;

use std::{path::Path, time::Instant};

use burn::{module::Module, tensor::Device};

pub use log::{Log, Progress};
pub use metrics::{Evaluated, Metrics, Stepped};

use crate::{
    checkpoint::{self, Checkpoint, Identity},
    data::{Batch, Batches, JudgedRows},
    error::{Error, Result},
    model::{Gpt, Tokens, named},
    objective::next_token_loss,
    optimize::{AdamW, Gradients, Schedule},
};

/// How the loop goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopConfig {
    /// Steps in all.
    pub steps: u64,
    /// Stop after this many of them, with a checkpoint.
    pub until: u64,
    /// Rows in a batch.
    pub rows: usize,
    /// The largest norm of all gradients together.
    pub clip: f64,
    /// The learning rate.
    pub schedule: Schedule,
    /// Steps between lines of the log.
    pub log_every: u64,
    /// Steps between evaluations.
    pub evaluate_every: u64,
    /// Rows that an evaluation takes, at most.
    pub evaluate_rows: usize,
    /// Steps between checkpoints.
    pub save_every: u64,
    /// Checkpoints that are kept.
    pub keep: usize,
}

/// What a model is judged by.
pub struct Judges {
    /// The training's own validation data.
    pub validation: JudgedRows,
    /// That of others, by name.
    pub held_out: Vec<(String, JudgedRows)>,
}

/// A training in progress.
pub struct Trainer {
    /// The model, with gradients.
    pub model: Gpt,
    /// The optimizer.
    pub optimizer: AdamW,
    /// Steps that were taken.
    pub step: u64,
    /// What is trained.
    pub identity: Identity,
    /// Where tensors live, with gradients.
    pub device: Device,
}

impl Trainer {
    /// Trains until the end, or until the step where it is to stop; a checkpoint is saved there.
    ///
    /// # Errors
    /// When the loss is no number any more, or something cannot be written.
    pub fn run(
        mut self,
        config: &LoopConfig,
        training: &mut Batches,
        judges: &Judges,
        out: &Path,
        log: &mut Log<'_>,
    ) -> Result<Self> {
        let last = config.until.min(config.steps);
        if self.step == 0 {
            log.evaluated(&self.evaluate(config, judges))?;
        }
        let mut since = (Instant::now(), self.step);
        while self.step < last {
            let rate = config.schedule.at(self.step, config.steps);
            let batch = training.step(self.step)?;
            let stepped = self.train_step(&batch, rate, config.clip)?;
            let due = |every: u64| self.step.is_multiple_of(every) || self.step == last;
            if due(config.log_every) {
                let seconds = since.0.elapsed().as_secs_f64();
                let tokens = (self.step - since.1) * (config.rows * batch.time) as u64;
                log.stepped(Stepped { seconds, tokens_per_second: tokens as f64 / seconds, ..stepped })?;
                since = (Instant::now(), self.step);
            }
            if due(config.evaluate_every) {
                log.evaluated(&self.evaluate(config, judges))?;
                since = (Instant::now(), self.step);
            }
            if due(config.save_every) {
                log.flush()?;
                checkpoint::save(out, &self.checkpoint())?;
                checkpoint::prune(out, config.keep)?;
                since = (Instant::now(), self.step);
            }
        }
        Ok(self)
    }

    fn train_step(&mut self, batch: &Batch, rate: f64, clip: f64) -> Result<Stepped> {
        let weights = vec![1.0 / batch.targets.len() as f32; batch.targets.len()];
        let loss = next_token_loss(&self.model, tokens(batch), &batch.targets, &weights, None);
        let mut graph = loss.backward();
        let loss = f64::from(loss.into_scalar::<f32>());
        if !loss.is_finite() {
            return Err(Error::Diverged { step: self.step, loss });
        }
        let mut gradients = Gradients::of(&self.model, &mut graph);
        drop(graph);
        let gradient_norm = gradients.clip(clip);
        self.model = self.optimizer.step(self.model.clone(), gradients, rate);
        self.step += 1;
        Ok(Stepped { step: self.step, loss, learning_rate: rate, gradient_norm, seconds: 0.0, tokens_per_second: 0.0 })
    }

    /// The mean loss over the first rows of all validation data.
    fn evaluate(&self, config: &LoopConfig, judges: &Judges) -> Evaluated {
        let others = judges.held_out.iter().map(|(name, rows)| (name.clone(), self.loss(config, rows)));
        let validation_loss = self.loss(config, &judges.validation);
        Evaluated { step: self.step, validation_loss, held_out: others.collect() }
    }

    fn loss(&self, config: &LoopConfig, validation: &JudgedRows) -> f64 {
        let model = self.model.valid();
        let rows = validation.rows().min(config.evaluate_rows);
        let mut sum = 0.0;
        for first in (0..rows).step_by(config.rows) {
            let batch = validation.in_order(first, config.rows.min(rows - first));
            let weights = vec![1.0 / batch.targets.len() as f32; batch.targets.len()];
            let loss = next_token_loss(&model, tokens(&batch), &batch.targets, &weights, None);
            sum += f64::from(loss.into_scalar::<f32>()) * batch.rows as f64;
        }
        sum / rows as f64
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            step: self.step,
            identity: self.identity.clone(),
            model: named(&self.model.valid()),
            moments: self.optimizer.moments(),
        }
    }
}

fn tokens(batch: &Batch) -> Tokens<'_> {
    Tokens { ids: &batch.inputs, rows: batch.rows, starts: None }
}
