//! What benches share that measure how time and memory grow.

use std::{error::Error, process::Command};

/// Runs `measure` on the one size that the arguments name, or this program once for each of them, so that every size has a peak of
/// memory of its own. `--memory BYTES` comes before or behind the sizes; without it, `memory` is the limit.
pub fn each_size(
    mut memory: usize,
    measure: impl FnOnce(&str, usize) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--memory") {
        memory = arguments.get(place + 1).ok_or("--memory is a number of bytes")?.parse()?;
        arguments.drain(place..place + 2);
    }
    if let [only] = arguments.as_slice() {
        return measure(only, memory);
    }
    for size in arguments {
        let memory = memory.to_string();
        Command::new(std::env::current_exe()?).args([&size, "--memory", &memory]).status()?;
    }
    Ok(())
}

/// The peak of this process's memory, in MiB.
pub fn peak() -> Result<u64, Box<dyn Error>> {
    Ok(curate::files::peak_memory().ok_or("the system tells no peak")? >> 20)
}

/// A random number for two others (splitmix64, Steele et al. 2014).
pub fn draw(one: u64, other: u64) -> u64 {
    let mixed = |number: u64| {
        let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    };
    mixed(mixed(one.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(other.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}
