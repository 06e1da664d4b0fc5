//! What each step removed, with documents that it dropped, cut and kept.

use maud::{Markup, html};
use pages::{
    Section,
    numbers::{grouped, percent_of},
};

use super::sample;
use crate::report::findings::{Fate, Findings, Group, Step};

/// Fates of a step that are shown without being asked for.
const FIRST: usize = 4;

pub fn section(findings: &Findings) -> Option<Section> {
    let steps: Vec<&Step> = findings.steps.iter().filter(|step| !step.groups.is_empty()).collect();
    if steps.is_empty() {
        return None;
    }
    // the one that took the most is open
    let most = steps.iter().map(|step| dropped(step)).max();
    let open = steps.iter().position(|step| Some(dropped(step)) == most);
    Some(Section {
        id: "removed",
        title: "What each step removed",
        says: "Read some of both sides before trusting a rule: what it drops should be what nobody would miss. Documents are drawn by \
               hash, so that the same are shown each time; the arrow keys turn the pages.",
        body: html! { @for (place, step) in steps.iter().enumerate() { (of_step(findings, step, Some(place) == open)) } },
    })
}

fn dropped(step: &Step) -> u64 {
    let dropped = step.groups.iter().filter(|group| matches!(group.fate, Fate::Dropped(_)));
    dropped.map(|group| group.documents).sum()
}

fn of_step(findings: &Findings, step: &Step, is_open: bool) -> Markup {
    let all: u64 = step.groups.iter().map(|group| group.documents).sum();
    let mut groups: Vec<&Group> = step.groups.iter().collect();
    // what was kept beside what was dropped for the most common reason
    groups.sort_by_key(|group| (matches!(group.fate, Fate::Dropped(_)), u64::MAX - group.documents));
    let (first, others) = groups.split_at(groups.len().min(FIRST));
    let cards = |groups: &[&Group]| html! { @for group in groups { (of_group(findings, step, group, all)) } };
    html! {
        details.step open[is_open] {
            summary {
                span.name { (step.stage) }
                " " span.soft { "dropped " (grouped(dropped(step))) " of " (grouped(all)) ", " (percent_of(dropped(step), all)) }
            }
            div.groups {
                (cards(first))
                @if !others.is_empty() {
                    details { summary { (others.len()) " more reasons" } div.groups { (cards(others)) } }
                }
            }
        }
    }
}

fn of_group(findings: &Findings, step: &Step, group: &Group, all: u64) -> Markup {
    let (class, verdict, name) = match &group.fate {
        Fate::Dropped(reason) => ("dropped", "dropped", reason.as_str()),
        Fate::Cut => ("cut", "kept, and cut", ""),
        Fate::Kept => ("kept", "kept", ""),
    };
    let label = format!("Documents of {}: {verdict} {name}", step.stage);
    html! {
        div class=(format!("group {class}")) {
            h3 { span.verdict { (verdict) } @if !name.is_empty() { " " code { (name) } } }
            p.soft { (grouped(group.documents)) " documents, " (percent_of(group.documents, all)) }
            (sample::pages(findings, group, &label))
        }
    }
}
