//! Classifiers: what each is trained on, and what it is.

use super::{
    ClassifierPlan,
    check::{Check, list},
    model::{ClassifierRecipe, KindRecipe, Text},
};
use crate::{
    error::Result,
    learn::{Kind, LineForm},
    measure::ModelFile,
};

impl Check<'_> {
    /// The classifiers, ensembles behind what they bring together.
    pub(super) fn classifiers(&self) -> Result<Vec<ClassifierPlan>> {
        let mut classifiers: Vec<ClassifierPlan> = Vec::new();
        let recipes = self.recipe.classifier.iter();
        let (ensembles, others): (Vec<_>, Vec<_>) =
            recipes.partition(|(_, recipe)| recipe.kind == KindRecipe::Ensemble);
        for (name, recipe) in others.into_iter().chain(ensembles) {
            self.name(name)?;
            let mut plan = self.classifier_plan(name, recipe)?;
            for member in plan.members().to_vec() {
                let Some(found) = classifiers.iter().find(|classifier| classifier.name == member) else {
                    let known: Vec<&str> = classifiers.iter().map(|classifier| classifier.name.as_str()).collect();
                    let span = recipe.of.iter().find(|of| *of.get_ref() == member).map(Text::span).unwrap_or_default();
                    let message =
                        format!("there is no classifier `{member}` to bring together; there are {}", list(&known));
                    return Err(self.fault(span, message).into());
                };
                plan.positive.extend(found.positive.iter().cloned());
                plan.negative.extend(found.negative.iter().cloned());
                plan.documents = plan.documents.max(found.documents);
                plan.language = plan.language.or_else(|| found.language.clone());
                plan.linked = plan.linked.or_else(|| found.linked.clone());
            }
            if plan.linked.is_none()
                && let Some(both) = plan.positive.iter().find(|source| plan.negative.contains(source))
            {
                let message = format!("`{both}` is positive for one of these classifiers and negative for another");
                return Err(self.fault(name.span(), message).into());
            }
            for side in [&mut plan.positive, &mut plan.negative] {
                side.sort();
                side.dedup();
            }
            classifiers.push(plan);
        }
        Ok(classifiers)
    }

    fn classifier_plan(&self, name: &Text, recipe: &ClassifierRecipe) -> Result<ClassifierPlan> {
        let sources = |names: &[Text]| names.iter().map(|name| self.source(name)).collect::<Result<Vec<_>, _>>();
        let (positive, negative) = (sources(&recipe.positive)?, sources(&recipe.negative)?);
        if recipe.linked.is_some() {
            self.needs("links", name.span(), &format!("classifier `{}`", name.get_ref()))?;
        } else if let Some(both) = recipe.positive.iter().find(|name| negative.contains(name.get_ref())) {
            let message = format!("`{}` is both positive and negative", both.get_ref());
            return Err(self.fault(both.span(), message).into());
        }
        let is_ensemble = recipe.kind == KindRecipe::Ensemble;
        let learns = !is_ensemble && recipe.model.is_none();
        if learns && (positive.is_empty() || negative.is_empty()) {
            return Err(self.fault(name.span(), "a classifier needs positive and negative sources").into());
        }
        if is_ensemble == recipe.of.is_empty() || (is_ensemble && !(positive.is_empty() && negative.is_empty())) {
            let message = "an ensemble is `of` other classifiers and has no sources of its own; nothing else has `of`";
            return Err(self.fault(name.span(), message).into());
        }
        if let Some(language) = &recipe.language {
            self.needs("language", language.span(), &format!("classifier `{}`", name.get_ref()))?;
        }
        let kind = self.kind(name, recipe)?;
        let chunk_words = recipe.chunk_words.unwrap_or(kind.chunk_words());
        let features = recipe.features.features();
        if !(8..=30).contains(&features.bits) || chunk_words == 0 || recipe.max_chunks == 0 || recipe.documents == 0 {
            let message = "`features.bits` is 8 to 30; `documents`, `max_chunks` and `chunk_words` are 1 or more";
            return Err(self.fault(name.span(), message).into());
        }
        if recipe.l2.is_some_and(|l2| !(l2 >= 0.0 && l2.is_finite())) {
            return Err(self.fault(name.span(), "`l2` is 0 or more").into());
        }
        Ok(ClassifierPlan {
            name: name.get_ref().clone(),
            positive,
            negative,
            linked: recipe.linked.clone(),
            language: recipe.language.as_ref().map(|language| language.get_ref().clone()),
            documents: recipe.documents,
            chunk_words,
            max_chunks: recipe.max_chunks,
            kind,
            labels: ModelFile::all_named(&recipe.labels, &self.files)?,
            min_known: recipe.min_known.get(),
        })
    }

    fn kind(&self, name: &Text, recipe: &ClassifierRecipe) -> Result<Kind> {
        if let Some(model) = &recipe.model
            && recipe.kind != KindRecipe::Fasttext
        {
            return Err(self
                .fault(model.span(), "a model that is loaded is one of fastText: say `kind = \"fasttext\"`")
                .into());
        }
        Ok(match recipe.kind {
            KindRecipe::Hashed => Kind::Hashed {
                features: recipe.features.features(),
                l2: recipe.l2,
                max_iterations: recipe.max_iterations,
            },
            KindRecipe::Statistics => Kind::Statistics { l2: recipe.l2 },
            KindRecipe::Ensemble => {
                Kind::Ensemble { of: recipe.of.iter().map(|name| name.get_ref().clone()).collect() }
            }
            KindRecipe::Fasttext => match &recipe.model {
                Some(model) => {
                    let (path, sha256) = self.files.hashed(model)?;
                    let label = recipe.label.clone().unwrap_or_else(|| "hq".to_owned());
                    Kind::LoadedFasttext { model: path, sha256, label, text: LineForm::AsIs }
                }
                None => {
                    let config = recipe.fasttext.clone();
                    let sound = config.dim > 0 && config.epochs > 0 && config.word_ngrams > 0 && config.threads > 0;
                    if !sound || config.bucket == 0 || !(config.lr > 0.0 && config.lr.is_finite()) {
                        let message = "fastText's `dim`, `epochs`, `word_ngrams`, `bucket` and `threads` are 1 or more, and `lr` above 0";
                        return Err(self.fault(name.span(), message).into());
                    }
                    Kind::Fasttext { config }
                }
            },
        })
    }
}
