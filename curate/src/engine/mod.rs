//! Where plans run: the only place that makes sessions.
//!
//! Two kinds of session are made of one set of limits. Plans over small columns may take all cores and must spill: they join by
//! sorting. Plans that carry text run as one stream whose order is the input's; text streams past what it is joined with,
//! and kernels and models use all cores on each batch.
//!
//! Useful for: running what the rooms below have planned. Not useful for: deciding what to run; see [`crate::run`].

mod codec;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{
    arrow::array::RecordBatch,
    execution::{
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::{FairSpillPool, TrackConsumersPool},
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
    physical_plan::{ExecutionPlan, collect},
    prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext},
};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};

pub use codec::CODEC;

use crate::{
    error::{Error, InStage as _, Result},
    source::Windows,
};

/// Rows in a batch of plans that carry text.
const TEXT_BATCH_ROWS: usize = 512;

/// Memory for which there is a partition of such a plan, up to one a thread.
const PARTITION_BYTES: usize = 128 << 20;

/// Where a plan runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// In this process.
    #[default]
    Local,
    /// In this process, but every plan is first put into the bytes that a cluster would be sent, and the copy runs.
    Rehearsal,
}

/// What a run may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Threads, 1 or more.
    pub threads: usize,
    /// Bytes that sorts, joins and clusters may hold before they spill or fail.
    pub memory: usize,
    /// The folder to spill to.
    pub spill: PathBuf,
}

/// Sessions of one run, which share memory and spilling.
pub struct Session {
    engine: Engine,
    limits: Limits,
    runtime: Arc<RuntimeEnv>,
}

impl Engine {
    /// The sessions of a run.
    ///
    /// # Errors
    /// When the folder to spill to cannot be made.
    pub fn session(self, limits: Limits) -> Result<Session> {
        std::fs::create_dir_all(&limits.spill).map_err(Error::file("make the folder", &limits.spill))?;
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![limits.spill.clone()]));
        let shown = std::num::NonZeroUsize::new(5).expect("five is not zero");
        let pool = TrackConsumersPool::new(FairSpillPool::new(limits.memory), shown);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .with_disk_manager_builder(disk)
            .build_arc()
            .in_stage("start")?;
        Ok(Session { engine: self, limits, runtime })
    }
}

/// A Parquet file of a finished run, as a table of a session of its own.
///
/// # Errors
/// When it cannot be read.
pub async fn browsing(path: &Path) -> Result<DataFrame> {
    let table =
        SessionContext::new().read_parquet(path.to_string_lossy().as_ref(), ParquetReadOptions::default()).await;
    table.in_stage("browse")
}

impl Session {
    /// Bytes that one of several gatherings within a plan may hold.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.limits.memory / 8
    }

    /// A session for plans over small columns: on all cores, with joins that spill.
    #[must_use]
    pub fn relational(&self) -> SessionContext {
        // every partition has sorts of its own, which share the memory
        let partitions = self.limits.threads.min(self.limits.memory / PARTITION_BYTES).max(1);
        let mut config = SessionConfig::new().with_target_partitions(partitions);
        config.options_mut().optimizer.prefer_hash_join = false;
        // what a sort sets aside to merge what it has spilled: a small part of what it may hold
        let set_aside = self.limits.memory / partitions / 16;
        config = config.with_sort_spill_reservation_bytes(set_aside.clamp(1 << 20, 10 << 20));
        self.context(config)
    }

    /// A session for plans that carry text: one stream in the input's order, the left side of a join in memory.
    #[must_use]
    pub fn streaming(&self) -> SessionContext {
        let mut config = SessionConfig::new().with_target_partitions(1).with_batch_size(TEXT_BATCH_ROWS);
        config.options_mut().optimizer.prefer_hash_join = true;
        config.options_mut().optimizer.join_reordering = false;
        self.context(config)
    }

    /// The same for plans that read `files` files at once, whose windows are counted among what it holds.
    #[must_use]
    pub fn reading(&self, files: usize) -> SessionContext {
        let windows = Windows::within(self.limits.memory, files);
        let context = self.streaming();
        let config = context.copied_config().with_extension(Arc::new(windows));
        self.context(config)
    }

    /// A session for a few rows out of many: the columns that filters need are read first, and of the others what is left.
    #[must_use]
    pub fn seeking(&self) -> SessionContext {
        let mut config = SessionConfig::new().with_target_partitions(1);
        config.options_mut().execution.parquet.pushdown_filters = true;
        self.context(config)
    }

    fn context(&self, config: SessionConfig) -> SessionContext {
        SessionContext::new_with_config_rt(config, Arc::clone(&self.runtime))
    }

    /// Runs a plan that was made by `context`, and collects its rows.
    ///
    /// # Errors
    /// What went wrong, with the name of the stage.
    pub async fn collect(
        &self,
        stage: &str,
        context: &SessionContext,
        plan: Arc<dyn ExecutionPlan>,
    ) -> Result<Vec<RecordBatch>> {
        let run = async {
            match self.engine {
                Engine::Local => collect(plan, context.task_ctx()).await,
                Engine::Rehearsal => {
                    let bytes = physical_plan_to_bytes_with_extension_codec(plan, &CODEC)?;
                    // a session that has seen nothing of how the plan was made
                    let elsewhere = self.context(context.copied_config());
                    let copy = physical_plan_from_bytes_with_extension_codec(&bytes, &elsewhere.task_ctx(), &CODEC)?;
                    collect(copy, elsewhere.task_ctx()).await
                }
            }
        };
        run.await.in_stage(stage)
    }
}
