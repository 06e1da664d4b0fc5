//! Classifiers that have seen little.

use super::Warning;
use crate::{
    learn::{Card, Label},
    report::findings::Findings,
};

/// Documents of each side that a classifier should have seen.
const FEWEST: u64 = 100;

/// Classifiers that have seen few documents.
pub fn classifiers(findings: &Findings) -> Vec<Warning> {
    let warning = |card: &Card| {
        let of = |label| card.trained_on.iter().filter(|of| of.label == label).map(|of| of.documents).sum::<u64>();
        let (positive, negative) = (of(Label::Positive), of(Label::Negative));
        // what was trained elsewhere, or brings others together, has seen none here
        (!card.trained_on.is_empty() && positive.min(negative) < FEWEST).then(|| {
            let message = format!(
                "it has seen {positive} documents of the reference and {negative} of the rest: with fewer than {FEWEST}, scores are rough"
            );
            Warning { about: format!("classifier {}", card.name), message }
        })
    };
    findings.cards.iter().filter_map(warning).collect()
}
