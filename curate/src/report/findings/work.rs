//! How long everything took, from the marks of finished units.

use std::collections::BTreeMap;

use crate::files::{Layout, units::Marks};

/// The work of one stage, over all of its units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Work {
    pub stage: String,
    /// The unit, where a stage has few and they differ.
    pub unit: Option<String>,
    pub units: u64,
    pub seconds: f64,
    /// Bytes of the files from outside that were read.
    pub read: u64,
    /// Bytes that were written.
    pub written: u64,
    /// The most memory that the process had held when a unit ended.
    pub peak: Option<u64>,
}

/// Stages in the order in which a run takes them; steps come in the ledger's.
const ORDER: [&str; 7] = ["documents", "clusters", "models", "alpha", "repeats", "contamination", "decisions"];

/// The work of all stages. What cannot be read is left out: nothing depends on it.
pub fn work(layout: &Layout, steps: &[&str]) -> Vec<Work> {
    let mut all: BTreeMap<(String, String), Work> = BTreeMap::new();
    for done in Marks::new(layout.out()).all() {
        let by_unit = ["decisions", "models", "documents"].contains(&done.stage.as_str());
        // a unit of a source is SOURCE/PART
        let unit = done.unit.split('/').next().unwrap_or_default();
        let unit = if by_unit { unit } else { "" };
        let work = all.entry((done.stage.clone(), unit.to_owned())).or_default();
        work.stage.clone_from(&done.stage);
        work.unit = by_unit.then(|| unit.to_owned());
        work.units += 1;
        work.seconds += done.mark.seconds;
        work.read += done.mark.input.map_or(0, |input| input.bytes);
        work.written += done.mark.outputs.iter().map(|file| file.bytes).sum::<u64>();
        work.peak = work.peak.max(done.peak_memory);
    }
    let mut all: Vec<Work> = all.into_values().collect();
    all.sort_by_key(|work| {
        let name = if work.stage.starts_with("facts-") { "documents" } else { work.stage.as_str() };
        let stage = ORDER.iter().position(|stage| *stage == name).unwrap_or(ORDER.len());
        let step = work.unit.as_ref().and_then(|unit| steps.iter().position(|step| step == unit));
        (stage, work.stage.clone(), step, work.unit.clone())
    });
    all
}
