//! Promise 6: a trained model goes on exactly.

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::support::{Workshop, program, text, train};

/// Stopped between two checkpoints and resumed, or killed without a word and resumed: the same weights and the same memory
/// of the optimizer, bit for bit, and the same metrics but for the times in them.
#[test]
fn a_resumed_training_ends_on_the_same_bits() {
    ends_on_the_same_bits(&Workshop::new());
}

/// The same with two sources by weight, rows packed by best fit, prompts, and documents kept apart.
#[test]
fn a_training_on_several_sources_ends_on_the_same_bits() {
    let workshop = Workshop::new();
    workshop.write_sums("sums.jsonl", 600);
    workshop.set_data(TWO_SOURCES);
    ends_on_the_same_bits(&workshop);
}

pub const TWO_SOURCES: &str = r#"packing = "best_fit"
across_documents = false
validation = 0.1
[data.sources.texts]
path = "mixture"
weight = 0.7
[data.sources.sums]
path = "sums.jsonl"
weight = 0.3"#;

fn ends_on_the_same_bits(workshop: &Workshop) {
    workshop.pretrain_well("whole", &[]);

    workshop.pretrain_well("stopped", &["--until", "17"]);
    workshop.pretrain_well("stopped", &["--resume"]);
    assert_eq!(workshop.checkpoint("whole", 40), workshop.checkpoint("stopped", 40));

    let mut child = program(&workshop.arguments("killed")).stderr(Stdio::null()).spawn().expect("it can be started");
    let first = workshop.path().join("killed/checkpoints/step-00000010");
    let start = Instant::now();
    while !first.exists() && start.elapsed() < Duration::from_mins(1) {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("the child can be killed");
    child.wait().expect("the child has ended");
    workshop.pretrain_well("killed", &["--resume"]);
    assert_eq!(workshop.checkpoint("whole", 40), workshop.checkpoint("killed", 40));

    let losses = |out: &str| -> Vec<(u64, String)> {
        let lines = fs::read_to_string(workshop.path().join(out).join("metrics.jsonl")).expect("there are metrics");
        let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON"));
        let loss = |line: &serde_json::Value| {
            line.get("loss").or_else(|| line.get("validation_loss")).map(ToString::to_string)
        };
        lines.map(|line| (line["step"].as_u64().expect("a step"), loss(&line).expect("a loss"))).collect()
    };
    assert_eq!(losses("whole"), losses("killed"));
}

/// The loss falls from that of a guess, and the same seed writes the same text.
#[test]
fn a_model_learns_and_speaks() {
    let workshop = Workshop::new();
    workshop.pretrain_well("model", &[]);
    let metrics = fs::read_to_string(workshop.path().join("model/metrics.jsonl")).expect("there are metrics");
    let of = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON")["validation_loss"].as_f64()
    };
    let losses: Vec<f64> = metrics.lines().filter_map(of).collect();
    let guess = 300f64.ln();
    assert!((losses[0] - guess).abs() < 0.1, "{} is not ln 300", losses[0]);
    assert!(losses[losses.len() - 1] < guess - 1.0, "{losses:?}");

    let model = workshop.path().join("model");
    let arguments = ["generate", text(&model), "--prompt", "The ", "--tokens", "20", "--seed", "3"];
    let (one, other) = (train(&arguments), train(&arguments));
    assert!(one.status.success() && one.stdout.starts_with(b"The "));
    assert_eq!(one.stdout, other.stdout);
}

/// A tokenizer is a function of its texts.
#[test]
fn a_tokenizer_is_trained_the_same_again() {
    let (one, other) = (Workshop::new(), Workshop::new());
    let bytes = |workshop: &Workshop| fs::read(workshop.path().join("tokenizer.json")).expect("it was written");
    assert_eq!(bytes(&one), bytes(&other));
}
