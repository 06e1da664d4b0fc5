//! `train answer`: a question to an answer from passages; or questions whose answers are known, to figures.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use super::{generate::stop, printer::Printer, search::FindArgs};
use crate::{
    checkpoint::Which,
    inference::WeightFormat,
    program::answer::{AnswerOptions, answer, answer_all},
    retrieve::{AnswerConfig, Combining, GivenAnswer, IndexPlace, TEMPLATE, UsedPassage},
};

/// Answer a question from the passages of an index; or say how well questions of a file are answered.
#[derive(Debug, Args)]
#[command(
    override_usage = "train answer [OPTIONS] --model DIR INDEX QUESTION\n       train answer --questions FILE [OPTIONS] --model DIR INDEX"
)]
pub struct AnswerArgs {
    /// An index: a folder, or an address of PostgreSQL; it is not read with --k 0 or --given.
    index: IndexPlace,
    /// The question.
    #[arg(required_unless_present = "questions", conflicts_with = "questions")]
    question: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    /// A file of questions: rows of `query` and `answers`.
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// With --questions: write each answer, as JSON lines.
    #[arg(long, value_name = "PATH", conflicts_with = "question")]
    out: Option<PathBuf>,
    /// With --questions: answer from each row's own `positive`, in place of a search.
    #[arg(long, conflicts_with = "question")]
    given: bool,
    /// Passages, at most; 0 for none: the book is closed.
    #[arg(long, value_name = "N", default_value_t = 3)]
    k: usize,
    /// How passages become an answer.
    #[arg(long = "as", value_enum, default_value = "prompt")]
    combining: As,
    /// A file with another template, in Jinja, of `question` and `passages` (each with `title`, `text`, `id`, `document`, `source`, `date`).
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Ask in a turn of a conversation, by the model's own chat template.
    #[arg(long)]
    chat: bool,
    /// The most tokens of an answer.
    #[arg(long, value_name = "N", default_value_t = 32)]
    tokens: usize,
    /// End an answer before this string, in place of a line break; may be given more than once. White space at its beginning ends no answer.
    #[arg(long, value_name = "TEXT", value_parser = stop)]
    stop: Vec<String>,
    #[command(flatten)]
    find: FindArgs,
    /// Print an object of JSON.
    #[arg(long, conflicts_with = "questions")]
    json: bool,
}

/// Who answers.
#[derive(Debug, Args)]
struct ModelArgs {
    /// The model, which runs on the CPU: the folder of a training, or one of Hugging Face.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Use the checkpoint with the best evaluation, instead of the newest.
    #[arg(long)]
    best: bool,
    /// How weights are held: `f32` as they are, `bf16` in half the memory, `int8` in a quarter of it, and as much faster.
    #[arg(long, value_name = "FORMAT", default_value_t)]
    weights: WeightFormat,
}

/// How passages become an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum As {
    /// All in one prompt.
    Prompt,
    /// Each in a prompt of its own; the likeliest answer of all.
    RagSequence,
    /// Each in a prompt of its own; the likeliest token of all, token by token.
    RagToken,
}

impl From<As> for Combining {
    fn from(combining: As) -> Self {
        match combining {
            As::Prompt => Self::Prompt,
            As::RagSequence => Self::RagSequence,
            As::RagToken => Self::RagToken,
        }
    }
}

impl AnswerArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self { index, question, model, questions, out, given, k, combining, template, .. } = self;
        let ModelArgs { model, best, weights } = model;
        let Self { chat, tokens, stop, find, json, .. } = self;
        if tokens == 0 {
            bail!("--tokens: it has to be 1 or more");
        }
        let template = self::template(template.as_deref())?;
        let options = AnswerOptions {
            search: find.options(index, k)?,
            model,
            which: if best { Which::Best } else { Which::Newest },
            weights,
            answer: AnswerConfig {
                combining: combining.into(),
                max_new_tokens: tokens,
                stop: if stop.is_empty() { vec!["\n".into()] } else { stop },
            },
            template,
            chat,
            given,
        };
        if let Some(questions) = questions {
            let figures = answer_all(&options, &questions, out.as_deref(), &mut |text| printer.note(text))?;
            printer.result(figures);
            return Ok(());
        }
        let question = question.unwrap_or_default();
        let given = answer(&options, &question)?;
        if given.is_cut {
            printer.note("there was no room for all of the passages");
        }
        if json {
            printer.result(given.object(&question));
        } else {
            printer.result(shown(&given));
        }
        Ok(())
    }
}

/// The template of a file, or the usual one.
pub fn template(path: Option<&Path>) -> anyhow::Result<String> {
    match path {
        Some(path) => fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display())),
        None => Ok(TEMPLATE.to_owned()),
    }
}

fn shown(GivenAnswer { text, passages, .. }: &GivenAnswer) -> String {
    let passage = |UsedPassage { passage, share, .. }: &UsedPassage| {
        let title = passage.title.split_whitespace().collect::<Vec<_>>().join(" ");
        let title = if title.is_empty() { title } else { format!("  {title}") };
        format!("\n  {share:.3}  {}{title}", passage.id)
    };
    format!("{text}{}", passages.iter().map(passage).collect::<String>())
}
