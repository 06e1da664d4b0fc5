//! What stages read: the files of the run as tables, texts, and scores as facts.

use std::sync::atomic::Ordering;

use datafusion::{
    common::internal_datafusion_err,
    prelude::{DataFrame, SessionContext, col},
};

use super::{context::Run, source_file::SourceFile};
use crate::{
    decide::Tables,
    error::{Error, InStage as _, Result},
    files::Inputs,
    learn::StoredModel,
    measure::{Family, FamilyConfig, ModelFile},
    source::read_table,
};

/// The name of the family of a classifier's scores.
pub fn score_name(classifier: &str) -> String {
    format!("score-{classifier}")
}

impl Run<'_> {
    /// The files of the run as tables of a session; those that are opened are noted in `inputs`.
    pub fn tables<'t>(&'t self, context: &'t SessionContext, inputs: &'t Inputs) -> Tables<'t> {
        let after_cuts = self.plan.after_cuts().map(|step| step.name.as_str());
        Tables {
            context,
            layout: &self.layout,
            parts: &self.parts,
            repeats: self.repeats.load(Ordering::Relaxed),
            after_cuts,
            indexes: &self.plan.indexes,
            inputs,
        }
    }

    /// The texts of all documents of some sources, in their stored order: `id` and `text`.
    pub async fn texts(&self, context: &SessionContext, sources: &[String], inputs: &Inputs) -> Result<DataFrame> {
        if self.plan.keep_documents {
            return self.tables(context, inputs).texts(sources).await.in_stage("read");
        }
        let mut all: Option<DataFrame> = None;
        for source in self.plan.sources.iter().filter(|source| sources.contains(&source.name)) {
            for file in SourceFile::all(source) {
                inputs.open(file.path)?;
                let texts = context
                    .read_table(read_table(file.reading()))
                    .and_then(|table| table.filter(col("text").is_not_null()))
                    .and_then(|table| table.select_columns(&["id", "text"]))
                    .in_stage("read")?;
                all = Some(match all {
                    Some(all) => all.union(texts).in_stage("read")?,
                    None => texts,
                });
            }
        }
        all.ok_or_else(|| internal_datafusion_err!("there is no source")).in_stage("read")
    }

    /// The parts of some sources.
    pub fn parts_of<'s>(&'s self, sources: &'s [String]) -> impl Iterator<Item = (&'s str, u32)> {
        sources.iter().flat_map(|source| {
            (0..self.parts.get(source).copied().unwrap_or_default()).map(move |part| (source.as_str(), part))
        })
    }

    /// The family of a classifier's scores.
    pub fn score_family(&self, classifier: &str) -> Result<Family> {
        let path = StoredModel::path(&self.layout.model(classifier));
        let not_trained =
            || Error::Classifier { name: classifier.to_owned(), message: "it has not been trained".to_owned() };
        let sha256 = self.made().sha256_of(&path).ok_or_else(not_trained)?;
        self.units.verify(std::slice::from_ref(&path))?;
        Ok(Family { name: score_name(classifier), config: FamilyConfig::Score(ModelFile { path, sha256 }) })
    }
}
