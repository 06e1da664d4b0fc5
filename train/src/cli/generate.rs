//! `train generate`.

use std::path::PathBuf;

use clap::Args;

use super::printer::Printer;
use crate::{
    device::DeviceName,
    generate::{Sampling, generate},
    program::pretrain::load,
};

/// Generate text with a trained model.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// The output folder of a training.
    model: PathBuf,
    /// What the text begins with.
    #[arg(long, default_value = "")]
    prompt: String,
    /// Tokens to generate, at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    tokens: usize,
    /// Divides the logits; 0 takes the likeliest token each time.
    #[arg(long, default_value_t = 0.8)]
    temperature: f64,
    /// Choose among this many of the likeliest tokens; 0 for all.
    #[arg(long, value_name = "K", default_value_t = 0)]
    top_k: usize,
    /// What the draws are made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

impl GenerateArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let (model, tokenizer, device) = load(&self.model, self.device)?;
        let ids = tokenizer.encode(&self.prompt)?;
        let sampling = Sampling { temperature: self.temperature, top_k: self.top_k, seed: self.seed };
        let new = generate(&model, &ids, self.tokens, sampling, tokenizer.end_of_text(), &device);
        printer.result(tokenizer.decode(&[ids, new].concat())?);
        Ok(())
    }
}
