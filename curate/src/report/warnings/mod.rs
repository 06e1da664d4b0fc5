//! What whoever gave a run would want to know of it first: what limits a mixture and what is left unused for it, a step that leaves next to
//! nothing of a source, a classifier that has seen little, sources that nothing comes of.
//!
//! All of it follows from what the run counted: its ledger, the accounts of mixtures and benchmarks, the cards of classifiers.

mod classifiers;
mod mixtures;
mod sources;
mod steps;

use std::fmt;

use maud::{Markup, html};

use super::findings::Findings;

/// Something that whoever gave the run would want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What it is about: a mixture, a step, a classifier, a source or a benchmark, by name.
    pub about: String,
    /// What is so, and which change would help.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.about, self.message)
    }
}

/// All that there is to say of a run.
pub fn warnings(findings: &Findings) -> Vec<Warning> {
    [
        mixtures::mixtures(findings),
        mixtures::splits(findings),
        steps::steps(findings),
        classifiers::classifiers(findings),
        sources::sources(findings),
        sources::benchmarks(findings),
    ]
    .concat()
}

/// The list above the sections of the report.
pub fn list(warnings: &[Warning]) -> Markup {
    html! {
        @for warning in warnings {
            p.warning {
                b { (warning.about) } ": "
                // names stand between grave accents
                @for (number, part) in warning.message.split('`').enumerate() {
                    @if number % 2 == 1 { code { (part) } } @else { (part) }
                }
                "."
            }
        }
    }
}
