//! Training classifiers, and scoring documents with them.

use std::{collections::BTreeSet, time::Instant};

use datafusion::{
    arrow::array::AsArray as _,
    prelude::{DataFrame, SessionContext},
};
use futures::{StreamExt as _, TryStreamExt as _};

use super::{
    context::{Files, Run},
    reading::score_name,
};
use crate::{
    decide::{self, versions},
    error::{Error, Result},
    files::{Inputs, units::Mark},
    learn::{Document, Label, StoredModel, TRAINING_VERSION, Training, train},
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
        let context = self.session.streaming();
        let inputs = Inputs::of(&classifier.name);
        let sample = |sources, label| self.sample(&context, &inputs, classifier, sources, label);
        let positive = sample(&classifier.positive, Label::Positive).await?;
        let negative = sample(&classifier.negative, Label::Negative).await?;
        for name in classifier.members() {
            inputs.open(&StoredModel::path(&self.layout.model(name)))?;
        }
        let mut parts = classifier.versions(&self.plan.classifiers);
        parts.push(versions::SAMPLE);
        let origin = self.origin(TRAINING_VERSION, &parts, &(classifier, self.plan.seed), &inputs)?;
        self.unit("models", &classifier.name, &origin, async {
            let mut documents = Vec::new();
            for (sample, label) in [(positive, Label::Positive), (negative, Label::Negative)] {
                let Some(sample) = sample else { continue };
                documents.extend(self.sampled(&classifier.name, &context, sample, label).await?);
            }
            self.fit(classifier, &documents)
        })
        .await
    }

    fn fit(&self, classifier: &ClassifierPlan, documents: &[Document]) -> Result<Files> {
        let training = Training {
            name: classifier.name.clone(),
            kind: classifier.kind.clone(),
            chunk_words: classifier.chunk_words,
            max_chunks: classifier.max_chunks,
            seed: self.plan.seed,
            labels: classifier.labels.iter().map(|file| file.path.clone()).collect(),
            min_known: classifier.min_known,
        };
        let (files, _) = train(&training, documents, &self.layout.model(&classifier.name))?;
        Ok(files.into_iter().map(|(path, written)| (path, None, written)).collect())
    }

    /// The documents of one side, as a table; nothing where the side has no source.
    async fn sample(
        &self,
        context: &SessionContext,
        inputs: &Inputs,
        classifier: &ClassifierPlan,
        sources: &[String],
        label: Label,
    ) -> Result<Option<DataFrame>> {
        if sources.is_empty() {
            return Ok(None);
        }
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
        let sample = decide::sample(self.tables(context, inputs), sources, wanted, self.plan.seed).await;
        sample.map(Some).map_err(|error| Error::from_plan(&classifier.name, error))
    }

    /// The documents of one side, sorted by id.
    async fn sampled(
        &self,
        stage: &str,
        context: &SessionContext,
        sample: DataFrame,
        label: Label,
    ) -> Result<Vec<Document>> {
        let batches = self.collect(stage, context, sample).await?;
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
        let not_trained =
            || Error::Classifier { name: classifier.to_owned(), message: "it has not been trained".to_owned() };
        let sha256 = self.sha256_of(&path).ok_or_else(not_trained)?;
        self.verify(std::slice::from_ref(&path))?;
        Ok(Family { name: score_name(classifier), config: FamilyConfig::Score(ModelFile { path, sha256 }) })
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
                let path = self.layout.documents(&source.name, part);
                let not_made = || Error::NotMade { stage: classifier.to_owned(), path: path.clone() };
                let texts = self.sha256_of(&path).ok_or_else(not_made)?;
                self.measure(&name, source, part, &texts, families).await
            }
        });
        futures::stream::iter(units).buffered(self.threads).try_collect::<Vec<()>>().await?;
        Ok(())
    }
}
