//! Sources and benchmarks that nothing comes of.

use schemas::ledger::is_mixture_stage;

use super::Warning;
use crate::{decide::BenchmarkAccount, recipe::unused_sources, report::findings::Findings};

/// Sources that nothing comes of.
pub fn sources(findings: &Findings) -> Vec<Warning> {
    let stages = || findings.ledger.stages.iter();
    let mixed = stages().filter(|entry| is_mixture_stage(&entry.stage)).map(|entry| entry.source.as_str()).collect();
    let read = stages().filter(|entry| entry.stage == "read").map(|entry| entry.source.as_str());
    let unused = unused_sources(&findings.manifest.recipe, read, &mixed).into_iter();
    let message = "it is read, and stands in no mixture";
    unused.map(|source| Warning { about: format!("source {source}"), message: message.to_owned() }).collect()
}

/// Benchmarks of which nothing was found.
pub fn benchmarks(findings: &Findings) -> Vec<Warning> {
    let warning = |account: &BenchmarkAccount| {
        let BenchmarkAccount { benchmark, examples, short, found, common, .. } = account;
        let message = match (examples - short, found + common) {
            (0, _) => {
                format!("all of its {examples} examples have too few words for an n-gram, and are not looked for")
            }
            (long, 0) => format!(
                "none of its {long} examples stands in a document: see that its files and keys are the right ones"
            ),
            _ => return None,
        };
        Some(Warning { about: format!("benchmark {benchmark}"), message })
    };
    findings.contaminations.iter().flat_map(|contamination| &contamination.benchmarks).filter_map(warning).collect()
}
