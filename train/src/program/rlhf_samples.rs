//! What the policies of rounds answer to the same few prompts: `samples.jsonl`.
//!
//! ```text
//! prompts that no policy learns from -> eight of them -> greedy answers of the start (round 0) and of each round
//! ```
//!
//! Prompts are those that `train ppo` holds out: files `validation-*`, or a share by the hash of their text. Answers are greedy, so that they
//! differ where the models do, and by the inference engine.
//!
//! Useful for: reading what became of a model. Not useful for: figures; these stand in `rounds.jsonl`.

use std::path::Path;

use schemas::toml_file::TomlFile;
use serde::{Deserialize, Serialize};

use super::{example_data::VALIDATION, inference_model::ReadyModel, json_rows, samples::generate_samples};
use crate::{
    checkpoint::Which,
    data::{HashedFiles, PromptsReader, ReadOptions, SourceFiles, SplitReader as _},
    error::Result,
    inference::WeightFormat,
    tokenizer::Tokenizer,
    trainer::SamplesConfig,
};

/// The name of the file.
const FILE: &str = "samples.jsonl";

/// Prompts, at most.
const MOST: usize = 8;

/// An answer to one of the prompts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundSample {
    /// The round after which it was given; 0 before the first.
    pub round: usize,
    /// The prompt.
    pub prompt: String,
    /// The answer.
    pub answer: String,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct SamplePrompts<'s> {
    /// The prompts of all rounds.
    pub mixture: &'s Path,
    /// The configuration of the policy, whose validation data is asked.
    pub policy: &'s Path,
    /// The most tokens of an answer.
    pub tokens: usize,
}

/// What a configuration of a policy says of its validation data.
#[derive(Debug, Deserialize)]
struct Split {
    seed: u64,
    #[serde(default)]
    data: SplitData,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct SplitData {
    validation: f64,
}

impl Default for SplitData {
    fn default() -> Self {
        Self { validation: VALIDATION }
    }
}

impl SamplePrompts<'_> {
    /// The prompts: ids, and what they say.
    fn read(&self, tokenizer: &Tokenizer, context_length: usize) -> Result<(Vec<Vec<u32>>, Vec<String>)> {
        let Split { seed, data: SplitData { validation } } = TomlFile::read(self.policy)?.parse(&[])?;
        let longest = context_length.saturating_sub(self.tokens).max(1);
        // rows are prompts, of which all is read
        let reader = PromptsReader { tokenizer, longest, of_text: 1, options: ReadOptions::default() };
        let source = HashedFiles::new(SourceFiles::find(self.mixture)?)?;
        let mut lost = Vec::new();
        let [_, drawn] = reader.training(&source, seed, validation, &mut lost)?;
        let mut held_out = reader.validation(&source, &mut lost)?;
        held_out.append(drawn);
        let numbers = held_out.sample(seed, MOST);
        let ids: Vec<Vec<u32>> = numbers.into_iter().map(|number| held_out.get(number).to_vec()).collect();
        let texts = ids.iter().map(|ids| tokenizer.decode(ids)).collect::<Result<Vec<String>>>()?;
        Ok((ids, texts))
    }
}

/// All answers in a folder.
///
/// # Errors
/// When the file cannot be read, or is another.
pub(super) fn read(out: &Path) -> Result<Vec<RoundSample>> {
    json_rows::read(&out.join(FILE))
}

/// Adds the answers of a model after a round, unless they are there.
///
/// - `model`: its folder
///
/// # Errors
/// When the model or the prompts cannot be read, or the file cannot be written.
pub(super) fn add(out: &Path, round: usize, model: &Path, prompts: SamplePrompts<'_>) -> Result<()> {
    if read(out)?.iter().any(|sample| sample.round == round) {
        return Ok(());
    }
    let ReadyModel { model, tokenizer, .. } = ReadyModel::open(model, Which::Newest, WeightFormat::F32)?;
    let (ids, texts) = prompts.read(&tokenizer, model.context_length())?;
    let config = SamplesConfig { every: 1, prompts: texts, tokens: prompts.tokens, temperature: 0.0 };
    let answers = generate_samples(&model, 0, &config, (&ids, tokenizer.ends()), 0, &tokenizer)?;
    let rows = answers.into_iter().map(|sample| RoundSample { round, prompt: sample.prompt, answer: sample.text });
    json_rows::add(&out.join(FILE), &rows.collect::<Vec<_>>())
}
