//! The recipe for real input, where there is any.

use std::fs;

use fixtures::needs::data;

use crate::support::{curate, hashes, recipe, root, run_well, stdout, temporary, text};

/// The whole chain runs on real archives, books, an encyclopedia, a forum and conversations; its sums close; and what is no
/// page, or cannot be read, has its reason.
#[test]
fn the_web_recipe_runs_on_real_input() {
    let Some(data) = data("the_web_recipe_runs_on_real_input", "crawl/pages.warc.gz") else { return };
    let (one, two) = (temporary(), temporary());
    let set = format!("data={}", text(&data));
    let ledger = run_well(&recipe("web.toml"), one.path(), &["--threads", "1", "--set", &set]);
    ledger.check().expect("every equation holds");
    let web = ledger.stages.iter().find(|entry| entry.stage == "read" && entry.source == "web").expect("it was read");
    // 990 pages of one archive, 822 records of the other
    assert_eq!(web.r#in, 1812);
    assert_eq!(web.dropped["not_a_response"], 261 + 261 + 1, "requests, metadata, and a word about the archive");
    assert_eq!(web.dropped["not_http"], 38, "answers about names");
    for mixture in ["text", "instructions"] {
        assert!(one.path().join("mixtures").join(mixture).join("train-00000-of-00001.parquet").is_file());
    }
    run_well(&recipe("web.toml"), two.path(), &["--threads", "2", "--set", &set]);
    let promised = ["mixtures", "decisions", "ledger.json"];
    assert_eq!(hashes(one.path(), &promised), hashes(two.path(), &promised));
}

/// Scores agree with what people call good: the area under ROC on 499 labelled documents, of which no model has seen a label, and which a
/// document's length alone brings to 0.764.
#[test]
fn classifiers_agree_with_people() {
    let Some(data) = data("classifiers_agree_with_people", "quality/human_labels.jsonl") else { return };
    let out = temporary();
    run_well(&recipe("quality.toml"), out.path(), &["--set", &format!("data={}", text(&data))]);
    for (name, least) in [("gpt3", 0.78), ("hashed", 0.78), ("fasttext", 0.80), ("quality", 0.83)] {
        let card = fs::read(out.path().join(format!("models/{name}/card.json"))).expect("it was trained");
        let card: serde_json::Value = serde_json::from_slice(&card).expect("a card is JSON");
        let people = &card["labelled"][0]["evaluation"];
        assert!(people["roc_auc"].as_f64() >= Some(least), "{name}: {people}");
        assert!(people["above_length_interval"][0].as_f64() > Some(0.0), "{name}: {people}");
        assert!(!card["warnings"].as_array().expect("a list").is_empty(), "{name} is told why its F1 is trivial");
    }
}

/// Every row of the data of every shipped task means something to its task, and FLAN's limits hold: 3,000 examples of a task count, 200 stand in a
/// split for validation, and none is trained on that is like one that is held out.
#[test]
fn shipped_tasks_read_their_data() {
    let Some(data) = data("shipped_tasks_read_their_data", "tasks/gsm8k.train.jsonl") else { return };
    let out = temporary();
    let ledger = run_well(&recipe("tasks.toml"), out.path(), &["--set", &format!("data={}", text(&data))]);
    ledger.check().expect("every equation holds");
    let read: Vec<_> = ledger.stages.iter().filter(|entry| entry.stage == "read").collect();
    assert_eq!(read.len(), schemas::task::shipped().len());
    for entry in &read {
        assert!(entry.quarantined.is_empty(), "{}: {:?}", entry.source, entry.quarantined);
    }
    let kept = |source: &str| read.iter().find(|entry| entry.source == source).map(|entry| entry.kept);
    assert_eq!([kept("gsm8k"), kept("xquad_en"), kept("agnews")], [Some(7473 + 1319), Some(1190), Some(7600)]);
    for entry in ledger.mixtures.iter().filter(|entry| entry.mixture == "flan") {
        let most = match entry.split.as_str() {
            "train" => 3000,
            "validation" => 200,
            _ => u64::MAX,
        };
        assert!(entry.rows <= most, "{entry:?}");
    }
    let rte = ledger.stages.iter().find(|entry| entry.stage == "mixture-flan" && entry.source == "rte");
    assert_eq!(rte.map(|entry| entry.dropped["held_out_elsewhere"]), Some(2));
}

/// Both readers of fastText models give the labels that fastText 0.9.2 gives, on 15,000 sentences in 75 languages: the
/// hashes are of its labels (`benches/peers/language_fasttext.py` shows them side by side).
#[test]
fn languages_are_those_that_fasttext_finds() {
    let Some(data) = data("languages_are_those_that_fasttext_finds", "language/sentences.jsonl.gz") else { return };
    let sentences = data.join("language/sentences.jsonl.gz");
    for (model, expected) in [
        (data.join("language/lid.176.ftz"), "6b213e1b6371f6386db3779455fa7621030774caa1cb628cf75fa6e17e2d758c"),
        (root().join("fixtures/language.bin"), "44f5a04af485580d9836e9920caa08012f9e5848946e7c99017886bbed5f6c04"),
    ] {
        let arguments = ["measure", "-q", "--facts", "none", "--language", text(&model), text(&sentences)];
        let output = curate(&arguments).output().expect("it can be started");
        let labels: Vec<String> = stdout(&output)
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON"))
            .map(|facts| facts["language"].as_str().unwrap_or("none").to_owned())
            .collect();
        assert_eq!(labels.len(), 15_000);
        let folder = temporary();
        let list = folder.path().join("labels.txt");
        fs::write(&list, labels.join("\n")).expect("the folder can be written");
        let found = curate::files::hash_file(&list).expect("it was just written");
        assert_eq!(found.sha256, expected, "labels by {} are not the original's", model.display());
    }
}
