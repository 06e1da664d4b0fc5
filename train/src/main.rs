//! The program `train`.

use std::process::ExitCode;

/// A step takes and frees its tensors all the time; the system's allocator gives every page back in between.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    train::cli::main()
}
