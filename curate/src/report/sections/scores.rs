//! Scores, and the share that a draw keeps at each.

use maud::html;
use pages::{
    Section,
    numbers::{percent, share},
    table::{Cell, Column, Table},
};

use crate::report::{
    findings::{Findings, SCORE_BINS, Scores},
    plots,
};

pub fn section(findings: &Findings) -> Option<Section> {
    let scored: Vec<(&str, &Scores)> =
        findings.steps.iter().filter_map(|step| Some((step.stage.as_str(), step.scores.as_ref()?))).collect();
    if scored.is_empty() {
        return None;
    }
    Some(Section {
        id: "scores",
        title: "Scores",
        says: "Bars count documents, on the left; the line and the points are shares, on the right. The more documents, the closer should the points lie to the line.",
        body: html! {
            @for (number, (stage, scores)) in scored.into_iter().enumerate() {
                h3 { (stage) }
                (plots::scores(number, stage, scores))
                @if let Some(fitted) = &scores.fitted { p {
                    "The shape " (fitted.alpha) " was chosen so that the scores of what is kept come closest to those of the reference: \
                     the shares below any score differ by up to " (format!("{:.3}", fitted.distance)) ", and by up to "
                    (format!("{:.3}", fitted.distance_of_all)) " if all were kept. It keeps " (percent(fitted.kept)) "."
                } }
                details { summary { "Scores in numbers" } (table(number, scores)) }
            }
        },
    })
}

fn table(number: usize, scores: &Scores) -> maud::Markup {
    let id = format!("scores-table-{number}");
    let rows = scores.kept.iter().zip(&scores.dropped).enumerate().map(|(bin, (kept, dropped))| {
        vec![
            Cell::decimal(bin as f64 / SCORE_BINS as f64, 3),
            Cell::count(*kept),
            Cell::count(*dropped),
            Cell::share(share(*kept, kept + dropped)),
        ]
    });
    let columns = ["score from", "kept", "dropped", "share kept"].map(Column::Numbers);
    let table = Table {
        id: &id,
        caption: html! { "Documents by score, each row up to the next." },
        columns: &columns,
        rows: rows.collect(),
    };
    html! { (table) }
}
