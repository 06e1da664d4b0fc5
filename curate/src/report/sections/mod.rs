//! The sections of the report, each with how it is to be read.

mod benchmarks;
mod classifiers;
mod cleaning;
mod cuts;
mod duplicates;
mod funnel;
mod mixtures;
mod population;
mod quarantine;
mod recipe;
mod removed;
mod sample;
mod scores;
mod sources;
mod truncated;
mod work;

use pages::Section;

use super::findings::Findings;

/// All that there is something to say about, in the order in which a run goes.
pub fn sections(findings: &Findings) -> Vec<Section> {
    let sections = [
        Some(funnel::section(findings)),
        Some(sources::section(findings)),
        population::section(findings),
        removed::section(findings),
        scores::section(findings),
        classifiers::section(findings),
        duplicates::section(findings),
        cleaning::section(findings),
        truncated::section(findings),
        cuts::section(findings),
        benchmarks::section(findings),
        mixtures::section(findings),
        quarantine::section(findings),
        Some(work::section(findings)),
        Some(recipe::section(findings)),
    ];
    sections.into_iter().flatten().collect()
}
