//! The physical plans of a run's stages, as they ran: for whoever asks where time and memory went.
//!
//! ```text
//! plan that has run -> work/plans/STAGE.txt -> curate explain
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use datafusion::physical_plan::{ExecutionPlan, display::DisplayableExecutionPlan};

use crate::{
    error::{Error, Result},
    files::Layout,
};

/// Plans of a stage that are noted, at most.
const NOTED: usize = 32;

/// Notes the plans of one run.
#[derive(Debug)]
pub struct Plans {
    folder: PathBuf,
    /// The shapes of the plans of each stage.
    noted: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

impl Plans {
    /// Notes plans in a folder.
    pub fn new(layout: &Layout) -> Self {
        Self { folder: layout.plans(), noted: Mutex::default() }
    }

    /// Notes a plan that has run, with its rows, times and what it spilled. Of plans with the same nodes, such as one for each file, the first is
    /// noted. The first of a stage takes the place of those of earlier runs.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note(&self, stage: &str, plan: &dyn ExecutionPlan) -> Result<()> {
        let number = {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            let shapes = noted.entry(stage.to_owned()).or_default();
            if shapes.len() >= NOTED || !shapes.insert(shape(plan)) {
                return Ok(());
            }
            shapes.len()
        };
        let path = self.folder.join(format!("{stage}.txt"));
        let text = format!("{}\n", DisplayableExecutionPlan::with_metrics(plan).indent(true));
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            let mut options = OpenOptions::new();
            options.create(true).write(true).append(number > 1).truncate(number == 1);
            options.open(&path)?.write_all(text.as_bytes())
        });
        written.map_err(Error::file("write", &path))
    }
}

/// The names of a plan's nodes, from the last to the first; of inputs that are alike, one.
fn shape(plan: &dyn ExecutionPlan) -> String {
    let mut inputs: Vec<String> = plan.children().into_iter().map(|input| shape(input.as_ref())).collect();
    inputs.dedup();
    format!("{}({})", plan.name(), inputs.join(","))
}

/// The stages of which plans are noted, in the order of their names.
///
/// # Errors
/// When the folder holds no run whose plans were noted.
pub fn explained_stages(out: &Path) -> Result<Vec<String>> {
    let folder = Layout::new(out).plans();
    let entries = fs::read_dir(&folder).map_err(Error::file("list", &folder))?;
    let names = entries.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_string_lossy().into_owned()));
    let mut stages: Vec<String> = names.collect();
    stages.sort();
    Ok(stages)
}

/// The plans of a stage, as they ran last.
///
/// # Errors
/// When none are noted.
pub fn explain(out: &Path, stage: &str) -> Result<String> {
    let path = Layout::new(out).plans().join(format!("{stage}.txt"));
    fs::read_to_string(&path).map_err(Error::file("read", &path))
}
