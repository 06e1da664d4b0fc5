//! Memory stays where it is, however long a training goes on.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use crate::{
    programs::{PROGRAMS, Program},
    support::Workshop,
};

/// Kilobytes by which what a process holds may move without a leak: the allocator takes segments of megabytes, and how many there are
/// depends on which threads happened to free what.
const SEGMENTS: u64 = 16 << 10;

/// The most that a training of any kind holds from its 1,300th step on is what it held from its 100th to its 300th, but for some segments: what was kept
/// of every step would show from 16 kB a step on.
///
/// Linux alone says what a process holds; elsewhere nothing is measured, and the test says so.
#[test]
fn a_long_training_holds_no_more_than_a_short_one() {
    if !std::path::Path::new("/proc/self/status").is_file() {
        fixtures::needs::skipped("a_long_training_holds_no_more_than_a_short_one", "there is no /proc");
        return;
    }
    PROGRAMS.iter().for_each(holds_no_more);
}

fn holds_no_more(program: &Program) {
    let workshop = Workshop::new();
    program.prepare(&workshop);
    let settings = ["steps=1500", "log_every=1", "evaluate_every=1500", "save_every=1500"];
    let settings = settings.map(|setting| format!("training.{setting}"));
    let mut child = program.start(&workshop, "model", &settings.each_ref().map(String::as_str));
    let status = format!("/proc/{}/status", child.id());
    let metrics = workshop.path().join("model/metrics.jsonl");
    let (mut early, mut late) = (0, 0);
    let begun = Instant::now();
    while child.try_wait().expect("the child can be asked").is_none() {
        assert!(begun.elapsed() < Duration::from_mins(5), "{}: it does not end", program.name);
        let held = fs::read_to_string(&status).ok().and_then(|text| resident(&text)).unwrap_or(0);
        match fs::read_to_string(&metrics).unwrap_or_default().lines().count() {
            100..300 => early = early.max(held),
            1300.. => late = late.max(held),
            _ => {}
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert!(early > 0 && late > 0, "{}: {early} and {late} kB: it was not seen in time", program.name);
    assert!(late < early + SEGMENTS, "{}: {early} kB at first, and {late} kB later", program.name);
}

/// Kilobytes in memory.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
