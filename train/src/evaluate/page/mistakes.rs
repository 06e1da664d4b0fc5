//! The worst mistakes of each run: what was asked, what was answered, and what would have been right.

use maud::{Markup, html};
use pages::{
    Section,
    excerpt::{beginning, ending, short},
    numbers::{decimal, percent},
};

use super::{
    data::{Mistake, PageData, Run},
    names,
    scores::{demonstrations, metric},
};

/// Mistakes of a run that are shown, at most.
pub const MISTAKES: usize = 5;

/// Runs of a task whose mistakes are shown, at most.
const MOST_RUNS: usize = 6;

/// Bytes of HTML that all texts may take, and the texts of one mistake: its prompt, and each answer.
const ALL_TEXTS: usize = 300_000;
const LONGEST_PROMPT: usize = 1_500;
const LONGEST_ANSWER: usize = 400;

/// Right answers that are shown, at most.
const MOST_RIGHT: usize = 3;

/// Characters of an id, at most.
const LONGEST_ID: usize = 60;

/// - `most`: tasks whose mistakes are shown
pub fn section(data: &PageData, most: usize) -> Option<Section> {
    let mut tasks: Vec<Vec<&Run>> = Vec::new();
    for run in data.runs.iter().filter(|run| !run.mistakes.is_empty()) {
        match tasks.iter_mut().find(|task| task[0].is_of(run)) {
            Some(task) if task.len() < MOST_RUNS => task.push(run),
            Some(_) => {}
            None => tasks.push(vec![run]),
        }
    }
    if tasks.is_empty() {
        return None;
    }
    let left_out = tasks.len().saturating_sub(most);
    tasks.truncate(most);
    let mistakes: usize = tasks.iter().flatten().map(|run| run.mistakes.len().min(MISTAKES)).sum();
    let share = (ALL_TEXTS / mistakes).min(LONGEST_PROMPT + 2 * LONGEST_ANSWER);
    Some(Section {
        id: "mistakes",
        title: "Worst mistakes",
        says: "Of each run the examples that it has most wrong, and of those the ones of which the model was most sure. Look whether the prompt asks \
               what it should, whether the right answer is right, and whether an answer is wrong or only put otherwise.",
        body: html! {
            @for (number, task) in tasks.iter().enumerate() { (of_task(data, task, share, number == 0)) }
            @if left_out > 0 { p.soft { (left_out) " more tasks are left out." } }
        },
    })
}

fn of_task(data: &PageData, runs: &[&Run], bytes: usize, is_open: bool) -> Markup {
    let name = runs[0].name(&data.runs);
    html! {
        details.step open[is_open] {
            summary {
                span.name { (names::breakable(&name)) }
                @if let Some(own) = runs[0].own() { " " span.soft { (metric(Some(own))) } }
            }
            div.groups { @for run in runs {
                @let shown = demonstrations(&run.shots);
                div.group {
                    h3 { (shown) }
                    @if let Some(own) = run.own() { p.soft { (own.written()) } }
                    div.pages role="group" aria-label=(format!("Mistakes of {name} with {shown}")) {
                        @for mistake in run.mistakes.iter().take(MISTAKES) { (of_example(run, mistake, bytes)) }
                    }
                }
            } }
        }
    }
}

fn of_example(run: &Run, mistake: &Mistake, bytes: usize) -> Markup {
    let [prompt, answer] =
        [LONGEST_PROMPT, LONGEST_ANSWER].map(|most| most * bytes / (LONGEST_PROMPT + 2 * LONGEST_ANSWER));
    let score = run.own().map_or_else(|| format!("{:.2}", mistake.score), |own| own.unit.written(mistake.score));
    let probability = |place: usize| mistake.probabilities.map(|both| percent(both[place]));
    let (shown, is_longer) = ending(&mistake.prompt, prompt);
    html! {
        article.sample {
            blockquote tabindex="0" {
                @if is_longer { span.gap { "… " (decimal((mistake.prompt.len() - shown.len()) as u64)) " before … " } }
                (shown)
            }
            div.groups {
                div.group.dropped {
                    h3 { span.verdict { "answered" } }
                    p { (text(&mistake.answer, answer)) }
                    @if let Some(probability) = probability(0) { p.soft { "probability " (probability) } }
                }
                div.group.kept {
                    h3 { span.verdict { "right" } }
                    @for right in mistake.right.iter().take(MOST_RIGHT) { p { (text(right, answer / MOST_RIGHT.min(mistake.right.len()))) } }
                    @if mistake.right.len() > MOST_RIGHT { p.soft { "or " (mistake.right.len() - MOST_RIGHT) " others" } }
                    @if let Some(probability) = probability(1) { p.soft { "probability " (probability) } }
                }
            }
            footer { "score " (score) " " code { (short(&mistake.id, LONGEST_ID)) } }
        }
    }
}

/// A text, cut where it is long; something to see where it is empty.
fn text(text: &str, bytes: usize) -> Markup {
    let (shown, is_longer) = beginning(text.trim(), bytes);
    html! {
        @if shown.is_empty() && !is_longer { span.gap { "nothing" } }
        (shown) @if is_longer { span.gap { " …" } }
    }
}
