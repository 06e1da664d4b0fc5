//! Pretraining a model with an encoder: span corruption, seen from outside.

use std::fs;

use serde_json::Value;

use crate::{
    programs::write_sentinels,
    support::{Workshop, stderr, text, train},
};

const MODEL: &str = r#"family = "t5"
num_layers = 2
num_heads = 2
hidden_size = 32
context_length = 64
dropout = 0.05"#;

/// A workshop with a configuration of a T5, whose `[data]` has some lines more.
fn workshop(data: &str) -> Workshop {
    let workshop = Workshop::new();
    write_sentinels(&workshop);
    let path = workshop.path().join("small.toml");
    let config = fs::read_to_string(&path).expect("it was written");
    let decoder = "num_layers = 2\nnum_heads = 2\nhidden_size = 16\ncontext_length = 32";
    assert!(config.contains(decoder));
    let config = config.replace(decoder, MODEL).replace("\"tokenizer.json\"", &format!("\"sentinels.json\"\n{data}"));
    fs::write(path, config).expect("it can be written");
    workshop
}

/// The loss falls below what letters by their frequency give; nothing is said of perplexity or bytes; it answers a prompt, alone and while it
/// is trained; and exported and imported it has the same weights and the same answer.
#[test]
fn a_model_learns_what_was_taken_out() {
    let workshop = workshop("span_corruption = { noise_density = 0.2 }");
    let settings = [
        "--set",
        "training.steps=300",
        "--set",
        "training.batch_size=16",
        "--set",
        "training.evaluate_every=100",
        "--set",
        "training.save_every=100",
        "--set",
        "training.samples={ every = 300, prompts = [\"The <extra_id_0> of\", \"\"], tokens = 8, temperature = 0.0 }",
        "--plain",
    ];
    let output = workshop.pretrain("out", &settings);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    // 15 ids of noise in 5 spans
    let lines = said.matches("sequences of 73, by span corruption 64 tokens to read and 21 to write").count();
    assert_eq!(lines, 2, "of what is trained on, and of what is evaluated on: {said}");
    assert!(!said.contains("perplexity") && !said.contains("bits a byte"), "{said}");
    let metrics = workshop.metrics("out");
    let losses: Vec<f64> = metrics.iter().filter_map(|line| line["validation_loss"].as_f64()).collect();
    assert!(losses.len() == 4 && losses[3] < losses[0] - 1.0 && losses[3] < 4.2, "{losses:?}");
    assert!(metrics.iter().all(|line| line.get("validation_perplexity").is_none()), "{metrics:?}");
    let samples = fs::read_to_string(workshop.path().join("out/samples.jsonl")).expect("there are samples");
    let first: Value = serde_json::from_str(samples.lines().next().expect("a sample")).expect("a line is JSON");

    let path = |name: &str| workshop.path().join(name);
    let answer = |name: &str| {
        let folder = path(name);
        let more = ["--prompt", "The <extra_id_0> of", "--tokens", "8", "--temperature", "0"];
        let output = train(&[&["generate", text(&folder)], &more[..]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    let said = answer("out");
    assert_eq!(first["text"].as_str(), Some(said.strip_suffix('\n').expect("a line")));
    for arguments in [["export", "out", "folder"], ["import", "folder", "back"]] {
        let [command, from, to] = arguments;
        let output = train(&[command, text(&path(from)), "--out", text(&path(to))]);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
    }
    assert!(workshop.checkpoint("out", 300)[0] == workshop.checkpoint("back", 0)[0], "other weights");
    assert_eq!(answer("back"), said);

    // a folder of Hugging Face is gone on with, by the tokenizer that it came with
    let config = fs::read_to_string(path("small.toml")).expect("it was written");
    let model = config.find("[model]").expect("a table")..config.find("[training]").expect("a table");
    let mut from = config.clone();
    from.replace_range(model, "[model]\nfrom = \"folder\"\n");
    fs::write(path("small.toml"), from.replace("tokenizer = \"sentinels.json\"\n", "")).expect("it can be written");
    let output = workshop.pretrain("more", &["--until", "1", "--set", "training.batch_size=16"]);
    assert!(output.status.success() && stderr(&output).contains("nothing is fresh"), "{}", stderr(&output));
    let begun = workshop.metrics("more")[0]["validation_loss"].as_f64().expect("a loss");
    assert!((begun - losses[3]).abs() < 1e-5, "{begun} is not {}", losses[3]);
}

/// What span corruption cannot do is told with its place, before anything is read.
#[test]
fn what_cannot_be_corrupted_is_named() {
    for (data, settings, message) in [
        ("", &["data.tokenizer=TOKENIZER"][..], "has 3 spans of noise, and the tokenizer has 0 sentinels"),
        ("", &["data.tokenizer=TOKENIZER"], "`train tokenizer --extra-ids N` makes a tokenizer that has them"),
        ("packing = \"best_fit\"", &[], "small.toml:6:11: span corruption is of sequences that are full"),
        ("document_masking = true", &[], "small.toml:6:20: an encoder reads all of its sequence"),
        (
            "span_corruption = { noise_density = 1.0 }",
            &[],
            "small.toml:6:37: the share of noise is more than 0 and less than 1, and not 1",
        ),
        (
            "span_corruption = { mean_noise_span_length = 0.5 }",
            &[],
            "small.toml:6:46: the mean length of spans of noise is 1 or more, and not 0.5",
        ),
        ("span_corruption = { density = 0.1 }", &[], "unknown field `density`"),
        ("span_corruption = { noise_density = 0.9 }", &[], "and `context_length` is 64"),
        ("", &["model.context_length=2"], "and `context_length` is 2"),
        ("span_corruption = {}", &["model.family=gpt2"], "a decoder learns from texts as they are"),
    ] {
        let workshop = workshop(data);
        let tokenizer = workshop.path().join("tokenizer.json");
        let settings: Vec<String> =
            settings.iter().map(|setting| setting.replace("TOKENIZER", text(&tokenizer))).collect();
        let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
        let output = workshop.pretrain("out", &settings);
        assert_eq!(output.status.code(), Some(1), "{data} {settings:?}");
        assert!(stderr(&output).contains(message), "{data} {settings:?}: {}", stderr(&output));
        assert!(!workshop.path().join("out").exists(), "{data} {settings:?}");
    }
}
