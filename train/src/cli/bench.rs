//! `train bench`.

use clap::Args;

use super::printer::Printer;
use crate::{
    device::DeviceName,
    model::{Family, ModelConfig},
    program::bench::{Bench, Measured, peak_megabytes},
    tensor::Precision,
};

/// Measure how fast a shape trains or writes, on random tokens.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Where to run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// What numbers are computed in: `f32`, or, on a GPU, `bf16`; parameters are f32 in any case.
    #[arg(long, value_name = "P", default_value_t)]
    precision: Precision,
    /// Rows in a step.
    #[arg(long, value_name = "B", default_value_t = 8)]
    batch: usize,
    /// Tokens in a row.
    #[arg(long, value_name = "T", default_value_t = 256)]
    time: usize,
    /// Numbers that stand for a token.
    #[arg(long, value_name = "W", default_value_t = 384)]
    width: usize,
    /// Heads of each block.
    #[arg(long, value_name = "H", default_value_t = 6)]
    heads: usize,
    /// Blocks.
    #[arg(long, value_name = "L", default_value_t = 6)]
    layers: usize,
    /// Tokens that the model knows.
    #[arg(long, value_name = "V", default_value_t = 8192)]
    vocabulary: usize,
    /// Steps.
    #[arg(long, value_name = "N", default_value_t = 10)]
    steps: u64,
    /// Write this many tokens after prompts of 16, instead of training; a step is one time.
    #[arg(long, value_name = "N")]
    generate: Option<usize>,
}

impl BenchArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let config = ModelConfig {
            family: Some(Family::Gpt2),
            layers: Some(self.layers),
            heads: Some(self.heads),
            width: Some(self.width),
            context: Some(self.time),
            ..ModelConfig::default()
        };
        let shape = config.shape().map_err(anyhow::Error::msg)?;
        let Self { vocabulary, batch, steps, device, precision, .. } = self;
        let bench = Bench { shape, vocabulary, batch, steps, device, precision };
        printer.result(format_args!("parameters {}", shape.parameters(vocabulary)));
        if let Some(tokens) = self.generate {
            bench.generate(16, tokens, |seconds| {
                let pace = (batch * tokens) as f64 / seconds;
                printer
                    .result(format_args!("generate batch {batch} {tokens} tokens {seconds:.3} s {pace:.0} tokens/s"));
            })?;
            return Ok(());
        }
        bench.run(|Measured { step, loss, seconds, tokens_per_second }| {
            printer.result(format_args!("step {step} loss {loss:.4} {seconds:.3} s {tokens_per_second:.0} tokens/s"));
        })?;
        if let Some(peak) = peak_megabytes() {
            printer.result(format_args!("peak {peak:.0} MB"));
        }
        Ok(())
    }
}
