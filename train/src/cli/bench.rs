//! `train bench`.

use clap::Args;
use system::peak_memory;

use super::printer::Printer;
use crate::{
    device::DeviceName,
    model::{Architecture, Family, ModelConfig},
    program::bench::{Bench, StepTiming},
    tensor::Precision,
    trainer::flops_per_token,
};

/// Measure how fast a model trains or generates, on random tokens.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Where to run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// The precision of computation: `f32`, or, on a GPU, `bf16`; parameters are always f32.
    #[arg(long, default_value_t)]
    precision: Precision,
    /// Sequences in a step.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = one_or_more)]
    batch_size: usize,
    /// Tokens of a sequence.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = one_or_more)]
    sequence_length: usize,
    /// The width of the residual stream.
    #[arg(long, value_name = "N", default_value_t = 384)]
    hidden_size: usize,
    /// Attention heads of each block.
    #[arg(long, value_name = "N", default_value_t = 6)]
    num_heads: usize,
    /// Transformer blocks.
    #[arg(long, value_name = "N", default_value_t = 6)]
    num_layers: usize,
    /// The size of the vocabulary.
    #[arg(long, value_name = "N", default_value_t = 8192, value_parser = one_or_more)]
    vocab_size: usize,
    /// Steps.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Generate this many tokens after prompts of 16, once for each step, instead of training.
    #[arg(long, value_name = "N", value_parser = one_or_more)]
    generate: Option<usize>,
    /// The peak of the device in TFLOP/s: the last line then says what share of it is reached.
    #[arg(long, value_name = "TFLOPS")]
    peak_tflops: Option<f64>,
}

impl BenchArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let config = ModelConfig {
            family: Some(Family::Gpt2),
            num_layers: Some(self.num_layers),
            num_heads: Some(self.num_heads),
            hidden_size: Some(self.hidden_size),
            context_length: Some(self.sequence_length),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().map_err(anyhow::Error::msg)?;
        let Self { vocab_size, batch_size, steps, device, precision, .. } = self;
        let bench = Bench { architecture, vocab_size, batch_size, steps, device, precision };
        printer.result(format_args!("parameters {}", architecture.parameters(vocab_size)));
        if let Some(tokens) = self.generate {
            bench.generate(16, tokens, |seconds| {
                let pace = (batch_size * tokens) as f64 / seconds;
                printer.result(format_args!(
                    "generate batch {batch_size} {tokens} tokens {seconds:.3} s {pace:.0} tokens/s"
                ));
            })?;
            return Ok(());
        }
        let mut paces = Vec::new();
        bench.run(|StepTiming { step, loss, seconds, tokens_per_second }| {
            printer.result(format_args!("step {step} loss {loss:.4} {seconds:.3} s {tokens_per_second:.0} tokens/s"));
            paces.push(tokens_per_second);
        })?;
        // by then a device has chosen its kernels, and memory has been touched
        let half = paces.len() / 2;
        let median = median(&mut paces[half..]);
        let Architecture { num_layers, hidden_size, context_length, .. } = architecture;
        let flops = flops_per_token(architecture.parameters(vocab_size), num_layers, hidden_size, context_length);
        let tflops = median * flops / 1e12;
        let share = self.peak_tflops.map(|peak| format!(", {:.1} % of {peak}", 100.0 * tflops / peak));
        printer.result(format_args!(
            "median of the second half {median:.0} tokens/s {tflops:.3} TFLOP/s{}",
            share.unwrap_or_default()
        ));
        if let Some(peak) = peak_memory() {
            printer.result(format_args!("peak {:.0} MB", peak as f64 / 1e6));
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
