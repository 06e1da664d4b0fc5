//! From a recipe to a plan: what it names must exist, and what it reads must be written.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::{Path, PathBuf},
};

use schemas::{
    task::{Split, Task},
    toml_file::{Setting, Spanned, TomlError, TomlFile},
};

use super::{
    Plan, Recipe, StepPlan,
    mixtures::Tasks,
    model::{ClustersRecipe, TaskRecipe, Text},
};
pub(super) use crate::files::list;
use crate::{
    decide::{DuplicateIndex, Facts, SplitRule, Verification},
    error::Result,
    files::NamedFiles,
    measure::{Asked, Family, FamilyConfig, Need},
    source::{Format, Source, SourceRecipe},
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
        Check { files: NamedFiles::new(file, folders), recipe: &recipe }.plan(json)
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
    pub(super) files: NamedFiles<'a>,
    pub(super) recipe: &'a Recipe,
}

impl Check<'_> {
    fn plan(&self, json: serde_json::Value) -> Result<Plan> {
        let Recipe { name, seed, splits, .. } = self.recipe;
        self.name(name)?;
        let tasks = self.tasks()?;
        let mut sources = self.sources()?;
        let mut declared = BTreeMap::new();
        for (name, (task, recipe)) in &tasks {
            let (files, splits): (Vec<_>, Vec<_>) = files_of(task).unzip();
            if splits.iter().any(|split| *split != Split::Train) {
                declared.insert(name.clone(), splits);
            }
            sources.push(Source {
                name: name.clone(),
                files,
                format: Format::Examples(Box::new(task.rules.clone())),
                clean: vec![],
                max_error_rate: recipe.max_error_rate.get(),
                max_lost_rate: recipe.max_lost_rate.get(),
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
            path: self.files.recipe().to_owned(),
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
    fn licences(&self, tasks: &Tasks<'_>) -> BTreeMap<String, String> {
        let of_sources = self.recipe.source.iter().map(|(name, source)| (name.get_ref(), source.licence.as_ref()));
        let of_tasks = tasks.iter().map(|(name, (task, _))| (name, task.licence.as_ref()));
        of_sources.chain(of_tasks).filter_map(|(name, licence)| Some((name.clone(), licence?.clone()))).collect()
    }

    pub(super) fn fault(&self, span: Range<usize>, message: impl Into<String>) -> TomlError {
        self.files.fault(span, message)
    }

    /// Names become names of files and folders.
    pub(super) fn name(&self, name: &Text) -> Result<(), TomlError> {
        self.files.check_name(name)
    }

    fn sources(&self) -> Result<Vec<Source>, TomlError> {
        let source = |(name, recipe): (&Text, &SourceRecipe)| {
            self.name(name)?;
            recipe.source(name, &self.files)
        };
        self.recipe.source.iter().map(source).collect()
    }

    /// Where the tasks are written.
    fn task_files(&self, tasks: &Tasks<'_>) -> BTreeMap<String, PathBuf> {
        let file = |(name, recipe): (&Text, &TaskRecipe)| {
            let (task, _) = tasks.get(name.get_ref())?;
            Some((task.name.clone(), self.files.task_file(recipe.file.as_ref().unwrap_or(name)).ok()?))
        };
        self.recipe.task.iter().filter_map(file).collect()
    }

    fn tasks(&self) -> Result<Tasks<'_>> {
        let mut tasks = BTreeMap::new();
        for (name, recipe) in &self.recipe.task {
            self.name(name)?;
            if self.recipe.source.keys().any(|source| source.get_ref() == name.get_ref()) {
                let message = format!("`{}` is the name of a source, too", name.get_ref());
                return Err(self.fault(name.span(), message).into());
            }
            let task = self.files.task(recipe.file.as_ref().unwrap_or(name))?;
            tasks.insert(name.get_ref().clone(), (task, recipe));
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

    /// The families that sources are measured by when they are read.
    fn families(&self, steps: &[StepPlan]) -> Result<Vec<Family>> {
        let Recipe { facts, benchmark, .. } = self.recipe;
        let need = |facts: Facts<'_>| match facts {
            Facts::Named(name) => Some(Need::Named(name)),
            Facts::Shaped { family, .. } => Some(Need::Configured(family.config.clone())),
            Facts::Score(_) => None,
        };
        let needs: Vec<Need> = steps.iter().flat_map(|step| step.kind.facts()).filter_map(need).collect();
        FamilyConfig::asked(&Asked { facts, benchmarks: benchmark, needs: &needs, files: &self.files })
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
                    let index = DuplicateIndex::open(&self.files.path(folder)?, bands);
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

    /// Looks for what `[facts]` says of a family that `who` reads, where the family cannot do without.
    pub(super) fn needs(&self, family: &str, span: Range<usize>, who: &str) -> Result<(), TomlError> {
        let Some(with) = self.recipe.facts.missing(family) else { return Ok(()) };
        let message =
            format!("{who} reads the facts `{family}`, which nothing writes: add [facts.{family}] with {with}");
        Err(self.fault(span, message))
    }
}

/// The files of a task, what is held out first: an example that stands in two files is held out.
fn files_of(task: &Task) -> impl Iterator<Item = (PathBuf, Split)> {
    task.files.iter().rev().flat_map(|(split, files)| files.iter().map(|file| (file.clone(), *split)))
}
