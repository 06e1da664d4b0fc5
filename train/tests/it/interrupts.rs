//! Signals: a training that is told to end saves first.

use std::{
    process::{Child, Command, Output},
    thread,
    time::Duration,
};

use crate::support::{Workshop, stderr, wait_until};

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("there is a `kill`");
    assert!(status.success());
}

/// Long enough that no signal comes too late.
const LONG: [&str; 2] = ["--set", "training.steps=100000"];

/// It ends after the step, says so with the code that shells expect, and goes on as if nothing had been.
#[test]
fn an_interrupted_training_goes_on_exactly() {
    let workshop = Workshop::new();
    let mut last = 0;
    for (signal, resume) in [("-INT", &[][..]), ("-TERM", &["--resume"])] {
        let child = workshop.starting("stopped", &[&LONG, resume].concat());
        wait_until(|| workshop.saved("stopped").last().is_some_and(|step| *step > last));
        send(signal, &child);
        let output = child.wait_with_output().expect("the child has ended");
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        let saved = workshop.saved("stopped");
        let step = saved.last().copied().expect("it was saved");
        assert!(stderr(&output).contains(&format!("ended after {step} steps, and saved; go on with --resume")));
        assert!(step > last);
        last = step;
    }
    let until = (last + 13).to_string();
    workshop.pretrain_well("stopped", &[&LONG[..], &["--resume", "--until", &until]].concat());
    workshop.pretrain_well("whole", &[&LONG[..], &["--until", &until]].concat());
    assert_eq!(workshop.checkpoint("whole", last + 13), workshop.checkpoint("stopped", last + 13));
    assert_eq!(workshop.metrics("whole"), workshop.metrics("stopped"));
}

/// Whoever asks twice does not want to wait for a step that takes long.
#[test]
fn a_second_signal_ends_at_once() {
    let workshop = Workshop::new();
    let slow = ["--set", "training.batch_size=100000", "--set", "training.gradient_accumulation=100000"];
    let child = workshop.starting("out", &slow);
    // its first evaluation is told before the first step
    wait_until(|| workshop.path().join("out/metrics.jsonl").exists());
    send("-INT", &child);
    // two signals in one moment are one
    thread::sleep(Duration::from_millis(200));
    send("-INT", &child);
    let Output { status, stderr, .. } = child.wait_with_output().expect("the child has ended");
    let told = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains("ending after this step; once more to end at once") && !told.contains("saved"), "{told}");
    assert!(workshop.saved("out").is_empty());
}
