//! `train evaluate`.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};
use schemas::{
    paths::NamedFolders,
    task::{PromptStyle, Split},
    toml_file::Setting,
};
use serde_json::Value;

use super::printer::Printer;
use crate::{
    checkpoint::Which,
    evaluate::{AskConfig, LikelihoodOptions, LongPrompts, Method, ProtocolChanges, Scoring, Shots},
    inference::WeightFormat,
    program::evaluate::{Checkpoints, EvaluateOptions, evaluate},
};

/// Evaluate a language model: on tasks with demonstrations before each prompt, on prompts that come ready, on texts.
///
/// Where a task has choices, the likeliest is the answer; else the model writes it. OUT then holds `results.json`, with every score, and
/// `samples.parquet`, with every prompt and answer.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The output folder of a training, or a folder of Hugging Face.
    model: PathBuf,
    /// The output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A task: a file (TOML), or the name of a shipped task; may be given more than once.
    #[arg(long = "task", alias = "tasks", value_name = "NAME|FILE", value_delimiter = ',')]
    tasks: Vec<PathBuf>,
    /// Prompts that come ready: JSON lines with `context`, `choices` and `gold`; `context` and `continuation`; `text`; or `context` and
    /// `references`.
    #[arg(long, value_name = "FILE")]
    rendered: Vec<PathBuf>,
    /// Texts whose perplexity is taken: a plain text as a whole, or each row of JSON lines or Parquet.
    #[arg(long = "text", value_name = "FILE")]
    texts: Vec<PathBuf>,
    /// A folder that paths of tasks begin with, such as `data=DIR`.
    #[arg(long = "set", value_name = "NAME=DIR")]
    settings: Vec<Setting>,
    /// The split of tasks whose examples are asked [default: test, or validation where there is none].
    #[arg(long, value_enum, value_name = "SPLIT", help_heading = "Prompts")]
    split: Option<SplitArg>,
    /// The templates [default: those of the style gpt3 where a task has any, else all].
    #[arg(long = "template", value_name = "NAME", help_heading = "Prompts")]
    templates: Vec<String>,
    /// Templates of this prompt style: plain, t5, flan, gpt2, gpt3 or `chain_of_thought`.
    #[arg(long, value_name = "STYLE", value_parser = prompt_style, help_heading = "Prompts")]
    prompt_style: Option<PromptStyle>,
    /// Examples of the training split, with their answers, before each prompt: numbers between commas, or `max` for as many as the context has
    /// room for.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "0", value_parser = shots, help_heading = "Prompts")]
    shots: Vec<Shots>,
    /// Show the same demonstrations before all prompts, and not each its own.
    #[arg(long, help_heading = "Prompts")]
    same_demonstrations: bool,
    /// What stands between demonstrations.
    #[arg(long, value_enum, default_value = "blank-line", help_heading = "Prompts")]
    separator: SeparatorArg,
    /// Number of examples of a task, sampled; 0 for all, in their order.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Prompts")]
    count: usize,
    /// The seed of everything that is random.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Prompts")]
    seed: u64,
    /// What becomes of a prompt that the model has no room for: its front is cut, or the example is skipped; both are counted.
    #[arg(long, value_enum, default_value = "cut", help_heading = "Prompts")]
    long_prompts: LongPromptsArg,
    /// Judge by the likelihood of answers, or by what the model writes [default: by likelihood where there are choices, and the template has no
    /// pattern].
    #[arg(long, value_enum, help_heading = "Answers")]
    method: Option<MethodArg>,
    /// What the likelihood of a choice is divided by; all are reported, by one the choice is made [default: per-token; of prompts that come
    /// ready sum].
    #[arg(long, value_enum, help_heading = "Answers")]
    scoring: Option<ScoringArg>,
    /// The context behind which choices have a likelihood of their own, for the normalized score; empty to leave that out, which takes less time.
    #[arg(long, value_name = "TEXT", default_value = "Answer:", help_heading = "Answers")]
    neutral_context: String,
    /// Tokens of a text that a window scores, but for the first; less is slower, and gives each token more to read [default: the context].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Answers")]
    stride: Option<u32>,
    /// The most tokens that are written for an answer [default: 64; 256 of reasoning, summaries and texts; 100 of GPT-2's summaries].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Answers")]
    tokens: Option<u32>,
    /// Divides the logits; 0 is greedy decoding [default: 0; 0.7 with --samples; 1 for GPT-2's summaries].
    #[arg(long, value_parser = super::generate::temperature, help_heading = "Answers")]
    temperature: Option<f64>,
    /// Sample from this many of the likeliest tokens; 0 for all [default: all; 2 for GPT-2's summaries].
    #[arg(long, value_name = "K", help_heading = "Answers")]
    top_k: Option<usize>,
    /// Sample from the likeliest tokens that have this share of the probability together.
    #[arg(long, value_name = "P", value_parser = super::generate::top_p, help_heading = "Answers")]
    top_p: Option<f64>,
    /// Beam search with this many beams; GPT-3 had 4.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Answers",
        conflicts_with_all = ["calculator", "temperature", "top_k", "top_p", "samples"])]
    beams: Option<u16>,
    /// With --beams: the power of the length penalty.
    #[arg(long, value_name = "POWER", default_value_t = 0.6, requires = "beams", value_parser = super::generate::finite, help_heading = "Answers")]
    length_penalty: f64,
    /// Stop before this string; may be given more than once [default: a line break, or what stands between demonstrations].
    #[arg(long, value_name = "TEXT", value_parser = super::generate::stop, help_heading = "Answers")]
    stop: Vec<String>,
    /// Draw so many answers for each example; that which most have counts.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Answers")]
    samples: Option<u16>,
    /// Sentences of what is written that count [default: all; 3 of GPT-2's summaries, 1 of its translations].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Answers")]
    sentences: Option<u16>,
    /// Write the results of equations that the model marks, such as `<<2+3=5>>`.
    #[arg(long, help_heading = "Answers")]
    calculator: bool,
    /// What asks for the answer once more, where reasoning has none; empty for nothing [default: "Therefore, the answer is"].
    #[arg(long, value_name = "TEXT", help_heading = "Answers")]
    second_pass: Option<String>,
    /// A list of examples that stood in training data, by `curate decontaminate` or `curate run`: scores are given without them, too.
    #[arg(long, value_name = "PATH")]
    leaked: Vec<PathBuf>,
    /// The output folder of another evaluation, which this one is compared with.
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// The checkpoint of a training: `last`, `best`, the number of a step, or `all` that are there, for scores by step.
    #[arg(long, value_name = "WHICH", default_value = "last", value_parser = checkpoints)]
    checkpoint: Checkpoints,
    /// How weights are held.
    #[arg(long, value_enum, default_value = "f32")]
    weights: WeightsArg,
    /// Most tokens that the model is given [default: as many as it reads].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    context_length: Option<u32>,
    /// Tokens that go through the model together. No score depends on it.
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    batch_tokens: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SplitArg {
    /// To train on.
    Train,
    /// To choose by.
    Validation,
    /// To report on.
    Test,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SeparatorArg {
    /// A line break.
    Newline,
    /// An empty line.
    BlankLine,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LongPromptsArg {
    /// The front is left out.
    Cut,
    /// The example has no score.
    Skip,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MethodArg {
    /// By the likelihood of choices, or of the right answer.
    Likelihood,
    /// By what the model writes.
    Generation,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScoringArg {
    /// By nothing.
    Sum,
    /// By the tokens of the answer.
    PerToken,
    /// By its characters.
    PerCharacter,
    /// By its UTF-8 bytes.
    PerByte,
    /// By its likelihood behind a neutral context.
    Normalized,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WeightsArg {
    /// Single precision.
    F32,
    /// 16 bits.
    Bf16,
    /// 8 bits.
    Int8,
}

fn prompt_style(name: &str) -> Result<PromptStyle, String> {
    serde_json::from_value(Value::from(name)).map_err(|_| format!("there is no prompt style `{name}`"))
}

fn shots(text: &str) -> Result<Shots, String> {
    match text {
        "max" => Ok(Shots::Max),
        number => number.parse().map(Shots::Fixed).map_err(|_| "expected a number, or `max`".to_owned()),
    }
}

fn checkpoints(text: &str) -> Result<Checkpoints, String> {
    match text {
        "all" => Ok(Checkpoints::All),
        "last" => Ok(Checkpoints::One(Which::Newest)),
        "best" => Ok(Checkpoints::One(Which::Best)),
        number => match number.parse() {
            Ok(step) => Ok(Checkpoints::One(Which::Step(step))),
            Err(_) => Err("expected `last`, `best`, `all`, or the number of a step".to_owned()),
        },
    }
}

impl EvaluateArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let options = self.options()?;
        let evaluated = evaluate(&options, &mut |text| printer.note(text))?;
        printer.result(&evaluated);
        printer.result(evaluated.out.display());
        Ok(())
    }

    fn options(self) -> anyhow::Result<EvaluateOptions> {
        if self.tasks.is_empty() && self.rendered.is_empty() && self.texts.is_empty() {
            bail!("there is nothing to evaluate on: name a --task, a file of prompts by --rendered, or a --text");
        }
        let mut folders = NamedFolders::new();
        for setting in &self.settings {
            let [name] = setting.key.as_slice() else {
                bail!("--set {}={}: the name of a folder has no dots", setting.key.join("."), setting.value);
            };
            folders.insert(name.clone(), std::path::absolute(setting.text())?);
        }
        let mut shots = self.shots;
        shots.sort_unstable();
        shots.dedup();
        let count = |number: Option<u32>| number.map(|number| number as usize);
        let protocol = ProtocolChanges {
            max_new_tokens: count(self.tokens),
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            beams: self.beams.map(|beams| (usize::from(beams), self.length_penalty)),
            samples: self.samples.map(u64::from),
            stop: (!self.stop.is_empty()).then_some(self.stop),
            sentences: self.sentences.map(usize::from),
            calculator: self.calculator,
            second_pass: self.second_pass,
        };
        let ask = AskConfig {
            seed: self.seed,
            method: self.method.map(|method| match method {
                MethodArg::Likelihood => Method::Choices,
                MethodArg::Generation => Method::Generation,
            }),
            scoring: self.scoring.map(|scoring| match scoring {
                ScoringArg::Sum => Scoring::Sum,
                ScoringArg::PerToken => Scoring::PerToken,
                ScoringArg::PerCharacter => Scoring::PerCharacter,
                ScoringArg::PerByte => Scoring::PerByte,
                ScoringArg::Normalized => Scoring::Normalized,
            }),
            neutral_context: self.neutral_context,
            long_prompts: match self.long_prompts {
                LongPromptsArg::Cut => LongPrompts::Cut,
                LongPromptsArg::Skip => LongPrompts::Skip,
            },
            separator: match self.separator {
                SeparatorArg::Newline => "\n".to_owned(),
                SeparatorArg::BlankLine => "\n\n".to_owned(),
            },
            protocol,
            standard_errors: true,
        };
        let batch_tokens = self.batch_tokens as usize;
        Ok(EvaluateOptions {
            model: self.model,
            checkpoints: self.checkpoint,
            weights: match self.weights {
                WeightsArg::F32 => WeightFormat::F32,
                WeightsArg::Bf16 => WeightFormat::Bf16,
                WeightsArg::Int8 => WeightFormat::Int8,
            },
            out: self.out,
            tasks: self.tasks,
            rendered: self.rendered,
            texts: self.texts,
            folders,
            split: self.split.map(|split| match split {
                SplitArg::Train => Split::Train,
                SplitArg::Validation => Split::Validation,
                SplitArg::Test => Split::Test,
            }),
            templates: self.templates,
            prompt_style: self.prompt_style,
            shots,
            same_demonstrations: self.same_demonstrations,
            count: self.count,
            ask,
            stride: count(self.stride),
            leaked: self.leaked,
            against: self.against,
            context_length: count(self.context_length),
            likelihood: LikelihoodOptions { batch_tokens, ..LikelihoodOptions::default() },
        })
    }
}
