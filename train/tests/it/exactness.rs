//! Promise 6: a trained model goes on exactly.

use std::{fs, os::unix::process::ExitStatusExt as _, thread, time::Instant};

use fixtures::dice::Dice;

use crate::support::{Workshop, text, train};

/// Stopped between two checkpoints and resumed, or killed without a word and resumed: the same weights and the same states
/// of the optimizer, bit for bit, and the same metrics but for the times in them. With micro-batches, and whatever is done about
/// spikes, of which the small window sees several.
#[test]
fn a_resumed_training_ends_on_the_same_bits() {
    ends_on_the_same_bits(&Workshop::new(), "1.5");
}

/// The same with two sources by weight, best-fit packing, prompts, document masking, and dropout.
#[test]
fn a_training_on_several_sources_ends_on_the_same_bits() {
    let workshop = Workshop::new();
    workshop.write_sums("sums.jsonl", 600);
    workshop.set_data(TWO_SOURCES);
    ends_on_the_same_bits(&workshop, "3.5");
}

pub const TWO_SOURCES: &str = r#"packing = "best_fit"
document_masking = true
validation = 0.1
[data.sources.texts]
path = "mixture"
weight = 0.7
[data.sources.sums]
path = "sums.jsonl"
weight = 0.3"#;

fn ends_on_the_same_bits(workshop: &Workshop, deviations: &str) {
    for action in ["skip", "rollback"] {
        let spikes =
            format!("training.spikes={{ deviations = {deviations}, window = 6, limit = 30, action = \"{action}\" }}");
        let settings = ["--set", "training.gradient_accumulation=2", "--set", "model.dropout=0.1", "--set", &spikes];
        let (whole, stopped, killed) =
            (format!("{action}/whole"), format!("{action}/stopped"), format!("{action}/killed"));
        let start = Instant::now();
        workshop.pretrain_well(&whole, &settings);
        let whole_time = start.elapsed();
        let spiked = workshop.metrics(&whole).iter().filter(|line| line.get("spike").is_some()).count();
        assert!(spiked > 1, "{action}: {spiked} spikes");

        for until in ["7", "17", "33"] {
            let resume: &[&str] = if until == "7" { &[] } else { &["--resume"] };
            workshop.pretrain_well(&stopped, &[&settings[..], &["--until", until], resume].concat());
        }
        workshop.pretrain_well(&stopped, &[&settings[..], &["--resume"]].concat());
        assert_eq!(workshop.checkpoint(&whole, 40), workshop.checkpoint(&stopped, 40));
        assert_eq!(workshop.metrics(&whole), workshop.metrics(&stopped));

        // killed at any time, until so many kills have come while it trained, one of them behind a checkpoint
        let mut dice = Dice::new(1, action);
        let (mut landed, mut resumed) = (0, 0);
        for _ in 0..60 {
            let saved = workshop.saved(&killed);
            if saved.contains(&40) {
                fs::remove_dir_all(workshop.path().join(&killed)).expect("the folder can be removed");
                continue;
            }
            let resume: &[&str] = if saved.is_empty() { &[] } else { &["--resume"] };
            let mut child = workshop.starting(&killed, &[&settings[..], resume].concat());
            thread::sleep(whole_time.mul_f64(dice.below(1000) as f64 / 1000.0));
            child.kill().expect("the child can be killed");
            let status = child.wait().expect("the child has ended");
            let has_begun = workshop.path().join(&killed).join("metrics.jsonl").is_file();
            if status.signal() == Some(9) && has_begun {
                landed += 1;
                resumed += usize::from(!workshop.saved(&killed).is_empty());
            }
            if landed >= 5 && resumed >= 1 {
                break;
            }
        }
        assert!(landed >= 5 && resumed >= 1, "{action}: {landed} kills came in time, {resumed} behind a checkpoint");
        let resume: &[&str] = if workshop.saved(&killed).is_empty() { &[] } else { &["--resume"] };
        workshop.pretrain_well(&killed, &[&settings[..], resume].concat());
        assert_eq!(workshop.checkpoint(&whole, 40), workshop.checkpoint(&killed, 40));
        assert_eq!(workshop.metrics(&whole), workshop.metrics(&killed));
    }
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
