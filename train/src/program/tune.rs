//! Instruction tuning: a language model learns to answer, from prompts with completions and from conversations.
//!
//! ```text
//! prompt, completion ----------------------------> ids, with loss on the completion
//! messages -> chat template -> turns ------------> ids, with loss on what the assistant says    -> sequences -> steps
//! ```
//!
//! Teacher forcing: the model reads each example as it is, and the loss is the cross-entropy of the tokens that it should have said, a mean
//! over those of the batch. Examples are packed; none attends to another, and positions begin anew at each.
//!
//! Useful for: decoders, with all their weights or with adapters in their place; models with an encoder, which read the prompt and write the
//! completion. Not useful for: conversations with an encoder.
//!
//! Source: Wei et al. 2021 (FLAN); Ouyang et al. 2022 (`InstructGPT`), section 3.5.

use std::path::Path;

use schemars::JsonSchema;
use schemas::toml_file::{Defaults, Setting, Spanned, TomlFile};
use serde::Deserialize;

use super::{
    data::{ExampleOptions, HashedData, absolute},
    language_model::{LanguageTraining, Learnt, Trained},
    pairs::PairsConfig,
    preset::{self, with_preset},
    samples::sample_prompts,
    session::{Options, check_loop},
    training::TrainingConfig,
    tuning_data::TuningDataConfig,
};
use crate::{
    data::{Batches, TokenCache},
    error::Result,
    model::{EncoderDecoder, Gpt, LoraConfig, ModelConfig},
    optimize::{OptimizerConfig, Schedule},
    tokenizer::Message,
    trainer::{Progress, TrainOutcome},
};

/// Instruction tuning as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TuneConfig {
    /// The seed of every draw.
    pub seed: u64,
    /// Published numbers, for whatever is not written.
    #[serde(default)]
    pub preset: Option<TunePreset>,
    /// The examples.
    #[schemars(with = "TuningDataConfig")]
    pub data: Spanned<TuningDataConfig>,
    /// The model, which goes on `from` one that is there, as a rule.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// Low-rank adapters, which are trained in place of the model that it goes on from.
    #[serde(default)]
    pub lora: Option<LoraConfig>,
    /// The training loop. `steps`, `epochs` and `batch_size` count sequences, of several examples each where they are packed.
    pub training: TrainingConfig,
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
}

/// Published numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TunePreset {
    /// FLAN on LaMDA-PT, a decoder (Wei et al. 2021, section 2.4): 30,000 steps of 8,192 tokens, which are 8 sequences of 1,024; Adafactor
    /// at 3e-5. That the rate is constant, and no share of a parameter's size, is our reading: neither is said there.
    Flan,
    /// `InstructGPT`'s first step, for 1.3 and 6 billion parameters (Ouyang et al. 2022, section 3.5 and appendix C.1): 16 epochs of 32
    /// examples, residual dropout of 0.2, 9.65e-6 with a cosine down to a tenth and no warm-up, Adam with 0.9 and 0.95 and, since none is
    /// named, no weight decay. There a batch is of examples: `packing = "padded"` has them so.
    InstructGpt,
}

impl TunePreset {
    fn defaults(self) -> Defaults {
        match self {
            Self::Flan => Defaults {
                text: "[training]\nsteps = 30000\nbatch_size = 8\n\
                       [learning_rate]\npeak = 3e-5\nshape = \"constant\"\n\
                       [optimizer]\nname = \"adafactor\"\nscale_parameter = false\n",
                alternatives: &[("training.epochs", "training.steps"), ("optimizer.name", "optimizer.scale_parameter")],
            },
            Self::InstructGpt => Defaults {
                text: "[model]\ndropout = 0.2\n\
                       [training]\nepochs = 16.0\nbatch_size = 32\n\
                       [learning_rate]\npeak = 9.65e-6\nshape = \"cosine\"\nfinal_share = 0.1\n\
                       [optimizer]\nname = \"adamw\"\nbeta1 = 0.9\nbeta2 = 0.95\nweight_decay = 0.0\n",
                alternatives: &[
                    ("training.steps", "training.epochs"),
                    ("optimizer.name", "optimizer.beta1"),
                    ("optimizer.name", "optimizer.beta2"),
                    ("optimizer.name", "optimizer.weight_decay"),
                ],
            },
        }
    }
}

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct Tuning {
    config: TuneConfig,
    trained: Trained,
    json: serde_json::Value,
    examples: ExampleOptions,
}

impl Tuning {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current
    /// folder, like any path on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a model that cannot be built: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = with_preset(TomlFile::read(path)?, &settings, TunePreset::defaults)?;
        let config: TuneConfig = file.parse(&settings)?;
        let mut json: serde_json::Value = file.parse(&settings)?;
        // its numbers stand there, and say the same
        json.as_object_mut().map(|config| config.remove(preset::KEY));
        let TuneConfig { data, model, lora, training, learning_rate, optimizer, .. } = &config;
        let documents = Spanned::new(data.span(), data.get_ref().documents());
        let trained = Trained::check(&file, &settings, model, lora.as_ref(), &documents, &mut json)?;
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        let trained = trained.with_tasks(&file, &settings, training, config.seed)?;
        if trained.architecture.has_encoder()
            && let Some((key, message)) = data.get_ref().fault_with_encoder()
        {
            return Err(file.fault_of(key, &settings, message).into());
        }
        let examples = data.get_ref().examples(&file, trained.data.tokenizer())?;
        let trained = Trained { data: trained.data.with_examples(examples.clone()), ..trained };
        Ok(Self { config, trained, json, examples })
    }
}

/// Tunes a model, or goes on tuning it.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn tune(tuning: &Tuning, options: &Options, progress: &mut dyn Progress) -> Result<TrainOutcome> {
    let Tuning { config, trained, json, .. } = tuning;
    let TuneConfig { seed, training, learning_rate, optimizer, .. } = config;
    let language = LanguageTraining { seed: *seed, trained, training, learning_rate, optimizer, json };
    let hashed = trained.data.hash()?;
    if trained.architecture.has_encoder() {
        let read = |cache: &mut TokenCache<'_>| pairs(tuning, &hashed, cache);
        language.run(&hashed, hashed.order(), options, read, progress)
    } else {
        let read = |cache: &mut TokenCache<'_>| packed(tuning, &hashed, &options.out, cache);
        language.run(&hashed, hashed.packed_order(), options, read, progress)
    }
}

/// What a decoder learns from: examples in sequences. A chat template that they were written by is left in `out`.
fn packed(tuning: &Tuning, hashed: &HashedData<'_>, out: &Path, cache: &mut TokenCache<'_>) -> Result<Learnt<Gpt>> {
    let Tuning { config: TuneConfig { seed, training, .. }, trained, examples, .. } = tuning;
    let (context_length, tokenizer) = (trained.architecture.context_length, trained.data.tokenizer());
    let sequences = hashed.training(context_length, *seed, cache)?;
    let (most, together) = (training.evaluate_sequences, training.batch_size / training.gradient_accumulation);
    let eval_sets = hashed.eval_sets(context_length, *seed, most, together, cache)?;
    let (template, has_conversations) = (&examples.chat_template, cache.has_conversations());
    let mut stops = tokenizer.ends().to_vec();
    if has_conversations {
        cache.note(&format!("conversations are written by the chat template {}", template.place()));
        stops = template.stops(tokenizer);
        for id in stops.iter().filter(|id| !tokenizer.ends().contains(id)) {
            let token = tokenizer.token(*id).unwrap_or_default();
            cache.note(&format!("a turn ends with `{token}`, which ends what the model generates, too"));
        }
        // whoever asks the model asks it so
        template.save_with(tokenizer, out)?;
    }
    let prompts = sample_prompts(training.samples.as_ref(), |prompt| {
        if has_conversations {
            template.prompt(tokenizer, &[Message { role: "user".into(), content: prompt.into() }])
        } else {
            tokenizer.prompt(prompt)
        }
    })?;
    Ok(Learnt {
        examples: sequences.count(),
        batches: Box::new(Batches::new(sequences, training.batch_size)),
        evaluator: Box::new(eval_sets),
        lengths: [0, context_length],
        prompts,
        stops,
    })
}

/// What a model with an encoder learns from: prompts that it reads, and completions that it writes.
fn pairs(tuning: &Tuning, hashed: &HashedData<'_>, cache: &mut TokenCache<'_>) -> Result<Learnt<EncoderDecoder>> {
    let Tuning { config: TuneConfig { seed, training, .. }, trained, .. } = tuning;
    let pairs = PairsConfig { context_length: trained.architecture.context_length, training, seed: *seed };
    Learnt::pairs(hashed.pairs(pairs, cache)?, training.samples.as_ref(), trained.data.tokenizer())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::Packing, optimize::OptimizerName};

    fn parsed(written: &str, preset: TunePreset) -> TuneConfig {
        let file =
            TomlFile::from_text("tune.toml", format!("seed = 1\n[data]\nmixture = \"rows\"\n[model]\n{written}"));
        file.with_defaults(preset.defaults()).parse(&[]).expect("it is whole")
    }

    /// A preset has all that a training needs; what is written goes before it, and takes with it what would not fit.
    #[test]
    fn presets_are_defaults() {
        let config = parsed("", TunePreset::InstructGpt);
        assert_eq!((config.training.epochs, config.training.steps, config.training.batch_size), (Some(16.0), None, 32));
        assert_eq!((config.model.get_ref().dropout, config.optimizer.beta2), (Some(0.2), Some(0.95)));
        let data = config.data.get_ref().documents();
        assert!(data.packing == Packing::BestFit && data.document_masking);

        let config = parsed("[training]\nsteps = 5\n[optimizer]\nname = \"muon\"", TunePreset::InstructGpt);
        assert_eq!((config.training.epochs, config.training.steps), (None, Some(5)));
        assert_eq!((config.optimizer.name, config.optimizer.beta1), (OptimizerName::Muon, None));
        config.optimizer.build().expect("its keys are its own");

        let config = parsed("[training]\nepochs = 2.0", TunePreset::Flan);
        assert_eq!((config.training.epochs, config.training.steps, config.training.batch_size), (Some(2.0), None, 8));
        assert_eq!(config.optimizer.scale_parameter, Some(false));
    }
}
