//! The log of a training: files, and callbacks.

use std::{collections::BTreeMap, path::Path};

use super::{
    json_lines::JsonLines,
    metrics::{Evaluation, GeneratedSample, SpikeEvent, StepStats, scalars},
    tensorboard::EventFile,
};
use crate::{checkpoint::LogPlace, data::Lost, error::Result};

const METRICS: &str = "metrics.jsonl";
const SAMPLES: &str = "samples.jsonl";
const TENSORBOARD: &str = "tensorboard";

/// Callbacks of a training while it runs; showing what they say is their own affair.
pub trait Progress {
    /// The loop begins, or goes on; it has so many steps in all.
    fn on_start(&mut self, steps: u64);
    /// Some steps were taken.
    fn on_step(&mut self, stats: &StepStats);
    /// The model was evaluated.
    fn on_evaluation(&mut self, evaluation: &Evaluation);
    /// The model generated a sample.
    fn on_sample(&mut self, sample: &GeneratedSample);
    /// A step was not taken.
    fn on_spike(&mut self, event: &SpikeEvent);
    /// Something that one should know.
    fn note(&mut self, text: &str);
    /// Whether the training should save and stop.
    fn should_stop(&self) -> bool;
}

/// The files of a training's output folder, and whoever watches.
pub struct Log<'p> {
    metrics: JsonLines,
    samples: JsonLines,
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
        let metrics = JsonLines::open(&out.join(METRICS), bytes(METRICS))?;
        let samples = JsonLines::open(&out.join(SAMPLES), bytes(SAMPLES))?;
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

    /// Rolls back to a checkpoint of `step`, with logs that ended at the given places. What is said of spikes since stays.
    ///
    /// # Errors
    /// When a file cannot be cut or written.
    pub fn rollback(&mut self, step: u64, logs: &BTreeMap<String, LogPlace>) -> Result<()> {
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
    pub fn step(&mut self, stats: &StepStats) -> Result<()> {
        self.progress.on_step(stats);
        self.events.scalars(stats.step, &scalars("train", stats))?;
        self.metrics.push(stats)
    }

    /// A line about an evaluation.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn evaluation(&mut self, evaluation: &Evaluation) -> Result<()> {
        self.progress.on_evaluation(evaluation);
        self.events.scalars(evaluation.step, &scalars("evaluate", evaluation))?;
        self.metrics.push(evaluation)
    }

    /// A line about what was lost of a file of training or validation.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn lost(&mut self, lost: &Lost) -> Result<()> {
        self.metrics.push(lost)
    }

    /// A line about a spike.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn spike(&mut self, event: &SpikeEvent) -> Result<()> {
        self.progress.on_spike(event);
        self.events.scalars(event.step, &scalars("spikes", event))?;
        self.metrics.push(event)
    }

    /// A line about a text that the model generated.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn sample(&mut self, sample: &GeneratedSample) -> Result<()> {
        self.progress.on_sample(sample);
        self.samples.push(sample)
    }
}
