//! The evaluation in a sentence, with warnings, and a few numbers.

use std::collections::BTreeSet;

use maud::{Markup, html};
use pages::{numbers::grouped, tile};

use super::{
    against::SURE,
    data::{PageData, Run},
    warnings::warnings,
};

pub fn lead(data: &PageData) -> Markup {
    let tasks: BTreeSet<&str> = data.runs.iter().map(|run| run.task.as_str()).collect();
    let examples: u64 = data.runs.iter().map(Run::examples).sum();
    let skipped: u64 = data.runs.iter().map(Run::skips).sum();
    let cut: u64 = data.runs.iter().map(|run| run.cut[0]).sum();
    let leaked: u64 = data.runs.iter().filter_map(|run| run.clean.as_ref()).map(|clean| clean.leaked).sum();
    html! {
        p.verdict {
            b { (data.model) } " was asked " b { (grouped(examples)) } (plural(examples, " question of ", " questions of ")) b { (tasks.len()) }
            (plural(tasks.len() as u64, " task", " tasks")) ", in " b { (data.runs.len()) } (plural(data.runs.len() as u64, " run. ", " runs. "))
            @if skipped > 0 { (grouped(skipped)) " have no score. " }
            @if let Some(against) = &data.against {
                @let [better, worse] = told_apart(data);
                "Of the " b { (against.runs.len()) } " runs that it has in common with " b { (against.model) } ", it is better in " b { (better) }
                " and worse in " b { (worse) } "; the others cannot be told apart."
            }
        }
        @for warning in warnings(data) { p.warning { (warning) } }
        ul.tiles {
            (tile(&grouped(tasks.len() as u64), plural(tasks.len() as u64, "task", "tasks")))
            (tile(&grouped(data.runs.len() as u64), plural(data.runs.len() as u64, "run", "runs")))
            (tile(&grouped(examples), "examples scored"))
            (tile(&grouped(skipped), "without a score"))
            (tile(&grouped(cut), "prompts cut"))
            @if leaked > 0 { (tile(&grouped(leaked), "seen in training")) }
        }
        @if !data.version.is_empty() { p.soft { "train " (data.version) "; the same model, tasks and settings give the same figures." } }
    }
}

/// Runs in which this model is better than the other, and in which it is worse, at a chance of error of 5 %.
fn told_apart(data: &PageData) -> [usize; 2] {
    let runs = || data.against.iter().flat_map(|against| &against.runs).filter(|run| run.test.p_value < SURE);
    [runs().filter(|run| run.test.difference > 0.0).count(), runs().filter(|run| run.test.difference < 0.0).count()]
}

fn plural(count: u64, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}
