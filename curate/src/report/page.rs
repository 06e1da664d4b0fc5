//! The report's page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    charts,
    findings::{Clusters, Findings, Mixture},
};
use crate::{
    decide::{ClusterAccount, Contamination},
    learn::{BINS, Card, Evaluation, Kind, Label},
};

const STYLE: &str = "
:root { color-scheme: light dark; --edge: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }
h1 { margin-bottom: 0; } h2 { border-bottom: 1px solid var(--edge); margin-top: 2.5rem; padding-bottom: .2rem; }
.facts { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; padding: 0; list-style: none; }
.facts li { background: var(--soft); border-radius: .5rem; padding: .6rem 1rem; }
.facts b { display: block; font-size: 1.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; } caption { text-align: left; padding: .3rem 0; }
th, td { border-bottom: 1px solid var(--edge); padding: .25rem .7rem; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.warning { border-left: .3rem solid #d55e00; padding-left: .7rem; }
pre { background: var(--soft); border-radius: .5rem; overflow-x: auto; padding: 1rem; }
a:focus-visible, summary:focus-visible { outline: 2px solid #0072b2; }
";

/// The page that shows `findings`.
pub fn page(findings: &Findings) -> Markup {
    let Findings { manifest, ledger, cards, scores, clusters, contaminations, mixtures, faults, seconds } = findings;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (manifest.name) " · curation report" }
                style { (PreEscaped(STYLE)) }
                (PreEscaped(charts::library()))
            }
            body {
                header {
                    h1 { (manifest.name) }
                    p { "seed " (manifest.seed) ", curate " (manifest.versions.get("curate").map_or("", String::as_str)) }
                    (headline(findings))
                }
                main {
                    section aria-labelledby="funnel-title" {
                        h2 id="funnel-title" { "Funnel" }
                        p { "Documents that each stage left, by source." }
                        (PreEscaped(charts::funnel(ledger)))
                        (stages(findings))
                    }
                    @if !scores.is_empty() {
                        section { h2 { "Scores" }
                            @for (number, scores) in scores.iter().enumerate() {
                                h3 { (scores.stage) }
                                (PreEscaped(charts::scores(number, scores)))
                                @if let Some(fitted) = &scores.fitted { p {
                                    "The shape " (fitted.alpha) " was chosen so that the scores of what is kept come closest to those of the "
                                    "reference: the shares below any score differ by up to " (format!("{:.3}", fitted.distance)) ", and by up to "
                                    (format!("{:.3}", fitted.distance_of_all)) " if all were kept. It keeps "
                                    (format!("{:.1} %", fitted.kept * 100.0)) "."
                                } }
                            }
                        }
                    }
                    @if !cards.is_empty() {
                        section { h2 { "Classifiers" } @for card in cards { (classifier(card)) } }
                    }
                    @if !findings.ledger.cleaning.is_empty() {
                        section { h2 { "Cleaning" } (cleaning(findings)) }
                    }
                    @if let Some(clusters) = clusters {
                        section { h2 { "Duplicates" } (duplicates(clusters)) }
                    }
                    @if !findings.ledger.cuts.is_empty() {
                        section { h2 { "Cuts" } (cuts(findings)) }
                    }
                    @if !contaminations.is_empty() {
                        section { h2 { "Benchmarks" } @for found in contaminations { (contamination(found)) } }
                    }
                    section { h2 { "Mixtures" }
                        @for (number, mixture) in mixtures.iter().enumerate() {
                            h3 { (mixture.name) }
                            (PreEscaped(charts::shares(number, mixture)))
                            (rows(findings, mixture))
                        }
                    }
                    @if !faults.is_empty() {
                        section { h2 { "Quarantine" }
                            div.wide { table {
                                caption { "Records that could not be read; the whole list is in " code { "quarantine/" } "." }
                                thead { tr { th { "source" } th { "file" } th.number { "offset" } th { "fault" } th { "what was found" } } }
                                tbody { @for (source, fault) in faults { tr {
                                    td { (source) } td { (fault.file) } td.number { (grouped(fault.offset)) } td { (fault.fault) }
                                    td { (fault.detail.as_deref().unwrap_or_default()) }
                                } } }
                            } }
                        }
                    }
                    section { h2 { "Time" }
                        div.wide { table {
                            caption { "Seconds of work for each stage, over all its units; units run side by side." }
                            thead { tr { th { "stage" } th.number { "seconds" } } }
                            tbody { @for (stage, seconds) in seconds {
                                tr { td { (stage) } td.number { (format!("{seconds:.1}")) } }
                            } }
                        } }
                    }
                    section { h2 { "Recipe" }
                        details { summary { "as it was run" } pre { code {
                            (serde_json::to_string_pretty(&manifest.recipe).unwrap_or_default())
                        } } }
                    }
                }
            }
        }
    }
}

/// The run in four numbers.
fn headline(findings: &Findings) -> Markup {
    let read = findings.ledger.stages.iter().filter(|entry| entry.stage == "read");
    let (mut records, mut broken, mut documents) = (0, 0, 0);
    for entry in read {
        records += entry.r#in;
        documents += entry.kept;
        broken += entry.quarantined.values().sum::<u64>();
    }
    let rows: u64 = findings.ledger.mixtures.iter().map(|entry| entry.rows).sum();
    html! { ul.facts {
        li { b { (grouped(records)) } "records read" }
        li { b { (grouped(documents)) } "documents" }
        li { b { (grouped(broken)) } "records broken" }
        li { b { (grouped(rows)) } "rows written" }
    } }
}

/// The ledger, stage by stage.
fn stages(findings: &Findings) -> Markup {
    html! { div.wide { table {
        caption { "The ledger: in = kept + dropped + quarantined. Sources that a stage left as they were are not shown." }
        thead { tr { th { "stage" } th { "source" } th.number { "in" } th.number { "kept" } th { "dropped or quarantined" } } }
        tbody { @for entry in findings.ledger.stages.iter().filter(|entry| entry.r#in > entry.kept || entry.stage == "read") { tr {
            td { (entry.stage) } td { (entry.source) }
            td.number { (grouped(entry.r#in)) } td.number { (grouped(entry.kept)) }
            td { @for (number, (reason, count)) in entry.dropped.iter().chain(&entry.quarantined).enumerate() {
                @if number > 0 { ", " }
                (reason) " " (grouped(*count))
            } }
        } } }
    } } }
}

/// What was done to texts before they were documents.
fn cleaning(findings: &Findings) -> Markup {
    html! { div.wide { table {
        caption { "What each cleaning took from the texts of a source, or hid in them." }
        thead { tr { th { "source" } th { "cleaning" } th.number { "texts" } th.number { "characters" } } }
        tbody { @for entry in &findings.ledger.cleaning { tr {
            td { (entry.source) } td { (entry.cleaning) }
            td.number { (grouped(entry.documents)) } td.number { (grouped(entry.characters)) }
        } } }
    } } }
}

/// Documents that are like others, before anything was dropped.
fn duplicates(clusters: &Clusters) -> Markup {
    let ClusterAccount {
        members, clusters: count, pairs_compared, pairs_alike, buckets_over_limit, pairs_left, ..
    } = clusters.account;
    html! {
        p {
            (grouped(members)) " documents stand in " (grouped(count)) " clusters of documents that are alike, over all sources and before
            any was dropped."
            @if pairs_compared > 0 {
                " " (grouped(pairs_compared)) " pairs of texts were compared, and " (grouped(pairs_alike)) " found alike."
            }
            @if pairs_left > 0 {
                " " (grouped(pairs_left)) " pairs were not compared: " (grouped(buckets_over_limit)) " bands had more documents than
                the limit."
            }
        }
        @if !clusters.largest.is_empty() {
            div.wide { table {
                caption { "The largest clusters, each by the id of one of its documents; " code { "curate why" } " says more of it." }
                thead { tr { th.number { "documents" } th { "id" } } }
                tbody { @for (id, size) in &clusters.largest {
                    tr { td.number { (grouped(u64::from(*size))) } td { code { (id) } } }
                } }
            } }
        }
    }
}

/// What was cut out of documents that stayed.
fn cuts(findings: &Findings) -> Markup {
    html! { div.wide { table {
        caption { "What each step cut out of documents that it kept. Where two cut the same, both count it." }
        thead { tr { th { "stage" } th { "source" } th.number { "documents" } th.number { "bytes" } } }
        tbody { @for entry in &findings.ledger.cuts { tr {
            td { (entry.stage) } td { (entry.source) }
            td.number { (grouped(entry.documents)) } td.number { (grouped(entry.bytes)) }
        } } }
    } } }
}

/// What documents share with benchmarks.
fn contamination(found: &Contamination) -> Markup {
    html! { div.wide { table {
        caption {
            "Examples of benchmarks that stood in documents, and what was cut out or dropped with them, by step " b { (found.stage) }
            "; which examples those are is listed in " code { "facts/contamination/" (found.stage) ".jsonl" } ". "
            @if found.common_runs > 0 {
                (grouped(found.common_runs)) " runs of words stood in too many documents to be leaks, and were left alone."
            }
        }
        thead { tr {
            th { "benchmark" } th.number { "examples" } th.number { "too short" } th.number { "found" } th.number { "as a whole" }
            th.number { "common alone" } th.number { "documents" } th.number { "bytes" }
        } }
        tbody { @for account in &found.benchmarks { tr {
            td { (account.benchmark) } td.number { (grouped(account.examples)) } td.number { (grouped(account.short)) }
            td.number { (grouped(account.found)) } td.number { (grouped(account.whole)) } td.number { (grouped(account.common)) }
            td.number { (grouped(account.documents)) } td.number { (grouped(account.bytes)) }
        } } }
    } } }
}

/// What a classifier was trained on, how well it does, and what it goes by.
fn classifier(card: &Card) -> Markup {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let held_out = &card.held_out;
    html! {
        h3 { "Classifier " (card.name) }
        @for warning in &card.warnings { p.warning { (warning) "." } }
        div.wide { table {
            caption { (kind(&card.kind)) "." }
            tbody {
                @for part in &card.trained_on { tr {
                    th { @match part.label { Label::Positive => "reference", Label::Negative => "to be told from it" } }
                    td { (part.source) ": " (grouped(part.documents)) " documents, " (grouped(part.passages)) " passages" }
                } }
                tr { th { "held out" } td { (grouped(held_out.positives)) " and " (grouped(held_out.negatives)) " documents" } }
                tr { th { "precision, recall, F1" }
                    td { (percent(held_out.precision)) ", " (percent(held_out.recall)) ", " (percent(held_out.f1)) } }
            }
        } }
        div.wide { table {
            caption { "Area under ROC, with what holds in 95 % of samples, beside a score that is the document's length." }
            thead { tr { th { "documents" } th.number { "of them good" } th.number { "area" } th.number { "interval" }
                th.number { "length alone" } th.number { "difference" } } }
            tbody {
                (areas("held out", held_out))
                @for labelled in &card.labelled { (areas(&labelled.file, &labelled.evaluation)) }
            }
        } }
        details { summary { "Scores and what they say" }
            div.wide { table {
                caption { "Held-out documents by score: how many there are of each source and language, and which share is of the reference, both sides "
                    "weighing the same." }
                thead { tr { th { "score" } @for bin in 0..BINS { th.number { (format!("{:.1}", bin as f64 / BINS as f64)) } } } }
                tbody {
                    tr { th { "mean score" } @for bin in &held_out.reliability { td.number { (format!("{:.2}", bin.score)) } } }
                    tr { th { "reference" } @for bin in &held_out.reliability { td.number { (format!("{:.2}", bin.positives)) } } }
                    @for scores in &card.scores { tr {
                        th { (scores.source) @if let Some(language) = &scores.language { ", " (language) } } @for count in scores.documents { td.number { (grouped(count)) } }
                    } }
                }
            } }
        }
        @if !card.largest_weights.is_empty() {
            details { summary { "Largest weights" }
                div.wide { table {
                    thead { tr { th { "what" } th.number { "weight" } th.number { "in the reference" } th.number { "in the rest" } } }
                    tbody { @for weight in &card.largest_weights { tr {
                        td { (weight.shown()) } td.number { (format!("{:+.3}", weight.weight)) }
                        td.number { (weight.in_positives.map(percent).unwrap_or_default()) }
                        td.number { (weight.in_negatives.map(percent).unwrap_or_default()) }
                    } } }
                } }
            }
        }
    }
}

/// What kind a classifier is.
fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Hashed { features, .. } => {
            let runs = if features.bigrams { " and runs of two" } else { "" };
            format!("Logistic regression on words{runs}, hashed into {} features", grouped(features.count() as u64))
        }
        Kind::Fasttext { config } => format!("fastText of width {}, runs of {} words", config.width, config.word_run),
        Kind::LoadedFasttext { model, label, .. } => format!("The label {label} of {}", model.display()),
        Kind::Statistics { .. } => "Logistic regression on shares of lines, marks and repetitions".to_owned(),
        Kind::Ensemble { of } => format!("The mean of {}", of.join(", ")),
    }
}

/// How well scores tell some documents from others.
fn areas(documents: &str, evaluation: &Evaluation) -> Markup {
    let interval = |[low, high]: [f64; 2]| format!("{low:.3} to {high:.3}");
    html! { tr {
        td { (documents) ": " (grouped(evaluation.positives + evaluation.negatives)) }
        td.number { (grouped(evaluation.positives)) }
        td.number { (format!("{:.3}", evaluation.roc_auc)) } td.number { (interval(evaluation.roc_auc_interval)) }
        td.number { (format!("{:.3}", evaluation.length_roc_auc)) } td.number { (interval(evaluation.above_length_interval)) }
    } }
}

/// What a mixture holds.
fn rows(findings: &Findings, mixture: &Mixture) -> Markup {
    html! { div.wide { table {
        caption { "rows = copies × templates" }
        thead { tr {
            th { "split" } th { "source" } th.number { "documents" } th.number { "copies" } th.number { "templates" }
            th.number { "rows" }
        } }
        tbody { @for entry in findings.ledger.mixtures.iter().filter(|entry| entry.mixture == mixture.name) { tr {
            td { (entry.split) } td { (entry.source) }
            td.number { (grouped(entry.documents)) } td.number { (grouped(entry.copies)) }
            td.number { (entry.templates) } td.number { (grouped(entry.rows)) }
        } } }
    } } }
}

/// A number with a thin space between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join("\u{202f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
