//! The program `train`.

mod allocator;

use std::process::ExitCode;

fn main() -> ExitCode {
    allocator::keep_pages();
    train::cli::main()
}
