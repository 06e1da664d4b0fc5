//! How a run is executed: threads, memory, and whether it starts over.

use std::path::PathBuf;

use clap::Args;
use tokio::runtime::Runtime;

use super::{size::Size, threads};
use crate::{engine::Engine, run::Options};

/// Threads, memory, and what was finished before.
#[derive(Debug, Args)]
pub struct ExecutionArgs {
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Memory that sorts, joins and clusters may hold before they spill; half of it may be the windows of packed files that are read.
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    memory: Size,
    /// Start over, even where finished units are found.
    #[arg(long)]
    fresh: bool,
}

impl ExecutionArgs {
    /// How a plan is run, and what runs it.
    pub fn start(&self, out: PathBuf, engine: Engine) -> anyhow::Result<(Options, Runtime)> {
        let (threads, runtime) = threads::start(self.threads)?;
        Ok((Options { out, engine, threads, memory: self.memory.0, fresh: self.fresh }, runtime))
    }
}
