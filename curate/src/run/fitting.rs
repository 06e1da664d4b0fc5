//! Training classifiers, and scoring documents with them.

use std::{collections::BTreeSet, time::Instant};

use datafusion::arrow::array::AsArray as _;
use futures::{StreamExt as _, TryStreamExt as _};

use super::context::{Files, Run};
use crate::{
    decide,
    error::{Error, Result},
    files::units::{Fingerprint, Mark},
    learn::{Document, Label, StoredModel, Training, train},
    measure::{Family, FamilyConfig, ModelFile},
    recipe::ClassifierPlan,
};

impl Run<'_> {
    /// Trains every classifier, and scores the documents of the sources that some step wants scores of.
    pub async fn train_classifiers(&self) -> Result<()> {
        let scored = self.plan.scored();
        for classifier in &self.plan.classifiers {
            let start = Instant::now();
            self.progress.begin(&classifier.name, 1);
            self.train_classifier(classifier).await?;
            let sources = scored.get(classifier.name.as_str()).cloned().unwrap_or_default();
            self.score(&classifier.name, &sources).await?;
            let note = format!("trained, scored {} sources", sources.len());
            self.progress.end(&classifier.name, start.elapsed().as_secs_f64(), &note);
        }
        Ok(())
    }

    async fn train_classifier(&self, classifier: &ClassifierPlan) -> Result<Mark> {
        let sources = [classifier.positive.clone(), classifier.negative.clone()].concat();
        let documents = self.parts_of(&sources).map(|(source, part)| self.layout.documents(source, part));
        let mut inputs = self.hashes(documents.collect::<Vec<_>>());
        inputs.extend(self.hashes([self.layout.decisions("read")]));
        if classifier.linked.is_some() {
            inputs.extend(self.hashes(self.facts_of("links", &sources)));
        }
        if self.plan.family("language").is_some() {
            inputs.extend(self.hashes(self.facts_of("language", &sources)));
        }
        let members = classifier.members().iter().map(|name| StoredModel::path(&self.layout.model(name)));
        inputs.extend(self.hashes(members));
        let fingerprint = Fingerprint::of("classifier", &(classifier, self.plan.seed, inputs));
        self.unit("models", &classifier.name, fingerprint, async { self.fit(classifier).await }).await
    }

    async fn fit(&self, classifier: &ClassifierPlan) -> Result<Files> {
        let mut documents = self.sampled(classifier, &classifier.positive, Label::Positive).await?;
        documents.extend(self.sampled(classifier, &classifier.negative, Label::Negative).await?);
        let training = Training {
            name: classifier.name.clone(),
            kind: classifier.kind.clone(),
            passage_words: classifier.passage_words,
            passages: classifier.passages,
            seed: self.plan.seed,
            labels: classifier.labels.iter().map(|file| file.path.clone()).collect(),
        };
        let (files, _) = train(&training, &documents, &self.layout.model(&classifier.name))?;
        Ok(files.into_iter().map(|(path, written)| (path, None, written)).collect())
    }

    /// The documents of one side, sorted by id.
    async fn sampled(&self, classifier: &ClassifierPlan, sources: &[String], label: Label) -> Result<Vec<Document>> {
        if sources.is_empty() {
            return Ok(vec![]);
        }
        let failed = |error| Error::from_plan(&classifier.name, error);
        let context = self.session.streaming();
        let language = match &classifier.language {
            Some(language) => self.plan.family("language").map(|family| (family, language.as_str())),
            None => None,
        };
        let linked = classifier.linked.as_ref().and_then(|rule| {
            let keeps = if label == Label::Positive { rule.keeps() } else { !rule.keeps() };
            self.plan.family("links").map(|family| (family, keeps))
        });
        let languages = self.plan.family("language");
        let wanted = decide::Sampled { language, languages, linked, count: classifier.documents };
        let sample = decide::sample(self.tables(&context), sources, wanted, self.plan.seed);
        let batches = self.collect(&classifier.name, &context, sample.await.map_err(failed)?).await?;
        let mut documents: Vec<Document> = Vec::new();
        for batch in &batches {
            let texts = |column: usize| batch.column(column).as_string_view().iter().map(Option::unwrap_or_default);
            let languages = batch.column(3).as_string_view().iter();
            let rows = texts(0).zip(texts(1)).zip(texts(2)).zip(languages);
            documents.extend(rows.map(|(((id, source), text), language)| Document {
                id: id.to_owned(),
                source: source.to_owned(),
                language: language.map(str::to_owned),
                label,
                text: text.to_owned(),
            }));
        }
        documents.sort_unstable_by(|one, other| (&one.id, &one.source).cmp(&(&other.id, &other.source)));
        // a document that stands in two files comes twice
        documents.dedup_by(|one, other| one.id == other.id);
        Ok(documents)
    }

    /// The family of a classifier's scores.
    pub fn score_family(&self, classifier: &str) -> Result<Family> {
        let path = StoredModel::path(&self.layout.model(classifier));
        let sha256 = self.hashes([path.clone()]).into_iter().map(|(_, hash)| hash).next().unwrap_or_default();
        if sha256.is_empty() {
            let message = "it has not been trained".to_owned();
            return Err(Error::Classifier { name: classifier.to_owned(), message });
        }
        Ok(Family { name: format!("score-{classifier}"), config: FamilyConfig::Score(ModelFile { path, sha256 }) })
    }

    async fn score(&self, classifier: &str, sources: &[String]) -> Result<()> {
        let families = [self.score_family(classifier)?];
        let sources: BTreeSet<&String> = sources.iter().collect();
        let units = self
            .plan
            .sources
            .iter()
            .filter(|source| sources.contains(&source.name))
            .flat_map(|source| (0u32..).take(source.files.len()).map(move |part| (source, part)));
        let units = units.map(|(source, part)| {
            let families = &families;
            async move {
                let name = format!("{}/part-{part:05}", source.name);
                let path = self.layout.relative(&self.layout.documents(&source.name, part));
                let file = self.made().outputs.get(&path).cloned();
                let outputs = file.into_iter().collect();
                let documents = Mark { fingerprint: Fingerprint::of("", &()), input: None, outputs, seconds: 0.0 };
                self.measure(&name, source, part, &documents, families).await
            }
        });
        futures::stream::iter(units).buffered(self.threads).try_collect::<Vec<()>>().await?;
        Ok(())
    }
}
