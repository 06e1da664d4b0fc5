//! Steps that leave next to nothing of a source.

use schemas::ledger::{StageEntry, is_mixture_stage};

use super::Warning;
use crate::report::findings::Findings;

/// A step that keeps less than this share of a source leaves next to nothing of it.
const LEFT: f64 = 0.05;

/// Documents of a source from which on that is said.
const MANY: u64 = 20;

/// Steps that leave next to nothing of a source.
pub fn steps(findings: &Findings) -> Vec<Warning> {
    let many = decided(findings).filter(|entry| entry.r#in >= MANY && (entry.kept as f64) < LEFT * entry.r#in as f64);
    let warning = |entry: &StageEntry| {
        let StageEntry { stage, source, r#in, kept, .. } = entry;
        let message = format!("it keeps {kept} of {in} documents of `{source}` ({})", entry.reasons());
        Warning { about: format!("step {stage}"), message }
    };
    many.map(warning).collect()
}

/// The step that keeps the smallest share of a source, if that is less than half: its name, what it keeps, and of how many.
pub fn hardest_step<'f>(findings: &'f Findings, source: &str) -> Option<(&'f str, u64, u64)> {
    let own = decided(findings).filter(|entry| entry.source == source && 2 * entry.kept < entry.r#in);
    let kept = |entry: &&StageEntry| entry.kept as f64 / entry.r#in as f64;
    let hardest = own.min_by(|one, other| kept(one).total_cmp(&kept(other)))?;
    Some((&hardest.stage, hardest.kept, hardest.r#in))
}

/// What steps did, source by source.
fn decided(findings: &Findings) -> impl Iterator<Item = &StageEntry> {
    let stages = findings.ledger.stages.iter();
    stages.filter(|entry| entry.stage != "read" && !is_mixture_stage(&entry.stage))
}
