//! The sections of a comparison.

use maud::html;
use pages::{
    Section,
    excerpt::short,
    numbers::percent,
    table::{Cell, Column, Table},
};

use super::{Comparison, difference::Difference, figures::Topic, value::Value};
use crate::report::plots;

/// Characters of a setting that are shown.
const LONGEST_SETTING: usize = 160;

/// The topics with their places on the page, their titles and how to read them.
const TOPICS: [(Topic, &str, &str, &str); 14] = [
    (Topic::Run, "run", "Run", "What each run came to."),
    (Topic::Stages, "stages", "Stages", "Documents that each stage kept of each source."),
    (Topic::Reasons, "reasons", "Reasons", "Documents dropped or quarantined, over all sources."),
    (Topic::Sources, "sources", "Sources", "What each source had, and what all steps kept of it."),
    (Topic::Languages, "languages", "Languages", "Documents kept, of the languages with the most documents."),
    (Topic::Hosts, "hosts", "Hosts", "Documents kept, of the hosts with the most documents."),
    (Topic::Scores, "scores", "Scores", "What draws and thresholds kept by score."),
    (
        Topic::Classifiers,
        "classifiers",
        "Classifiers",
        "How well they tell one side from the other; an area of one half is chance.",
    ),
    (Topic::Duplicates, "duplicates", "Duplicates", "Clusters, over all sources and before anything was dropped."),
    (Topic::Cleaning, "cleaning", "Cleaning", "What was taken out of texts as they were read."),
    (Topic::Cuts, "cuts", "Cuts", "What was cut out of documents that stayed."),
    (Topic::Benchmarks, "benchmarks", "Benchmarks", "Examples that stood in documents."),
    (Topic::Mixtures, "mixtures", "Mixtures", "Rows written, and shares of the training split."),
    (
        Topic::Time,
        "time",
        "Time and memory",
        "Seconds of work. They differ from run to run, also where nothing else does.",
    ),
];

pub fn sections(comparison: &Comparison) -> Vec<Section> {
    let mut sections = vec![recipe(comparison)];
    for (topic, id, title, says) in TOPICS {
        let figures: Vec<&Difference> = comparison.differences.iter().filter(|figure| figure.topic == topic).collect();
        if figures.is_empty() {
            continue;
        }
        let differing = figures.iter().filter(|figure| figure.differs()).count();
        let body = html! {
            @match topic {
                Topic::Stages => (plots::kept_by_stage(&comparison.first.ledger, &comparison.second.ledger)),
                Topic::Scores => (scores(comparison)),
                _ => {}
            }
            (table(id, differing, &figures))
        };
        sections.push(Section { id, title, says, body });
    }
    sections
}

fn recipe(comparison: &Comparison) -> Section {
    let setting = |value: &Option<String>| match value {
        Some(value) => Cell::words(short(value, LONGEST_SETTING)),
        None => Cell::Words(html! { span.soft { "not there" } }),
    };
    let rows: Vec<_> = comparison
        .changes
        .iter()
        .map(|change| vec![Cell::code(&change.key), setting(&change.first), setting(&change.second)])
        .collect();
    let body = if rows.is_empty() {
        html! { p { "Both runs have the same recipe, seed, programs and inputs." } }
    } else {
        let columns = [Column::Words("setting"), Column::Words("in A"), Column::Words("in B")];
        let caption =
            html! { "Settings, programs and inputs that are not the same; of inputs, the beginning of their SHA-256." };
        let table = Table { id: "changes", caption, columns: &columns, rows };
        html! { (table) }
    };
    Section {
        id: "recipe",
        title: "Recipe",
        says: "What was changed. Every other difference on this page follows from it, or from the programs and inputs named here.",
        body,
    }
}

fn scores(comparison: &Comparison) -> maud::Markup {
    let both = comparison.first.steps.iter().filter_map(|step| {
        let other = comparison.second.steps.iter().find(|other| other.stage == step.stage)?;
        Some((step.stage.as_str(), step.scores.as_ref()?, other.scores.as_ref()?))
    });
    html! { @for (number, (stage, first, second)) in both.enumerate() {
        h3 { (stage) }
        (plots::kept_scores(number, stage, first, second))
    } }
}

/// Figures side by side: those that differ stand out.
fn table(id: &str, differing: usize, figures: &[&Difference]) -> maud::Markup {
    let value = |value: Option<Value>| value.map_or(Cell::Empty, |value| Cell::Number(value.shown(), value.number()));
    let rows = figures.iter().map(|figure| {
        let name =
            if figure.differs() { Cell::Words(html! { b { (figure.name) } }) } else { Cell::words(&figure.name) };
        let apart = match (figure.first, figure.second) {
            (Some(first), Some(second)) if figure.differs() => {
                Cell::Number(figure.apart().unwrap_or_default(), second.number() - first.number())
            }
            (Some(_), Some(_)) => Cell::Number("same".to_owned(), 0.0),
            (None, _) => Cell::Words(html! { b { "in B alone" } }),
            (_, None) => Cell::Words(html! { b { "in A alone" } }),
        };
        let relative = figure.relative().map_or(Cell::Empty, |share| {
            let sign = if share > 0.0 { "+" } else { "" };
            Cell::Number(format!("{sign}{}", percent(share)).replace('-', "−"), share)
        });
        vec![name, value(figure.first), value(figure.second), apart, relative]
    });
    let table_id = format!("{id}-table");
    let columns = [
        Column::Words("what"),
        Column::Numbers("A"),
        Column::Numbers("B"),
        Column::Numbers("difference"),
        Column::Numbers("change"),
    ];
    let table = Table {
        id: &table_id,
        caption: html! { (differing) " of " (figures.len()) " figures differ." },
        columns: &columns,
        rows: rows.collect(),
    };
    html! { (table) }
}
