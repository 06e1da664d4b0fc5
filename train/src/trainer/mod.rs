//! The loop: batch, loss, gradients, step; evaluate, log and save by step.
//!
//! ```text
//! batch -> micro-batches -> loss, gradients -> a spike? -> no:  the optimizer's step
//!                                                       -> yes: skip it, roll back to a checkpoint, or stop
//! then, when due:  a line of the log, an evaluation, samples, a checkpoint
//! ```
//!
//! It knows a model as a module, and what it is trained towards, on and by as traits; so every kind of training has all of this.
//!
//! Everything that decides how a training goes on is in its weights, its optimizer's states and its [`crate::checkpoint::State`]; so one that
//! was stopped, wherever that was, goes on as if it had not been.

mod config;
mod json_lines;
mod log;
mod metrics;
mod run;
mod samples;
mod spikes;
mod step;
mod step_batches;
mod tensorboard;
mod throughput;

pub use config::{LoopConfig, TrainOutcome, TrainingInputs};
pub use log::{Log, Progress};
pub use metrics::{Evaluation, GeneratedSample, SpikeEvent, StepStats};
pub use run::Trainer;
pub use samples::{Sampler, SamplesConfig};
pub use spikes::{Action, Quantity, Spike, SpikesConfig};
pub use step_batches::StepBatches;
pub use throughput::{Throughput, ThroughputMeter, flops_per_token, flops_per_token_of_pairs};
