//! Tasks that a language model is evaluated on while it is trained: `[training.evaluate]`.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use schemas::paths::NamedFolders;
use serde::{Deserialize, Serialize};

use super::evaluate::{CheckedTask, Checkpoints, EvaluateOptions, check_names};
use crate::{
    checkpoint::Which,
    error::Result,
    evaluate::{AskConfig, Engine, Leaked, LikelihoodOptions, LongPrompts, ProtocolChanges, RunResults, Shots},
    inference::{InferenceModel, WeightFormat},
    model::Gpt,
    objective::{Evaluator, Scores},
    tokenizer::Tokenizer,
};

/// Tasks that the model is evaluated on meanwhile.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TasksConfig {
    /// The tasks: files (TOML), or names of shipped ones.
    pub tasks: Vec<String>,
    /// Folders that paths of tasks begin with, by name, such as `data`.
    #[serde(default)]
    pub folders: BTreeMap<String, PathBuf>,
    /// Steps between evaluations on tasks, which come with others alone; each by default.
    #[serde(default)]
    pub every: Option<u64>,
    /// Demonstrations before each prompt: one number, or several.
    #[serde(default = "none")]
    pub shots: Vec<u32>,
    /// Examples of each task, at most: a random sample, the same each time.
    #[serde(default = "hundred")]
    pub examples: usize,
    /// Templates by name; by default those of the style `gpt3`, or all where a task has none.
    #[serde(default)]
    pub templates: Vec<String>,
}

fn none() -> Vec<u32> {
    vec![0]
}

fn hundred() -> usize {
    100
}

/// Tasks that were checked.
#[derive(Clone)]
pub(super) struct TrainingTasks {
    tasks: Vec<CheckedTask>,
    options: EvaluateOptions,
    every: u64,
}

impl fmt::Debug for TrainingTasks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TrainingTasks").field("every", &self.every).finish_non_exhaustive()
    }
}

impl TrainingTasks {
    /// Reads the tasks of a configuration.
    ///
    /// - `folder`: where its paths start
    /// - `context_length`: tokens that the model reads
    ///
    /// # Errors
    /// When a task or its data is at fault.
    pub fn read(config: &TasksConfig, folder: &Path, seed: u64, context_length: usize) -> Result<Self> {
        let TasksConfig { tasks, folders, every, shots, examples, templates } = config;
        let paths = tasks.iter().map(|task| {
            let path = folder.join(task);
            if path.is_file() { path } else { PathBuf::from(task) }
        });
        let absolute = |path: &PathBuf| std::path::absolute(folder.join(path)).unwrap_or_else(|_| path.clone());
        let folders: NamedFolders = folders.iter().map(|(name, path)| (name.clone(), absolute(path))).collect();
        let options = EvaluateOptions {
            model: PathBuf::new(),
            checkpoints: Checkpoints::One(Which::Newest),
            weights: WeightFormat::F32,
            out: PathBuf::new(),
            tasks: paths.collect(),
            rendered: Vec::new(),
            texts: Vec::new(),
            folders,
            split: None,
            templates: templates.clone(),
            prompt_style: None,
            shots: shots.iter().map(|shots| Shots::Fixed(*shots)).collect(),
            same_demonstrations: false,
            count: *examples,
            ask: AskConfig {
                seed,
                method: None,
                scoring: None,
                neutral_context: "Answer:".to_owned(),
                long_prompts: LongPrompts::Cut,
                separator: "\n\n".to_owned(),
                protocol: ProtocolChanges::default(),
                // a log has values alone
                standard_errors: false,
            },
            stride: None,
            leaked: Vec::new(),
            against: None,
            context_length: None,
            likelihood: LikelihoodOptions::default(),
        };
        let tasks = options.tasks.iter().map(|path| CheckedTask::read(path, &options, &mut |_| {}));
        let tasks = tasks.collect::<Result<Vec<_>>>()?;
        check_names(&tasks, &[])?;
        tasks.iter().try_for_each(|task| task.check_room(&options, context_length))?;
        Ok(Self { tasks, every: every.unwrap_or(1), options })
    }

    /// What each task is judged by, by the task's name; where there are several templates or numbers of demonstrations, by these, too.
    fn scores(&self, model: &Gpt, tokenizer: &Tokenizer) -> Result<BTreeMap<String, f64>> {
        let model = Arc::new(InferenceModel::new(model, WeightFormat::F32));
        let engine = Engine::new(model, tokenizer, None, self.options.likelihood)?;
        let mut scores = BTreeMap::new();
        for task in &self.tasks {
            let (results, _) = task.evaluate(&engine, &self.options, &Leaked::default(), &mut |_| {})?;
            let is_one = results.runs.len() == 1;
            let name = |run: &RunResults| {
                let RunResults { template, shots, .. } = run;
                if is_one { results.task.clone() } else { format!("{}/{template}/{shots}", results.task) }
            };
            scores.extend(results.runs.iter().filter_map(|run| Some((name(run), run.own()?.value))));
        }
        Ok(scores)
    }
}

/// Judges a model as another does, and by tasks.
pub(super) struct WithTasks<'t> {
    pub inner: Box<dyn Evaluator<Gpt> + 't>,
    pub tasks: &'t TrainingTasks,
    pub tokenizer: &'t Tokenizer,
}

impl Evaluator<Gpt> for WithTasks<'_> {
    fn criterion(&self) -> &'static str {
        self.inner.criterion()
    }

    fn eval_set(&self) -> &str {
        self.inner.eval_set()
    }

    fn evaluate(&self, model: &Gpt, step: u64) -> Result<Scores> {
        let scores = self.inner.evaluate(model, step)?;
        let due = step.is_multiple_of(self.tasks.every);
        let tasks = if due { self.tasks.scores(model, self.tokenizer)? } else { BTreeMap::new() };
        Ok(Scores { tasks, ..scores })
    }
}
