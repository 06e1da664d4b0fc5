//! Evaluation: a language model on tasks, on prompts that come ready, and on texts.
//!
//! ```text
//! tasks, prompts, texts, lists, OUT  -> read and checked                      before the model is read
//! with the model                     -> its context, ids, room for prompts    before it is asked anything
//! task x template x demonstrations   -> samples, scores
//!                                    -> OUT/results.json, samples.parquet, report.html, all at once, by rename
//! of all checkpoints of a training   -> OUT/step-*/ with these, each written once it is done, and OUT/curves.json
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use schemas::{
    paths::NamedFolders,
    task::{Folders, PromptStyle, Split, Task, Template, shipped},
};
use system::{hash_file, sha256};

use super::inference_model::ReadyModel;
use crate::{
    checkpoint::{self, Which},
    data::{NoExample, TaskExample, TaskExamples},
    error::{Error, Result},
    evaluate::{
        Against, AskConfig, Engine, FileIdentity, Leaked, LeakedLists, LikelihoodOptions, Method, ModelIdentity,
        OutFolder, OverTemplates, ReadyFile, ReadyPrompt, ReadyRun, Results, RunOutcome, RunResults, Sample, SampleKey,
        ScoreKind, ScoredRuns, ScoresById, Shots, ShownConfig, Skip, Skips, TaskPrompts, TaskResults, TaskRun,
        check_room, compare, curves, draw, located, protocol_of, read_scores, results, samples_file, table,
        template_fault,
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

/// A task that was checked, with whatever of it is the same for every model.
#[derive(Debug, Clone)]
pub(super) struct CheckedTask {
    path: PathBuf,
    prompts: Arc<TaskPrompts>,
    sha256: String,
    split: Split,
    /// The split that demonstrations are of.
    shown: Option<Split>,
    examples: TaskExamples,
    /// The files of both splits.
    files: Vec<FileIdentity>,
}

/// What a task's runs have made, beside its results.
pub(super) type Runs = Vec<(SampleKey, Vec<Sample>)>;

/// What is evaluated, read and checked.
struct Evaluation<'o> {
    options: &'o EvaluateOptions,
    tasks: Vec<CheckedTask>,
    files: Vec<(ReadyFile, FileIdentity)>,
    leaked: Leaked,
    /// The lists of what leaked.
    lists: Vec<FileIdentity>,
    other: Option<Other>,
}

/// An evaluation that was written before.
struct Other {
    runs: ScoredRuns,
    model: serde_json::Value,
}

/// Evaluates a model, and publishes what was found.
///
/// - `note`: is told what happens
///
/// # Errors
/// When a task, a file or the model is at fault, or the folder holds something already: the error names it.
pub fn evaluate(options: &EvaluateOptions, note: &mut dyn FnMut(&str)) -> Result<Evaluated> {
    let mut folder = OutFolder::new(&options.out)?;
    let evaluation = Evaluation::read(options, note)?;
    let whiches = match options.checkpoints {
        Checkpoints::One(which) => vec![which],
        Checkpoints::All => all(&options.model)?,
    };
    let mut found = Vec::new();
    for which in whiches {
        let ready = ReadyModel::open(&options.model, which, options.weights)?;
        let (results, runs) = evaluation.of_model(ready, note)?;
        let step = results.model.step.filter(|_| options.checkpoints == Checkpoints::All);
        folder.write(step, &results, &runs)?;
        found.push(results);
    }
    let by_step = (options.checkpoints == Checkpoints::All).then(|| curves(&found));
    folder.publish(by_step.as_deref())?;
    Ok(Evaluated { results: found, out: options.out.clone() })
}

/// All checkpoints of a training.
fn all(folder: &Path) -> Result<Vec<Which>> {
    let step = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok().map(Which::Step);
    let found: Vec<Which> = checkpoint::checkpoints(folder)?.iter().filter_map(step).collect();
    if found.is_empty() { Err(Error::NoCheckpoint { path: folder.to_owned() }) } else { Ok(found) }
}

impl<'o> Evaluation<'o> {
    /// Reads and checks whatever needs no model.
    fn read(options: &'o EvaluateOptions, note: &mut dyn FnMut(&str)) -> Result<Self> {
        let lists = LeakedLists::read(&options.leaked)?;
        let other = options.against.as_deref().map(Other::read).transpose()?;
        let tasks =
            options.tasks.iter().map(|path| CheckedTask::read(path, options, note)).collect::<Result<Vec<_>>>()?;
        let prompts = options.rendered.iter().map(|path| ReadyFile::of_prompts(path));
        let texts = options.texts.iter().map(|path| ReadyFile::of_texts(path));
        let files = prompts.chain(texts).collect::<Result<Vec<_>>>()?;
        check_names(&tasks, &files)?;
        let evaluated: Vec<&Path> =
            tasks.iter().flat_map(CheckedTask::evaluated).chain(files.iter().map(|file| file.path.as_path())).collect();
        let leaked = lists.among(&evaluated)?;
        let lists = lists.lists.iter().map(|path| file_identity(path)).collect::<Result<_>>()?;
        let hashed = |file: ReadyFile| file_identity(&file.path).map(|identity| (file, identity));
        let files = files.into_iter().map(hashed).collect::<Result<_>>()?;
        Ok(Self { options, tasks, files, leaked, lists, other })
    }

    /// What is found of one model.
    fn of_model(&self, ready: ReadyModel, note: &mut dyn FnMut(&str)) -> Result<(Results, Runs)> {
        let Self { options, tasks, files, leaked, .. } = self;
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
        self.check(&engine)?;
        let (mut found, mut runs) = (Vec::new(), Runs::new());
        for task in tasks {
            let (results, samples) = task.evaluate(&engine, options, leaked, note)?;
            found.push(results);
            runs.extend(samples);
        }
        for (file, identity) in files {
            let (results, samples) = self.of_file(file, identity, &engine, note)?;
            found.push(results);
            runs.extend(samples);
        }
        let against = self.other.as_ref().map(|other| {
            let tasks = serde_json::to_value(&found).expect("results are JSON");
            let own = ScoredRuns { scores: scores_of(&runs), kinds: ScoreKind::of_tasks(&tasks) };
            let folder = options.against.as_deref().unwrap_or(Path::new("")).display().to_string();
            Against { folder, model: other.model.clone(), runs: compare(&other.runs, &own, options.ask.seed) }
        });
        let results = Results {
            version: schemas::version::version(env!("CARGO_PKG_VERSION"), &[]).to_owned(),
            model: identity,
            settings: self.settings(),
            tasks: found,
            against,
        };
        Ok((results, runs))
    }

    /// Checks what needs the model, before it is asked anything.
    fn check(&self, engine: &Engine<'_>) -> Result<()> {
        let context = engine.encoder().context_length();
        if let Some(stride) = self.options.stride.filter(|stride| *stride > context) {
            let message = format!("a window has {context} tokens, and cannot score more");
            return Err(Error::Evaluation { what: format!("a stride of {stride} tokens"), message });
        }
        for task in &self.tasks {
            for (template, shots) in task.asked(self.options) {
                let run = task.run(engine, self.options, &self.leaked, template, shots);
                run.check().map_err(|error| located(&task.path, error))?;
            }
        }
        for (file, _) in &self.files {
            for (method, prompts) in &file.kinds {
                self.run_of_file(file, engine, *method, prompts).check()?;
            }
        }
        Ok(())
    }

    /// What was asked for, as far as figures depend on it.
    fn settings(&self) -> serde_json::Value {
        let EvaluateOptions { ask, shots, same_demonstrations, count, stride, context_length, .. } = self.options;
        serde_json::json!({
            "seed": ask.seed, "shots": shots, "same_demonstrations": same_demonstrations, "separator": ask.separator, "count": count,
            "neutral_context": ask.neutral_context, "long_prompts": ask.long_prompts, "stride": stride,
            "context_length": context_length, "leaked": self.lists,
        })
    }

    fn run_of_file<'r>(
        &'r self,
        file: &'r ReadyFile,
        engine: &'r Engine<'_>,
        method: Method,
        prompts: &'r [(u64, ReadyPrompt)],
    ) -> ReadyRun<'r> {
        let Self { options, leaked, .. } = self;
        ReadyRun { engine, prompts, file: &file.path, method, leaked, config: &options.ask, stride: options.stride }
    }

    /// Asks the model about the prompts of a file.
    fn of_file(
        &self,
        file: &ReadyFile,
        identity: &FileIdentity,
        engine: &Engine<'_>,
        note: &mut dyn FnMut(&str),
    ) -> Result<(TaskResults, Runs)> {
        let (mut found, mut runs, mut examples) = (Vec::new(), Runs::new(), 0);
        for (method, prompts) in &file.kinds {
            let mut ticker = Ticker::new(file.name.clone(), note);
            let run = self.run_of_file(file, engine, *method, prompts);
            let outcome: RunOutcome = run.run(&mut |more, of| ticker.done(more, of))?;
            let template = if *method == Method::Text { "text" } else { "rendered" };
            let results = RunResults::new((template, None), Shots::Fixed(0), &outcome);
            note(&said(&file.name, &results));
            let template = if runs.is_empty() { template.to_owned() } else { format!("{template} {}", runs.len() + 1) };
            examples += outcome.samples.len();
            runs.push((
                SampleKey { task: file.name.clone(), template: template.clone(), shots: "0".into() },
                outcome.samples,
            ));
            found.push(RunResults { template, ..results });
        }
        let results = TaskResults {
            task: file.name.clone(),
            title: String::new(),
            version: None,
            sha256: identity.sha256.clone(),
            split: None,
            demonstrations: None,
            files: vec![identity.clone()],
            examples,
            broken: Skips::new(),
            runs: found,
            over_templates: Vec::new(),
        };
        Ok((results, runs))
    }
}

impl Other {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(results::FILE);
        let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
        let json: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| Error::Damaged { path, message: error.to_string() })?;
        let scores = read_scores(&folder.join(samples_file::FILE))?;
        Ok(Self {
            runs: ScoredRuns { scores, kinds: ScoreKind::of_tasks(&json["tasks"]) },
            model: json["model"].clone(),
        })
    }
}

/// Checks that what is evaluated has different names, by which results are told apart.
pub(super) fn check_names(tasks: &[CheckedTask], files: &[ReadyFile]) -> Result<()> {
    let tasks = tasks.iter().map(|task| (&task.task().name, &task.path));
    let mut known: BTreeMap<&String, &PathBuf> = BTreeMap::new();
    for (name, path) in tasks.chain(files.iter().map(|file| (&file.name, &file.path))) {
        if let Some(other) = known.insert(name, path) {
            let message =
                format!("{} and {} both have it: evaluate one after the other", other.display(), path.display());
            return Err(Error::Evaluation { what: format!("the name `{name}`"), message });
        }
    }
    Ok(())
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
        note_broken(&examples.broken, note);
        let known: HashSet<&str> = examples.examples.iter().map(|example| example.id.as_str()).collect();
        if known.len() < examples.examples.len() {
            let more = examples.examples.len() - known.len();
            note(&format!(
                "task `{}`: {more} examples of its split `{split}` are there before, word for word",
                task.name
            ));
        }
        let pool = match shown {
            None => Vec::new(),
            Some(shown) if shown == split => examples.examples.clone(),
            Some(shown) => {
                let TaskExamples { examples, broken } = TaskExamples::read(&task, shown)?;
                note_broken(&broken, note);
                examples
            }
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
        let config = ShownConfig {
            seed: options.ask.seed,
            same: options.same_demonstrations,
            separator: options.ask.separator.clone(),
        };
        let of_split = |split: Split| task.files.get(&split).into_iter().flatten();
        let mut files: Vec<&PathBuf> = of_split(split).chain(shown.into_iter().flat_map(of_split)).collect();
        files.sort();
        files.dedup();
        let files = files.into_iter().map(|path| file_identity(path)).collect::<Result<Vec<_>>>()?;
        let prompts = TaskPrompts::new(task, &pool, config).map_err(|error| located(path, error))?;
        if options.count > 0 {
            let seed = options.ask.seed;
            examples.examples.sort_by_cached_key(|example| (draw(seed, "render", &example.id), example.id.clone()));
            examples.examples.truncate(options.count);
        }
        check_choices(&prompts, &examples.examples, options.ask.method).map_err(|error| located(path, error))?;
        Ok(Self { path: path.to_owned(), prompts: Arc::new(prompts), sha256, split, shown, examples, files })
    }

    /// The task, with the templates that are evaluated.
    fn task(&self) -> &Task {
        self.prompts.task()
    }

    /// The files that are evaluated.
    fn evaluated(&self) -> impl Iterator<Item = &Path> {
        self.task().files.get(&self.split).into_iter().flatten().map(PathBuf::as_path)
    }

    /// Makes sure that answers leave room for prompts in a context.
    ///
    /// # Errors
    /// When those of a template do not.
    pub fn check_room(&self, options: &EvaluateOptions, context_length: usize) -> Result<()> {
        for (template, shots) in self.asked(options) {
            let protocol = protocol_of(&self.prompts, template, shots, &options.ask)?;
            let Some(protocol) = protocol else { continue };
            let Task { name, templates, .. } = self.task();
            let what = || format!("task `{name}`, template `{}`", templates[template].name);
            check_room(protocol.max_new_tokens, context_length, what)?;
        }
        Ok(())
    }

    /// What is asked: templates by number, each with every number of demonstrations.
    fn asked(&self, options: &EvaluateOptions) -> Vec<(usize, Shots)> {
        let templates = 0..self.task().templates.len();
        templates.flat_map(|template| options.shots.iter().map(move |shots| (template, *shots))).collect()
    }

    fn run<'r>(
        &'r self,
        engine: &'r Engine<'_>,
        options: &'r EvaluateOptions,
        leaked: &'r Leaked,
        template: usize,
        shots: Shots,
    ) -> TaskRun<'r> {
        let examples = &self.examples.examples;
        TaskRun { engine, prompts: &self.prompts, examples, leaked, config: &options.ask, template, shots }
    }

    /// Asks the model about all examples, by each template, with each number of demonstrations.
    pub fn evaluate(
        &self,
        engine: &Engine<'_>,
        options: &EvaluateOptions,
        leaked: &Leaked,
        note: &mut dyn FnMut(&str),
    ) -> Result<(TaskResults, Runs)> {
        let Self { path, sha256, split, shown, files, .. } = self;
        let TaskExamples { examples, broken } = &self.examples;
        let task = self.task();
        let (mut found, mut runs) = (Vec::new(), Runs::new());
        for (number, shots) in self.asked(options) {
            let template = &task.templates[number];
            let run = self.run(engine, options, leaked, number, shots);
            let mut ticker = Ticker::new(format!("{}, {}, shots {shots}", task.name, template.name), note);
            let outcome = run.run(&mut |more, of| ticker.done(more, of)).map_err(|error| located(path, error))?;
            let results = RunResults::new((&template.name, Some(template.prompt_style)), shots, &outcome);
            note(&said(&task.name, &results));
            let key = SampleKey { task: task.name.clone(), template: template.name.clone(), shots: shots.to_string() };
            runs.push((key, outcome.samples));
            found.push(results);
        }
        let mut broken_by_reason = Skips::new();
        for row in broken {
            *broken_by_reason.entry(if row.is_whole { Skip::NoAnswer } else { Skip::NoExample }).or_default() += 1;
        }
        let results = TaskResults {
            task: task.name.clone(),
            title: task.title.clone(),
            version: Some(task.version),
            sha256: sha256.clone(),
            split: Some(split.name().to_owned()),
            demonstrations: shown.map(|split| split.name().to_owned()),
            files: files.clone(),
            examples: examples.len(),
            broken: broken_by_reason,
            over_templates: OverTemplates::of(&found),
            runs: found,
        };
        Ok((results, runs))
    }
}

/// Names the first rows that are no examples, and says how many more there are.
fn note_broken(broken: &[NoExample], note: &mut dyn FnMut(&str)) {
    const NAMED: usize = 3;
    for NoExample { file, number, message, .. } in broken.iter().take(NAMED) {
        note(&format!("{}: example {number}: {message}", file.display()));
    }
    if let Some(last) = broken.get(NAMED) {
        note(&format!("{}: {} more that are no examples", last.file.display(), broken.len() - NAMED));
    }
}

/// Checks that choices can be told apart in the words of all templates that are judged by them.
fn check_choices(prompts: &TaskPrompts, examples: &[TaskExample], asked: Option<Method>) -> Result<()> {
    let task = prompts.task();
    for (number, template) in task.templates.iter().enumerate() {
        if Method::of(task, template, asked) == Method::Choices {
            examples
                .iter()
                .try_for_each(|example| prompts.check_choices(number, &example.id, &prompts.asked(number, example)?))?;
        }
    }
    Ok(())
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
        template_fault(task, number, options.ask.method)
    };
    let named = |template: &&&Template| options.templates.contains(&template.name);
    for template in all.iter().filter(named) {
        if let Some(fault) = fault(template) {
            return Err(format!("template `{}` is not for evaluation: {fault}", template.name));
        }
    }
    let can: Vec<&Template> = all.iter().copied().filter(|template| fault(template).is_none()).collect();
    if can.is_empty() {
        let why: BTreeSet<&str> = all.iter().filter_map(|template| fault(template)).collect();
        let why = why.into_iter().collect::<Vec<_>>().join("; ");
        return Err(format!("it has no template for evaluation: {why}"));
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
    format!("{task}, {}, shots {}: {own}{skipped}{cut}", run.template, run.shots)
}

/// The scores of samples by the ids of their examples.
fn scores_of(runs: &Runs) -> ScoresById {
    let of =
        |samples: &[Sample]| samples.iter().filter_map(|sample| Some((sample.id.clone(), sample.score?))).collect();
    runs.iter().map(|(key, samples)| (key.clone(), of(samples))).collect()
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
