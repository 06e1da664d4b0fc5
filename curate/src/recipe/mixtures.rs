//! From mixtures as they are written to plans.

use std::collections::BTreeMap;

use schemas::{
    share::Share,
    task::{Form, Task},
    toml_file::Spanned,
};

use super::{
    MixturePlan,
    check::{Check, list},
    mixture_recipe::{EpochsRecipe, MixtureRecipe, PairsRecipe, PairsSource},
    model::{TaskRecipe, Text},
};
use crate::{
    decide::{
        Unit,
        weights::{Components, Weights},
    },
    error::Result,
    files::list_with_and,
    text::pairs::MIN_WORDS,
    write::{Content, ExamplesContent, MOST_NEGATIVES, Negatives, PairsContent, PairsFrom},
};

/// The share of passages that keep their sentence, unless a recipe says it (Lee et al. 2019, section 5).
const KEPT: f64 = 0.1;

/// The tasks of a recipe, each with what the recipe says of it.
pub(super) type Tasks<'r> = BTreeMap<String, (Task, &'r TaskRecipe)>;

impl Check<'_> {
    pub(super) fn mixtures(&self, tasks: &Tasks<'_>) -> Result<Vec<MixturePlan>> {
        self.recipe.mixture.iter().map(|(name, recipe)| self.mixture(name, recipe, tasks)).collect()
    }

    fn mixture(&self, name: &Text, recipe: &MixtureRecipe, tasks: &Tasks<'_>) -> Result<MixturePlan> {
        self.name(name)?;
        let weights = self.weights(name, recipe, tasks)?;
        let sources = weights.sources();
        let of_tasks = sources.iter().filter(|source| tasks.contains_key(*source)).count();
        let content = match of_tasks {
            0 => self.documents(name, recipe)?,
            count if count == sources.len() => self.examples(name, recipe, &sources, tasks)?,
            _ => return Err(self.fault(name.span(), "a mixture is of sources or of tasks, and not of both").into()),
        };
        let unit = match (&recipe.unit, &content) {
            (None, Content::Text) => Unit::Bytes,
            (None, Content::Examples(_) | Content::Pairs(_)) => Unit::Documents,
            (Some(unit), Content::Examples(_)) if *unit.get_ref() != Unit::Documents => {
                let message =
                    "examples of tasks are counted, whatever their templates make of them: `unit` is `documents`";
                return Err(self.fault(unit.span(), message).into());
            }
            (Some(unit), Content::Pairs(_)) if *unit.get_ref() != Unit::Documents => {
                let message = "of documents as `pairs` each gives one row: `unit` is `documents`";
                return Err(self.fault(unit.span(), message).into());
            }
            (Some(unit), _) => *unit.get_ref(),
        };
        if unit == Unit::Tokens && self.recipe.facts.tokens.is_none() {
            let span = recipe.unit.as_ref().map(Spanned::span).unwrap_or_default();
            let message =
                "tokens are counted by the facts `tokens`, which nothing writes: add [facts.tokens] with a tokenizer";
            return Err(self.fault(span, message).into());
        }
        if recipe.negatives > MOST_NEGATIVES || negatives(recipe).hard > MOST_NEGATIVES {
            let message = format!("`negatives` and `hard_negatives` are {MOST_NEGATIVES} at most");
            return Err(self.fault(name.span(), message).into());
        }
        if recipe.shard_bytes == 0 || recipe.budget == Some(0) {
            return Err(self.fault(name.span(), "`shard_bytes` and `budget` are 1 or more").into());
        }
        Ok(MixturePlan {
            name: name.get_ref().clone(),
            max_epochs: self.epochs(recipe, &sources)?,
            weights,
            content,
            budget: recipe.budget,
            unit,
            max_examples: recipe.max_examples,
            shard_bytes: recipe.shard_bytes,
        })
    }

    fn weights(&self, name: &Text, recipe: &MixtureRecipe, tasks: &Tasks<'_>) -> Result<Weights> {
        let sources = self.recipe.source.keys().map(|source| source.get_ref().as_str());
        let names = sources.chain(tasks.keys().map(String::as_str)).collect();
        let keys = recipe.weights();
        let mut said = keys.iter().filter_map(|(_, weights)| *weights);
        let (Some(weights), None) = (said.next(), said.next()) else {
            let keys = list_with_and(&keys.map(|(key, _)| key));
            return Err(self.fault(name.span(), format!("mixture `{}` has one of {keys}", name.get_ref())).into());
        };
        let weights = weights.plan(&Components { names, files: &self.files })?;
        if weights.sources().is_empty() {
            return Err(self.fault(name.span(), "a mixture has one source or more").into());
        }
        Ok(weights)
    }

    fn epochs(&self, recipe: &MixtureRecipe, sources: &[String]) -> Result<BTreeMap<String, f64>> {
        let span = recipe.max_epochs.span();
        let limits: BTreeMap<String, f64> = match recipe.max_epochs.get_ref() {
            EpochsRecipe::All(limit) => sources.iter().map(|source| (source.clone(), *limit)).collect(),
            EpochsRecipe::Each(limits) => {
                if let Some(unknown) = limits.keys().find(|source| !sources.contains(source)) {
                    return Err(self.fault(span, format!("`{unknown}` is not in the mixture")).into());
                }
                let limit = |source: &String| limits.get(source).copied().unwrap_or(1.0);
                sources.iter().map(|source| (source.clone(), limit(source))).collect()
            }
        };
        if limits.values().any(|limit| *limit < 1.0 || !limit.is_finite()) {
            return Err(self.fault(span, "`max_epochs` is 1 or more").into());
        }
        Ok(limits)
    }

    /// Documents, for which nothing is said of templates.
    fn documents(&self, name: &Text, recipe: &MixtureRecipe) -> Result<Content> {
        let MixtureRecipe { templates, prompt_styles, sample_template, demonstrations, .. } = recipe;
        if templates.is_some() || prompt_styles.is_some() || *sample_template || demonstrations.is_some() {
            let message =
                "`templates`, `prompt_styles`, `sample_template` and `demonstrations` are for mixtures of tasks";
            return Err(self.fault(name.span(), message).into());
        }
        let Some(pairs) = &recipe.pairs else {
            self.no_hard_negatives(recipe)?;
            return Ok(Content::Text);
        };
        let PairsRecipe { from, words, kept } = *pairs.get_ref();
        if words < MIN_WORDS {
            return Err(self.fault(pairs.span(), format!("`words` is {MIN_WORDS} or more")).into());
        }
        let from = match (from, kept) {
            (PairsSource::Title, None) => PairsFrom::Title,
            (PairsSource::Title, Some(_)) => {
                return Err(self.fault(pairs.span(), "`kept` is for `from = \"inverse_cloze\"`").into());
            }
            (PairsSource::InverseCloze, kept) => PairsFrom::InverseCloze { kept: kept.map_or(KEPT, Share::get) },
        };
        Ok(Content::Pairs(PairsContent { from, words, negatives: negatives(recipe) }))
    }

    fn examples(&self, name: &Text, recipe: &MixtureRecipe, sources: &[String], tasks: &Tasks<'_>) -> Result<Content> {
        let mut wanted = BTreeMap::new();
        for source in sources {
            wanted.insert(source.clone(), self.wanted(recipe, &tasks[source].0, name)?);
        }
        for asked in recipe.templates.iter().flatten() {
            let has = |task: &Task| task.templates.iter().any(|template| template.name == *asked.get_ref());
            if !wanted.values().any(has) {
                let of = |source: &String| {
                    let known: Vec<&str> =
                        tasks[source].0.templates.iter().map(|template| template.name.as_str()).collect();
                    format!("task `{source}` has no template `{}`; it has {}", asked.get_ref(), list(&known))
                };
                return Err(self.fault(asked.span(), of(&sources[0])).into());
            }
        }
        let mut forms: Vec<Form> =
            wanted.values().flat_map(|task| &task.templates).map(|template| template.parts.form()).collect();
        forms.sort_unstable();
        forms.dedup();
        let [form] = forms[..] else {
            let message = "the templates make rows of different columns: choose some by `templates` or `prompt_styles`";
            return Err(self.fault(name.span(), message).into());
        };
        if let Some(pairs) = &recipe.pairs {
            let message = "`pairs` are made of sources; tasks of the form `retrieval` have questions of their own";
            return Err(self.fault(pairs.span(), message).into());
        }
        if form != Form::Retrieval {
            self.no_hard_negatives(recipe)?;
        }
        let demonstrations = recipe.demonstrations.as_ref();
        if let Some(demonstrations) = demonstrations {
            let shown = demonstrations.get_ref();
            if form != Form::Completion {
                let message = "only prompts with completions can have demonstrations";
                return Err(self.fault(demonstrations.span(), message).into());
            }
            if shown.min > shown.max || shown.max > 100 {
                let message = "`min` is no more than `max`, and that no more than 100";
                return Err(self.fault(demonstrations.span(), message).into());
            }
        }
        Ok(Content::Examples(ExamplesContent {
            tasks: wanted,
            sample_template: recipe.sample_template,
            demonstrations: demonstrations.map(|demonstrations| demonstrations.get_ref().clone()),
            negatives: if form == Form::Retrieval { negatives(recipe) } else { Negatives::default() },
        }))
    }

    /// Nothing is said of passages that do not answer, where there are no questions.
    fn no_hard_negatives(&self, recipe: &MixtureRecipe) -> Result<()> {
        let Some(asked) = &recipe.hard_negatives else { return Ok(()) };
        let message = "`hard_negatives` are for `pairs`, and for tasks of the form `retrieval`";
        Err(self.fault(asked.span(), message).into())
    }

    /// A task with the templates that a mixture asks for.
    fn wanted(&self, recipe: &MixtureRecipe, task: &Task, name: &Text) -> Result<Task> {
        let mut templates = task.templates.clone();
        if let Some(styles) = &recipe.prompt_styles {
            templates.retain(|template| styles.iter().any(|style| *style.get_ref() == template.prompt_style));
        }
        if let Some(names) = &recipe.templates {
            templates.retain(|template| names.iter().any(|name| *name.get_ref() == template.name));
        }
        if templates.is_empty() {
            let known =
                task.templates.iter().map(|template| format!("`{}` ({})", template.name, template.prompt_style.name()));
            let known = known.collect::<Vec<_>>().join(", ");
            let message =
                format!("task `{}` has none of the templates that the mixture asks for; it has {known}", task.name);
            return Err(self.fault(name.span(), message).into());
        }
        Ok(Task { templates, ..task.clone() })
    }
}

/// The passages that do not answer, for each question.
fn negatives(recipe: &MixtureRecipe) -> Negatives {
    let hard = recipe.hard_negatives.as_ref().map_or(0, |asked| *asked.get_ref());
    Negatives { hard, drawn: recipe.negatives }
}
