//! Training classifiers, and scoring documents with them.

use std::{collections::BTreeSet, time::Instant};

use datafusion::arrow::array::AsArray as _;
use futures::{StreamExt as _, TryStreamExt as _};

use super::context::{Files, Run};
use crate::{
    decide,
    error::{Error, Result},
    files::{
        units::{Fingerprint, Mark},
        write_whole,
    },
    learn::{Label, Passage, Training, train},
    measure::{Family, FamilyConfig, ModelFile},
    recipe::ClassifierPlan,
    text::draw::draw,
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
        if classifier.language.is_some() {
            inputs.extend(self.hashes(self.facts_of("language", &sources)));
        }
        let fingerprint = Fingerprint::of("classifier", &(classifier, self.plan.seed, inputs));
        self.unit("models", &classifier.name, fingerprint, async { self.fit(classifier).await }).await
    }

    async fn fit(&self, classifier: &ClassifierPlan) -> Result<Files> {
        let mut passages = self.passages(classifier, &classifier.positive, Label::Positive).await?;
        passages.extend(self.passages(classifier, &classifier.negative, Label::Negative).await?);
        let training = Training {
            name: classifier.name.clone(),
            features: classifier.features,
            penalty: classifier.penalty,
            iterations: classifier.iterations,
            seed: self.plan.seed,
        };
        let (model, card) = train(&training, &passages)?;
        let folder = self.layout.model(&classifier.name);
        let (weights, card_file) = (folder.join("weights.parquet"), folder.join("card.json"));
        let written = model.save(&weights)?;
        let mut json = serde_json::to_vec_pretty(&card).expect("a card is JSON");
        json.push(b'\n');
        let card = write_whole(&card_file, &json)?;
        Ok(vec![(weights, None, written), (card_file, None, card)])
    }

    /// The passages of one side, sorted by id.
    async fn passages(&self, classifier: &ClassifierPlan, sources: &[String], label: Label) -> Result<Vec<Passage>> {
        let failed = |error| Error::from_plan(&classifier.name, error);
        let context = self.session.streaming();
        let language = match &classifier.language {
            Some(language) => self.plan.family("language").map(|family| (family, language.as_str())),
            None => None,
        };
        let sample = decide::sample(self.tables(&context), sources, language, self.plan.seed, classifier.documents);
        let batches = self.collect(&classifier.name, &context, sample.await.map_err(failed)?).await?;
        let mut documents: Vec<(&str, &str, &str)> = Vec::new();
        for batch in &batches {
            let texts = |column: usize| batch.column(column).as_string_view().iter().map(Option::unwrap_or_default);
            documents.extend(texts(0).zip(texts(1)).zip(texts(2)).map(|((id, source), text)| (id, source, text)));
        }
        documents.sort_unstable();
        // a document that stands in two files comes twice
        documents.dedup_by_key(|(id, ..)| *id);
        let passage = |id: &str, source: &str, text: String| Passage {
            id: id.to_owned(),
            source: source.to_owned(),
            label,
            text,
        };
        Ok(documents
            .into_iter()
            .flat_map(|(id, source, text)| {
                let texts = cut(text, classifier.passage_words, classifier.passages, self.plan.seed, id);
                texts.into_iter().map(move |text| passage(id, source, text))
            })
            .collect())
    }

    /// The family of a classifier's scores.
    pub fn score_family(&self, classifier: &str) -> Result<Family> {
        let path = self.layout.model(classifier).join("weights.parquet");
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

/// Cuts a text into passages of `words` words, and draws at most `most` of them.
fn cut(text: &str, words: usize, most: usize, seed: u64, id: &str) -> Vec<String> {
    let all: Vec<&str> = text.split_whitespace().collect();
    let mut passages: Vec<(u64, usize)> = (0..all.len().div_ceil(words))
        .map(|number| (draw(seed, "passage", &format!("{id}/{number}")), number))
        .collect();
    if passages.len() > most {
        passages.sort_unstable();
        passages.truncate(most);
    }
    passages.sort_unstable_by_key(|(_, number)| *number);
    let passage = |(_, number): (u64, usize)| all[number * words..((number + 1) * words).min(all.len())].join(" ");
    passages.into_iter().map(passage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_gives_as_many_passages_as_are_wanted() {
        let text = (0..95).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        let all = cut(&text, 10, 100, 1, "id");
        assert_eq!(all.len(), 10);
        assert_eq!(all.join(" "), text);
        let some = cut(&text, 10, 3, 1, "id");
        assert_eq!(some.len(), 3);
        assert!(some.iter().all(|passage| all.contains(passage)));
        assert_ne!(some, cut(&text, 10, 3, 2, "id"));
    }
}
