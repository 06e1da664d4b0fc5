//! Which implementation of an operation runs.

use std::{
    cell::Cell,
    fmt,
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use burn::tensor::{DType, Device, Tensor};

/// The implementation of an operation.
pub(super) enum Route {
    /// Our kernel on slices.
    Cpu,
    /// Our kernel for GPUs.
    #[cfg(feature = "gpu")]
    Gpu,
    /// Operations of burn.
    Framework,
}

/// Which implementations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operations {
    /// Our own, where they exist for the device.
    #[default]
    Own,
    /// burn's, everywhere.
    Framework,
}

static FRAMEWORK: AtomicBool = AtomicBool::new(false);

/// Chooses for the whole program. Call it before anything is computed.
pub fn choose(operations: Operations) {
    FRAMEWORK.store(operations == Operations::Framework, Ordering::Relaxed);
}

/// What was chosen for the whole program.
pub fn chosen() -> Operations {
    if FRAMEWORK.load(Ordering::Relaxed) { Operations::Framework } else { Operations::Own }
}

thread_local! {
    static HERE: Cell<Option<Operations>> = const { Cell::new(None) };
}

/// Runs `work` with the operations of one's choice, on this thread.
pub fn with<R>(operations: Operations, work: impl FnOnce() -> R) -> R {
    #[cfg(test)]
    kernels::written::show_gaps();
    let before = HERE.replace(Some(operations));
    let result = work();
    HERE.set(before);
    result
}

/// The implementation of an operation on `x`. On a CPU ours know f32 only.
pub(super) fn route<const D: usize>(x: &Tensor<D>) -> Route {
    let framework = HERE.get().map_or_else(|| FRAMEWORK.load(Ordering::Relaxed), |here| here == Operations::Framework);
    if framework {
        return Route::Framework;
    }
    if is_cpu(&x.device()) {
        return if x.dtype() == DType::F32 { Route::Cpu } else { Route::Framework };
    }
    #[cfg(feature = "gpu")]
    return Route::Gpu;
    #[cfg(not(feature = "gpu"))]
    Route::Framework
}

/// Whether a device is the CPU, with or without gradients.
fn is_cpu(device: &Device) -> bool {
    *device == Device::flex()
}

impl FromStr for Operations {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "own" => Ok(Self::Own),
            "framework" => Ok(Self::Framework),
            _ => Err("expected `own`, or `framework` for burn's".into()),
        }
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Own => "own",
            Self::Framework => "framework",
        })
    }
}
