//! The program `curate`.

use std::process::ExitCode;

/// Plans free and take memory on many threads; the system's allocator gives every page back to the kernel in between.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    curate::cli::main()
}
