//! The training of one classifier.

use super::sample::{sample, sampled};
use crate::{
    decide::versions,
    error::Result,
    files::{Inputs, units::Mark},
    learn::{Document, Label, StoredModel, TRAINING_VERSION, Training, train},
    recipe::ClassifierPlan,
    run::{context::Run, made::Files},
};

/// A classifier to train.
///
/// - reads: documents of its sources, facts that they are chosen by; its members, for an ensemble
/// - writes: `models/NAME/`
pub struct ClassifierTraining<'r> {
    pub run: &'r Run<'r>,
    pub classifier: &'r ClassifierPlan,
}

impl ClassifierTraining<'_> {
    /// Trains the classifier, unless it is found done.
    pub async fn train(&self) -> Result<Mark> {
        let Self { run, classifier } = self;
        let context = run.session.streaming();
        let inputs = Inputs::of(&classifier.name);
        let of = |label| sample(run, &context, &inputs, classifier, label);
        let positive = of(Label::Positive).await?;
        let negative = of(Label::Negative).await?;
        for name in classifier.members() {
            inputs.open(&StoredModel::path(&run.layout.model(name)))?;
        }
        let mut parts = classifier.versions(&run.plan.classifiers);
        parts.push(versions::SAMPLE);
        let origin = run.units.origin(TRAINING_VERSION, &parts, &(classifier, run.plan.seed), &inputs)?;
        run.units
            .run("models", &classifier.name, &origin, async {
                let mut documents = Vec::new();
                for (sample, label) in [(positive, Label::Positive), (negative, Label::Negative)] {
                    let Some(sample) = sample else { continue };
                    let batches = run.collect(&classifier.name, &context, sample).await?;
                    documents.extend(sampled(&batches, label));
                }
                self.fit(&documents)
            })
            .await
    }

    fn fit(&self, documents: &[Document]) -> Result<Files> {
        let Self { run, classifier } = self;
        let training = Training {
            name: classifier.name.clone(),
            kind: classifier.kind.clone(),
            chunk_words: classifier.chunk_words,
            max_chunks: classifier.max_chunks,
            seed: run.plan.seed,
            labels: classifier.labels.iter().map(|file| file.path.clone()).collect(),
            min_known: classifier.min_known,
        };
        let (files, _) = train(&training, documents, &run.layout.model(&classifier.name))?;
        Ok(files.into_iter().map(|(path, written)| (path, None, written)).collect())
    }
}
