//! From a recipe to a plan: what it names must exist, and what it reads must be written.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::{Path, PathBuf},
};

use schemas::{
    paths::NamedFolders,
    task::{Folders, Split, Task, shipped},
    toml_file::{Setting, Spanned, TomlError, TomlFile},
};

use super::{
    Plan, Recipe, StepPlan,
    mixtures::Tasks,
    model::{ClustersRecipe, ColumnsRecipe, LinkFacts, OverlapFacts, SourceRecipe, TaskRecipe, Text},
};
use crate::{
    decide::{DuplicateIndex, Facts, SplitRule, Verification},
    error::Result,
    extract::PageLimits,
    files::hash_file,
    measure::{BandsConfig, Family, FamilyConfig, ModelFile, OverlapsConfig, PostFiles, UrlFiles},
    source::{Benchmark, Columns, ExampleFile, Format, Source, WarcOptions},
    text::overlap::NgramLengths,
};

impl Plan {
    /// Reads and checks a recipe, with `settings` in place of what it says. A setting of a single name that stands in
    /// `[folders]` is a folder, and starts at the current folder like any path on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a name that nothing has: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        Self::of(&TomlFile::read(path)?, settings)
    }

    /// The same of a recipe that was read.
    ///
    /// # Errors
    /// See [`Plan::read`].
    pub fn of(file: &TomlFile, settings: &[Setting]) -> Result<Self> {
        let folders: BTreeSet<String> = file.parse::<Recipe>(&[]).map(|recipe| recipe.folders.into_keys().collect())?;
        let settings: Vec<Setting> = settings.iter().map(|setting| as_folder(setting, &folders)).collect();
        let recipe: Recipe = file.parse(&settings)?;
        let json = file.parse(&settings)?;
        // paths of tasks begin with them, too, and those start at another folder
        let absolute = |folder: &Spanned<PathBuf>| {
            let folder = file.folder().join(folder.get_ref());
            std::path::absolute(&folder).unwrap_or(folder)
        };
        let folders = recipe.folders.iter().map(|(name, folder)| (name.clone(), absolute(folder))).collect();
        Check { file, recipe: &recipe, folders }.plan(json)
    }
}

fn as_folder(setting: &Setting, folders: &BTreeSet<String>) -> Setting {
    match setting.key.as_slice() {
        [name] if folders.contains(name) => {
            let folder = std::path::absolute(setting.text()).unwrap_or_else(|_| setting.text().into());
            let quoted = serde_json::Value::from(folder.to_string_lossy()).to_string();
            Setting { key: vec!["folders".into(), name.clone()], value: quoted }
        }
        _ => setting.clone(),
    }
}

pub(super) struct Check<'a> {
    file: &'a TomlFile,
    pub(super) recipe: &'a Recipe,
    /// Folders that paths may begin with, those of tasks as well.
    folders: NamedFolders,
}

impl Check<'_> {
    fn plan(&self, json: serde_json::Value) -> Result<Plan> {
        let Recipe { name, seed, splits, .. } = self.recipe;
        self.name(name)?;
        let tasks = self.tasks()?;
        let mut sources = self.sources()?;
        let mut declared = BTreeMap::new();
        for (name, (task, max_error_rate)) in &tasks {
            let (files, splits): (Vec<_>, Vec<_>) = files_of(task).unzip();
            if splits.iter().any(|split| *split != Split::Train) {
                declared.insert(name.clone(), splits);
            }
            sources.push(Source {
                name: name.clone(),
                files,
                format: Format::Examples(Box::new(task.rules.clone())),
                clean: vec![],
                max_error_rate: *max_error_rate,
                max_lost_rate: self
                    .recipe
                    .task
                    .iter()
                    .find(|(found, _)| found.get_ref() == name)
                    .map_or(0.0, |(_, task)| task.max_lost_rate.get()),
            });
        }
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        let shares = [&splits.validation, &splits.test];
        for share in shares {
            let sum: f64 = shares.iter().map(|share| share.get_ref()).sum();
            if !(0.0..1.0).contains(share.get_ref()) || sum >= 1.0 {
                return Err(self.fault(share.span(), "the splits' shares are 0 or more, and together below 1").into());
            }
        }
        let classifiers = self.classifiers()?;
        let steps = self.steps(&classifiers)?;
        let families = self.families(&steps)?;
        Ok(Plan {
            path: self.file.path().to_owned(),
            name: name.get_ref().clone(),
            seed: *seed,
            verification: self.verification(&families)?,
            indexes: self.indexes(&families)?,
            families,
            sources,
            keep_documents: true,
            classifiers,
            steps,
            splits: SplitRule {
                seed: *seed,
                validation: *splits.validation.get_ref(),
                test: *splits.test.get_ref(),
                declared,
            },
            mixtures: self.mixtures(&tasks)?,
            task_files: self.task_files(&tasks),
            licences: self.licences(&tasks),
            recipe: json,
        })
    }

    /// The licences that sources and tasks say.
    fn licences(&self, tasks: &Tasks) -> BTreeMap<String, String> {
        let of_sources = self.recipe.source.iter().map(|(name, source)| (name.get_ref(), source.licence.as_ref()));
        let of_tasks = tasks.iter().map(|(name, (task, _))| (name, task.licence.as_ref()));
        of_sources.chain(of_tasks).filter_map(|(name, licence)| Some((name.clone(), licence?.clone()))).collect()
    }

    pub(super) fn fault(&self, span: Range<usize>, message: impl Into<String>) -> TomlError {
        self.file.fault(span, message)
    }

    /// Names become names of files and folders.
    pub(super) fn name(&self, name: &Text) -> Result<(), TomlError> {
        let text = name.get_ref();
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if text.is_empty() || !text.bytes().all(sound) {
            return Err(self.fault(name.span(), format!("{text:?} is no name: use letters, digits, `_` and `-`")));
        }
        Ok(())
    }

    /// A path, from the recipe's folder or one of the named ones.
    pub(super) fn path(&self, path: &Text) -> Result<PathBuf, TomlError> {
        self.file.path_of(&self.folders, path)
    }

    /// The files that patterns stand for, sorted, each once.
    fn files(&self, patterns: &[Text]) -> Result<Vec<PathBuf>, TomlError> {
        self.file.files_of(&self.folders, patterns)
    }

    fn sources(&self) -> Result<Vec<Source>> {
        let mut sources = Vec::new();
        for (name, recipe) in &self.recipe.source {
            self.name(name)?;
            let SourceRecipe {
                warc,
                html,
                jsonl,
                parquet,
                csv,
                tsv,
                text,
                extract,
                max_page_bytes,
                max_page_nodes,
                max_page_depth,
                max_page_seconds,
                clean,
                columns,
                begins,
                max_error_rate,
                max_lost_rate,
                licence: _,
            } = recipe;
            let limits = PageLimits {
                bytes: *max_page_bytes,
                nodes: *max_page_nodes,
                depth: *max_page_depth,
                seconds: *max_page_seconds,
            };
            let options = WarcOptions { extract: *extract, limits };
            let columns = named_columns(columns);
            let listed = [warc, html, jsonl, parquet, csv, tsv, text];
            if listed.iter().filter(|files| files.is_some()).count() != 1 {
                let kinds = "`warc`, `html`, `jsonl`, `parquet`, `csv`, `tsv` and `text`";
                return Err(self.fault(name.span(), format!("source `{}` has one of {kinds}", name.get_ref())).into());
            }
            let patterns = listed.into_iter().flatten().next().map_or(&[][..], Vec::as_slice);
            let format = match listed.iter().position(|files| files.is_some()) {
                Some(0) => Format::Warc(options),
                Some(1) => Format::Html(options),
                Some(2) => Format::JsonLines(columns),
                Some(3) => Format::Parquet(columns),
                Some(4) => Format::Csv { columns, delimiter: b',' },
                Some(5) => Format::Csv { columns, delimiter: b'\t' },
                _ => {
                    if let Some(pattern) = begins
                        && let Err(error) = regex::Regex::new(pattern.get_ref())
                    {
                        return Err(self.fault(pattern.span(), error.to_string()).into());
                    }
                    Format::Text { begins: begins.as_ref().map(|pattern| pattern.get_ref().clone()) }
                }
            };
            sources.push(Source {
                name: name.get_ref().clone(),
                files: self.files(patterns)?,
                format,
                clean: clean.clone(),
                max_error_rate: max_error_rate.get(),
                max_lost_rate: max_lost_rate.get(),
            });
        }
        Ok(sources)
    }

    /// Where the tasks are written.
    fn task_files(&self, tasks: &Tasks) -> BTreeMap<String, PathBuf> {
        let file = |(name, recipe): (&Text, &TaskRecipe)| {
            let (task, _) = tasks.get(name.get_ref())?;
            Some((task.name.clone(), self.task_file(recipe.file.as_ref().unwrap_or(name)).ok()?))
        };
        self.recipe.task.iter().filter_map(file).collect()
    }

    /// The file of a task, or the name of a shipped one.
    fn task_file(&self, file: &Text) -> Result<PathBuf, TomlError> {
        if shipped().iter().any(|(name, _)| name == file.get_ref()) {
            return Ok(PathBuf::from(file.get_ref()));
        }
        self.path(file)
    }

    /// A task: the file of a path, or a shipped one.
    fn task(&self, file: &Text) -> Result<Task> {
        if shipped().iter().any(|(name, _)| name == file.get_ref()) {
            return Ok(Task::read(Path::new(file.get_ref()), Folders::Named(&self.folders))?);
        }
        let path = self.path(file)?;
        if !path.is_file() {
            let message = format!("there is no file {}, and no shipped task of that name", path.display());
            return Err(self.fault(file.span(), message).into());
        }
        Ok(Task::read(&path, Folders::Named(&self.folders))?)
    }

    fn tasks(&self) -> Result<Tasks> {
        let mut tasks = BTreeMap::new();
        for (name, recipe) in &self.recipe.task {
            self.name(name)?;
            if self.recipe.source.keys().any(|source| source.get_ref() == name.get_ref()) {
                let message = format!("`{}` is the name of a source, too", name.get_ref());
                return Err(self.fault(name.span(), message).into());
            }
            let task = self.task(recipe.file.as_ref().unwrap_or(name))?;
            tasks.insert(name.get_ref().clone(), (task, recipe.max_error_rate.get()));
        }
        Ok(tasks)
    }

    /// The name of a source that exists.
    pub(super) fn source(&self, name: &Text) -> Result<String, TomlError> {
        if self.recipe.source.keys().any(|source| source.get_ref() == name.get_ref()) {
            return Ok(name.get_ref().clone());
        }
        let known: Vec<&str> = self.recipe.source.keys().map(|source| source.get_ref().as_str()).collect();
        let message = format!("there is no source `{}`; there are {}", name.get_ref(), list(&known));
        Err(self.fault(name.span(), message))
    }

    /// What is measured: words, what `[facts]` names, and what steps read.
    fn families(&self, steps: &[StepPlan]) -> Result<Vec<Family>> {
        let read: Vec<Facts<'_>> = steps.iter().flat_map(|step| step.kind.facts()).collect();
        let family = |name: &str, config| Family { name: name.into(), config };
        let facts = &self.recipe.facts;
        let mut families = vec![family("words", FamilyConfig::Words)];
        if let Some(language) = &facts.language {
            let path = self.path(&language.model)?;
            if !path.is_file() {
                return Err(self.fault(language.model.span(), format!("there is no file {}", path.display())).into());
            }
            let sha256 = hash_file(&path)?.sha256;
            families.push(family("language", FamilyConfig::Language(ModelFile { path, sha256 })));
        }
        if let Some(tokens) = &facts.tokens {
            let path = self.path(&tokens.tokenizer)?;
            let hash = hash_file(&path)
                .map_err(|_| self.fault(tokens.tokenizer.span(), format!("there is no file {}", path.display())))?;
            families.push(family("tokens", FamilyConfig::Tokens(ModelFile { path, sha256: hash.sha256 })));
        }
        if let Some(lists) = &facts.urls {
            let files = UrlFiles {
                domains: self.lists(&lists.domains)?,
                words: self.lists(&lists.words)?,
                soft_words: self.lists(&lists.soft_words)?,
                parts: self.lists(&lists.parts)?,
            };
            families.push(family("urls", FamilyConfig::Urls(files)));
        }
        if let Some(LinkFacts { posts, url, score }) = &facts.links {
            let posts = PostFiles { files: self.lists(posts)?, url: url.clone(), score: score.clone() };
            families.push(family("links", FamilyConfig::Links(posts)));
        }
        // all steps that read one shape it alike: see `Check::steps`
        let mut shaped: Vec<Family> = read.iter().filter_map(Facts::shaped).cloned().collect();
        shaped.sort_by(|one, other| one.name.cmp(&other.name));
        shaped.dedup();
        families.extend(shaped);
        if read.contains(&Facts::Named("bands")) || facts.bands.is_some() {
            let bands = match &facts.bands {
                Some(choice) => choice.get_ref().config().map_err(|message| self.fault(choice.span(), message))?,
                None => BandsConfig::default(),
            };
            families.push(family("bands", FamilyConfig::Bands(bands)));
        }
        if read.contains(&Facts::Named("overlaps")) {
            families.push(family("overlaps", FamilyConfig::Overlaps(self.overlaps()?)));
        }
        Ok(families)
    }

    /// What is looked for of benchmarks.
    fn overlaps(&self) -> Result<OverlapsConfig> {
        let spanned = self.recipe.facts.overlaps.as_ref();
        let OverlapFacts { max_ngram, min_ngram, context_chars } =
            spanned.map(|facts| *facts.get_ref()).unwrap_or_default();
        let mut benchmarks = Vec::new();
        for (name, recipe) in &self.recipe.benchmark {
            self.name(name)?;
            let benchmark = match (&recipe.task, &recipe.files) {
                (Some(task), None) if recipe.fields.is_none() => {
                    Benchmark::of_task(name.get_ref().clone(), &self.task(task)?)?
                }
                (None, Some(patterns)) => {
                    let files = self.files(patterns)?.into_iter().map(ExampleFile::new).collect::<Result<Vec<_>>>()?;
                    Benchmark { name: name.get_ref().clone(), files, fields: recipe.fields.clone(), rules: None }
                }
                _ => {
                    let message = "a benchmark has either a `task`, or `files` and perhaps `fields`";
                    return Err(self.fault(name.span(), message).into());
                }
            };
            if benchmark.files.is_empty() {
                return Err(self.fault(name.span(), "a benchmark has one file or more").into());
            }
            benchmarks.push(benchmark);
        }
        OverlapsConfig::new(NgramLengths { max: max_ngram, min: min_ngram }, context_chars, benchmarks)
            .map_err(|message| self.fault(spanned.map(Spanned::span).unwrap_or_default(), message).into())
    }

    /// Which documents that share a band are near-duplicates.
    fn verification(&self, families: &[Family]) -> Result<Option<Verification>> {
        let ClustersRecipe { verify, max_bucket, index } = &self.recipe.clusters;
        let Some(bands) = families.iter().find_map(Family::bands) else {
            return match verify {
                Some(verify) => Err(self.fault(verify.span(), "nothing makes the bands that would be verified").into()),
                None => Ok(None),
            };
        };
        let choice = self.recipe.facts.bands.as_ref().map(|choice| *choice.get_ref()).unwrap_or_default();
        let Some(similarity) = verify.as_ref().map(|verify| *verify.get_ref()).or(choice.verified_at()) else {
            return Ok(None);
        };
        if let Some(index) = index.first() {
            let message = "an index holds no texts: what is found by it cannot be verified";
            return Err(self.fault(index.span(), message).into());
        }
        let span =
            if *max_bucket.get_ref() == 0 { Some(max_bucket.span()) } else { verify.as_ref().map(Spanned::span) };
        let verification = Verification::new(bands.shingle, similarity, *max_bucket.get_ref());
        verification.map(Some).map_err(|message| self.fault(span.unwrap_or_default(), message).into())
    }

    fn indexes(&self, families: &[Family]) -> Result<Vec<DuplicateIndex>> {
        let folders = &self.recipe.clusters.index;
        match families.iter().find_map(Family::bands) {
            Some(bands) => {
                let open = |folder: &Text| {
                    let index = DuplicateIndex::open(&self.path(folder)?, bands);
                    index.map_err(|error| self.fault(folder.span(), error.to_string()).into())
                };
                folders.iter().map(open).collect()
            }
            None => match folders.first() {
                Some(folder) => {
                    let message = "nothing makes the bands that would be looked for in the index";
                    Err(self.fault(folder.span(), message).into())
                }
                None => Ok(vec![]),
            },
        }
    }

    pub(super) fn lists(&self, files: &[Text]) -> Result<Vec<ModelFile>> {
        let list = |file: &Text| {
            let path = self.path(file)?;
            let sha256 = hash_file(&path)
                .map_err(|_| self.fault(file.span(), format!("there is no file {}", path.display())))?
                .sha256;
            Ok(ModelFile { path, sha256 })
        };
        files.iter().map(list).collect()
    }

    /// Looks for what `[facts]` says of a family that `who` reads, where the family cannot do without.
    pub(super) fn needs(&self, family: &str, span: Range<usize>, who: &str) -> Result<(), TomlError> {
        let facts = &self.recipe.facts;
        let (is_there, with) = match family {
            "language" => (facts.language.is_some(), "a model"),
            "tokens" => (facts.tokens.is_some(), "a tokenizer"),
            "urls" => (facts.urls.is_some(), "lists"),
            "links" => (facts.links.is_some(), "posts"),
            _ => return Ok(()),
        };
        if is_there {
            return Ok(());
        }
        let message =
            format!("{who} reads the facts `{family}`, which nothing writes: add [facts.{family}] with {with}");
        Err(self.fault(span, message))
    }
}

/// The files of a task, what is held out first: an example that stands in two files is held out.
fn files_of(task: &Task) -> impl Iterator<Item = (PathBuf, Split)> {
    task.files.iter().rev().flat_map(|(split, files)| files.iter().map(|file| (file.clone(), *split)))
}

fn named_columns(recipe: &ColumnsRecipe) -> Columns {
    let default = Columns::default();
    let column = |named: &Option<String>, default: String| named.clone().unwrap_or(default);
    Columns {
        text: column(&recipe.text, default.text),
        id: column(&recipe.id, default.id),
        url: column(&recipe.url, default.url),
        date: column(&recipe.date, default.date),
        title: column(&recipe.title, default.title),
        language: column(&recipe.language, default.language),
    }
}

pub(super) fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".into() } else { format!("`{}`", names.join("`, `")) }
}
