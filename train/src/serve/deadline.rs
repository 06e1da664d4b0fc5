//! When an answer has to be complete.

use std::{future::Future, time::Duration};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout_at},
};

use super::error::{ApiError, ApiResult};

/// When an answer has to be complete.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    limit: Duration,
}

/// What runs on a thread, and is not begun once nobody waits for it any more.
struct Awaited<T>(JoinHandle<T>);

impl Deadline {
    /// One that is so long from now.
    pub fn after(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }

    /// Waits for something until then.
    ///
    /// # Errors
    /// When it is too late.
    pub async fn within<T>(self, future: impl Future<Output = T>) -> ApiResult<T> {
        // what is ready each time would never be late
        if Instant::now() >= self.at {
            return Err(ApiError::timeout(self.limit));
        }
        timeout_at(self.at, future).await.map_err(|_| ApiError::timeout(self.limit))
    }

    /// Runs what takes long on a thread for that.
    ///
    /// # Errors
    /// When it panics, or it is too late.
    pub async fn computed<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> ApiResult<T> {
        let mut work = Awaited(spawn_blocking(work));
        let computed = self.within(&mut work.0).await?;
        computed.map_err(|error| ApiError::failed(format!("a fault of this server: {error}")))
    }
}

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
