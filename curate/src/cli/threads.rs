//! The threads that a command runs on.

use tokio::runtime::Runtime;

/// Stack of the threads that parse pages, whose trees may be deep.
const STACK: usize = 64 << 20;

/// Starts `wanted` threads, or one for each core. Returns how many there are, and the runtime of plans.
pub fn start(wanted: Option<u16>) -> anyhow::Result<(usize, Runtime)> {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = wanted.map_or_else(all, usize::from);
    rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build_global()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build()?;
    Ok((threads, runtime))
}
