//! The manifest: what a run was made of, and every file that it leaves.

use schemas::{ledger::Ledger, manifest::Manifest};

use crate::{archive::Fault, recipe::ClassifierPlan, run::context::Run};

/// The manifest of a run, whose ledger is closed.
pub fn manifest(run: &Run<'_>, ledger: &Ledger) -> Manifest {
    let Run { plan, .. } = run;
    let by_the_clock = Fault::ExtractorTimeout.name();
    let versions = run.made().versions();
    Manifest {
        name: plan.name.clone(),
        seed: plan.seed,
        reproducible: plan.classifiers.iter().all(ClassifierPlan::is_reproducible)
            && !ledger.stages.iter().any(|entry| entry.quarantined.contains_key(by_the_clock)),
        recipe: plan.recipe.clone(),
        versions: std::iter::once(("curate".to_owned(), env!("CARGO_PKG_VERSION").to_owned()))
            .chain(versions.into_iter().map(|(name, number)| (name.to_owned(), number.to_string())))
            .collect(),
        inputs: run.made().inputs(),
        outputs: run.made().outputs().into_iter().filter(|file| !file.path.starts_with("work/")).collect(),
    }
}
