//! `train bench`.

use clap::Args;

use super::printer::Printer;
use crate::{
    device::DeviceName,
    model::{Family, ModelConfig},
    program::bench::{Bench, Measured, peak_megabytes},
    tensor::Precision,
    trainer::flops_per_token,
};

/// Measure how fast a model trains or generates, on random tokens.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Where to run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// What numbers are computed in: `f32`, or, on a GPU, `bf16`; parameters are f32 in any case.
    #[arg(long, value_name = "P", default_value_t)]
    precision: Precision,
    /// Rows in a step.
    #[arg(long, value_name = "B", default_value_t = 8, value_parser = one_or_more)]
    batch: usize,
    /// Tokens in a row.
    #[arg(long, value_name = "T", default_value_t = 256, value_parser = one_or_more)]
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
    #[arg(long, value_name = "V", default_value_t = 8192, value_parser = one_or_more)]
    vocabulary: usize,
    /// Steps.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Write this many tokens after prompts of 16, instead of training; a step is one time.
    #[arg(long, value_name = "N", value_parser = one_or_more)]
    generate: Option<usize>,
    /// What the device can do at most, in million million operations a second: the last line then says what share of it is used.
    #[arg(long, value_name = "T")]
    peak_tflops: Option<f64>,
}

impl BenchArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let config = ModelConfig {
            family: Some(Family::Gpt2),
            num_layers: Some(self.layers),
            num_heads: Some(self.heads),
            hidden_size: Some(self.width),
            context_length: Some(self.time),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().map_err(anyhow::Error::msg)?;
        let Self { vocabulary, batch, steps, device, precision, .. } = self;
        let bench = Bench { architecture, vocabulary, batch, steps, device, precision };
        printer.result(format_args!("parameters {}", architecture.parameters(vocabulary)));
        if let Some(tokens) = self.generate {
            bench.generate(16, tokens, |seconds| {
                let pace = (batch * tokens) as f64 / seconds;
                printer
                    .result(format_args!("generate batch {batch} {tokens} tokens {seconds:.3} s {pace:.0} tokens/s"));
            })?;
            return Ok(());
        }
        let mut paces = Vec::new();
        bench.run(|Measured { step, loss, seconds, tokens_per_second }| {
            printer.result(format_args!("step {step} loss {loss:.4} {seconds:.3} s {tokens_per_second:.0} tokens/s"));
            paces.push(tokens_per_second);
        })?;
        // by then a device has chosen its kernels, and memory has been touched
        let half = paces.len() / 2;
        let median = median(&mut paces[half..]);
        let tflops = median
            * flops_per_token(
                architecture.parameters(vocabulary),
                architecture.num_layers,
                architecture.hidden_size,
                architecture.context_length,
            )
            / 1e12;
        let share = self.peak_tflops.map(|peak| format!(", {:.1} % of {peak}", 100.0 * tflops / peak));
        printer.result(format_args!(
            "median of the second half {median:.0} tokens/s {tflops:.3} TFLOP/s{}",
            share.unwrap_or_default()
        ));
        if let Some(peak) = peak_megabytes() {
            printer.result(format_args!("peak {peak:.0} MB"));
        }
        Ok(())
    }
}

/// A count of something that is measured: a pace of nothing is none.
fn one_or_more(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "expected a number, 1 or more".to_owned())
}

/// The middle one of some numbers, of which there are any.
fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
