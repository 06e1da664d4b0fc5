//! How fast a model trains or generates: steps on random tokens, with nothing read and nothing saved.

use std::time::Instant;

use crate::{
    device::DeviceName,
    error::{Error, Result},
    generate::{Sampling, StoppingCriteria, generate},
    model::{Architecture, Gpt, Tokens},
    objective::next_token_loss,
    optimize::{Gradients, ModuleOptimizer, OptimizerConfig},
    random::Stream,
    tensor::Precision,
};

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Bench {
    /// The model.
    pub architecture: Architecture,
    /// The size of the vocabulary.
    pub vocab_size: usize,
    /// Sequences in a step, each of the context length.
    pub batch_size: usize,
    /// Steps.
    pub steps: u64,
    /// The device.
    pub device: DeviceName,
    /// The precision of computation.
    pub precision: Precision,
}

/// A step, as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepTiming {
    /// Its number, from 0.
    pub step: u64,
    /// Nats a token.
    pub loss: f64,
    /// Seconds: forward pass, cross-entropy, backward pass and optimizer.
    pub seconds: f64,
    /// Tokens a second.
    pub tokens_per_second: f64,
}

/// The learning rate, as in nanoGPT's recipes for small models.
const RATE: f64 = 1e-3;

impl Bench {
    /// Trains, and reports every step.
    ///
    /// # Errors
    /// When there is no such device.
    pub fn run(&self, mut report: impl FnMut(StepTiming)) -> Result<()> {
        let device = self.device.open_for(self.precision)?.autodiff();
        let mut model = self.architecture.init(self.vocab_size, 0, &device).computing_in(self.precision);
        let mut optimizer =
            OptimizerConfig::default().build().map_err(|(key, message)| Error::Optimizer { key, message })?;
        for step in 0..self.steps {
            let (inputs, targets) = self.tokens(step);
            let begun = Instant::now();
            let loss;
            (model, loss) = self.step(model, &mut optimizer, &inputs, &targets);
            let seconds = begun.elapsed().as_secs_f64();
            report(StepTiming { step, loss, seconds, tokens_per_second: inputs.len() as f64 / seconds });
        }
        Ok(())
    }

    /// Generates `tokens` tokens after each of a batch of random prompts, greedily, once for each step; and reports the seconds of
    /// each.
    ///
    /// - `prompt`: tokens of a prompt
    ///
    /// # Errors
    /// When there is no such device.
    pub fn generate(&self, prompt: usize, tokens: usize, mut report: impl FnMut(f64)) -> Result<()> {
        let device = self.device.open_for(self.precision)?;
        let model = self.architecture.init(self.vocab_size, 0, &device).computing_in(self.precision);
        let greedy = Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 0 };
        // no token ends a text here, so that all have one length
        let criteria =
            StoppingCriteria { max_new_tokens: tokens, bos: 0, eos: &[], suppressed: &[], should_stop: &|_| false };
        for round in 0..self.steps {
            let stream = Stream::new(round, "prompts");
            let id = |index: usize| {
                u32::try_from(stream.bits(index as u64) % self.vocab_size as u64).expect("a vocabulary is small")
            };
            let prompts: Vec<Vec<u32>> =
                (0..self.batch_size).map(|number| (number * prompt..(number + 1) * prompt).map(id).collect()).collect();
            let begun = Instant::now();
            let written = generate(&model, &prompts, greedy, &criteria);
            debug_assert!(written.iter().all(|new| new.len() == tokens));
            report(begun.elapsed().as_secs_f64());
        }
        Ok(())
    }

    /// Random inputs and targets.
    fn tokens(&self, step: u64) -> (Vec<i32>, Vec<i32>) {
        let (length, vocab_size) = (self.architecture.context_length as u64, self.vocab_size as u64);
        let stream = Stream::new(step, "bench");
        let id = |index: u64| i32::try_from(stream.bits(index) % vocab_size).expect("a vocabulary is small");
        let sequences = 0..self.batch_size as u64;
        let ids = |from: u64| {
            sequences.clone().flat_map(move |number| (from..from + length).map(move |at| number * (length + 1) + at))
        };
        (ids(0).map(id).collect(), ids(1).map(id).collect())
    }

    fn step(&self, model: Gpt, optimizer: &mut ModuleOptimizer, inputs: &[i32], targets: &[i32]) -> (Gpt, f64) {
        let tokens = Tokens { ids: inputs, batch_size: self.batch_size, starts: None };
        let weights = vec![1.0 / targets.len() as f32; targets.len()];
        let loss = next_token_loss(&model, tokens, targets, &weights, Some(0));
        let mut graph = loss.backward();
        let gradients = Gradients::of(&model, &mut graph);
        drop(graph);
        let model = optimizer.step(model, gradients, RATE);
        (model, f64::from(loss.into_scalar::<f32>()))
    }
}
