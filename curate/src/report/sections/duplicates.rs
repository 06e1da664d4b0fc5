//! Near-duplicates, and some of them side by side.

use maud::{Markup, html};
use pages::{
    Section,
    excerpt::{beginning, ending, short},
    numbers::{decimal, grouped},
    table::{Cell, Column, Table},
};

use crate::{
    decide::ClusterAccount,
    report::{
        differences::{Piece, differences},
        findings::{Clusters, Findings, Pair, Text},
        plots,
    },
};

/// Pairs that are shown, at most.
const SHOWN: usize = 8;

/// Bytes of a text that is compared.
const COMPARED: usize = 6_000;

/// Bytes of HTML that each side of a pair may take.
const LONGEST_SIDE: usize = 1_500;

/// Bytes of what is the same that stand beside a difference.
const CONTEXT: usize = 120;

pub fn section(findings: &Findings) -> Option<Section> {
    let clusters = findings.clusters.as_ref()?;
    let pairs = pairs(findings, clusters);
    Some(Section {
        id: "duplicates",
        title: "Duplicates",
        says: "Clusters reach over all sources, and were found before anything was dropped. Look for pairs that only share a template: \
               they are the price of the threshold.",
        body: html! {
            (account(&clusters.account))
            @if let Some(chart) = plots::cluster_sizes(clusters) { (chart) }
            @if !clusters.largest.is_empty() { (largest(clusters)) }
            @if !pairs.is_empty() {
                h3 { "Side by side" }
                p { "The document with the smallest id of a cluster, and another one, drawn by hash. "
                    del { "Struck words" } " stand in the first alone, " ins { "underlined words" } " in the second alone." }
                div.pages role="group" aria-label="Pairs of near-duplicates" { @for pair in pairs { (pair) } }
            }
        },
    })
}

/// What was counted.
fn account(account: &ClusterAccount) -> Markup {
    let ClusterAccount { members, clusters, pairs_compared, pairs_alike, buckets_over_limit, pairs_left, .. } =
        *account;
    html! { p {
        (grouped(members)) " documents stand in " (grouped(clusters)) " clusters of near-duplicates."
        @if pairs_compared > 0 {
            " " (grouped(pairs_compared)) " pairs of texts were compared, and " (grouped(pairs_alike)) " are near-duplicates."
        }
        @if pairs_left > 0 {
            " " (grouped(pairs_left)) " pairs were not compared: " (grouped(buckets_over_limit)) " bands had more documents than the limit."
        }
    } }
}

fn largest(clusters: &Clusters) -> Markup {
    let rows = clusters.largest.iter().map(|(id, size)| vec![Cell::code(id), Cell::count(u64::from(*size))]);
    let table = Table {
        id: "largest",
        caption: html! { "The largest clusters, each by the id of one of its documents; " code { "curate why" } " says more of it." },
        columns: &[Column::Words("id"), Column::Numbers("documents")],
        rows: rows.collect(),
    };
    html! { (table) }
}

/// The pairs to show: those that differ first.
fn pairs(findings: &Findings, clusters: &Clusters) -> Vec<Markup> {
    let found = clusters
        .pairs
        .iter()
        .filter_map(|pair| Some((pair, findings.texts.get(&pair.first)?, findings.texts.get(&pair.second)?)));
    let (mut other, mut same) = (Vec::new(), Vec::new());
    for (pair, first, second) in found {
        let pieces = differences(beginning(&first.beginning, COMPARED).0, beginning(&second.beginning, COMPARED).0);
        let is_same = pieces.iter().all(|piece| matches!(piece, Piece::Same(_)));
        if is_same { &mut same } else { &mut other }.push(side_by_side(pair, first, second, &pieces, is_same));
    }
    other.extend(same);
    other.truncate(SHOWN);
    other
}

fn side_by_side(pair: &Pair, first: &Text, second: &Text, pieces: &[Piece], is_same: bool) -> Markup {
    html! {
        article.pair {
            p.soft { "A cluster of " (grouped(u64::from(pair.members))) " documents"
                @if is_same { "; the beginnings of these two are the same, word by word" } "." }
            div.sides {
                (side(&pair.first, first, pieces, |piece| matches!(piece, Piece::First(_))))
                (side(&pair.second, second, pieces, |piece| matches!(piece, Piece::Second(_))))
            }
        }
    }
}

/// The first and the last words, so many bytes of each.
fn both_ends(words: &str, bytes: usize) -> (&str, &str) {
    let begin = beginning(words, bytes).0;
    let begin = begin.rsplit_once(' ').map_or(begin, |(begin, _)| begin);
    let end = ending(&words[begin.len()..], bytes).0;
    (begin, end.split_once(' ').map_or(end, |(_, end)| end))
}

/// One text, with what the other one has not.
fn side(id: &str, text: &Text, pieces: &[Piece], is_own: fn(&Piece) -> bool) -> Markup {
    let mut left = LONGEST_SIDE;
    let mut shown = Vec::new();
    let own = pieces.iter().filter(|piece| matches!(piece, Piece::Same(_)) || is_own(piece));
    for piece in own {
        let (words, limit) = match piece {
            Piece::Same(words) => (words, left.min(2 * CONTEXT)),
            Piece::First(words) | Piece::Second(words) => (words, left.min(LONGEST_SIDE / 3)),
        };
        let (begin, is_longer) = beginning(words, limit);
        let (begin, end) = if is_longer { both_ends(words, limit / 2) } else { (begin, "") };
        left -= limit.min(begin.len() + end.len());
        let words = html! { (begin) @if is_longer { span.gap { " … " } (end) } };
        shown.push(match piece {
            Piece::Same(_) => html! { (words) " " },
            Piece::First(_) => html! { del { (words) } " " },
            Piece::Second(_) => html! { ins { (words) } " " },
        });
        if left < CONTEXT {
            shown.push(html! { span.gap { "…" } });
            break;
        }
    }
    html! {
        div.sample {
            blockquote tabindex="0" { @for piece in shown { (piece) } }
            footer {
                @if let Some(url) = &text.url { span.url { (short(url, 90)) } " " }
                span { (text.source) ", " (decimal(text.bytes)) } " " code { (id) }
            }
        }
    }
}
