//! The documents that a classifier is trained on.

use datafusion::{
    arrow::array::{AsArray as _, RecordBatch},
    prelude::{DataFrame, SessionContext},
};

use crate::{
    decide,
    error::{InStage as _, Result},
    files::Inputs,
    learn::{Document, Label},
    recipe::ClassifierPlan,
    run::context::Run,
};

/// The documents of one side, as a table; nothing where the side has no source.
pub async fn sample(
    run: &Run<'_>,
    context: &SessionContext,
    inputs: &Inputs,
    classifier: &ClassifierPlan,
    label: Label,
) -> Result<Option<DataFrame>> {
    let is_positive = label == Label::Positive;
    let sources = if is_positive { &classifier.positive } else { &classifier.negative };
    if sources.is_empty() {
        return Ok(None);
    }
    let languages = run.plan.family("language");
    let language = classifier.language.as_deref().and_then(|language| Some((languages?, language)));
    let linked = classifier.linked.as_ref().and_then(|rule| {
        let keeps = if is_positive { rule.keeps() } else { !rule.keeps() };
        run.plan.family("links").map(|family| (family, keeps))
    });
    let wanted = decide::Sampled { language, languages, linked, count: classifier.documents };
    let sample = decide::sample(run.tables(context, inputs), sources, wanted, run.plan.seed).await;
    sample.in_stage(&classifier.name).map(Some)
}

/// The documents of one side by the rows of its table, sorted by id.
pub fn sampled(batches: &[RecordBatch], label: Label) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    for batch in batches {
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
    documents
}
