//! The forms of rows, by their columns, and which program learns from each: what a reader says of rows that are another's.

use schemas::columns::{
    ANSWERS, CHOSEN, COMPLETION, MESSAGES, POSITIVE, PROMPT, QUERY, RANKS, REJECTED, SEQUENCES, TEXT,
};

/// What rows with `messages` are.
pub(super) const CONVERSATIONS: &str = "conversations (`messages`), which `train tune` takes";

/// Columns that rows of a form have, what the rows are, and which program learns from them. Of several forms the first counts.
const FORMS: [(&[&str], &str); 8] = [
    (&[SEQUENCES], "sequences with labels, which `train classify` takes"),
    (&[MESSAGES], CONVERSATIONS),
    (&[PROMPT, COMPLETION], "prompts with completions, which `train tune` takes"),
    (&[COMPLETION], "completions, which `train tune` takes"),
    (&[ANSWERS, RANKS], "ranked answers, which `train reward` and `train dpo` take"),
    (&[CHOSEN, REJECTED], "better and worse answers, which `train reward` and `train dpo` take"),
    (&[QUERY, POSITIVE], "questions with passages, from which no program learns yet"),
    (&[TEXT], "texts, which `train pretrain` takes"),
];

/// The form of rows with some columns, in words; none where it is no known one.
pub(super) fn form(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    FORMS.iter().find(|(columns, _)| columns.iter().all(|column| has(column))).map(|(_, form)| *form)
}

/// What is wrong with a file or a line that has other columns than a reader wants: which it has, and which program takes those.
///
/// - `misses`: what is not among them, in words
/// - `otherwise`: what is said of columns that are those of no form
pub(super) fn other_form(misses: &str, columns: &[&str], otherwise: &str) -> String {
    let what = form(|name| columns.contains(&name)).map(|form| format!(": its rows are {form}"));
    let shown: Vec<String> = columns.iter().take(8).map(|column| format!("`{column}`")).collect();
    let shown = if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") };
    format!("it has {misses}, but {shown}{}", what.as_deref().unwrap_or(otherwise))
}
