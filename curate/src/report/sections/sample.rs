//! Documents to look at, a few of each kind, to be paged through.

use std::ops::Range;

use maud::{Markup, html};
use pages::{
    excerpt::{beginning, ending, short},
    numbers::decimal,
};

use crate::report::findings::{Drawn, Findings, Group};

/// Bytes of HTML that the texts of all samples may take.
const ALL_TEXTS: usize = 200_000;

/// Bytes of HTML that one text may take.
const LONGEST_TEXT: usize = 1_200;

/// Characters of a URL, or of a value that a step wrote down.
const LONGEST_URL: usize = 90;
const LONGEST_VALUE: usize = 40;

/// Values that a step wrote down that are shown.
const MOST_VALUES: usize = 5;

/// Bytes that each of so many texts may take.
pub fn allowance(texts: usize) -> usize {
    LONGEST_TEXT.min(ALL_TEXTS / texts.max(1))
}

/// The documents that were drawn of a group, one page each.
pub fn pages(findings: &Findings, group: &Group, name: &str) -> Markup {
    let bytes = allowance(findings.shown());
    let shown: Vec<&Drawn> = group.drawn.iter().filter(|drawn| findings.texts.contains_key(&drawn.id)).collect();
    html! {
        @if !shown.is_empty() {
            div.pages role="group" aria-label=(name) {
                @for drawn in &shown { (page(findings, drawn, bytes)) }
            }
        }
    }
}

fn page(findings: &Findings, drawn: &Drawn, bytes: usize) -> Markup {
    let text = &findings.texts[&drawn.id];
    html! {
        article.sample {
            blockquote tabindex="0" {
                @match drawn.cuts.first() {
                    Some(cut) => (around(&text.beginning, cut, bytes)),
                    None => (both_ends(&text.beginning, text.bytes, bytes)),
                }
            }
            footer {
                @if let Some(url) = &text.url { span.url { (short(url, LONGEST_URL)) } " " }
                span { (text.source) ", " (decimal(text.bytes)) }
                @for (name, value) in drawn.details.iter().take(MOST_VALUES) { " " span.value { (name) " " (short(value, LONGEST_VALUE)) } }
                " " code { (drawn.id) }
            }
        }
    }
}

/// The beginning of a text, and its end where it is too long.
fn both_ends(text: &str, whole: u64, bytes: usize) -> Markup {
    let (all, is_longer) = beginning(text, bytes);
    if !is_longer && all.len() as u64 == whole {
        return html! { (all) };
    }
    let (begin, _) = beginning(text, bytes * 3 / 4);
    let is_known = text.len() as u64 == whole;
    let (end, _) = ending(&text[begin.len()..], if is_known { bytes / 4 } else { 0 });
    let left_out = whole - (begin.len() + end.len()) as u64;
    html! { (begin) (gap(left_out)) (end) }
}

/// What was cut out, with what stood around it.
fn around(text: &str, cut: &Range<u32>, bytes: usize) -> Markup {
    let (start, end) = (cut.start as usize, cut.end as usize);
    let (Some(before), Some(inner), Some(after)) = (text.get(..start), text.get(start..end), text.get(end..)) else {
        // it lies behind what was read
        return both_ends(text, text.len() as u64, bytes);
    };
    let (shown_before, _) = ending(before, bytes / 4);
    let (shown_after, _) = beginning(after, bytes / 4);
    let (shown_inner, is_longer) = beginning(inner, bytes / 2);
    html! {
        (gap((before.len() - shown_before.len()) as u64)) (shown_before)
        del { (shown_inner) @if is_longer { (gap((inner.len() - shown_inner.len()) as u64)) } }
        (shown_after) (gap((after.len() - shown_after.len()) as u64))
    }
}

/// A sign that something is left out.
pub fn gap(bytes: u64) -> Markup {
    html! { @if bytes > 0 { span.gap { " … " (decimal(bytes)) " … " } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many there are, they stay within the bound on all of them.
    #[test]
    fn all_texts_together_are_bounded() {
        for texts in [0, 1, 100, 320, 10_000] {
            assert!(allowance(texts) * texts <= ALL_TEXTS && allowance(texts) <= LONGEST_TEXT);
        }
    }

    #[test]
    fn markup_in_texts_takes_no_more_than_is_allowed() {
        let text = "<&\">".repeat(10_000);
        let shown = both_ends(&text, text.len() as u64, 400).into_string();
        assert!(shown.len() < 400 + 80, "{} bytes", shown.len());
        let shown = around(&text, &(100..30_000), 400).into_string();
        assert!(shown.contains("<del>") && shown.len() < 400 + 200, "{} bytes", shown.len());
    }
}
