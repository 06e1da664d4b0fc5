//! `curate render`.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use schemas::{
    columns,
    examples::ExampleFormat,
    paths::NamedFolders,
    prompt::Demonstrations,
    task::{Folders, Form, Parts, PromptStyle, Split, Task, shipped},
    toml_file::Setting,
};
use serde_json::{Map, Value};

use super::{
    lost::{Losses, LostArgs},
    printer::Printer,
};
use crate::{
    archive::Broken,
    decide::sampled_template,
    error::Error,
    source::{TaskExample, Unread, each_task_example, own_examples},
    text::draw::draw,
    write::{Negatives, POOL, PoolRow, RenderedRow, Rendering, RowKey, SEARCHED_POOL, TaskRenderer},
};

/// Put examples of a task into words: a task in, prompts and completions as JSON lines out.
///
/// A task is a file, or one of the shipped tasks, whose data lies in a folder that `--set data=DIR` names. Without `--split`, the examples
/// are those that stand in the task's own file.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The task: a file (TOML), or the name of a shipped task.
    task: PathBuf,
    /// The split whose examples are rendered.
    #[arg(long, value_enum, value_name = "SPLIT")]
    split: Option<SplitArg>,
    /// The templates; all by default.
    #[arg(long = "template", value_name = "NAME")]
    templates: Vec<String>,
    /// Templates of this prompt style: plain, t5, flan, gpt1, gpt2, gpt3 or `chain_of_thought`.
    #[arg(long, value_name = "STYLE", value_parser = prompt_style)]
    prompt_style: Option<PromptStyle>,
    /// Sample one template for each example, and do not take all.
    #[arg(long)]
    sample_template: bool,
    /// Examples of the training split, with their answers, before each prompt.
    #[arg(long, value_name = "N", default_value_t = 0)]
    demonstrations: u32,
    /// What stands between demonstrations.
    #[arg(long, value_enum, default_value = "blank-line")]
    separator: SeparatorArg,
    /// For retrieval: passages of other examples, for each question.
    #[arg(long, value_name = "N", default_value_t = 1)]
    negatives: u32,
    /// For retrieval: passages of other examples that look most like an answer, by BM25; they stand before the others.
    #[arg(long, value_name = "N", default_value_t = 0)]
    hard_negatives: u32,
    /// Number of examples of the split, sampled; 0 for all, in their order.
    #[arg(long, value_name = "N", default_value_t = 5)]
    count: usize,
    /// The seed of everything that is random.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Print texts as they are, below headings, and not JSON.
    #[arg(long)]
    plain: bool,
    /// A folder that paths of tasks begin with, such as `data=DIR`.
    #[arg(long = "set", value_name = "NAME=DIR")]
    settings: Vec<Setting>,
    #[command(flatten)]
    lost: LostArgs,
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

fn prompt_style(name: &str) -> Result<PromptStyle, String> {
    serde_json::from_value(Value::from(name)).map_err(|_| format!("there is no prompt style `{name}`"))
}

/// The name that draws are made for, as a run's are for its mixture's.
const MIXTURE: &str = "render";

impl RenderArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let task = self.task()?;
        let mut losses = self.lost.begin();
        let examples = self.examples(&task, printer, &mut losses)?;
        let retrieves = task.templates.iter().any(|template| template.parts.form() == Form::Retrieval);
        let pool = if self.demonstrations > 0 || retrieves { self.pool(&task, printer, &mut losses)? } else { vec![] };
        let rendering = Rendering {
            seed: self.seed,
            mixture: MIXTURE.to_owned(),
            demonstrations: (self.demonstrations > 0).then(|| Demonstrations {
                separator: match self.separator {
                    SeparatorArg::Newline => "\n".to_owned(),
                    SeparatorArg::BlankLine => "\n\n".to_owned(),
                },
                ..Demonstrations::fixed(self.demonstrations)
            }),
            negatives: Negatives { hard: self.hard_negatives, drawn: self.negatives },
            pool: None,
            task,
        };
        let located = |error| match error {
            Error::Render(error) => Task::locate(&self.task, error),
            other => other,
        };
        let renderer = TaskRenderer::with_pool(rendering.clone(), &pool).map_err(located)?;
        let mut output = io::BufWriter::new(io::stdout().lock());
        let mut rows = 0;
        for example in &examples {
            let values = renderer.values(&example.text)?;
            for template in self.templates_of(&rendering.task, &example.id) {
                let key = RowKey { id: &example.id, group: &example.id, template, copy: 0 };
                let row = renderer.row(key, &values).map_err(located)?;
                let name = &rendering.task.templates[template].name;
                let text =
                    if self.plain { plain(name, &row) } else { json(&rendering.task.name, name, &example.id, &row) };
                if let Err(error) = writeln!(output, "{text}") {
                    // nobody reads on
                    return if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error.into()) };
                }
                rows += 1;
            }
        }
        output.flush().context("standard output cannot be written")?;
        printer.note(format_args!("{} examples, {rows} rows", examples.len()));
        Ok(losses.judge()?)
    }

    /// The task, with the templates that are wanted.
    fn task(&self) -> anyhow::Result<Task> {
        let mut folders = NamedFolders::new();
        for setting in &self.settings {
            let [name] = setting.key.as_slice() else {
                bail!("--set {}={}: the name of a folder has no dots", setting.key.join("."), setting.value);
            };
            folders.insert(name.clone(), std::path::absolute(setting.text())?);
        }
        if !self.task.is_file() && shipped().iter().all(|(name, _)| self.task.as_os_str() != *name) {
            let known: Vec<&str> = shipped().iter().map(|(name, _)| *name).collect();
            bail!(
                "there is no file {}, and no shipped task of that name; there are `{}`",
                self.task.display(),
                known.join("`, `")
            );
        }
        let wanted = if self.split.is_some() { Folders::Named(&folders) } else { Folders::Unread };
        let mut task = Task::read(&self.task, wanted)?;
        if let Some(unknown) =
            self.templates.iter().find(|name| task.templates.iter().all(|template| template.name != **name))
        {
            let known: Vec<&str> = task.templates.iter().map(|template| template.name.as_str()).collect();
            bail!("task `{}` has no template `{unknown}`; it has `{}`", task.name, known.join("`, `"));
        }
        task.templates.retain(|template| {
            (self.templates.is_empty() || self.templates.contains(&template.name))
                && self.prompt_style.is_none_or(|style| style == template.prompt_style)
        });
        if task.templates.is_empty() {
            bail!("task `{}` has no template of that prompt style", task.name);
        }
        Ok(task)
    }

    fn split(&self) -> Option<Split> {
        self.split.map(|split| match split {
            SplitArg::Train => Split::Train,
            SplitArg::Validation => Split::Validation,
            SplitArg::Test => Split::Test,
        })
    }

    /// The examples that are rendered; what is broken is named.
    fn examples(&self, task: &Task, printer: &Printer, losses: &mut Losses) -> anyhow::Result<Vec<TaskExample>> {
        let mut examples = match self.split() {
            None => own_examples(task)?,
            Some(split) => {
                if !task.files.contains_key(&split) {
                    let known: Vec<&str> = task.files.keys().map(|split| split.name()).collect();
                    bail!("task `{}` has no split `{split}`; it has `{}`", task.name, known.join("`, `"));
                }
                let mut examples = Vec::new();
                for path in task.files.get(&split).into_iter().flatten() {
                    losses.file(printer, path, path);
                }
                each_task_example(task, split, |path, found| match found {
                    Ok(example) => examples.push(example),
                    Err(Unread { fault: Broken { fault, detail, .. }, lost: Some(bytes) }) => {
                        losses.lose(printer, path, bytes, &format!("{fault}: {detail}"));
                    }
                    Err(Unread { fault: Broken { offset, fault, detail, .. }, lost: None }) => {
                        let place = match task.rules.format_of(path) {
                            ExampleFormat::Parquet => "row",
                            ExampleFormat::Json | ExampleFormat::Squad => "object",
                            _ => "byte",
                        };
                        printer.note(format_args!("{}: {place} {offset}: {fault}: {detail}", path.display()));
                    }
                })?;
                examples
            }
        };
        if examples.is_empty() {
            bail!(
                "task `{}` has no example{}",
                task.name,
                if self.split.is_some() { "" } else { " in its own file: choose a `--split`" }
            );
        }
        if self.count > 0 && self.split.is_some() {
            examples.sort_by_cached_key(|example| (draw(self.seed, "render", &example.id), example.id.clone()));
            examples.truncate(self.count);
        }
        Ok(examples)
    }

    /// Examples of the training split, that others may show.
    fn pool(&self, task: &Task, printer: &Printer, losses: &mut Losses) -> anyhow::Result<Vec<PoolRow>> {
        let mut pool = if task.files.contains_key(&Split::Train) {
            let mut pool = Vec::new();
            let is_counted = self.split() == Some(Split::Train);
            each_task_example(task, Split::Train, |path, found| match found {
                Ok(example) => pool.push(example),
                Err(Unread { fault, lost: Some(bytes) }) if !is_counted => {
                    losses.lose(printer, path, bytes, &format!("{}: {}", fault.fault, fault.detail));
                }
                Err(_) => {}
            })?;
            pool
        } else if self.split.is_none() {
            own_examples(task)?
        } else {
            bail!("task `{}` has no split `train`, whose examples others could show", task.name);
        };
        pool.sort_by_cached_key(|example| (draw(self.seed, "pool/render", &example.id), example.id.clone()));
        pool.truncate(if self.hard_negatives > 0 { SEARCHED_POOL } else { POOL });
        let row = |TaskExample { id, text, .. }| PoolRow { group: id.clone(), id, title: None, text };
        Ok(pool.into_iter().map(row).collect())
    }

    /// The numbers of the templates that an example goes through.
    fn templates_of(&self, task: &Task, id: &str) -> std::ops::Range<usize> {
        let count = task.templates.len();
        if !self.sample_template {
            return 0..count;
        }
        let drawn = sampled_template(self.seed, MIXTURE, id, 0, count) as usize;
        drawn..drawn + 1
    }
}

/// The parts of a row by the names of their columns.
fn parts(row: &RenderedRow) -> Vec<(&'static str, Value)> {
    let texts = row.parts.texts().into_iter();
    let mut parts: Vec<(&str, Value)> = match &row.parts {
        Parts::Sequences { sequences } => vec![(columns::SEQUENCES, Value::from(sequences.clone()))],
        _ => texts.map(|(name, text)| (name, Value::from(text))).collect(),
    };
    if row.parts.form() == Form::Retrieval {
        parts.push((columns::NEGATIVES, Value::from(row.negatives.clone())));
    }
    parts.extend(row.label.map(|label| (columns::LABEL, Value::from(label))));
    parts
}

fn json(task: &str, template: &str, id: &str, row: &RenderedRow) -> String {
    let names = [(columns::ID, id), (columns::TASK, task), (columns::TEMPLATE, template)];
    let names = names.map(|(name, text)| (name, Value::from(text)));
    let object: Map<String, Value> =
        names.into_iter().chain(parts(row)).map(|(name, value)| (name.to_owned(), value)).collect();
    Value::Object(object).to_string()
}

fn plain(template: &str, row: &RenderedRow) -> String {
    let mut text = format!("===== {template}\n");
    for (name, value) in parts(row) {
        let items = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        for item in items {
            let item = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            text.push_str("--- ");
            text.push_str(name);
            text.push('\n');
            text.push_str(&item);
            text.push('\n');
        }
    }
    text
}
