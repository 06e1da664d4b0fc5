//! Evaluation: a language model on tasks, on prompts that come ready, and on texts.
//!
//! ```text
//! tasks, prompts, texts -> checked, before the model is read
//! task x template x demonstrations -> samples, scores
//!                                  -> OUT/results.json, samples.parquet, report.html, all at once, by rename
//! of all checkpoints of a training   -> OUT/step-*/ with these, and OUT/curves.json
//! ```

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use schemas::{
    paths::NamedFolders,
    task::{Folders, PromptStyle, Split, Task, Template, shipped},
};
use serde::Serialize;
use system::{AtomicFile, hash_file, sha256, sync_folder};

use super::inference_model::ReadyModel;
use crate::{
    checkpoint::{self, Which},
    data::{Document, Documents, Lines, ReadOptions, TaskExample, TaskExamples},
    error::{Error, Result},
    evaluate::{
        Against, AskConfig, Engine, FileIdentity, Leaked, LikelihoodOptions, Method, ModelIdentity, OverTemplates,
        ReadyPrompt, ReadyRun, Results, RunOutcome, RunResults, Sample, SampleKey, ScoresById, Shots, ShownConfig,
        Skip, Skips, TaskPrompts, TaskResults, TaskRun, compare, curves, draw, located, page, page_data, read_scores,
        results, samples_file, table, template_fault, to_parquet,
    },
    inference::WeightFormat,
};

/// What is evaluated, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateOptions {
    /// The folder of a training, or one of Hugging Face.
    pub model: PathBuf,
    /// Which checkpoints of a training.
    pub checkpoints: Checkpoints,
    /// How weights are held.
    pub weights: WeightFormat,
    /// The folder that is written.
    pub out: PathBuf,
    /// Tasks: files, or names of shipped ones.
    pub tasks: Vec<PathBuf>,
    /// Files of prompts that come ready.
    pub rendered: Vec<PathBuf>,
    /// Files of texts.
    pub texts: Vec<PathBuf>,
    /// Folders that paths of tasks begin with.
    pub folders: NamedFolders,
    /// The split that is evaluated on; for testing by default, else for validation.
    pub split: Option<Split>,
    /// Templates by name; by default those of a style.
    pub templates: Vec<String>,
    /// The style of templates; by default GPT-3's where a task has it, else any.
    pub prompt_style: Option<PromptStyle>,
    /// Numbers of demonstrations.
    pub shots: Vec<Shots>,
    /// Whether all examples show the same demonstrations.
    pub same_demonstrations: bool,
    /// Examples of a task, sampled; 0 for all.
    pub count: usize,
    /// How examples are asked about.
    pub ask: AskConfig,
    /// Tokens that a window of a text scores; as many as the model reads by default.
    pub stride: Option<usize>,
    /// Lists of examples that leaked into training data.
    pub leaked: Vec<PathBuf>,
    /// An evaluation of another model, to compare with.
    pub against: Option<PathBuf>,
    /// Most tokens that the model is given; as many as it reads by default.
    pub context_length: Option<usize>,
    /// How much goes through the model at a time.
    pub likelihood: LikelihoodOptions,
}

/// Which checkpoints of a training are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoints {
    /// One.
    One(Which),
    /// All that are there: scores by step.
    All,
}

/// What was found, and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// What was found, of each checkpoint.
    pub results: Vec<Results>,
    /// The folder.
    pub out: PathBuf,
}

/// A task that was checked.
#[derive(Debug, Clone)]
pub(super) struct CheckedTask {
    path: PathBuf,
    task: Task,
    sha256: String,
    split: Split,
    /// The split that demonstrations are of.
    shown: Option<Split>,
    examples: TaskExamples,
    pool: Vec<TaskExample>,
}

/// What a task's runs have made, beside its results.
pub(super) type Runs = Vec<(SampleKey, Vec<Sample>)>;

/// Evaluates a model, and publishes what was found.
///
/// - `note`: is told what happens
///
/// # Errors
/// When a task, a file or the model is at fault, or the folder holds something already: the error names it.
pub fn evaluate(options: &EvaluateOptions, note: &mut dyn FnMut(&str)) -> Result<Evaluated> {
    check_out(&options.out)?;
    let leaked = Leaked::read(&options.leaked)?;
    let other = options.against.as_deref().map(read_other).transpose()?;
    let tasks = options.tasks.iter().map(|path| CheckedTask::read(path, options, note)).collect::<Result<Vec<_>>>()?;

    let whiches = match options.checkpoints {
        Checkpoints::One(which) => vec![which],
        Checkpoints::All => all(&options.model)?,
    };
    let mut found: Vec<(Results, Runs)> = Vec::new();
    for which in whiches {
        let ready = ReadyModel::open(&options.model, which, options.weights)?;
        found.push(evaluate_model(ready, options, &tasks, &leaked, other.as_ref(), note)?);
    }
    publish(&options.out, options.checkpoints, &found)?;
    let results = found.into_iter().map(|(results, _)| results).collect();
    Ok(Evaluated { results, out: options.out.clone() })
}

/// All checkpoints of a training.
fn all(folder: &Path) -> Result<Vec<Which>> {
    let step = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok().map(Which::Step);
    let found: Vec<Which> = checkpoint::checkpoints(folder)?.iter().filter_map(step).collect();
    if found.is_empty() { Err(Error::NoCheckpoint { path: folder.to_owned() }) } else { Ok(found) }
}

/// What is found of one model.
fn evaluate_model(
    ready: ReadyModel,
    options: &EvaluateOptions,
    tasks: &[CheckedTask],
    leaked: &Leaked,
    other: Option<&(ScoresById, serde_json::Value)>,
    note: &mut dyn FnMut(&str),
) -> Result<(Results, Runs)> {
    let ReadyModel { model, tokenizer, sha256, step, notes } = ready;
    notes.iter().for_each(|text| note(text));
    let identity = ModelIdentity {
        folder: options.model.display().to_string(),
        sha256,
        step,
        tokenizer: tokenizer.sha256(),
        weights: options.weights.name().to_owned(),
        context_length: model.context_length(),
        vocab_size: model.vocab_size(),
    };
    let engine = Engine::new(Arc::new(model), &tokenizer, options.context_length, options.likelihood)?;
    let prompts = ready_prompts(options, engine.vocab_size())?;
    let (mut found, mut runs) = (Vec::new(), Runs::new());
    for task in tasks {
        let (results, samples) = task.evaluate(&engine, options, leaked, note)?;
        found.push(results);
        runs.extend(samples);
    }
    for prompts in prompts {
        let (results, samples) = prompts.evaluate(&engine, options, leaked, note)?;
        found.push(results);
        runs.extend(samples);
    }
    let against = other.map(|(scores, model)| {
        let own = scores_of(&runs);
        let folder = options.against.as_deref().unwrap_or(Path::new("")).display().to_string();
        Against { folder, model: model.clone(), runs: compare(scores, &own, options.ask.seed) }
    });
    let results = Results {
        version: schemas::version::version(env!("CARGO_PKG_VERSION"), &[]).to_owned(),
        model: identity,
        settings: settings(options),
        tasks: found,
        against,
    };
    Ok((results, runs))
}

/// A folder that is written is not there yet, or empty.
fn check_out(out: &Path) -> Result<()> {
    let is_empty = |out: &Path| fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if !out.exists() || is_empty(out) {
        return Ok(());
    }
    let message = "it holds something already; choose another --out".to_owned();
    Err(Error::Evaluation { what: out.display().to_string(), message })
}

/// The scores and the model of an evaluation that was written before.
fn read_other(folder: &Path) -> Result<(ScoresById, serde_json::Value)> {
    let path = folder.join(results::FILE);
    let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
    let json: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| Error::Damaged { path, message: error.to_string() })?;
    Ok((read_scores(&folder.join(samples_file::FILE))?, json["model"].clone()))
}

/// What was asked for, as far as figures depend on it.
fn settings(options: &EvaluateOptions) -> serde_json::Value {
    let EvaluateOptions { ask, shots, same_demonstrations, count, stride, context_length, .. } = options;
    serde_json::json!({
        "seed": ask.seed, "shots": shots, "same_demonstrations": same_demonstrations, "separator": ask.separator, "count": count,
        "neutral_context": ask.neutral_context, "long_prompts": ask.long_prompts, "stride": stride,
        "context_length": context_length,
    })
}

impl CheckedTask {
    /// Reads a task, chooses its templates, and reads its examples.
    pub fn read(path: &Path, options: &EvaluateOptions, note: &mut dyn FnMut(&str)) -> Result<Self> {
        let known = || shipped().iter().map(|(name, _)| *name);
        if !path.is_file() && known().all(|name| path.as_os_str() != name) {
            let message = format!(
                "there is no such file, and no shipped task of that name; there are `{}`",
                known().collect::<Vec<_>>().join("`, `")
            );
            return Err(Error::Evaluation { what: path.display().to_string(), message });
        }
        let mut task = Task::read(path, Folders::Named(&options.folders))?;
        let fault = |message: String| Error::Evaluation { what: format!("task `{}`", task.name), message };
        let sha256 = sha256(&serde_json::to_vec(&(&task.rules, &task.templates)).expect("a task is JSON"));
        let there = |split: &Split| task.files.contains_key(split);
        let splits = || task.files.keys().map(|split| split.name()).collect::<Vec<_>>().join("`, `");
        let split = match options.split {
            Some(split) if there(&split) => split,
            Some(split) => return Err(fault(format!("it has no split `{split}`; it has `{}`", splits()))),
            None => [Split::Test, Split::Validation].into_iter().find(there).ok_or_else(|| {
                fault(format!("it has no split for testing or validation, only `{}`; name it by --split", splits()))
            })?,
        };
        let templates = templates(&task, options).map_err(fault)?;
        let shows = options.shots.iter().any(|shots| *shots != Shots::Fixed(0));
        // one that has no examples to train on shows others of those that it has
        let shown = [Split::Train, Split::Validation, split].into_iter().filter(|_| shows).find(there);
        task.templates = templates;
        let mut examples = TaskExamples::read(&task, split)?;
        for broken in examples.broken.iter().take(3) {
            note(&format!("{}: example {}: {}", broken.file.display(), broken.number, broken.message));
        }
        let pool = match shown {
            None => Vec::new(),
            Some(shown) if shown == split => examples.examples.clone(),
            Some(shown) => TaskExamples::read(&task, shown)?.examples,
        };
        if let Some(shown) = shown.filter(|shown| *shown != Split::Train && *shown != split) {
            note(&format!("task `{}` has no split `train`: demonstrations are of its split `{shown}`", task.name));
        } else if shown.is_some_and(|shown| shown == split) {
            note(&format!(
                "task `{}`: demonstrations are of the split `{split}`, which is evaluated; no example shows itself",
                task.name
            ));
        }
        if examples.examples.is_empty() {
            return Err(Error::Evaluation {
                what: format!("task `{}`", task.name),
                message: format!("its split `{split}` has no example"),
            });
        }
        if options.count > 0 {
            let seed = options.ask.seed;
            examples.examples.sort_by_cached_key(|example| (draw(seed, "render", &example.id), example.id.clone()));
            examples.examples.truncate(options.count);
        }
        Ok(Self { path: path.to_owned(), task, sha256, split, shown, examples, pool })
    }

    /// Asks the model about all examples, by each template, with each number of demonstrations.
    pub fn evaluate(
        &self,
        engine: &Engine<'_>,
        options: &EvaluateOptions,
        leaked: &Leaked,
        note: &mut dyn FnMut(&str),
    ) -> Result<(TaskResults, Runs)> {
        let Self { path, task, sha256, split, shown, examples, pool } = self;
        let (split, shown) = (*split, *shown);
        let TaskExamples { examples, broken } = examples;
        let config = ShownConfig {
            seed: options.ask.seed,
            same: options.same_demonstrations,
            separator: options.ask.separator.clone(),
        };
        let prompts = TaskPrompts::new(task.clone(), pool, config).map_err(|error| located(path, error))?;
        let task = prompts.task();
        let (mut found, mut runs) = (Vec::new(), Runs::new());
        for (number, template) in task.templates.iter().enumerate() {
            for shots in &options.shots {
                let run = TaskRun {
                    engine,
                    prompts: &prompts,
                    examples,
                    leaked,
                    config: &options.ask,
                    template: number,
                    shots: *shots,
                };
                let what = format!("{}, {}, {shots} shots", task.name, template.name);
                let mut ticker = Ticker::new(what, note);
                let outcome = run.run(&mut |more, of| ticker.done(more, of)).map_err(|error| located(path, error))?;
                let results = RunResults::new((&template.name, Some(template.prompt_style)), *shots, &outcome);
                note(&said(&task.name, &results));
                let key =
                    SampleKey { task: task.name.clone(), template: template.name.clone(), shots: shots.to_string() };
                runs.push((key, outcome.samples));
                found.push(results);
            }
        }
        let of_split = |split: Split| task.files.get(&split).into_iter().flatten();
        let mut files: Vec<&PathBuf> = of_split(split).chain(shown.into_iter().flat_map(of_split)).collect();
        files.sort();
        files.dedup();
        let mut broken_by_reason = Skips::new();
        for row in broken {
            *broken_by_reason.entry(if row.is_whole { Skip::NoAnswer } else { Skip::NoExample }).or_default() += 1;
        }
        let results = TaskResults {
            task: task.name.clone(),
            title: task.title.clone(),
            sha256: sha256.clone(),
            split: Some(split.name().to_owned()),
            demonstrations: shown.map(|split| split.name().to_owned()),
            files: files.into_iter().map(|path| file_identity(path)).collect::<Result<_>>()?,
            examples: examples.len(),
            broken: broken_by_reason,
            over_templates: OverTemplates::of(&found),
            runs: found,
        };
        Ok((results, runs))
    }
}

/// The templates that are evaluated.
///
/// # Errors
/// Why there are none, or one that is asked for is not for evaluation.
fn templates(task: &Task, options: &EvaluateOptions) -> std::result::Result<Vec<Template>, String> {
    let names =
        |templates: &[&Template]| templates.iter().map(|own| own.name.as_str()).collect::<Vec<_>>().join("`, `");
    let all: Vec<&Template> = task.templates.iter().collect();
    if let Some(unknown) = options.templates.iter().find(|name| all.iter().all(|own| own.name != **name)) {
        return Err(format!("it has no template `{unknown}`; it has `{}`", names(&all)));
    }
    let fault = |template: &Template| {
        let number = task.templates.iter().position(|own| own.name == template.name)?;
        template_fault(task, number)
    };
    let named = |template: &&&Template| options.templates.contains(&template.name);
    for template in all.iter().filter(named) {
        if let Some(fault) = fault(template) {
            return Err(format!("template `{}` is not for evaluation: {fault}", template.name));
        }
    }
    let can: Vec<&Template> = all.iter().copied().filter(|template| fault(template).is_none()).collect();
    if can.is_empty() {
        return Err(
            "it has no template for evaluation: each is inverted, or makes no prompt with a completion".to_owned()
        );
    }
    let of_style = |style: PromptStyle| can.iter().copied().filter(move |template| template.prompt_style == style);
    let chosen: Vec<&Template> = match (options.templates.is_empty(), options.prompt_style) {
        (false, style) => {
            let is_of = |template: &&Template| style.is_none_or(|style| template.prompt_style == style);
            can.iter().copied().filter(|template| options.templates.contains(&template.name)).filter(is_of).collect()
        }
        (true, Some(style)) => of_style(style).collect(),
        (true, None) if of_style(PromptStyle::Gpt3).next().is_some() => of_style(PromptStyle::Gpt3).collect(),
        (true, None) => can.clone(),
    };
    if chosen.is_empty() {
        return Err(format!("it has no template of that prompt style for evaluation; it has `{}`", names(&can)));
    }
    Ok(chosen.into_iter().cloned().collect())
}

/// Prompts of a file that come ready.
struct ReadyFile {
    path: PathBuf,
    /// By what they are judged from, with the numbers of their lines.
    kinds: Vec<(Method, Vec<(u64, ReadyPrompt)>)>,
}

/// Reads prompts that come ready, and texts.
///
/// # Errors
/// A line that is none: the file and the line are named.
fn ready_prompts(options: &EvaluateOptions, vocab_size: usize) -> Result<Vec<ReadyFile>> {
    let mut files = Vec::new();
    for path in &options.rendered {
        let damaged = |line: u64, message: String| Error::Damaged {
            path: path.clone(),
            message: format!("line {line}: {message}"),
        };
        let mut lines = Lines::open(path, ReadOptions::default())?;
        let mut file = ReadyFile { path: path.clone(), kinds: Vec::new() };
        while let Some((number, line)) = lines.next_line()? {
            let prompt = ReadyPrompt::of_line(&line, vocab_size).map_err(|message| damaged(number, message))?;
            let method = prompt.method().map_err(|message| damaged(number, message))?;
            match file.kinds.iter_mut().find(|(kind, _)| *kind == method) {
                Some((_, prompts)) => prompts.push((number, prompt)),
                None => file.kinds.push((method, vec![(number, prompt)])),
            }
        }
        files.push(file);
    }
    for path in &options.texts {
        let is_plain = path.extension().is_none_or(|extension| extension == "txt" || extension == "md");
        let mut texts = Vec::new();
        if is_plain {
            texts.push(fs::read_to_string(path).map_err(Error::file("read", path))?);
        } else {
            let mut documents = Documents::open(path)?;
            while let Some(few) = documents.next_few()? {
                texts.extend(few.into_iter().filter_map(|document| match document {
                    Document::Text { prompt, text } => Some(prompt + &text),
                    Document::Conversation(_) => None,
                }));
            }
        }
        let prompts = (1..).zip(texts.into_iter().map(ReadyPrompt::of_text)).collect();
        files.push(ReadyFile { path: path.clone(), kinds: vec![(Method::Text, prompts)] });
    }
    for file in &files {
        if file.kinds.iter().all(|(_, prompts)| prompts.is_empty()) {
            return Err(Error::Data { path: file.path.clone(), message: "there is nothing to evaluate on".to_owned() });
        }
    }
    Ok(files)
}

impl ReadyFile {
    fn evaluate(
        self,
        engine: &Engine<'_>,
        options: &EvaluateOptions,
        leaked: &Leaked,
        note: &mut dyn FnMut(&str),
    ) -> Result<(TaskResults, Runs)> {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let task = file.split('.').next().unwrap_or_default().to_owned();
        let (mut found, mut runs, mut examples) = (Vec::new(), Runs::new(), 0);
        for (method, prompts) in self.kinds {
            let run = ReadyRun {
                engine,
                prompts: &prompts,
                file: &file,
                method,
                leaked,
                config: &options.ask,
                stride: options.stride,
            };
            let mut ticker = Ticker::new(task.clone(), note);
            let outcome: RunOutcome = run.run(&mut |more, of| ticker.done(more, of))?;
            let template = if method == Method::Text { "text" } else { "rendered" };
            let results = RunResults::new((template, None), Shots::Fixed(0), &outcome);
            note(&said(&task, &results));
            let template = if runs.is_empty() { template.to_owned() } else { format!("{template} {}", runs.len() + 1) };
            examples += outcome.samples.len();
            runs.push((
                SampleKey { task: task.clone(), template: template.clone(), shots: "0".into() },
                outcome.samples,
            ));
            found.push(RunResults { template, ..results });
        }
        let identity = file_identity(&self.path)?;
        let results = TaskResults {
            task,
            title: String::new(),
            sha256: identity.sha256.clone(),
            split: None,
            demonstrations: None,
            files: vec![identity],
            examples,
            broken: Skips::new(),
            runs: found,
            over_templates: Vec::new(),
        };
        Ok((results, runs))
    }
}

fn file_identity(path: &Path) -> Result<FileIdentity> {
    Ok(FileIdentity { path: path.display().to_string(), sha256: hash_file(path)?.sha256 })
}

/// Says now and then how far a run has come.
struct Ticker<'n> {
    what: String,
    note: &'n mut dyn FnMut(&str),
    begun: Instant,
    said: Instant,
    done: usize,
}

impl<'n> Ticker<'n> {
    /// How often it is said.
    const EVERY: Duration = Duration::from_secs(30);

    fn new(what: String, note: &'n mut dyn FnMut(&str)) -> Self {
        let now = Instant::now();
        Self { what, note, begun: now, said: now, done: 0 }
    }

    fn done(&mut self, more: usize, of: usize) {
        self.done += more;
        if self.said.elapsed() < Self::EVERY || self.done >= of {
            return;
        }
        self.said = Instant::now();
        let left = self.begun.elapsed().as_secs_f64() / self.done.max(1) as f64 * (of - self.done) as f64;
        (self.note)(&format!("{}: {} of {of} requests, {left:.0} s left", self.what, self.done));
    }
}

/// What a run found, in a line.
fn said(task: &str, run: &RunResults) -> String {
    let own = run.own().map_or_else(
        || "no example has a score".to_owned(),
        |own| match own.stderr {
            Some(stderr) => {
                format!("{} {:.4} (standard error {stderr:.4}) on {} examples", own.metric, own.value, own.count)
            }
            None => format!("{} {:.4} on {} examples", own.metric, own.value, own.count),
        },
    );
    let skipped: Vec<String> = run.skipped.iter().map(|(skip, count)| format!("{count} {}", skip.name())).collect();
    let skipped = if skipped.is_empty() { String::new() } else { format!("; skipped: {}", skipped.join(", ")) };
    let cut = match run.cut.prompts {
        0 => String::new(),
        prompts => format!("; {prompts} prompts lost {} tokens at their front", run.cut.tokens),
    };
    format!("{task}, {}, {} shots: {own}{skipped}{cut}", run.template, run.shots)
}

/// The scores of samples by the ids of their examples.
fn scores_of(runs: &Runs) -> ScoresById {
    let of =
        |samples: &[Sample]| samples.iter().filter_map(|sample| Some((sample.id.clone(), sample.score?))).collect();
    runs.iter().map(|(key, samples)| (key.clone(), of(samples))).collect()
}

/// Writes all files into a folder beside the one that they are for, which then gets its name.
fn publish(out: &Path, checkpoints: Checkpoints, found: &[(Results, Runs)]) -> Result<()> {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let partial = out.with_file_name(format!(".{name}.partial"));
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(Error::file("remove", &partial))?;
    }
    fs::create_dir_all(&partial).map_err(Error::file("make the folder", &partial))?;
    for (results, runs) in found {
        let folder = match (checkpoints, results.model.step) {
            (Checkpoints::All, Some(step)) => partial.join(format!("step-{step:08}")),
            _ => partial.clone(),
        };
        write(&folder, results, runs)?;
    }
    if checkpoints == Checkpoints::All {
        let all: Vec<&Results> = found.iter().map(|(results, _)| results).collect();
        AtomicFile::write_whole(&partial.join(curves::FILE), &json(&curves(&all)))?;
    }
    fs::rename(&partial, out).map_err(Error::file("rename to", out))?;
    sync_folder(out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    Ok(())
}

/// Writes what was found of a model.
fn write(folder: &Path, results: &Results, runs: &Runs) -> Result<()> {
    AtomicFile::write_whole(&folder.join(results::FILE), &json(results))?;
    let samples: Vec<(SampleKey, &[Sample])> = runs.iter().map(|(key, samples)| (key.clone(), &samples[..])).collect();
    AtomicFile::write_whole(&folder.join(samples_file::FILE), &to_parquet(&samples))?;
    AtomicFile::write_whole(&folder.join(page::FILE), page::html(&page_data(results, runs)).as_bytes())?;
    Ok(())
}

fn json(of: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(of).expect("results are JSON");
    json.push(b'\n');
    json
}

/// The table of scores.
impl fmt::Display for Evaluated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, results) in self.results.iter().enumerate() {
            if number > 0 {
                formatter.write_str("\n\n")?;
            }
            if let (Some(step), true) = (results.model.step, self.results.len() > 1) {
                writeln!(formatter, "after {step} steps")?;
            }
            formatter.write_str(&table(results))?;
        }
        Ok(())
    }
}
