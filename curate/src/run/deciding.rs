//! The recipe's steps, each a stage that decides.

use std::{sync::Arc, time::Instant};

use datafusion::{
    arrow::{
        array::AsArray as _,
        datatypes::{Float64Type, Int64Type},
    },
    prelude::{DataFrame, SessionContext},
};

use super::context::Run;
use crate::{
    decide::{
        self, AfterCutsRule, Alpha, DedupKey, DuplicateFacts, FittedAlpha, KeepPolicy, ParetoRule, Rule,
        SubstringsConfig, SubstringsExec, versions,
    },
    error::{Error, Result},
    files::{Inputs, Publication, write_json},
    measure::Family,
    recipe::{Step, StepKind},
};

impl Run<'_> {
    /// Takes the steps in their order.
    pub async fn decide_steps(&self) -> Result<()> {
        let start = Instant::now();
        self.progress.begin("steps", self.plan.steps.len() as u64);
        let mut before = "read".to_owned();
        for step in &self.plan.steps {
            self.decide_step(&before, step).await?;
            self.progress.advance();
            before.clone_from(&step.name);
        }
        let names: Vec<&str> = self.plan.steps.iter().map(|step| step.name.as_str()).collect();
        self.progress.end("steps", start.elapsed().as_secs_f64(), &names.join(", "));
        Ok(())
    }

    async fn decide_step(&self, before: &str, step: &Step) -> Result<()> {
        let failed = |error| Error::from_plan(&step.name, error);
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let tables = self.tables(&context, &inputs);
        let sources = &step.sources;
        let family = |name: &str| {
            let family = self.plan.family(name).cloned();
            family.unwrap_or_else(|| unreachable!("the check of the recipe saw to the facts `{name}`"))
        };
        // the shape of a draw, where it has one
        let mut fitted: Option<f64> = None;
        let rule: Option<(Family, Box<dyn Rule + Sync + Send>)> = match &step.kind {
            StepKind::Language(rule) => Some((family("language"), Box::new(rule.clone()))),
            StepKind::GopherQuality(rule) => Some((family("words"), Box::new(rule.clone()))),
            StepKind::GopherRepetition(rule) => Some((family("words"), Box::new(rule.clone()))),
            StepKind::FinewebQuality(rule) => Some((family("words"), Box::new(rule.clone()))),
            StepKind::C4Quality(rule) => Some((family("c4_lines"), Box::new(rule.clone()))),
            StepKind::Linked(rule) => Some((family("links"), Box::new(rule.clone()))),
            StepKind::Urls(rule) => Some((family("urls"), Box::new(rule.clone()))),
            StepKind::Threshold { classifier, rule } => Some((self.score_family(classifier)?, Box::new(*rule))),
            StepKind::Top { classifier, rule } => {
                let (score, words) = (self.score_family(classifier)?, family("words"));
                let languages = rule.each_language.then(|| family("language"));
                let table = decide::top(tables, before, &score, &words, languages.as_ref(), sources, *rule).await;
                return self.decide(versions::TOP, step, &inputs, &context, table.map_err(failed)?).await;
            }
            StepKind::Pareto { classifier, alpha, unknown } => {
                let score = self.score_family(classifier)?;
                let alpha = match alpha {
                    Alpha::Fixed(alpha) => *alpha,
                    Alpha::Fitted(_) => self.fit_alpha(before, step, &score).await?,
                };
                let rule = ParetoRule { alpha, seed: self.plan.seed, stage: step.name.clone(), unknown: *unknown };
                fitted = Some(alpha);
                Some((score, Box::new(rule)))
            }
            StepKind::SubstringDedup { .. } => return self.decide_substrings(before, step).await,
            StepKind::Decontaminate(rule) => return self.decide_decontamination(before, step, *rule).await,
            StepKind::AfterCuts(rule) => return self.decide_after_cuts(before, step, *rule).await,
            StepKind::UrlDedup(_) | StepKind::TextDedup(..) | StepKind::FuzzyDedup(_) => None,
        };
        if let Some((family, rule)) = rule {
            let table = decide::apply(tables, before, &family, sources, rule.as_ref()).await.map_err(failed)?;
            let settings = (step, self.plan.seed, fitted.map(|alpha| alpha.to_string()));
            return self.decide(rule.version(), &settings, &inputs, &context, table).await;
        }
        self.decide_duplicates(before, step).await
    }

    /// Takes a step on duplicates.
    async fn decide_duplicates(&self, before: &str, step: &Step) -> Result<()> {
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let (key, rule) = match &step.kind {
            StepKind::UrlDedup(rule) => (DedupKey::Url, rule),
            StepKind::TextDedup(sameness, rule) => (DedupKey::Text(*sameness), rule),
            StepKind::FuzzyDedup(rule) => (DedupKey::Cluster, rule),
            other => unreachable!("{other:?} is no step on duplicates"),
        };
        let score = match &rule.keep {
            KeepPolicy::Score(classifier) => Some(self.score_family(classifier)?),
            _ => None,
        };
        let fingerprints = match key {
            DedupKey::Text(sameness) => Some(Family::fingerprints(sameness)),
            _ => None,
        };
        let family = |is_read: bool, name: &str| is_read.then(|| self.plan.family(name)).flatten();
        let facts = DuplicateFacts {
            fingerprints: fingerprints.as_ref().and_then(|wanted| self.plan.family(&wanted.name)),
            words: family(rule.keep == KeepPolicy::Longest, "words"),
            score: score.as_ref(),
        };
        let indexes = if key == DedupKey::Cluster { &self.plan.indexes[..] } else { &[] };
        let tables = self.tables(&context, &inputs);
        let table = decide::duplicates(tables, before, key, rule, facts, &step.sources).await;
        let table = table.map_err(|error| Error::from_plan(&step.name, error))?;
        self.decide(versions::DUPLICATES, &(step, indexes), &inputs, &context, table).await
    }

    /// Chooses the shape of a Pareto draw by the scores of the reference.
    async fn fit_alpha(&self, before: &str, step: &Step, score: &Family) -> Result<f64> {
        let reference = self.plan.reference_of(step);
        let language = self.plan.language_of(step);
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let scores = self.scores(&context, &inputs, before, score, &step.sources, None).await?;
        let of_reference = self.scores(&context, &inputs, "read", score, reference, language).await?;
        let origin = self.origin(versions::ALPHA, &[], step, &inputs)?;
        let path = self.layout.fitted_alpha(&step.name);
        self.unit("alpha", &step.name, &origin, async {
            let scores = self.counted(&step.name, &context, scores).await?;
            let fitted = FittedAlpha::fit(&scores, &self.counted(&step.name, &context, of_reference).await?);
            let fitted = fitted.ok_or_else(|| Error::Classifier {
                name: step.classifier().unwrap_or_default().to_owned(),
                message: format!("step `{}` has no documents, or no reference, to fit `alpha` to", step.name),
            })?;
            let written = write_json(&path, &fitted)?;
            Ok(vec![(path.clone(), None, written)])
        })
        .await?;
        let fitted: FittedAlpha = self.read_made(&path)?;
        Ok(fitted.alpha)
    }

    /// The scores of the documents of some sources that a stage kept, the lowest first, each with how many have it.
    async fn scores(
        &self,
        context: &SessionContext,
        inputs: &Inputs,
        stage: &str,
        score: &Family,
        sources: &[String],
        language: Option<&str>,
    ) -> Result<DataFrame> {
        let language = language.and_then(|language| Some((self.plan.family("language")?, language)));
        let counts = decide::score_counts(self.tables(context, inputs), stage, score, sources, language).await;
        counts.map_err(|error| Error::from_plan(stage, error))
    }

    /// The rows of [`Run::scores`].
    async fn counted(&self, stage: &str, context: &SessionContext, counts: DataFrame) -> Result<Vec<(f64, u64)>> {
        let mut scores = Vec::new();
        for batch in self.collect(stage, context, counts).await? {
            let values = batch.column(0).as_primitive::<Float64Type>().values();
            let counts = batch.column(1).as_primitive::<Int64Type>().values();
            scores.extend(values.iter().zip(counts).map(|(score, count)| (*score, count.cast_unsigned())));
        }
        Ok(scores)
    }

    /// Cuts substrings that stand in more than one place.
    async fn decide_substrings(&self, before: &str, step: &Step) -> Result<()> {
        let StepKind::SubstringDedup { unit, sameness, keep_first } = step.kind else {
            unreachable!("{step:?} is no step on substrings");
        };
        let sources = &step.sources;
        let failed = |error| Error::from_plan(&step.name, error);
        let found = self.layout.substrings(&step.name);
        let context = self.session.streaming();
        let inputs = Inputs::of(&step.name);
        let kept = self.tables(&context, &inputs).kept(before).await.map_err(failed)?;
        let wanted =
            kept.filter(decide::is_of(sources)).and_then(|kept| kept.select_columns(&["id"])).map_err(failed)?;
        let ids = self.texts(&context, sources, &inputs).await?.select_columns(&["id"]).map_err(failed)?;
        let texts = self.texts(&context, sources, &inputs).await?;
        let origin = self.origin(versions::SUBSTRINGS, &[], step, &inputs)?;
        self.unit("repeats", &step.name, &origin, async {
            let plan = |table: DataFrame| async move { table.create_physical_plan().await.map_err(failed) };
            let config = SubstringsConfig { unit, sameness, keep_first, budget: self.session.budget() };
            let substrings = SubstringsExec::new(plan(wanted).await?, plan(ids).await?, plan(texts).await?, config);
            let publication = Publication::new(&found, &decide::substrings_schema());
            self.publish_plan(&step.name, &context, Arc::new(substrings), vec![publication]).await
        })
        .await?;
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let table = decide::cut_substrings(self.tables(&context, &inputs), before, found).await.map_err(failed)?;
        self.decide(versions::AFTER_CUTS, step, &inputs, &context, table).await
    }

    /// Takes all cuts together.
    async fn decide_after_cuts(&self, before: &str, step: &Step, rule: AfterCutsRule) -> Result<()> {
        let stages: Vec<String> =
            self.plan.steps.iter().filter(|step| step.cuts()).map(|step| step.name.clone()).collect();
        let words = self.plan.family("words").unwrap_or_else(|| unreachable!("every recipe measures words"));
        let context = self.session.relational();
        let inputs = Inputs::of(&step.name);
        let table = decide::after_cuts(self.tables(&context, &inputs), before, &stages, words, rule).await;
        let table = table.map_err(|error| Error::from_plan(&step.name, error))?;
        self.decide(versions::AFTER_CUTS, step, &inputs, &context, table).await
    }
}
