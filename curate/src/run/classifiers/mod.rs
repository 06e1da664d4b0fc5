//! Classifiers: each is trained on a sample, and scores the documents that some step wants scores of.

mod sample;
mod training;

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _};

use self::training::ClassifierTraining;
use super::{context::Run, facts::FileFacts, source_file::SourceFile};
use crate::error::{Error, Result};

/// The classifiers of a run.
///
/// - reads: documents
/// - writes: `models/NAME/`, `facts/score-NAME/`
pub struct Classifiers<'r> {
    pub run: &'r Run<'r>,
}

impl Classifiers<'_> {
    /// Trains every classifier, and scores the documents of the sources that some step wants scores of.
    pub async fn train(&self) -> Result<()> {
        let Self { run } = self;
        let scored = run.plan.scored();
        for classifier in &run.plan.classifiers {
            let work = async {
                ClassifierTraining { run, classifier }.train().await?;
                let sources = scored.get(classifier.name.as_str()).cloned().unwrap_or_default();
                self.score(&classifier.name, &sources).await?;
                Ok(((), format!("trained, scored {} sources", sources.len())))
            };
            run.told(&classifier.name, 1, work).await?;
        }
        Ok(())
    }

    async fn score(&self, classifier: &str, sources: &[String]) -> Result<()> {
        let Self { run } = self;
        let families = &[run.score_family(classifier)?];
        let sources: BTreeSet<&String> = sources.iter().collect();
        let scored = run.plan.sources.iter().filter(|source| sources.contains(&source.name));
        let units = scored.flat_map(SourceFile::all).map(|file| async move {
            let path = run.layout.documents(&file.source.name, file.part);
            let not_made = || Error::NotMade { stage: classifier.to_owned(), path: path.clone() };
            let texts = run.made().sha256_of(&path).ok_or_else(not_made)?;
            FileFacts { run, file, texts }.make(families).await
        });
        futures::stream::iter(units).buffered(run.threads).try_collect::<Vec<()>>().await?;
        Ok(())
    }
}
