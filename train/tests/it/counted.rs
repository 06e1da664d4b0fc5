//! What a loss is a mean of: tokens that it is taken on, of a sample of sequences.

use std::fs;

use fixtures::dice::Dice;
use serde_json::{Value, json};

use crate::support::{Workshop, stderr};

/// What each evaluation found, of one training.
fn evaluations(workshop: &Workshop, out: &str) -> Vec<Value> {
    workshop.metrics(out).into_iter().filter(|line| line.get("validation_loss").is_some()).collect()
}

/// Best fit puts the longest pieces first, and they may be the easiest. An evaluation takes a sample of all sequences by default, whose
/// loss is near theirs; and it is the same sample at any size of micro-batches, and after a resume.
#[test]
fn a_sample_evaluates_as_the_whole_does() {
    let workshop = Workshop::new();
    let mut dice = Dice::new(1, "letters");
    let mut lines = String::new();
    for number in 0..900 {
        let text: String = match number % 30 {
            0 => "a".repeat(1_000),
            _ => (0..20).map(|_| char::from(b'b' + u8::try_from(dice.below(12)).expect("a letter"))).collect(),
        };
        lines.push_str(&json!({ "text": text }).to_string());
        lines.push('\n');
    }
    fs::write(workshop.path().join("kinds.jsonl"), lines).expect("it can be written");
    workshop.set_data("mixture = \"kinds.jsonl\"\npacking = \"best_fit\"\nvalidation = 0.4");
    let last = |out: &str, more: &[&str]| {
        workshop.pretrain_well(out, more);
        let found = evaluations(&workshop, out);
        let last = &found[found.len() - 1];
        (last["validation_loss"].as_f64().expect("a number"), last["validation_sequences"].as_u64().expect("a number"))
    };
    let (sample, sequences) = last("sample", &[]);
    let (all, all_sequences) = last("all", &["--set", "training.evaluate_sequences=100000"]);
    assert!(sequences == 64 && all_sequences > 200, "{sequences} of {all_sequences}");
    assert!((sample - all).abs() < 0.3 * all, "{sample} is not {all}");

    workshop.pretrain_well("resumed", &["--until", "20"]);
    let (resumed, _) = last("resumed", &["--resume"]);
    assert_eq!(resumed.to_bits(), sample.to_bits());
    // other micro-batches sum in another order
    let (small, _) = last("small", &["--set", "training.gradient_accumulation=4"]);
    assert!((small - sample).abs() < 1e-3, "{small} is not {sample}");
}

/// Prompts that are longer than the context, before short completions: no step and no evaluation is of prompts alone, and what is left
/// out is said before the start.
#[test]
fn a_prompt_beyond_the_context_leaves_its_completion() {
    let workshop = Workshop::new();
    let line = |number: usize| {
        format!("{}\n", json!({ "prompt": "to be or not to be ".repeat(20 + number % 3), "completion": " yes" }))
    };
    fs::write(workshop.path().join("long.jsonl"), (0..60).map(line).collect::<String>()).expect("it can be written");
    for packing in ["best_fit", "concatenated"] {
        workshop.set_data(&format!("mixture = \"long.jsonl\"\npacking = \"{packing}\"\nvalidation = 0.3"));
        let few = ["--set", "training.log_every=1", "--set", "training.batch_size=1", "--plain"];
        let output = workshop.pretrain(packing, &few);
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        let left_out = match packing {
            "best_fit" => "prompts are too long, and lose",
            _ => "sequences within a prompt are left out",
        };
        for name in ["mixture: ", "validation: "] {
            let line = said.lines().find(|line| line.starts_with(name)).expect("the data is told of");
            assert!(line.contains("; loss on ") && line.contains(left_out), "{line}");
        }
        let losses: Vec<f64> = workshop.metrics(packing).iter().filter_map(|line| line["loss"].as_f64()).collect();
        assert!(losses.len() == 40 && losses.iter().all(|loss| *loss > 0.0), "{losses:?}");
        let found = evaluations(&workshop, packing);
        assert!(found.iter().all(|line| line["validation_loss"].as_f64().is_some_and(|loss| loss > 0.0)), "{found:?}");
    }
}

/// Where the loss is taken on no token, there is nothing to learn and nothing to evaluate, and no checkpoint says otherwise.
#[test]
fn a_training_without_loss_does_not_start() {
    let workshop = Workshop::new();
    let long = format!("{}\n", json!({ "prompt": "to be or not to be ".repeat(30), "completion": " yes" }));
    let short = "{\"text\": \"to be or not to be\"}\n".repeat(40);
    fs::create_dir(workshop.path().join("long")).expect("the folder can be made");
    workshop.set_data("mixture = \"long\"");
    for (train, validation, part) in [(&long, &short, "training"), (&short, &long, "validation")] {
        for (name, lines) in [("train", train), ("validation", validation)] {
            let path = workshop.path().join(format!("long/{name}-0.jsonl"));
            fs::write(path, lines).expect("it can be written");
        }
        let output = workshop.pretrain("out", &[]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("/long: its {part} split has 1 documents with")), "{said}");
        assert!(said.contains("no sequence of 32 has a token of a completion"), "{said}");
        assert!(said.contains("`packing = \"best_fit\"` or a longer `context_length` helps"), "{said}");
        assert!(workshop.saved("out").is_empty());
        // and it does
        workshop.pretrain_well("mended", &["--set", "data.packing=best_fit", "--set", "training.steps=2"]);
        fs::remove_dir_all(workshop.path().join("mended")).expect("it can be removed");
    }
}
