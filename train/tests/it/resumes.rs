//! Going on with a configuration that differs: where that is the same training, it ends on the same bits.

use std::fs;

use serde_json::Value;

use crate::support::{Workshop, stderr};

/// Without a decay, a training that has come to its end is gone on with by more steps, and ends as one of so many; with one, the steps
/// that were taken would have had other learning rates.
#[test]
fn more_steps_are_the_same_training_while_no_rate_changes() {
    let workshop = Workshop::new();
    for (shape, goes_on) in [("constant", true), ("cosine", false)] {
        let shape_set = format!("learning_rate.shape={shape}");
        let shape_set = ["--set", shape_set.as_str()];
        let (short, long) = (format!("{shape}/short"), format!("{shape}/long"));
        let steps = |steps: &'static str| ["--set", steps];
        workshop.pretrain_well(&short, &[&shape_set[..], &steps("training.steps=10")].concat());
        let more = [&shape_set[..], &steps("training.steps=20"), &["--resume"]].concat();
        let output = workshop.pretrain(&short, &more);
        assert_eq!(output.status.success(), goes_on, "{}", stderr(&output));
        if goes_on {
            workshop.pretrain_well(&long, &[&shape_set[..], &steps("training.steps=20")].concat());
            assert_eq!(workshop.checkpoint(&long, 20), workshop.checkpoint(&short, 20));
        } else {
            assert!(stderr(&output).contains("`training.steps` was 10, and is 20"), "{}", stderr(&output));
        }
    }
}

/// What the newest checkpoint, of step `newest`, calls the best step.
fn best(workshop: &Workshop, newest: u64) -> Value {
    let path = workshop.path().join(format!("out/checkpoints/step-{newest:08}/checkpoint.json"));
    let json = fs::read(path).expect("it was saved");
    let json: Value = serde_json::from_slice(&json).expect("it is JSON");
    json["state"]["best"].clone()
}

/// A loss on one sequence says nothing of one on all: with another sample the best is looked for anew, and that is said. With the same, it
/// stays.
#[test]
fn the_best_is_the_best_on_one_sample() {
    let workshop = Workshop::new();
    let few = ["--set", "training.evaluate_sequences=1", "--set", "training.evaluate_every=10"];
    workshop.pretrain_well("out", &[&few[..], &["--until", "10"]].concat());
    let sample = best(&workshop, 10)["eval_set"].clone();
    assert_eq!(best(&workshop, 10)["step"], 10);

    let output = workshop.pretrain("out", &[&few[..], &["--resume", "--until", "20"]].concat());
    assert!(output.status.success() && !stderr(&output).contains("no longer the best"), "{}", stderr(&output));
    assert_eq!(best(&workshop, 20)["eval_set"], sample);

    // a loss on one sequence that no other will be below
    let checkpoint = workshop.path().join("out/checkpoints/step-00000020");
    let json = fs::read_to_string(checkpoint.join("checkpoint.json")).expect("it was saved");
    let mut json: Value = serde_json::from_str(&json).expect("it is JSON");
    json["state"]["best"]["validation_loss"] = "0.001".into();
    let json = json.to_string();
    let hash = format!("{}  checkpoint.json\n", system::sha256(json.as_bytes()));
    fs::write(checkpoint.join("checkpoint.json"), json).expect("it can be changed");
    fs::write(checkpoint.join("checkpoint.sha256"), hash).expect("it can be changed");
    let output = workshop.pretrain("out", &["--resume", "--set", "training.evaluate_every=10", "--until", "30"]);
    assert!(output.status.success() && stderr(&output).contains("is no longer the best"), "{}", stderr(&output));
    let found = best(&workshop, 30);
    assert!(found["step"] == 30 && found["eval_set"] != sample, "{found}");
}
