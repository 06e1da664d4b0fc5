//! The classifiers' cards: what they were trained on, how well they do, and what they go by.

use maud::{Markup, html};
use pages::{
    Section,
    numbers::{grouped, percent},
    table::{Cell, Column, Table},
};

use crate::{
    learn::{BINS, Card, Evaluation, Kind, Label},
    report::{findings::Findings, plots},
};

/// Sources and languages whose scores are listed, at most: those of the most documents.
const MOST_SCORED: usize = 24;

pub fn section(findings: &Findings) -> Option<Section> {
    if findings.cards.is_empty() {
        return None;
    }
    Some(Section {
        id: "classifiers",
        title: "Classifiers",
        says: "An area of one half is chance, and 1 is perfect. A score that does no better than the document's length has learnt \
               nothing else.",
        body: html! { @for (number, card) in findings.cards.iter().enumerate() { (of_card(findings, number, card)) } },
    })
}

fn of_card(findings: &Findings, number: usize, card: &Card) -> Markup {
    let held_out = &card.held_out;
    html! {
        h3 { (card.name) }
        @for warning in &card.warnings { p.warning { (warning) "." } }
        p { (kind(&card.kind)) ". On held-out documents: precision " (figure(held_out.precision)) ", recall "
            (figure(held_out.recall)) ", F1 " (figure(held_out.f1)) "." }
        @if let Some(of_nothing) = card.score_of_nothing { p {
            "A text of nothing would score " (format!("{of_nothing:.3}")) "; documents of which it knows less than "
            (percent(card.min_known)) " of the words and n-grams have no score, " (grouped(held_out.unscored)) " of those held out among them."
        } }
        @if let Some(chart) = plots::held_out(number, card, &findings.ledger) { (chart) }
        (areas(number, card))
        @if !card.trained_on.is_empty() { (trained_on(number, card)) }
        @if !held_out.reliability.is_empty() { details { summary { "Scores and what they say" } (reliability(number, card)) } }
        @if !card.largest_weights.is_empty() { details { summary { "Largest weights" } (weights(number, card)) } }
    }
}

/// A share in percent, or that there is none.
fn figure(share: Option<f64>) -> String {
    share.map_or_else(|| "none".to_owned(), percent)
}

/// What kind a classifier is.
fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Hashed { features, .. } => {
            let bigrams = if features.bigrams { " and bigrams" } else { "" };
            format!("Logistic regression on words{bigrams}, hashed into {} features", grouped(features.count() as u64))
        }
        Kind::Fasttext { config } => {
            format!("fastText of {} dimensions, word n-grams up to {}", config.dim, config.word_ngrams)
        }
        Kind::LoadedFasttext { model, label, .. } => format!("The label {label} of {}", model.display()),
        Kind::Statistics { .. } => "Logistic regression on shares of lines, punctuation and repetition".to_owned(),
        Kind::Ensemble { of } => format!("The mean of {}", of.join(", ")),
    }
}

/// How well scores tell some documents from others.
fn areas(number: usize, card: &Card) -> Markup {
    let interval = |interval: Option<[f64; 2]>| match interval {
        Some([low, high]) => Cell::Number(format!("{low:.3} to {high:.3}"), low),
        None => Cell::Empty,
    };
    let row = |documents: &str, evaluation: &Evaluation| {
        vec![
            Cell::words(documents),
            Cell::count(evaluation.positives + evaluation.negatives),
            Cell::count(evaluation.positives),
            Cell::decimal(evaluation.roc_auc, 3),
            interval(evaluation.roc_auc_interval),
            Cell::decimal(evaluation.length_roc_auc, 3),
            interval(evaluation.above_length_interval),
        ]
    };
    let labelled = card.labelled.iter().map(|labelled| row(&labelled.file, &labelled.evaluation));
    let id = format!("areas-{number}");
    let table = Table {
        id: &id,
        caption: html! { "Area under ROC, with what holds in 95 % of samples, beside a score that is the document's length. There is none where \
        the documents are of one side." },
        columns: &[
            Column::Words("which"),
            Column::Numbers("documents"),
            Column::Numbers("good"),
            Column::Numbers("area"),
            Column::Numbers("interval"),
            Column::Numbers("length alone"),
            Column::Numbers("difference"),
        ],
        rows: std::iter::once(row("held out", &card.held_out)).chain(labelled).collect(),
    };
    html! { (table) }
}

fn trained_on(number: usize, card: &Card) -> Markup {
    let id = format!("trained-on-{number}");
    let rows = card.trained_on.iter().map(|part| {
        let side = match part.label {
            Label::Positive => "reference",
            Label::Negative => "to be told from it",
        };
        vec![Cell::words(&part.source), Cell::words(side), Cell::count(part.documents), Cell::count(part.chunks)]
    });
    let table = Table {
        id: &id,
        caption: html! { "What it was trained on. A tenth of the documents was held out of it." },
        columns: &[
            Column::Words("source"),
            Column::Words("side"),
            Column::Numbers("documents"),
            Column::Numbers("chunks"),
        ],
        rows: rows.collect(),
    };
    html! { (table) }
}

fn reliability(number: usize, card: &Card) -> Markup {
    let heads: Vec<String> = (0..BINS).map(|bin| format!("{:.1}", bin as f64 / BINS as f64)).collect();
    let columns: Vec<Column<'_>> =
        [Column::Words("score from")].into_iter().chain(heads.iter().map(|head| Column::Numbers(head))).collect();
    let bins = &card.held_out.reliability;
    let mut rows = vec![
        [Cell::words("mean score")].into_iter().chain(bins.iter().map(|bin| Cell::decimal(bin.score, 2))).collect(),
        [Cell::words("reference")].into_iter().chain(bins.iter().map(|bin| Cell::decimal(bin.positives, 2))).collect(),
    ];
    let mut scored: Vec<_> = card.scores.iter().collect();
    scored.sort_by_key(|scores| std::cmp::Reverse(scores.documents.iter().sum::<u64>()));
    rows.extend(scored.into_iter().take(MOST_SCORED).map(|scores| {
        let language = scores.language.iter().map(|language| format!(", {language}")).collect::<String>();
        let name = Cell::words(format!("{}{language}", scores.source));
        [name].into_iter().chain(scores.documents.iter().map(|count| Cell::count(*count))).collect::<Vec<_>>()
    }));
    let id = format!("reliability-{number}");
    let table = Table {
        id: &id,
        caption: html! { "Held-out documents by score: which share is of the reference, both sides weighing the same, and how many there are of \
        each source and language." },
        columns: &columns,
        rows,
    };
    html! { (table) }
}

fn weights(number: usize, card: &Card) -> Markup {
    let id = format!("weights-{number}");
    let rows = card.largest_weights.iter().map(|weight| {
        vec![
            Cell::words(weight.shown()),
            Cell::Number(format!("{:+.3}", weight.weight), weight.weight),
            Cell::share(weight.in_positives),
            Cell::share(weight.in_negatives),
        ]
    });
    let table = Table {
        id: &id,
        caption: html! { "What weighs most for the reference and against it, with the shares of chunks that have it." },
        columns: &[
            Column::Words("what"),
            Column::Numbers("weight"),
            Column::Numbers("in the reference"),
            Column::Numbers("in the rest"),
        ],
        rows: rows.collect(),
    };
    html! { (table) }
}
