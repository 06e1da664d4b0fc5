//! What nodes need that read their children to the end before they give anything: memory that is counted, a folder for what
//! does not fit, and threads for work that holds a core for long.

use std::path::{Path, PathBuf};

use datafusion::{
    common::internal_datafusion_err,
    error::{DataFusionError, Result},
    execution::{
        TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
    },
};

/// Memory and disk of one node. Both are given back when it is dropped.
#[derive(Debug)]
pub struct Storage {
    memory: MemoryReservation,
    folder: PathBuf,
}

impl Storage {
    /// Nothing yet, under a name that errors give.
    ///
    /// # Errors
    /// When the session has no folder to spill to.
    pub fn new(name: &str, context: &TaskContext) -> Result<Self> {
        let folders = context.runtime_env().disk_manager.temp_dir_paths();
        let folder = folders.into_iter().next();
        let folder = folder.ok_or_else(|| internal_datafusion_err!("the session has no folder to spill to"))?;
        Ok(Self { memory: MemoryConsumer::new(name).register(context.memory_pool()), folder })
    }

    /// Counts so many bytes more.
    ///
    /// # Errors
    /// When they are more than the session may have.
    pub fn grow(&self, bytes: usize) -> Result<()> {
        self.memory.try_grow(bytes)
    }

    /// The session's folder for spilled data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Work that holds a core for long, on a thread that is there for it.
///
/// # Errors
/// That of the work.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
}
