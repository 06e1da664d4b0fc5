//! Steps in their order: what each refers to is there, and what it reads is written.

use std::{ops::Range, sync::Arc};

use schemas::{
    ledger::{MIXTURE_STAGE, is_mixture_stage},
    toml_file::{Spanned, TomlError},
};

use super::{
    ClassifierPlan, StepPlan,
    check::{Check, list},
    model::Text,
};
use crate::{
    decide::{AfterCuts, Facts, Scope, Step, StepRecipe, Steps},
    error::Result,
    files::list_with_and,
    measure::Family,
};

impl Check<'_> {
    /// The steps in their order.
    pub(super) fn steps(&self, classifiers: &[ClassifierPlan]) -> Result<Vec<StepPlan>> {
        let mut steps: Vec<StepPlan> = Vec::new();
        for spanned in &self.recipe.step {
            let recipe = spanned.get_ref();
            let kinds = self.kinds(spanned, classifiers)?;
            let sources = match &recipe.sources {
                Some(names) => names.iter().map(|name| self.source(name)).collect::<Result<Vec<_>, _>>()?,
                None => self.source_names(),
            };
            if sources.is_empty() {
                return Err(self.fault(spanned.span(), "a step applies to one source or more").into());
            }
            for kind in &kinds {
                let name = match &recipe.name {
                    Some(name) => {
                        self.name(name)?;
                        let name = name.get_ref();
                        if kinds.len() > 1 { format!("{name}_{}", kind.name()) } else { name.clone() }
                    }
                    None => kind.name().to_owned(),
                };
                if is_mixture_stage(&name) {
                    let span = recipe.name.as_ref().map_or_else(|| spanned.span(), Spanned::span);
                    let message =
                        format!("`{MIXTURE_STAGE}` begins the names of stages that make mixtures: take another `name`");
                    return Err(self.fault(span, message).into());
                }
                if name == "read" || name == AfterCuts::NAME || steps.iter().any(|step| step.name == name) {
                    let span = recipe.name.as_ref().map_or_else(|| spanned.span(), Spanned::span);
                    let message = format!("there is another stage `{name}`: give this step a `name`");
                    return Err(self.fault(span, message).into());
                }
                if let Some(key) = steps.iter().find_map(|step| shaped_otherwise(kind.as_ref(), step.kind.as_ref())) {
                    let message = format!("all steps `{}` of a recipe look at the same `{key}`", kind.name());
                    return Err(self.fault(spanned.span(), message).into());
                }
                steps.push(StepPlan { name, sources: sources.clone(), kind: Arc::clone(kind) });
            }
        }
        let stages: Vec<String> = steps.iter().filter(|step| step.cuts()).map(|step| step.name.clone()).collect();
        if !stages.is_empty() {
            let kind = Arc::new(AfterCuts { rule: self.recipe.after_cuts, stages });
            steps.push(StepPlan { name: AfterCuts::NAME.into(), sources: self.source_names(), kind });
        }
        Ok(steps)
    }

    /// What a step does; a preset is several.
    fn kinds(&self, recipe: &Spanned<StepRecipe>, classifiers: &[ClassifierPlan]) -> Result<Steps, TomlError> {
        let span = recipe.span();
        let found = recipe.get_ref().steps(&InRecipe { check: self, step: recipe.get_ref(), classifiers })?;
        for step in found.iter().flatten() {
            for facts in step.facts() {
                if let Facts::Named(family) = facts {
                    self.needs(family, span.clone(), &format!("a step `{}`", step.name()))?;
                }
            }
        }
        <[Steps; 1]>::try_from(found).map(|[steps]| steps).map_err(|found| {
            let possible = list_with_and(StepRecipe::KEYS);
            self.fault(span, format!("a step does one thing, of {possible}; this one does {}", found.len()))
        })
    }

    /// All sources that are not tasks.
    fn source_names(&self) -> Vec<String> {
        self.recipe.source.keys().map(|name| name.get_ref().clone()).collect()
    }
}

/// The key that shapes a family of facts which two steps read, where they shape it in two ways.
fn shaped_otherwise(step: &dyn Step, other: &dyn Step) -> Option<&'static str> {
    let others = other.facts();
    step.facts().into_iter().find_map(|facts| match facts {
        Facts::Shaped { family, by } => {
            let differs = |other: &Family| other.name == family.name && *other != family;
            others.iter().filter_map(Facts::shaped).any(differs).then_some(by)
        }
        Facts::Named(_) | Facts::Score(_) => None,
    })
}

/// A step, in a recipe that is checked.
struct InRecipe<'a> {
    check: &'a Check<'a>,
    step: &'a StepRecipe,
    classifiers: &'a [ClassifierPlan],
}

impl Scope for InRecipe<'_> {
    fn sources(&self) -> Option<&[Text]> {
        self.step.sources.as_deref()
    }

    fn source(&self, name: &Text) -> Result<String, TomlError> {
        self.check.source(name)
    }

    fn classifier(&self, name: &str, span: Range<usize>) -> Result<(), TomlError> {
        let known: Vec<&str> = self.check.recipe.classifier.keys().map(|name| name.get_ref().as_str()).collect();
        if known.contains(&name) {
            return Ok(());
        }
        let message = format!("the step reads the score `{name}`, which nothing writes; classifiers: {}", list(&known));
        Err(self.check.fault(span, message))
    }

    fn without_reference(&self, classifier: &str) -> Option<&'static str> {
        match self.classifiers.iter().find(|found| found.name == classifier)? {
            found if found.linked.is_some() => Some("is told by links, and not by sources"),
            found if found.positive.is_empty() => Some("is not here: the model was trained elsewhere"),
            _ => None,
        }
    }

    fn has_benchmarks(&self) -> bool {
        !self.check.recipe.benchmark.is_empty()
    }

    fn needs(&self, family: &str, span: Range<usize>, who: &str) -> Result<(), TomlError> {
        self.check.needs(family, span, who)
    }

    fn fault(&self, span: Range<usize>, message: &str) -> TomlError {
        self.check.fault(span, message)
    }
}
