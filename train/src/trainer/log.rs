//! Everything that hears what a training tells.

use std::{collections::BTreeMap, path::Path};

use super::{
    lines::Lines,
    metrics::{Evaluated, Sampled, Spiked, Stepped, scalars},
    tensorboard::EventFile,
};
use crate::{checkpoint::LogPlace, data::Lost, error::Result};

const METRICS: &str = "metrics.jsonl";
const SAMPLES: &str = "samples.jsonl";
const TENSORBOARD: &str = "tensorboard";

/// Takes what a training tells while it runs, and may tell it to end; showing it is its own affair.
pub trait Progress {
    /// Some steps were taken.
    fn stepped(&mut self, stepped: &Stepped);
    /// The model was evaluated.
    fn evaluated(&mut self, evaluated: &Evaluated);
    /// The model wrote something.
    fn sampled(&mut self, sampled: &Sampled);
    /// A step was not taken.
    fn spiked(&mut self, spiked: &Spiked);
    /// Something that one should know.
    fn note(&mut self, text: &str);
    /// Whether the training should save and end.
    fn wants_to_end(&self) -> bool;
}

/// The files of a training's output folder, and whoever watches.
pub struct Log<'p> {
    metrics: Lines,
    samples: Lines,
    events: EventFile,
    /// Whoever watches.
    pub progress: &'p mut dyn Progress,
}

impl<'p> Log<'p> {
    /// The log in `out` of a training that begins, or of one that goes on after a step with logs that ended at the given places. What the files
    /// say beyond will come again, and is taken out; a file that does not say what was written is named.
    ///
    /// # Errors
    /// When a file cannot be cut or written.
    pub fn open(
        out: &Path,
        resumed: Option<(u64, &BTreeMap<String, LogPlace>)>,
        progress: &'p mut dyn Progress,
    ) -> Result<Self> {
        let place = |name: &str| resumed.and_then(|(_, logs)| logs.get(name));
        let bytes = |name: &str| place(name).map_or(0, |place| place.bytes);
        let mut events = EventFile::create(&out.join(TENSORBOARD))?;
        events.start_at(resumed.map_or(0, |(step, _)| step + 1))?;
        let metrics = Lines::open(&out.join(METRICS), bytes(METRICS))?;
        let samples = Lines::open(&out.join(SAMPLES), bytes(SAMPLES))?;
        for (name, lines) in [(METRICS, &metrics), (SAMPLES, &samples)] {
            if place(name).is_some_and(|place| *place != lines.place()) {
                let path = lines.path().display();
                progress.note(&format!("{path} is damaged: what it says of the steps so far is not what was written"));
            }
        }
        Ok(Self { metrics, samples, events, progress })
    }

    /// Where each file ends that can be cut, by name.
    #[must_use]
    pub fn places(&self) -> BTreeMap<String, LogPlace> {
        [(METRICS, &self.metrics), (SAMPLES, &self.samples)]
            .map(|(name, lines)| (name.to_owned(), lines.place()))
            .into()
    }

    /// Goes back to where a checkpoint of `step` was saved, with logs that ended at the given places. What is said of spikes since stays.
    ///
    /// # Errors
    /// When a file cannot be cut or written.
    pub fn back(&mut self, step: u64, logs: &BTreeMap<String, LogPlace>) -> Result<()> {
        self.events.start_at(step + 1)?;
        for (name, lines) in [(METRICS, &mut self.metrics), (SAMPLES, &mut self.samples)] {
            lines.cut_but(logs.get(name).map_or(0, |place| place.bytes), "spike")?;
        }
        Ok(())
    }

    /// A line about steps.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn stepped(&mut self, stepped: &Stepped) -> Result<()> {
        self.progress.stepped(stepped);
        self.events.scalars(stepped.step, &scalars("train", stepped))?;
        self.metrics.push(stepped)
    }

    /// A line about an evaluation.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn evaluated(&mut self, evaluated: &Evaluated) -> Result<()> {
        self.progress.evaluated(evaluated);
        self.events.scalars(evaluated.step, &scalars("evaluate", evaluated))?;
        self.metrics.push(evaluated)
    }

    /// A line about what was lost of a file of training or validation.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn lost(&mut self, lost: &Lost) -> Result<()> {
        self.metrics.push(lost)
    }

    /// A line about a step that was not taken.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn spiked(&mut self, spiked: &Spiked) -> Result<()> {
        self.progress.spiked(spiked);
        self.events.scalars(spiked.step, &scalars("spikes", spiked))?;
        self.metrics.push(spiked)
    }

    /// A line about a text that the model wrote.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn sampled(&mut self, sampled: &Sampled) -> Result<()> {
        self.progress.sampled(sampled);
        self.samples.push(sampled)
    }
}
