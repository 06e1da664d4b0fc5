//! `train generate`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::printer::Printer;
use crate::{
    checkpoint::Which,
    device::DeviceName,
    generate::{BeamConfig, Sampling, StoppingCriteria, TextModel, beam_search, generate},
    inference::WeightFormat,
    program::load,
    tensor::{Operations, chosen},
};

/// Generate text with a trained model.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// The output folder of a training.
    model: PathBuf,
    /// The prompt; may be given more than once, for a batch. Special tokens in it, such as `<|endoftext|>`, are those tokens, and the
    /// model's beginning-of-text token is put before it.
    #[arg(long, default_value = "")]
    prompt: Vec<String>,
    /// The most tokens to generate.
    #[arg(long, value_name = "N", default_value_t = 100)]
    tokens: usize,
    /// Divides the logits; 0 is greedy decoding.
    #[arg(long, default_value_t = 0.8, value_parser = temperature)]
    temperature: f64,
    /// Sample from this many of the likeliest tokens; 0 for all.
    #[arg(long, value_name = "K", default_value_t = 0)]
    top_k: usize,
    /// Sample from the likeliest tokens that have this share of the probability together.
    #[arg(long, value_name = "P", default_value_t = 1.0, value_parser = top_p)]
    top_p: f64,
    /// Beam search with this many beams, instead of sampling.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    beams: Option<u16>,
    /// With --beams: scores are divided by the length to this power; more prefers longer texts.
    #[arg(long, value_name = "POWER", default_value_t = 1.0, requires = "beams", value_parser = finite)]
    length_penalty: f64,
    /// Stop before this string, too; may be given more than once.
    #[arg(long, value_name = "TEXT", value_parser = stop)]
    stop: Vec<String>,
    /// The seed of sampling.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Use the checkpoint with the best evaluation, instead of the newest.
    #[arg(long)]
    best: bool,
    /// Where to run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// How a decoder's weights are held on a CPU: `f32` as they are, `bf16` in half the memory, `int8` in a quarter of it, and as much faster.
    #[arg(long, value_name = "FORMAT", default_value_t)]
    weights: WeightFormat,
}

impl GenerateArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let which = if self.best { Which::Best } else { Which::Newest };
        let (model, tokenizer) = load(&self.model, which, self.device)?;
        let is_possible = self.device == DeviceName::Cpu && !model.has_encoder() && chosen() == Operations::Own;
        if !is_possible && self.weights != WeightFormat::F32 {
            bail!("weights in {} are for decoders on a CPU, with operations of our own", self.weights);
        }
        let model = if is_possible { model.for_inference(self.weights) } else { model };
        // an encoder has read texts with their ends
        let ids = |text: &String| if model.has_encoder() { tokenizer.source(text) } else { tokenizer.prompt(text) };
        let prompts = self.prompt.iter().map(ids).collect::<Result<Vec<_>, _>>()?;
        // a stop string may begin within a token, and a token within a stop string; what stands further back was looked at before
        let longest = self.stop.iter().map(String::len).max().unwrap_or(0);
        let should_stop = |new: &[u32]| {
            let tail = &new[new.len().saturating_sub(longest + 4)..];
            let text = if self.stop.is_empty() { String::new() } else { tokenizer.decode(tail).unwrap_or_default() };
            self.stop.iter().any(|stop| text.contains(stop.as_str()))
        };
        let suppressed = tokenizer.unused(model.vocab_size());
        let criteria = StoppingCriteria {
            max_new_tokens: self.tokens,
            bos: if model.has_encoder() { tokenizer.padding() } else { tokenizer.before_text() },
            eos: tokenizer.ends(),
            suppressed: &suppressed,
            should_stop: &should_stop,
        };
        let texts = match self.beams {
            Some(beams) => {
                let config = BeamConfig { num_beams: beams.into(), length_penalty: self.length_penalty };
                prompts.iter().map(|prompt| beam_search(&model, prompt, config, &criteria)).collect()
            }
            None => {
                let Self { temperature, top_k, top_p, seed, .. } = self;
                generate(&model, &prompts, Sampling { temperature, top_k, top_p, seed }, &criteria)
            }
        };
        for ((prompt, ids), new) in self.prompt.iter().zip(&prompts).zip(texts) {
            // with an encoder the text stands for itself
            let (prompt, ids) = if model.has_encoder() { ("", &[][..]) } else { (prompt.as_str(), &ids[..]) };
            let text = tokenizer.continuation(ids, &new)?;
            let end = self.stop.iter().filter_map(|stop| text.find(stop.as_str())).min().unwrap_or(text.len());
            printer.result(format_args!("{prompt}{}", &text[..end]));
        }
        Ok(())
    }
}

pub(super) fn finite(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if number.is_finite() { Ok(number) } else { Err(format!("{number} is no number to compute with")) }
}

pub(super) fn temperature(text: &str) -> Result<f64, String> {
    match finite(text)? {
        temperature if temperature >= 0.0 => Ok(temperature),
        other => Err(format!("a temperature is 0 or more, not {other}")),
    }
}

pub(super) fn top_p(text: &str) -> Result<f64, String> {
    match finite(text)? {
        share if share > 0.0 && share <= 1.0 => Ok(share),
        other => Err(format!("a share of the probability to sample from is above 0 and at most 1, not {other}")),
    }
}

pub(super) fn stop(text: &str) -> Result<String, String> {
    // it stands in front of every text
    if text.is_empty() { Err("a string to stop before has a character at least".into()) } else { Ok(text.to_owned()) }
}
