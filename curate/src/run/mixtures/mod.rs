//! Mixtures: what goes into them, and the moment in which they appear, all or none.

mod entries;
mod routing;
mod sharding;
mod shards;
mod stage;
mod staged;
mod staging;
mod verdicts;

pub use self::{stage::MixtureStage, staged::Staged};
use self::{staged::MixtureFiles, verdicts::MixtureVerdicts};
use super::context::Run;
use crate::{
    error::Result,
    files::{Inputs, exchange, remove_folder, units::Mark},
    recipe::MixturePlan,
};

/// A mixture that is made: staged, or found in its place.
pub struct Mixed {
    /// Its name.
    pub name: String,
    /// Its files, if they do not stand in their place yet.
    pub staged: Option<Staged>,
}

/// The mixtures of a run.
///
/// - reads: the verdicts of the last stage, facts that sizes are read from, documents
/// - writes: `decisions/mixture-NAME.parquet`, the account of each mixture, `mixtures/NAME/`
pub struct Mixtures<'r> {
    pub run: &'r Run<'r>,
}

impl Mixtures<'_> {
    /// Makes every mixture that is not found done. None takes the place of its predecessor before all of them can.
    pub async fn write(&self) -> Result<Vec<Mixed>> {
        let mut mixed = Vec::new();
        for mixture in &self.run.plan.mixtures {
            mixed.push(self.write_one(mixture).await?);
        }
        Ok(mixed)
    }

    async fn write_one(&self, mixture: &MixturePlan) -> Result<Mixed> {
        let Self { run } = self;
        let stage = &MixtureStage::of(run, mixture);
        let work = async {
            MixtureVerdicts { stage }.decide().await?;
            let inputs = &Inputs::of(&stage.name);
            let origin = stage.origin(inputs)?;
            let (staged, rows) = match run.units.find("mixtures", &mixture.name, &origin.fingerprint) {
                Some(mark) => (None, mark.outputs.iter().filter_map(|file| file.rows).sum::<u64>()),
                None => {
                    let staged = MixtureFiles { stage, origin, inputs }.make().await?;
                    let rows = staged.files.iter().filter_map(|(_, rows, _)| *rows).sum();
                    (Some(staged), rows)
                }
            };
            Ok((Mixed { name: mixture.name.clone(), staged }, format!("{rows} rows")))
        };
        run.told(&stage.name, 1, work).await
    }

    /// Puts the files that were staged into their place, each mixture as a whole.
    pub fn publish(&self, mixed: Vec<Mixed>) -> Result<()> {
        let Self { run } = self;
        for Mixed { name, staged } in mixed {
            let Some(Staged { folder, origin, files }) = staged else { continue };
            let target = run.layout.mixture(&name);
            exchange(&folder, &target)?;
            let files = files.into_iter().map(|(name, rows, written)| (target.join(name), rows, written)).collect();
            let outputs = run.made().entries(&files);
            let mark = Mark { fingerprint: origin.fingerprint, input: None, outputs, seconds: 0.0 };
            run.units.mark("mixtures", &name, &mark)?;
        }
        remove_folder(&run.layout.work().join("staging"))
    }
}
