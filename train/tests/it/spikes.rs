//! Spikes: each is named, survived as the configuration says, and ends the training when there are too many.

use std::fs;

use serde_json::Value;

use crate::support::{Workshop, stderr};

/// A learning rate at which nothing but no number can come out.
const HOPELESS: [&str; 2] = ["--set", "learning_rate.peak=1e30"];

fn action(action: &str) -> [String; 2] {
    ["--set".to_owned(), format!("training.spikes={{ action = \"{action}\", limit = 3 }}")]
}

#[test]
fn a_loss_that_is_no_number_ends_what_nothing_can_save() {
    let workshop = Workshop::new();
    for (name, spikes) in [("skip", 4), ("rollback", 4), ("stop", 1)] {
        let output = workshop.pretrain(name, &[&HOPELESS[..], &action(name).each_ref().map(String::as_str)].concat());
        assert_eq!(output.status.code(), Some(1));
        let error = stderr(&output);
        let row = if spikes > 1 { ", the last of 4 spikes in a row" } else { "" };
        assert!(error.contains("the gradient norm is") || error.contains("the loss is NaN"), "{error}");
        assert!(error.contains(&format!("{row}; a smaller learning rate or a longer warm-up may help")), "{error}");
        let lines = workshop.metrics(name);
        let told: Vec<&Value> = lines.iter().filter(|line| line.get("spike").is_some()).collect();
        assert_eq!(told.len(), spikes, "{name}: {lines:?}");
        assert_eq!(told[told.len() - 1]["action"], "stop");
        assert_eq!(told[0]["spike"]["value"], Value::Null);
    }
}

/// A training that ended by a spike goes on under other rules, and has lost no step.
#[test]
fn what_ended_by_a_spike_goes_on_under_other_rules() {
    let workshop = Workshop::new();
    let touchy = ["--set", "training.spikes={ deviations = 1.5, window = 6, action = \"stop\" }"];
    let output = workshop.pretrain("out", &touchy);
    assert_eq!(output.status.code(), Some(1));
    let lines = workshop.metrics("out");
    let told = &lines[lines.len() - 1];
    assert!(told["spike"]["deviations"].as_f64().expect("it is finite") > 1.5, "{told}");
    assert_eq!(workshop.saved("out").last().copied(), told["step"].as_u64());
    workshop.pretrain_well("out", &["--resume"]);
    let tolerant = workshop.metrics("out");
    assert!(tolerant.iter().all(|line| line.get("spike").is_none()), "the file goes on from the checkpoint");
    assert_eq!(tolerant[tolerant.len() - 1]["step"], 40);
}

/// Samples come when they are due, and are the same from the same weights.
#[test]
fn samples_are_written_by_step() {
    let workshop = Workshop::new();
    let samples = ["--set", "training.samples={ every = 20, prompts = [\"The \", \"A\"], tokens = 5 }"];
    workshop.pretrain_well("out", &samples);
    let text = fs::read_to_string(workshop.path().join("out/samples.jsonl")).expect("there are samples");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let places: Vec<_> = lines.iter().map(|line| (line["step"].as_u64(), line["prompt"].as_str())).collect();
    assert_eq!(
        places,
        [20, 20, 40, 40].map(Some).into_iter().zip(["The ", "A", "The ", "A"].map(Some)).collect::<Vec<_>>()
    );
    assert!(lines.iter().all(|line| line["text"].as_str().is_some_and(|text| !text.is_empty())));

    workshop.pretrain_well("stopped", &[&samples[..], &["--until", "30"]].concat());
    workshop.pretrain_well("stopped", &[&samples[..], &["--resume"]].concat());
    let stopped = fs::read_to_string(workshop.path().join("stopped/samples.jsonl")).expect("there are samples");
    assert_eq!(text, stopped);
}
