//! Steps: what each does, and that what it reads is written.

use std::ops::Range;

use schemas::toml_file::Spanned;

use super::{
    ClassifierPlan, Step, StepKind,
    check::{Check, list},
    model::{DedupRecipe, ParetoRecipe, StepRecipe, SubstringDedupRecipe, Text, ThresholdRecipe, TopRecipe},
};
use crate::{
    decide::{Alpha, DecontaminationRule, DuplicateRule, KeepPolicy, ThresholdRule, TopRule},
    error::Result,
    text::{sameness::Sameness, substrings::SubstringUnit},
};

/// What a step does, and the name that it has unless the recipe gives one.
type Named = (StepKind, &'static str);

/// The stage that takes all cuts together.
const AFTER_CUTS: &str = "after_cuts";

impl Check<'_> {
    /// The steps in their order.
    pub(super) fn steps(&self, classifiers: &[ClassifierPlan]) -> Result<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::new();
        for spanned in &self.recipe.step {
            let recipe = spanned.get_ref();
            let kinds = self.step_kinds(spanned.span(), recipe, classifiers)?;
            let sources = match &recipe.sources {
                Some(names) => names.iter().map(|name| self.source(name)).collect::<Result<Vec<_>, _>>()?,
                None => self.recipe.source.keys().map(|name| name.get_ref().clone()).collect(),
            };
            if sources.is_empty() {
                return Err(self.fault(spanned.span(), "a step applies to one source or more").into());
            }
            for (kind, default_name) in &kinds {
                let name = match &recipe.name {
                    Some(name) => {
                        self.name(name)?;
                        let name = name.get_ref();
                        if kinds.len() > 1 { format!("{name}_{default_name}") } else { name.clone() }
                    }
                    None => (*default_name).to_owned(),
                };
                if name == "read" || name == AFTER_CUTS || steps.iter().any(|step| step.name == name) {
                    let span = recipe.name.as_ref().map_or_else(|| spanned.span(), Spanned::span);
                    let message = format!("there is another stage `{name}`: give this step a `name`");
                    return Err(self.fault(span, message).into());
                }
                let step = Step { name, sources: sources.clone(), kind: kind.clone() };
                let lines = steps.iter().find_map(Step::c4_lines);
                if lines.is_some_and(|lines| step.c4_lines().is_some_and(|others| others != lines)) {
                    let message = "all steps `c4_quality` of a recipe look at the same `lines`";
                    return Err(self.fault(spanned.span(), message).into());
                }
                steps.push(step);
            }
        }
        if steps.iter().any(Step::cuts) {
            let sources = self.recipe.source.keys().map(|name| name.get_ref().clone()).collect();
            steps.push(Step { name: AFTER_CUTS.into(), sources, kind: StepKind::AfterCuts(self.recipe.after_cuts) });
        }
        Ok(steps)
    }

    /// What a step does; a preset is several.
    fn step_kinds(
        &self,
        span: Range<usize>,
        recipe: &StepRecipe,
        classifiers: &[ClassifierPlan],
    ) -> Result<Vec<Named>> {
        let StepRecipe {
            name: _,
            sources: _,
            language,
            gopher_quality,
            gopher_repetition,
            fineweb_quality,
            c4_quality,
            urls,
            linked,
            preset,
            url_dedup,
            exact_dedup,
            normalized_dedup,
            fuzzy_dedup,
            substring_dedup,
            decontaminate,
            threshold,
            top,
            pareto,
        } = recipe;
        let mut found: Vec<Named> = Vec::new();
        let mut one = |kind: StepKind, name| found.push((kind, name));
        if let Some(rule) = language {
            self.needs("language", span.clone(), "a step `language`")?;
            one(StepKind::Language(rule.clone()), "language");
        }
        if let Some(rule) = gopher_quality {
            one(StepKind::GopherQuality(rule.clone()), "gopher_quality");
        }
        if let Some(rule) = gopher_repetition {
            one(StepKind::GopherRepetition(rule.clone()), "gopher_repetition");
        }
        if let Some(rule) = fineweb_quality {
            one(StepKind::FinewebQuality(rule.clone()), "fineweb_quality");
        }
        if let Some(rule) = c4_quality {
            one(StepKind::C4Quality(rule.clone()), "c4_quality");
        }
        if let Some(rule) = urls {
            self.needs("urls", span.clone(), "a step `urls`")?;
            one(StepKind::Urls(rule.clone()), "urls");
        }
        if let Some(rule) = linked {
            self.needs("links", span.clone(), "a step `linked`")?;
            one(StepKind::Linked(rule.clone()), "linked");
        }
        if let Some(duplicates) = url_dedup {
            one(StepKind::UrlDedup(self.duplicates(recipe, duplicates, KeepPolicy::Latest)?), "url_dedup");
        }
        if let Some(duplicates) = exact_dedup {
            let rule = self.duplicates(recipe, duplicates, KeepPolicy::SmallestId)?;
            one(StepKind::TextDedup(Sameness::Exact, rule), "exact_dedup");
        }
        if let Some(duplicates) = normalized_dedup {
            let rule = self.duplicates(recipe, duplicates, KeepPolicy::SmallestId)?;
            one(StepKind::TextDedup(Sameness::Normalized, rule), "normalized_dedup");
        }
        if let Some(duplicates) = fuzzy_dedup {
            let rule = self.duplicates(recipe, duplicates, KeepPolicy::SmallestId)?;
            one(StepKind::FuzzyDedup(rule), "fuzzy_dedup");
        }
        if let Some(recipe) = substring_dedup {
            found.push(self.substring_dedup(recipe)?);
        }
        if let Some(rule) = decontaminate {
            found.push((self.decontamination(rule)?, "decontaminate"));
        }
        if let Some(recipe) = threshold {
            found.push((self.threshold(recipe)?, "threshold"));
        }
        if let Some(recipe) = top {
            found.push((self.top(recipe)?, "top"));
        }
        if let Some(pareto) = pareto {
            found.push((self.pareto(pareto, classifiers)?, "pareto"));
        }
        match (found.len() + usize::from(preset.is_some()), preset) {
            (1, Some(preset)) => Ok(preset.steps()),
            (1, None) => Ok(found),
            (count, _) => {
                let possible = "`language`, `gopher_quality`, `gopher_repetition`, `fineweb_quality`, `c4_quality`, `urls`, `linked`, \
                                `preset`, `url_dedup`, `exact_dedup`, `normalized_dedup`, `fuzzy_dedup`, `substring_dedup`, `decontaminate`, `threshold`, `top` and `pareto`";
                Err(self.fault(span, format!("a step does one thing, of {possible}; this one does {count}")).into())
            }
        }
    }

    /// Which of several duplicates stays.
    fn duplicates(&self, step: &StepRecipe, recipe: &DedupRecipe, keep: KeepPolicy) -> Result<DuplicateRule> {
        let DedupRecipe { keep: wanted, prefer, against } = recipe;
        let sources = |names: &[Text]| names.iter().map(|name| self.source(name)).collect::<Result<Vec<_>, _>>();
        let rule = DuplicateRule {
            keep: wanted.as_ref().map_or(keep, |wanted| wanted.get_ref().clone()),
            prefer: sources(prefer)?,
            against: sources(against)?,
        };
        if let (Some(wanted), KeepPolicy::Score(classifier)) = (wanted, &rule.keep) {
            self.classifier(classifier, wanted.span())?;
        }
        if let Some(name) = against.first()
            && step.sources.is_none()
        {
            let message = "a step with `against` names its `sources`: the documents that it may drop";
            return Err(self.fault(name.span(), message).into());
        }
        let own = step.sources.iter().flatten().find(|source| rule.against.contains(source.get_ref()));
        if let Some(source) = own {
            let message = format!("`{}` stands in `sources` and in `against`", source.get_ref());
            return Err(self.fault(source.span(), message).into());
        }
        Ok(rule)
    }

    /// Whether there is such a classifier.
    fn classifier(&self, name: &str, span: Range<usize>) -> Result<()> {
        let known: Vec<&str> = self.recipe.classifier.keys().map(|name| name.get_ref().as_str()).collect();
        if known.contains(&name) {
            return Ok(());
        }
        let message = format!("the step reads the score `{name}`, which nothing writes; classifiers: {}", list(&known));
        Err(self.fault(span, message).into())
    }

    /// Substrings that are cut where they stand in more than one place.
    fn substring_dedup(&self, recipe: &Spanned<SubstringDedupRecipe>) -> Result<Named> {
        let SubstringDedupRecipe { unit, normalized, keep_first } = *recipe.get_ref();
        let least = match unit {
            SubstringUnit::Bytes(_) => 16,
            SubstringUnit::Words(_) => 4,
            SubstringUnit::Lines | SubstringUnit::Paragraphs | SubstringUnit::Sentences(_) => 1,
        };
        if unit.length() < least {
            let message = "a substring has 1 sentence, 4 words or 16 bytes, or more";
            return Err(self.fault(recipe.span(), message).into());
        }
        let name = match unit {
            SubstringUnit::Lines => "line_dedup",
            SubstringUnit::Paragraphs => "paragraph_dedup",
            SubstringUnit::Sentences(_) => "sentence_dedup",
            SubstringUnit::Bytes(_) => "byte_substring_dedup",
            SubstringUnit::Words(_) => "word_substring_dedup",
        };
        if normalized && unit.is_ngram() {
            let message = "bytes and words are compared letter by letter: leave out `normalized`, or take lines, paragraphs or sentences";
            return Err(self.fault(recipe.span(), message).into());
        }
        let sameness = if normalized { Sameness::Normalized } else { Sameness::Exact };
        Ok((StepKind::SubstringDedup { unit, sameness, keep_first }, name))
    }

    fn decontamination(&self, rule: &Spanned<DecontaminationRule>) -> Result<StepKind> {
        if self.recipe.benchmark.is_empty() {
            let message = "a step `decontaminate` looks for benchmarks, of which there is none: add [benchmark.NAME]";
            return Err(self.fault(rule.span(), message).into());
        }
        Ok(StepKind::Decontaminate(*rule.get_ref()))
    }

    fn threshold(&self, recipe: &ThresholdRecipe) -> Result<StepKind> {
        let ThresholdRecipe { classifier, min, unknown } = recipe;
        self.classifier(classifier.get_ref(), classifier.span())?;
        if !(0.0..=1.0).contains(min.get_ref()) {
            return Err(self.fault(min.span(), "`min` is a score, from 0 to 1").into());
        }
        let (classifier, rule) =
            (classifier.get_ref().clone(), ThresholdRule { min: *min.get_ref(), unknown: *unknown });
        Ok(StepKind::Threshold { classifier, rule })
    }

    fn top(&self, recipe: &TopRecipe) -> Result<StepKind> {
        let TopRecipe { classifier, share, by, each_source, each_language, unknown } = recipe;
        if *each_language {
            self.needs("language", classifier.span(), "a step `top` with `each_language`")?;
        }
        self.classifier(classifier.get_ref(), classifier.span())?;
        if !(*share.get_ref() > 0.0 && *share.get_ref() <= 1.0) {
            return Err(self.fault(share.span(), "`share` is above 0, to 1").into());
        }
        let (by, each_source, each_language, unknown) = (*by, *each_source, *each_language, *unknown);
        let rule = TopRule { share: *share.get_ref(), by, each_source, each_language, unknown };
        Ok(StepKind::Top { classifier: classifier.get_ref().clone(), rule })
    }

    fn pareto(&self, pareto: &ParetoRecipe, classifiers: &[ClassifierPlan]) -> Result<StepKind> {
        let name = &pareto.classifier;
        self.classifier(name.get_ref(), name.span())?;
        match *pareto.alpha.get_ref() {
            Alpha::Fixed(alpha) if !(alpha > 0.0 && alpha.is_finite()) => {
                return Err(self.fault(pareto.alpha.span(), "`alpha` is above 0, or \"fit\"").into());
            }
            Alpha::Fitted(_) => {
                let found = classifiers.iter().find(|found| found.name == *name.get_ref());
                let why = match found {
                    Some(found) if found.linked.is_some() => "is told by links, and not by sources",
                    Some(found) if found.positive.is_empty() => "is not here: the model was trained elsewhere",
                    _ => "",
                };
                if !why.is_empty() {
                    let message = format!("`alpha` cannot be fitted: the reference of `{}` {why}", name.get_ref());
                    return Err(self.fault(pareto.alpha.span(), message).into());
                }
            }
            Alpha::Fixed(_) => {}
        }
        let (classifier, alpha) = (name.get_ref().clone(), *pareto.alpha.get_ref());
        Ok(StepKind::Pareto { classifier, alpha, unknown: pareto.unknown })
    }
}
