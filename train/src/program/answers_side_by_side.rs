//! Answers to a prompt, side by side on a page.

use maud::{Markup, html};
use pages::excerpt::{beginning, ending};

/// Bytes of HTML that a prompt and an answer may take.
const LONGEST_PROMPT: usize = 600;
const LONGEST_ANSWER: usize = 1200;

/// An answer under its heading.
pub(super) struct Headed<'a> {
    /// Who gave it, or when.
    pub heading: String,
    /// The answer.
    pub answer: &'a str,
}

/// A prompt that opens on the answers to it; both are cut where they are long.
///
/// - `below`: what else is to be said
pub(super) fn answers_side_by_side(
    prompt: &str,
    is_open: bool,
    answers: &[Headed<'_>],
    below: Option<String>,
) -> Markup {
    let (end, is_longer) = ending(prompt, LONGEST_PROMPT);
    html! {
        details.step open[is_open] {
            summary { @if is_longer { span.gap { "… " } } span.name { (end) } }
            div.groups { @for Headed { heading, answer } in answers {
                div.group {
                    h3 { (heading) }
                    p.answer { (shown(answer)) }
                }
            } }
            @if let Some(below) = below { p.soft { (below) } }
        }
    }
}

/// An answer, cut where it is long; something to see where it is empty.
fn shown(text: &str) -> Markup {
    let (shown, is_longer) = beginning(text.trim(), LONGEST_ANSWER);
    // what no page can hold is seen to be there
    let visible =
        |letter: char| if letter.is_control() && !matches!(letter, '\n' | '\t') { '\u{fffd}' } else { letter };
    let shown: String = shown.chars().map(visible).collect();
    html! {
        @if shown.is_empty() && !is_longer { span.gap { "nothing" } }
        (shown) @if is_longer { span.gap { " …" } }
    }
}
